"""The project as the tree at hand has it, and what all results begin with."""

import functools
import importlib
from typing import Any

import numpy as np

_PLACES = {  # what is called so: the modules that may have it, the newest first
    "tf": "core.backend",
    "to_float": "core.arrays core.data",
    "load_mnist": "core.data.mnist core.data",
    "load_once": "core.zoo.models core.zoo",
    "MODEL_1": "core.network.architecture core.architecture",
    "feature_maps convolutions seen_rows kernels channel_arithmetic": (
        "core.inspection.feature_maps core.feature_maps"
    ),
    "scale_channels edited_classifier": "core.inspection.surgery core.surgery",
    "occlude": "core.inspection.occlusion core.occlusion",
    "gradient gradient_times_input integrated_gradients smooth_grad grad_cam": (
        "core.inspection.attribution core.attribution"
    ),
    "fidelity": "core.inspection.fidelity core.fidelity",
    "ImageSettings maximize_logit maximize_channel": (
        "core.inspection.class_images core.class_images"
    ),
    "generate_from_noise move_toward additive_noise": "core.attacks.generated",
    "attack": "core.attacks.catalog",
    "Untargeted Targeted": "core.attacks.goals",
    "smallest": "core.attacks.smallest core.smallest",
    "interval_bounds margin_bounds": "core.certification.interval_bounds core.defenses.certified",
    "growth certified_radius looseness": "core.certification.growth core.defenses.growth",
    "votes certify": "core.certification.smoothing core.defenses.smoothing",
    "Filter": "core.defenses.filters",
    "autoencoder": "core.defenses.autoencoder",
    "projected": "core.defenses.projection",
    "DefendedClassifier defense_of": "core.defenses.defended",
    "DETECTORS": "core.defenses.detection",
    "adaptive": "core.defenses.adaptive",
    "TrainingSettings": "core.training.settings core.settings",
    "train": "core.training.loop core.training",
    "RobustSettings STRIDED": "core.training.robust.settings core.defenses.settings",
    "RobustTrainer": "core.training.robust.trainer core.defenses.robust_training",
    "MaskingStudy": "core.studies.masking core.masking",
    "Grid Row Budget": "core.studies.grid core.defenses.grid",
    "CurveStudy": "core.studies.robustness_curve core.robustness_curve",
}


class _Here:
    """The project as the tree at hand has it: names of _PLACES as attributes."""

    @functools.cache  # noqa: B019, of the one object there is
    def __getattr__(self, name: str) -> Any:
        modules = next(places for names, places in _PLACES.items() if name in names.split())
        for module in modules.split():
            try:
                return getattr(importlib.import_module(module), name)
            except (ModuleNotFoundError, AttributeError):
                continue
        raise LookupError(f"There is no {name} in {modules}.")


here = _Here()


def picked(thing: Any, names: str) -> dict[str, Any]:
    """Some attributes of an object by name."""
    return {name: getattr(thing, name) for name in names.split()}


@functools.cache
def test_images(count: int) -> tuple[Any, Any]:
    """The first test images, float32, and their labels, int64."""
    test = here.load_mnist().test.first(count)
    return here.to_float(test.images), test.labels.astype(np.int64)


def others(labels: Any) -> Any:
    """For each class another one."""
    return (labels + 1) % 10


def defended(key: str, **settings: Any) -> Any:
    """Model 1 behind the defense that a key names."""
    bare = here.load_once("model-1")
    return here.DefendedClassifier(bare, here.defense_of(key), **settings)


def worked(study: Any, *given: Any, **settings: Any) -> Any:
    """A study, when it has come to its end."""
    for _ in study.work(*given, **settings):
        pass
    return study

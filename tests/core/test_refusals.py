"""No public function of core takes what is no number, no whole number, or no seed.

The functions are found by looking: a new one is covered by itself, or asks for what it is called
with in ARGUMENTS.
"""

import dataclasses
import functools
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import core
from core.attacks.catalog import ATTACKS, attack
from core.attacks.geometry import Ball
from core.attacks.goals import Untargeted
from core.attacks.growing_ball import Climb
from core.attacks.smallest import bisect
from core.checks import MAX_SEED
from core.data.spec import MNIST
from core.defenses.adaptive import adaptive
from core.defenses.defended import DefendedClassifier
from core.defenses.detection import DETECTORS
from core.defenses.filters import KINDS, Filter
from core.defenses.projection import Projection
from core.inspection.attribution import grad_cam
from core.inspection.class_images import ImageSettings
from core.inspection.feature_maps import convolutions
from core.network.architecture import Architecture, ConvBlock
from core.network.classifier import Classifier
from core.network.evaluation import evaluate
from core.network.model import build_model
from core.optimization.engine import OPTIMIZERS
from core.optimization.objectives import energy
from core.training.robust.settings import RobustSettings
from core.training.settings import TrainingSettings

BAD = {
    int: (1.5, 40.0, float("nan"), True, "3", None, 2j, 10**400, -(10**9), np.array([1, 2])),
    float: (float("nan"), float("inf"), -float("inf"), True, "3", None, 2j, 10**400, np.zeros(2)),
}
EXEMPT = {  # of what was measured or checked before, inside graphs, or the checks themselves
    "core.checks", "core.training.comparison", "core.report.claims",
    "core.studies.masking_verdicts", "core.statistics.paired", "core.optimization.objectives",
    "core.network.pooling", "core.keyed_noise", "core.attacks.search", "core.network.margins",
    "core.apart", "core.data.archive", "core.plain", "core.data.pale", "core.studies.study",
    "core.training.augmentation.stateless_seed", "core.defenses.projection.adam",
    "core.network.classifier.in_batches", "core.arrays.check_classes",
    "core.network.stages.reach", "core.network.stages.roles",
    "core.training.loop.checkpoint_steps",
    "core.inspection.responses.standing", "core.studies.robustness_curve.falls_to",
    "core.network.card.Robustness", "core.training.runs.Run", "core.statistics.rate.Rate",
    "core.studies.masking.MaskingStudy.counted", "core.studies.scoreboard.Scoreboard.seconds",
    # what a study, a reader or a page has checked before it gives it to a chunk or a step
    "core.data.reading.axes", "core.data.reading.contents", "core.data.reading.duplicates",
    "core.data.reading.levels", "core.data.reading.pictures", "core.data.reading.read.held_out",
    "core.inspection.catalog.values_of", "core.network.orientation.ways_to_read",
    "core.studies.attempts.tried", "core.studies.certified_study.proof",
    "core.studies.detection_study.scored", "core.studies.detection_study.scores_of",
    "core.studies.fidelity_study.areas", "core.studies.masking_looks",
    "core.studies.repeated.ends_of", "core.studies.repeated.moved",
    "core.studies.robustness_curve.CurveStudy._joined",
    "core.studies.robustness_curve.measured", "core.studies.scoreboard.attacked",
    "core.studies.smallest_study.measured", "core.studies.smoothing_study.smoothed",
    "core.work.capacity", "core.work.supervisor", "core.work.worker",
}  # fmt: skip


@functools.cache
def network() -> Classifier:
    return Classifier(build_model(Architecture((ConvBlock(2),), (4,))), name="small")


@functools.cache
def projecting() -> DefendedClassifier:
    return DefendedClassifier(network(), [Projection(2, 1)])


def gray(count: int) -> np.ndarray:
    random = np.random.default_rng(0)
    return (0.5 + 0.1 * random.random((count, 28, 28, 1))).astype(np.float32)


def arguments(count: int) -> dict[str, Any]:
    """By name what the functions of core are called with, for `count` images."""
    images, labels = gray(count), np.arange(count) % 10
    return {
        "classifiers": (network(),),
        "classifier": network(), "source": network(), "bare": network(), "model": network().model,
        "images": images, "sources": images, "begin": images, "start": images, "added_to": None,
        "adversarial": np.clip(images + 0.1, 0, 1), "originals": images,
        "image": gray(1), "labels": labels, "classes": labels, "goal": Untargeted(labels),
        "lengths": np.ones(count, np.float32), "radii": np.full(count, 0.1, np.float32),
        "length": 1.0, "maps": gray(count)[..., 0], "noise": gray(1) - 0.5, "label": 0,
        "target": 3, "epsilon": 0.1, "epsilons": (0.0, 0.1), "sigma": 0.1, "copies": 3,
        "guesses": 2, "detector": DETECTORS["Feature squeezing"], "architecture": Architecture(),
        "members": 2, "counts": np.array([5, 2]), "name": "black", "kind": "noise", "count": 2,
        "number": 0, "layer": "conv1", "channels": np.zeros(count, np.int64),
        "units": np.zeros(count, np.int64), "objective": energy(), "optimizer": OPTIMIZERS[0],
        "learning_rate": 0.1, "iterations": 2, "keep_every": 1, "factors": {"conv1": np.ones(2)},
        "costs": np.array([[1.0], [2.0]]), "steps": np.array([0, 1]), "mean": 0.5, "stddev": 0.1,
        "block": 4, "stride": 4, "real": np.ones(3, np.float32), "norm": "linf", "draws": 2,
        "queries": 2, "restarts": 1, "method": "PGD", "successes": 1, "total": 3, "alpha": 0.1,
        "first": 2, "second": 1, "others": (labels + 1) % 10, "strength": 1.0, "noisy": images,
        "detected": images, "directions": 2, "points": 2, "generations": 1, "population": 4,
        "binary_search_steps": 1, "samples": 2, "tolerance": 0.1, "scale": 1.0,
        "seed": 0, "jitter": 0, "blur": 0.0, "size": 0.1, "ball": Ball(0.1, "linf"),
        "climb": Climb(), "convolution": convolutions(network().model)[0],
    }  # fmt: skip


@functools.cache
def special(count: int) -> dict[str, dict[str, Any]]:
    return {  # where a name means something else
        "core.attacks.generated.move_toward": {"start": "source", "objective": "logit"},
        "core.attacks.generated.generate_from_noise": {"objective": "logit"},
        "core.attacks.generated.additive_noise": {"objective": "logit"},
        "core.inspection.attribution.integrated_gradients": {"steps": 2},
        "core.inspection.attribution.smooth_grad": {"noise": 0.1},
        "core.inspection.class_images.maximize_logit": {"start": None},
        "core.inspection.class_images.maximize_channel": {"start": None},
        "core.inspection.class_images.maximize_unit": {"start": None},
        "core.network.evaluation.evaluate": {"labels": np.zeros(count, np.uint8)},
        "core.data.neighbors.nearest_by_class": {
            "images": np.zeros((count, 28, 28), np.uint8),
            "labels": np.zeros(count, np.uint8),
            "classes": 10,
        },
        "core.optimization.engine.trajectory_of": {"images": np.stack([gray(count)] * 2)},
        "core.inspection.responses.most_similar": {"real": gray(3)},
        "core.inspection.catalog.scale_end": {"unit": "logit"},
        "core.attacks.smallest.path": {"found": bisect(network(), gray(1), arguments(1)["goal"])},
        "core.certification.growth.looseness": {"units": 2},
        "core.defenses.filters.Filter": {"kind": "blur"},
        "core.defenses.latent_attack.latent_attack": {"iterations": 20},
        "core.studies.detection_study.DetectionStudy": {
            "images": 3,
            "detector": "Feature squeezing",
        },
        "core.inspection.fidelity.fidelity": {"steps": 2},
        "core.data.spec.DatasetSpec": dict(vars(MNIST)),
        "core.attacks.goals.random_targets": {"classes": 10},
        "core.attacks.loss_surface.difference_cosines": {"step": 0.01},
        "core.studies.scoreboard.Scoreboard": {
            "attack": attack("FGSM"),
            "settings": {},
            "goal": "any other",
        },
        "core.studies.robustness_curve.CurveStudy": {
            "classifiers": {"small": network()},
            "total": 3,
        },
    }


def found() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every public function and every dataclass of core that checks what it is given."""
    for module in pkgutil.walk_packages(core.__path__, "core."):
        loaded = importlib.import_module(module.name)
        for name, each in vars(loaded).items():
            own = getattr(each, "__module__", None) == module.name and not name.startswith("_")
            checks = dataclasses.is_dataclass(each) and hasattr(each, "__post_init__")
            path = f"{module.name}.{name}"
            function = inspect.isfunction(each) or (inspect.isclass(each) and checks)
            if own and function and not {module.name, path} & EXEMPT:
                yield path, each


def given(path: str, function: Callable[..., Any], count: int = 1) -> dict[str, Any]:
    """What a function is called with: all it needs, and what makes it quick."""
    known = arguments(count) | special(count).get(path, {})
    if path.endswith("latent_attack"):
        known["classifier"] = projecting()
    found = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            continue
        needed = parameter.default is inspect.Parameter.empty
        assert name in known or not needed, f"ARGUMENTS do not say what {path} takes as {name}"
        if needed or name in ("iterations", "queries", "draws", "epsilon"):
            found[name] = known[name]
    return found


def numbers() -> list[tuple[str, str]]:
    return [
        (path, name)
        for path, function in found()
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.annotation in BAD and f"{path}.{name}" not in EXEMPT
    ]


@pytest.mark.parametrize(("path", "name"), numbers(), ids=lambda each: each)
def test_a_bad_number_is_refused_in_one_sentence(path: str, name: str) -> None:
    function = dict(found())[path]
    values = given(path, function)
    kind = inspect.signature(function).parameters[name].annotation
    for bad in BAD[kind]:
        with pytest.raises(ValueError, match=r"^[^\n]{10,200}\.$") as caught:
            function(**{**values, name: bad})
        assert "{" not in str(caught.value)
    if name == "seed":
        for bad in (-1, MAX_SEED + 1):
            with pytest.raises(ValueError, match="The seed is"):
                function(**{**values, name: bad})


def test_many_functions_are_found() -> None:
    assert len(numbers()) > 150
    assert ("core.attacks.gradient.pgd", "iterations") in numbers()


@pytest.mark.parametrize("path", [path for path, name in numbers() if name == "seed"])
def test_numpys_integers_and_the_largest_seed_are_taken(path: str) -> None:
    function = dict(found())[path]
    values = given(path, function)
    whole = {name: np.uint8(value) for name, value in values.items() if type(value) is int}
    function(**{**values, **whole, "seed": np.int64(MAX_SEED)})


AT_LEAST_ONE = {  # trained or compared with, and studies that count
    "core.studies.grid.Grid", "core.inspection.feature_maps.compare_layers",
    "core.zoo.generative_training.train_autoencoder",
    "core.zoo.generative_training.train_generator",
}  # fmt: skip


def batches() -> list[str]:
    """The functions that take a batch of images."""
    return [
        path
        for path, function in found()
        if path not in AT_LEAST_ONE
        and {"images", "sources", "start", "originals", "classes"}
        & {
            name
            for name, parameter in inspect.signature(function).parameters.items()
            if "ndarray" in str(parameter.annotation)
        }
    ]


def leaves(value: Any) -> Iterator[Any]:
    """The arrays of a result, in order, those of its properties as well."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from leaves(each)
    elif isinstance(value, tuple | list):
        for each in value:
            yield from leaves(each)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from leaves(getattr(value, field.name))
        for name, each in vars(type(value)).items():
            if isinstance(each, property | functools.cached_property) and name != "closest":
                yield from leaves(getattr(value, name))


MANY = 11  # no other length of an array


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("path", batches())
def test_no_image_gives_an_empty_result(path: str) -> None:
    """Of the shape and type that a result of several images has, along their axis empty."""
    function = dict(found())[path]
    one, none = (list(leaves(function(**given(path, function, count)))) for count in (MANY, 0))
    assert len(one) == len(none)
    for full, empty in zip(one, none, strict=True):
        assert empty.dtype == full.dtype
        assert empty.shape == tuple(0 if side == MANY else side for side in full.shape)


def test_attacks_and_detectors_and_filters_take_no_image() -> None:
    images, none = gray(0), Untargeted(np.zeros(0, np.int64))
    for each in ATTACKS.values():
        for record in (False, True):
            for settings in ({}, {"norm": "l2"}) if each.bounded else ({},):
                result = each(network(), images, none, settings, record=record)
                assert result.adversarial.shape == (0, 28, 28, 1)
                assert (result.success.total, result.standing.total) == (0, 0)
                assert [len(each) for each in (result.l0, result.l2, result.linf)] == [0, 0, 0]
    for detector in DETECTORS.values():
        assert detector.scores(network(), images).shape == (0,)
    for kind in KINDS.values():
        behind = DefendedClassifier(network(), [Filter(kind.name, kind.default)], draws=2)
        assert behind.logits(images).shape == (0, 10)
        assert behind.purified(images).shape == (0, 28, 28, 1)
        assert adaptive(behind, images, none).adversarial.shape == (0, 28, 28, 1)
    assert evaluate(network(), images, np.zeros(0, np.uint8)).accuracy.total == 0


@pytest.mark.parametrize("value", [1, "no", None, 0.0])
def test_a_switch_is_on_or_off(value: Any) -> None:
    """A key holds True for 1: what is kept under both is one computation."""
    images = gray(1)
    goal = Untargeted(network().predict(images))
    asked: list[Callable[[], object]] = [
        lambda: Architecture(batch_normalization=value),
        lambda: TrainingSettings(robust_scores=value),
        lambda: RobustSettings(threshold_start=value),
        lambda: ImageSettings(minimize=value),
        lambda: attack("PGD")(network(), images, goal, {"random_start": value, "iterations": 1}),
        lambda: grad_cam(network(), images, goal.classes, signed=value),
    ]
    for each in asked:
        with pytest.raises(ValueError, match="give True or False"):
            each()

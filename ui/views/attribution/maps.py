"""The maps that the attribution page shows, what it sets for them, and their fixed scales."""

import functools
from collections.abc import Mapping

import numpy as np

from core.catalog import Value
from core.inspection.attribution import Attribution, randomize_last_layer
from core.inspection.catalog import METHODS, scale_end, values_of
from core.network.classifier import Classifier
from core.studies.fidelity_study import MapOf
from ui.visitor import compute
from ui.visitor.cache import cached
from ui.visitor.images import ChosenImage

REFERENCE_IMAGES = 20
_CHECK = 200  # passes of the card that checks a map, roughly
Settings = Mapping[str, Value]  # of all maps together, by their keys in links and files


def defaults() -> dict[str, Value]:
    """Where every control stands at first."""
    return {
        method.key_of(setting.name): setting.default
        for method in METHODS.values()
        for setting in method.settings
    }


def work(images: int, settings: Settings) -> int:
    """Looks at the network for the scales, the check, and all maps of so many images, roughly."""
    scales = sum(method.work(method.scale_at) for method in METHODS.values())
    each = sum(method.work(method.own(settings)) for method in METHODS.values())
    return _CHECK + REFERENCE_IMAGES * scales + images * each


def attribution(
    method: str, classifier: Classifier, image: ChosenImage, label: int, settings: Settings
) -> Attribution:
    """The map of one image for the class `label`, computed once for the settings it follows."""
    return _attribution(method, classifier, image, label, METHODS[method].own(settings))


@cached
def _attribution(
    method: str, classifier: Classifier, image: ChosenImage, label: int, own: Settings
) -> Attribution:
    return METHODS[method](classifier, image.floats, np.array([label]), own)


def maps_of(settings: Settings) -> dict[str, MapOf]:
    """All of them for core.studies.fidelity_study: classifier, images, classes → values."""
    return {
        name: functools.partial(values_of, name, method.own(settings))
        for name, method in METHODS.items()
    }


def limit(method: str, classifier: Classifier) -> float:
    """Where the color scale of the method's unit ends, the same for all images of a model."""
    return _limit(METHODS[method].unit, classifier)


@cached
def _limit(unit: str, classifier: Classifier) -> float:
    images, _ = compute.first_test_images(classifier.spec, REFERENCE_IMAGES)
    return scale_end(unit, classifier, images)


@cached
def randomized(classifier: Classifier, seed: int = 0) -> Classifier:
    """The network with its last layer drawn anew, made once for each version."""
    return randomize_last_layer(classifier, seed=seed)

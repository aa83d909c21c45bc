"""The five maps that the attribution page shows, their settings, and their fixed scales."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.arrays import FloatArray, IntArray
from core.data.fills import fill_images
from core.inspection.attribution import (
    Attribution,
    grad_cam,
    gradient,
    gradient_times_input,
    integrated_gradients,
    randomize_last_layer,
    smooth_grad,
)
from core.network.classifier import Classifier
from core.studies.fidelity_study import MapOf
from ui.visitor import compute
from ui.visitor.images import ChosenImage

REFERENCE_IMAGES = 20
QUANTILE = 0.99


@dataclass(frozen=True)
class Settings:
    """What the sliders say; the defaults are where they stand at first."""

    baseline: str = "black"
    steps: int = 64
    noise: float = 0.15
    samples: int = 50
    signed_cam: bool = False


_REFERENCE = Settings(steps=32, samples=25)


@dataclass(frozen=True)
class Method:
    """How a map is computed, the unit of its values, and which settings it follows."""

    compute: Callable[[Classifier, FloatArray, IntArray, Settings], Attribution]
    unit: str
    follows: tuple[str, ...] = ()


def _integrated(
    classifier: Classifier, images: FloatArray, classes: IntArray, settings: Settings
) -> Attribution:
    baseline = fill_images(settings.baseline, images)
    return integrated_gradients(
        classifier, images, classes, baseline=baseline, steps=settings.steps
    )


def _smooth(
    classifier: Classifier, images: FloatArray, classes: IntArray, settings: Settings
) -> Attribution:
    return smooth_grad(classifier, images, classes, samples=settings.samples, noise=settings.noise)


GRADIENT, TIMES_INPUT, INTEGRATED = "Gradient", "Gradient × input", "Integrated gradients"
SMOOTH_GRAD, GRAD_CAM = "SmoothGrad", "Grad-CAM"
METHODS = {
    GRADIENT: Method(lambda c, x, y, _: gradient(c, x, y), "logit per ink"),
    TIMES_INPUT: Method(lambda c, x, y, _: gradient_times_input(c, x, y), "logit"),
    INTEGRATED: Method(_integrated, "logit", ("baseline", "steps")),
    SMOOTH_GRAD: Method(_smooth, "logit per ink", ("noise", "samples")),
    GRAD_CAM: Method(
        lambda c, x, y, settings: grad_cam(c, x, y, relu=not settings.signed_cam),
        "weighted activation",
        ("signed_cam",),
    ),
}


def attribution(
    method: str, classifier: Classifier, image: ChosenImage, label: int, settings: Settings
) -> Attribution:
    """The map of one image for the class `label`, computed once for the settings it follows."""
    followed = tuple(getattr(settings, name) for name in METHODS[method].follows)
    return _attribution(
        method, classifier.version, image.key, label, followed, classifier, image, settings
    )


@st.cache_resource(max_entries=512, show_spinner=False)
def _attribution(
    method: str,
    version: str,
    image_key: str,
    label: int,
    followed: tuple[object, ...],
    _classifier: Classifier,
    _image: ChosenImage,
    _settings: Settings,
) -> Attribution:
    return METHODS[method].compute(_classifier, _image.floats, np.array([label]), _settings)


def maps_of(settings: Settings) -> dict[str, MapOf]:
    """All five for core.inspection.fidelity: classifier, images, classes → values."""

    def of(method: Method) -> MapOf:
        return lambda c, x, y: method.compute(c, x, y, settings).values

    return {name: of(method) for name, method in METHODS.items()}


def limit(method: str, classifier: Classifier) -> float:
    """Where the color scale of the method's unit ends, the same for all images of a model."""
    return _limits(classifier.version, classifier)[METHODS[method].unit]


@st.cache_resource(max_entries=64, show_spinner=False)
def _limits(version: str, _classifier: Classifier) -> dict[str, float]:
    """By unit: the 99th percentile of |value| over the reference images, in two digits."""
    images = compute.first_test_images(_classifier.spec, REFERENCE_IMAGES)[0]
    classes = _classifier.predict(images)
    limits: dict[str, float] = {}
    for method in METHODS.values():
        values = np.abs(method.compute(_classifier, images, classes, _REFERENCE).values)
        largest = max(float(np.quantile(values, QUANTILE)), limits.get(method.unit, 1e-6))
        limits[method.unit] = float(f"{largest:.2g}")
    return limits


def randomized(classifier: Classifier, seed: int = 0) -> Classifier:
    """The network with its last layer drawn anew, made once for each version."""
    return _randomized(classifier.version, seed, classifier)


@st.cache_resource(max_entries=4, show_spinner=False)
def _randomized(version: str, seed: int, _classifier: Classifier) -> Classifier:
    return randomize_last_layer(_classifier, seed=seed)

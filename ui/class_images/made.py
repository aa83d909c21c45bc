"""The images of the class images page, and the answers of real images to the same question."""

from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from core.class_images import (
    ImageSettings,
    maximize_channel,
    maximize_logit,
    maximize_unit,
    start_images,
)
from core.classifier import Classifier
from core.data import FloatArray, to_float
from core.experiments import total_variation
from core.optimization import Trajectory
from core.responses import Responses, responses, unit_responses
from ui import compute
from ui.class_images.wanted import CHANNEL, CLASS, Asked, Start, Wanted

FRAMES = 200  # kept of each image: ten take 6 MB
QUICK = 200  # iterations at most of the images below the player


@dataclass(frozen=True, eq=False)
class Made:
    """The end of a way: images [n, 28, 28, 1], what they excite [n], logits [n, 10], both ends."""

    images: FloatArray
    values: FloatArray
    logits: FloatArray
    first_values: FloatArray
    first_logits: FloatArray
    moved: FloatArray

    @property
    def variation(self) -> FloatArray:
        """The total variation, [n]."""
        return total_variation(self.images)

    @property
    def ink(self) -> FloatArray:
        """The sum of the pixels, [n]."""
        ink: FloatArray = self.images.sum(axis=(1, 2, 3))
        return ink


def trajectories(classifier: Classifier, asked: Asked) -> list[Trajectory]:
    """The ways of each seed, every step or evenly spaced ones kept. Raises ValueError."""
    return [
        _trajectory(classifier.version, asked.wanted, asked.start, settings, classifier)
        for settings in asked.seeds
    ]


@st.cache_resource(max_entries=8, show_spinner=False)
def _trajectory(
    version: str,
    wanted: Wanted,
    start: Start,
    settings: ImageSettings,
    _classifier: Classifier,
) -> Trajectory:
    return _run(_classifier, wanted, start, settings, -(-settings.iterations // FRAMES))


def made(classifier: Classifier, wanted: Wanted, start: Start, settings: ImageSettings) -> Made:
    """The end alone, after at most 200 iterations. Raises ValueError."""
    settings = replace(settings, iterations=min(settings.iterations, QUICK))
    return _made(classifier.version, wanted, start, settings, classifier)


@st.cache_resource(max_entries=64, show_spinner=False)
def _made(
    version: str,
    wanted: Wanted,
    start: Start,
    settings: ImageSettings,
    _classifier: Classifier,
) -> Made:
    return end_of(_run(_classifier, wanted, start, settings, settings.iterations))


def end_of(trajectory: Trajectory) -> Made:
    """Its last frame beside its first."""
    values = next(iter(trajectory.terms.values()))
    return Made(
        images=trajectory.result.copy(),
        values=values[-1],
        logits=trajectory.logits[-1],
        first_values=values[0],
        first_logits=trajectory.logits[0],
        moved=np.abs(trajectory.result - trajectory.images[0]).max(axis=(1, 2, 3)),
    )


def _run(
    classifier: Classifier, wanted: Wanted, start: Start, settings: ImageSettings, keep_every: int
) -> Trajectory:
    numbers = np.array(wanted.numbers)
    image = start.image.floats if start.image else None
    begin = start_images(start.kind, len(numbers), image=image, seed=settings.seed)
    how = {"start": begin, "keep_every": keep_every}
    with compute.inline("Making the images", len(numbers) * settings.iterations, classifier):
        if wanted.layer is None:
            return maximize_logit(classifier, numbers, settings, **how)
        climb = maximize_channel if wanted.kind == CHANNEL else maximize_unit
        return climb(classifier, wanted.layer.name, numbers, settings, **how)


def real_values(classifier: Classifier, wanted: Wanted, number: int) -> FloatArray:
    """What the 10,000 test images make of the same: float32 [10,000]."""
    if wanted.kind == CLASS:
        return compute.test_evaluation(classifier).logits[:, number]
    assert wanted.layer is not None
    if wanted.kind == CHANNEL:
        return layer_responses(classifier, wanted.layer.name).means[:, number]
    return _unit_values(classifier.version, wanted.layer.name, number, classifier)


def layer_responses(classifier: Classifier, layer: str) -> Responses:
    """What the channels of a layer of maps answer to the 10,000 test images."""
    return _layer_responses(classifier.version, layer, classifier)


@st.cache_resource(max_entries=16, show_spinner=False)
def _layer_responses(version: str, layer: str, _classifier: Classifier) -> Responses:
    return responses(_classifier, to_float(compute.mnist().test.images), layer)


@st.cache_resource(max_entries=64, show_spinner=False)
def _unit_values(version: str, layer: str, number: int, _classifier: Classifier) -> FloatArray:
    return unit_responses(_classifier, to_float(compute.mnist().test.images), layer, number)


def silent_units(classifier: Classifier, layer: str) -> int:
    """How many units of a dense layer are at most 0 for all test images."""
    return _silent_units(classifier.version, layer, classifier)


@st.cache_data(max_entries=32, show_spinner=False)
def _silent_units(version: str, layer: str, _classifier: Classifier) -> int:
    found = responses(_classifier, to_float(compute.mnist().test.images), layer)
    return int((found.largest <= 0).sum())


@st.cache_data(max_entries=1, show_spinner=False)
def typical() -> tuple[float, float]:
    """Ink and total variation of a test image, in the mean."""
    test = to_float(compute.mnist().test.images)
    return float(test.sum(axis=(1, 2, 3)).mean()), float(total_variation(test).mean())

"""The images of the class images page, and the answers of real images to the same question."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.arrays import FloatArray, to_float
from core.data.spec import DatasetSpec
from core.inspection.class_images import (
    ImageSettings,
    maximize_channel,
    maximize_logit,
    maximize_unit,
    start_images,
)
from core.inspection.responses import Responses, joined, responses, unit_responses
from core.network.classifier import Classifier
from core.network.evaluation import Evaluation
from core.optimization.engine import Trajectory
from core.report.claims import total_variation
from ui.controls.whole_set import Whole, evaluation, in_parts
from ui.views.class_images.wanted import CHANNEL, ImagesAsked, Start, Wanted
from ui.visitor import compute
from ui.visitor.cache import cached

FRAMES = 200  # kept of each image: ten take 6 MB
QUICK = 200  # iterations at most of the images below the player


@dataclass(frozen=True, eq=False)
class ImagesMade:
    """The end of a way: images [n, …], what they excite [n], logits [n, classes], both ends."""

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
    def pixel_sum(self) -> FloatArray:
        """The sum of the pixels, of which MNIST's are ink: [n]."""
        total: FloatArray = self.images.sum(axis=(1, 2, 3))
        return total


def trajectories(classifier: Classifier, asked: ImagesAsked) -> list[Trajectory]:
    """The ways of each seed, every step or evenly spaced ones kept. Raises ValueError."""
    return [
        _trajectory(asked.wanted, asked.start, settings, classifier) for settings in asked.seeds
    ]


@cached
def _trajectory(
    wanted: Wanted, start: Start, settings: ImageSettings, classifier: Classifier
) -> Trajectory:
    return _run(classifier, wanted, start, settings, -(-settings.iterations // FRAMES))


def made(
    classifier: Classifier, wanted: Wanted, start: Start, settings: ImageSettings
) -> ImagesMade:
    """The end alone, after at most 200 iterations. Raises ValueError."""
    settings = replace(settings, iterations=min(settings.iterations, QUICK))
    return _made(wanted, start, settings, classifier)


@cached
def _made(
    wanted: Wanted, start: Start, settings: ImageSettings, classifier: Classifier
) -> ImagesMade:
    return end_of(_run(classifier, wanted, start, settings, settings.iterations))


def end_of(trajectory: Trajectory) -> ImagesMade:
    """Its last frame beside its first."""
    values = next(iter(trajectory.terms.values()))
    return ImagesMade(
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
    begin = start_images(
        start.kind, len(numbers), image=image, seed=settings.seed, shape=classifier.spec.shape
    )
    how = {"start": begin, "keep_every": keep_every}
    with compute.inline("Making the images", len(numbers) * settings.iterations, classifier):
        if wanted.layer is None:
            return maximize_logit(classifier, numbers, settings, **how)
        climb = maximize_channel if wanted.kind == CHANNEL else maximize_unit
        return climb(classifier, wanted.layer.name, numbers, settings, **how)


Real = Evaluation | Responses | dict[int, FloatArray]


def real_answers(classifier: Classifier, wanted: Wanted) -> Whole[Any]:
    """What all test images make of the same: a `Real`."""
    if wanted.layer is None:
        return evaluation(classifier)
    if wanted.kind == CHANNEL:
        return layer_responses(classifier, wanted.layer.name)
    return _units(classifier, wanted.layer.name, wanted.numbers)


def real_values(wanted: Wanted, found: Real) -> dict[int, FloatArray]:
    """Of such an outcome the values of each number that is wanted: float32 [n]."""
    if isinstance(found, dict):
        return found
    columns = found.logits if isinstance(found, Evaluation) else found.means
    return {number: columns[:, number] for number in wanted.numbers}


def layer_responses(classifier: Classifier, layer: str) -> Whole[Responses]:
    """What the channels of a layer answer to all test images."""
    images = compute.test_split(classifier.spec).images

    def measured(part: slice) -> Responses:
        return responses(classifier, to_float(images[part]), layer)

    return Whole(
        f"The answers of {layer} to all test images",
        ("responses", classifier.version, layer),
        classifier,
        len(images),
        now=lambda: _layer_responses(layer, classifier),
        work=lambda: in_parts(len(images), measured, joined),
    )


def _units(
    classifier: Classifier, layer: str, numbers: tuple[int, ...]
) -> Whole[dict[int, FloatArray]]:
    images = compute.test_split(classifier.spec).images

    def measured(part: slice) -> FloatArray:
        some = to_float(images[part])
        return np.stack([unit_responses(classifier, some, layer, each) for each in numbers])

    return Whole(
        f"The answers of {layer} to all test images",
        ("units", classifier.version, layer, numbers),
        classifier,
        len(numbers) * len(images),
        now=lambda: {number: _unit_values(layer, number, classifier) for number in numbers},
        work=lambda: in_parts(
            len(images),
            measured,
            lambda parts: dict(zip(numbers, np.concatenate(parts, axis=1), strict=True)),
        ),
    )


@cached
def _layer_responses(layer: str, classifier: Classifier) -> Responses:
    return responses(classifier, to_float(compute.test_split(classifier.spec).images), layer)


@cached
def _unit_values(layer: str, number: int, classifier: Classifier) -> FloatArray:
    return unit_responses(
        classifier, to_float(compute.test_split(classifier.spec).images), layer, number
    )


@cached
def typical(spec: DatasetSpec) -> tuple[float, FloatArray]:
    """The sum of the pixels of a test image in the mean, and the total variation of each, [n]."""
    test = to_float(compute.test_split(spec).images)
    return float(test.sum(axis=(1, 2, 3)).mean()), total_variation(test)

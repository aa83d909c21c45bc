"""What a class, a channel or a unit asks for: images that excite it (experiments E10 and E11).

Erhan et al. (2009), “Visualizing higher-layer features of a deep network”; Simonyan, Vedaldi and
Zisserman (2013), arXiv:1312.6034; the disturbances: Olah, Mordvintsev and Schubert (2017),
doi:10.23915/distill.00007.
"""

import math
from dataclasses import dataclass

import numpy as np

from core.arrays import FloatArray, IntArray
from core.attacks.generated import noise_images
from core.checks import check_choice, check_range, check_seed, check_switch, check_whole
from core.data.spec import MNIST
from core.network.classifier import Classifier
from core.optimization.engine import (
    MAX_FRAMES,
    MAX_ITERATIONS,
    Trajectory,
    check_ascent,
    optimize_images,
)
from core.optimization.objectives import Objective, channel, energy, logit, total_variation, unit

STARTS = ("zero", "noise", "image")
_MAX_WEIGHT = 100


@dataclass(frozen=True)
class ImageSettings:
    """How an image is made to excite something; the defaults are the report's E10.

    penalty: λ of −λ‖x‖², the L2 penalty on the pixels. variation: the weight of the total
    variation. jitter and blur, in pixels: what is done to the image between steps. minimize: make
    the logit, channel or unit small in place of large; the penalties stay penalties. seed: of the
    jitter.
    """

    penalty: float = 0.1
    variation: float = 0.0
    jitter: int = 0
    blur: float = 0.0
    minimize: bool = False
    learning_rate: float = 0.05
    iterations: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        check_switch("Whether to minimize", self.minimize)
        check_range("The penalty λ", self.penalty, 0, _MAX_WEIGHT)
        check_range("The weight of the total variation", self.variation, 0, _MAX_WEIGHT)
        check_ascent(self.learning_rate, self.iterations, self.jitter, self.blur)
        check_seed(self.seed)

    @property
    def sign(self) -> int:
        """+1 to maximize, −1 to minimize."""
        return -1 if self.minimize else 1


def maximize_logit(
    classifier: Classifier,
    classes: IntArray,
    settings: ImageSettings | None = None,
    *,
    start: FloatArray | None = None,
    keep_every: int = 1,
) -> Trajectory:
    """Images that make the logit of a class as large as the penalties allow: the report's E10.

    classes int [n]; start float32 as the images in [0, 1], zero where it is not given.
    Errors are those of `optimize_images`.
    """
    return _climb(classifier, logit(classes), len(classes), settings, start, keep_every)


def maximize_channel(
    classifier: Classifier,
    layer: str,
    channels: IntArray,
    settings: ImageSettings | None = None,
    *,
    start: FloatArray | None = None,
    keep_every: int = 1,
) -> Trajectory:
    """Images that make channels of `layer` large: the report's E11. channels int [n].

    Maximizes the sum over the channel's positions, so that λ weighs as it does for a logit; the
    trajectory's term is the mean. Before its ReLU a silent channel has a gradient, too.
    """
    shape = classifier.model.get_layer(layer).output.shape[1:-1] if _has(classifier, layer) else ()
    objective = math.prod(shape) * channel(layer, channels)
    return _climb(classifier, objective, len(channels), settings, start, keep_every)


def maximize_unit(
    classifier: Classifier,
    layer: str,
    units: IntArray,
    settings: ImageSettings | None = None,
    *,
    start: FloatArray | None = None,
    keep_every: int = 1,
) -> Trajectory:
    """Images that make single units of `layer` large; see `core.optimization.objectives.unit`."""
    return _climb(classifier, unit(layer, units), len(units), settings, start, keep_every)


def _has(classifier: Classifier, layer: str) -> bool:
    return layer in classifier.layer_names


def _climb(
    classifier: Classifier,
    wanted: Objective,
    count: int,
    settings: ImageSettings | None,
    start: FloatArray | None,
    keep_every: int,
) -> Trajectory:
    """The same terms whatever the settings: what is switched off has weight 0."""
    settings = settings or ImageSettings()
    return optimize_images(
        classifier,
        np.zeros((count, *classifier.spec.shape), np.float32) if start is None else start,
        settings.sign * wanted
        - settings.penalty * energy()
        - settings.variation * total_variation(),
        learning_rate=settings.learning_rate,
        iterations=settings.iterations,
        keep_every=keep_every,
        jitter=settings.jitter,
        blur=settings.blur,
        seed=settings.seed,
    )


def start_images(
    kind: str,
    count: int,
    *,
    image: FloatArray | None = None,
    seed: int = 0,
    shape: tuple[int, ...] = MNIST.shape,
) -> FloatArray:
    """The same start `count` times, float32 [count, *shape]: zero, noise, or an image.

    noise: as that of E7, N(0.5, 0.05²) by seed. image float32 [1, *shape]. Raises ValueError.
    """
    seed = check_seed(seed)
    check_choice("The start", kind, STARTS)
    count = check_whole("The number of images", count, 0, MAX_FRAMES)
    if kind == "image" and image is None:
        raise ValueError("The start is an image, and there is none: give one.")
    one = np.zeros((1, *shape), np.float32)
    if kind == "noise":
        one = noise_images(np.zeros(1, np.int64), mean=0.5, stddev=0.05, seed=seed, shape=shape)
    elif kind == "image" and image is not None:
        one = image
    return np.repeat(one, count, axis=0)


def cost(trajectory: Trajectory, settings: ImageSettings) -> FloatArray:
    """What `maximize_logit` maximized, penalties included, at each step: float32 [frames, n]."""
    terms = trajectory.terms
    total: FloatArray = (
        settings.sign * terms["logit"]
        - settings.penalty * terms["energy"]
        - settings.variation * terms["total variation"]
    )
    return total


def late_gain(costs: FloatArray, steps: IntArray, last: int = 20) -> FloatArray:
    """The share of the whole gain that falls into the `last` iterations: [n] of costs [frames, n].

    NaN where nothing was gained at all.
    """
    last = check_whole("The number of last iterations", last, 1, MAX_ITERATIONS)
    before = int(np.searchsorted(steps, steps[-1] - last, side="right")) - 1
    whole = costs[-1] - costs[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        share: FloatArray = (costs[-1] - costs[max(before, 0)]) / whole
    return np.where(whole > 0, share, np.nan)

"""Filters in front of a network: what each does to the pixels, and which gradient it passes back.

E12. Each works on tensors [n, side, side, channels] in [0, 1] and ends in that box, each channel by
itself. A filter that has no
useful derivative takes one of the stand-ins of BPDA (Athalye, Carlini and Wagner 2018,
arXiv:1802.00420); the values going forward are the same under all of them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from core.arrays import FloatArray, Tensor, check_images
from core.backend import keras, tf
from core.checks import check_choice, check_range, check_seed, on_step, short
from core.data.spec import MAX_SIDE, DatasetSpec
from core.keyed_noise import normal, uniform

EXACT, STRAIGHT_THROUGH, AVERAGED = "exact", "straight-through", "averaged over draws"
STAND_INS = ("identity", "smooth", "none")
_SMOOTH = 0.1  # the width of a smoothed step, in pixel values
_ROUNDING = 1e-6  # of a step: by so much sums of decimal fractions miss it
_BLOCK = 8  # JPEG transforms 8 × 8 pixels at a time


class Mode(NamedTuple):
    """How a part runs: the gradient it passes where it has none, and what keys its draws.

    draws: how many rows in a row are the same image, for which the draws differ.
    """

    stand_in: str = "identity"
    seed: int = 0
    draws: int = 1


PLAIN = Mode()


@dataclass(frozen=True)
class Kind:
    """A kind of filter: its strength's label, range, step and default, and which gradient it has.

    apply(images, strength, mode) works inside graphs; window(strength): the side in pixels of
    what one pixel behind the filter sees; looks(strength): what an image through it costs, in
    images through Model 1.
    """

    name: str
    label: str
    strength: str
    low: float
    high: float
    step: float
    default: float
    gradient: str
    summary: str
    apply: Callable[[Any, float, Mode], Any]
    window: Callable[[float], int]
    looks: Callable[[float], float]


@dataclass(frozen=True)
class Filter:
    """One filter and its strength; a part of a defense.

    The strength is rounded to its step before anything is made of it, so that key, title, equality
    and computation have one number. Raises ValueError on an unknown kind and on a strength off its
    range or between its steps.
    """

    kind: str
    strength: float

    def __post_init__(self) -> None:
        check_choice("The filter", self.kind, tuple(KINDS))
        kind = KINDS[self.kind]
        check_range(f"The strength of {kind.label}", self.strength, kind.low, kind.high)
        strength = on_step(self.strength, kind.low, kind.step)
        if abs(self.strength - strength) > _ROUNDING * kind.step:
            raise ValueError(
                f"The strength of {kind.label} is {short(self.strength)}: "
                f"take {kind.low:g} and steps of {kind.step:g} from there."
            )
        object.__setattr__(self, "strength", strength)

    @property
    def key(self) -> str:
        """The filter in links and names of layers, such as blur-1.5."""
        return f"{self.kind}-{self.strength:g}"

    @property
    def identity(self) -> str:
        """All that the filter's answers follow from: kind and strength."""
        return self.key

    @property
    def title(self) -> str:
        """The filter on screen, such as Gaussian blur 1.5."""
        return f"{KINDS[self.kind].label} {self.strength:g}"

    @property
    def trained_on(self) -> DatasetSpec | None:
        """No data set: a filter takes any images."""
        return None

    @property
    def gradient(self) -> str:
        """EXACT, STRAIGHT_THROUGH or AVERAGED."""
        return KINDS[self.kind].gradient

    @property
    def looks(self) -> float:
        """What an image through the filter costs, in images through Model 1; measured once."""
        return KINDS[self.kind].looks(self.strength)

    def layer(self, mode: Mode = PLAIN) -> keras.Layer:
        """A layer from images to images of the same shape."""
        check_choice("The stand-in", mode.stand_in, STAND_INS)
        apply = KINDS[self.kind].apply
        window = KINDS[self.kind].window(self.strength)
        return InFront(lambda x: apply(x, self.strength, mode), name=self.key, window=window)

    def __call__(self, images: FloatArray, *, seed: int = 0) -> FloatArray:
        """The filtered images float32 [n, side, side, channels] in [0, 1], of such images."""
        check_images(images)
        seed = check_seed(seed)
        if not len(images):
            return images.copy()
        filtered: FloatArray = self.layer(Mode(seed=seed))(tf.constant(images)).numpy()
        return filtered


def filter_of(key: str) -> Filter:
    """The filter that `Filter.key` names. Raises ValueError on another text."""
    kind, _, strength = key.partition("-")
    try:
        return Filter(kind, float(strength))
    except ValueError as error:
        reason = str(error) if kind in KINDS and "float" not in str(error) else ""
        raise ValueError(
            reason or f"There is no filter {key!r}: write it like blur-1 or threshold-0.5."
        ) from None


class InFront(keras.layers.Layer):  # type: ignore[misc]
    """A function of images as a layer without weights.

    window: the side in pixels of what one pixel behind it sees; no image is larger than MAX_SIDE.
    """

    def __init__(self, apply: Callable[[Any], Any], *, name: str, window: int = MAX_SIDE) -> None:
        super().__init__(name=name, trainable=False)
        self._apply, self.window = apply, window

    def call(self, images: Tensor) -> Tensor:
        """The images as the function leaves them."""
        return self._apply(images)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """That of the images."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """What a copy of the layer is made of; the function as it is."""
        return {"apply": self._apply, "name": self.name, "window": self.window}


def check_trained_on(spec: DatasetSpec | None, title: str, own: DatasetSpec) -> None:
    """Raise ValueError where what was trained on the images of `spec` shall meet those of `own`."""
    if spec is not None and spec.key != own.key:
        raise ValueError(
            f"{title} was trained on {spec.name} and knows no images of {own.name}: choose another."
        )


def with_gradient_of(value: Tensor, stand_in: Tensor) -> Tensor:
    """`value` going forward, the gradient of `stand_in` coming back."""
    return stand_in + tf.stop_gradient(value - stand_in)


def _blur(images: Tensor, strength: float, mode: Mode) -> Tensor:
    """A Gaussian of `strength` pixels, cut at 4 σ; beyond the border is paper."""
    reach = int(4 * strength + 0.5)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / strength) ** 2)
    side = images.shape[1]
    place = np.arange(side)
    matrix = np.zeros((side, side), np.float32)
    for offset, weight in zip(range(-reach, reach + 1), weights / weights.sum(), strict=True):
        inside = (place + offset >= 0) & (place + offset < side)
        matrix[place[inside], place[inside] + offset] = weight
    blurred = tf.einsum("ij,njkc->nikc", matrix, images)
    return tf.einsum("lk,nikc->nilc", matrix, blurred)


def _median(images: Tensor, strength: float, mode: Mode) -> Tensor:
    """The median of a window of `strength` × `strength` pixels; beyond the border is paper."""
    size = int(strength)

    def median(gray: Tensor) -> Tensor:
        windows = tf.image.extract_patches(
            gray, [1, size, size, 1], [1, 1, 1, 1], [1, 1, 1, 1], "SAME"
        )
        return tf.nn.top_k(windows, size * size // 2 + 1, sorted=True).values[..., -1:]

    return _by_channel(median, images)


def _by_channel(function: Callable[[Any], Any], images: Tensor) -> Tensor:
    """`function` of each channel as a gray image."""
    if images.shape[-1] == 1:
        return function(images)
    return tf.concat([function(gray) for gray in tf.split(images, images.shape[-1], -1)], axis=-1)


def _threshold(images: Tensor, strength: float, mode: Mode) -> Tensor:
    """1 above `strength`, else 0."""
    value = tf.cast(images > strength, tf.float32)
    return _stepped(value, images, [strength], mode.stand_in)


def _bits(images: Tensor, strength: float, mode: Mode) -> Tensor:
    """The nearest of 2^`strength` evenly spaced values. Xu et al. (2018), arXiv:1704.01155."""
    top = 2 ** int(strength) - 1
    value = tf.round(images * top) / top
    return _stepped(value, images, [(step + 0.5) / top for step in range(top)], mode.stand_in)


def _stepped(value: Tensor, images: Tensor, edges: list[float], stand_in: str) -> Tensor:
    """A staircase with the gradient of its stand-in: the identity, smoothed steps, or none."""
    if stand_in == "none":
        return with_gradient_of(value, 0.0 * images)
    if stand_in == "identity":
        return with_gradient_of(value, images)
    width = _SMOOTH / len(edges)
    smooth = sum(tf.sigmoid((images - edge) / width) for edge in edges) / len(edges)
    return with_gradient_of(value, smooth)


# The luminance table of ITU-T T.81 (1992), annex K.1.
_QUANTA = np.array([
    [16, 11, 10, 16, 24, 40, 51, 61], [12, 12, 14, 19, 26, 58, 60, 55],
    [14, 13, 16, 24, 40, 57, 69, 56], [14, 17, 22, 29, 51, 87, 80, 62],
    [18, 22, 37, 56, 68, 109, 103, 77], [24, 35, 55, 64, 81, 104, 113, 92],
    [49, 64, 78, 87, 103, 121, 120, 101], [72, 92, 95, 98, 112, 100, 103, 99],
])  # fmt: skip


def _jpeg(images: Tensor, strength: float, mode: Mode) -> Tensor:
    """Cosine transform of 8 × 8 blocks, rounded to multiples that grow as the quality falls.

    The border is repeated up to whole blocks, and pixels are whole numbers of 255, as in files.
    Each channel is a gray image. The smooth stand-in passes only what the rounding has not deleted.
    """
    return _by_channel(lambda gray: _gray_jpeg(gray, strength, mode), images)


def _gray_jpeg(images: Tensor, strength: float, mode: Mode) -> Tensor:
    scale = 5000 / strength if strength < 50 else 200 - 2 * strength
    quanta = np.clip((_QUANTA * int(scale) + 50) // 100, 1, 255).astype(np.float32)
    place = np.arange(_BLOCK)
    cosines = np.cos((2 * place + 1) * place[:, None] * np.pi / (2 * _BLOCK)) / 2
    cosines[0] /= np.sqrt(2)
    cosines = cosines.astype(np.float32)
    side = images.shape[1]
    blocks, padding = -(-side // _BLOCK), -side % _BLOCK
    repeated = [*range(side), *[side - 1] * padding]
    pixels = _straight(tf.round, images[..., 0] * 255, mode.stand_in)
    pixels = tf.gather(tf.gather(pixels, repeated, axis=1), repeated, axis=2)
    pixels = tf.reshape(pixels - 128, [-1, blocks, _BLOCK, blocks, _BLOCK])
    waves = tf.einsum("ux,nbxcy,vy->nbucv", cosines, pixels, cosines) / quanta[:, None]
    kept = tf.stop_gradient(tf.round(waves))
    if mode.stand_in == "smooth":
        waves = tf.where(kept != 0, waves, 0.0)
    waves = (kept if mode.stand_in == "none" else with_gradient_of(kept, waves)) * quanta[:, None]
    pixels = tf.einsum("ux,nbucv,vy->nbxcy", cosines, waves, cosines) + 128
    pixels = tf.reshape(pixels, [-1, blocks * _BLOCK, blocks * _BLOCK])[:, :side, :side, None]
    decoded = tf.clip_by_value(_straight(tf.round, pixels, mode.stand_in) / 255, 0.0, 1.0)
    return decoded + 0.0 * images  # a gradient of zeros even where nothing is passed


def _straight(function: Callable[[Any], Any], x: Tensor, stand_in: str) -> Tensor:
    """`function` with the gradient of the identity, or with none."""
    return function(x) if stand_in == "none" else with_gradient_of(function(x), x)


def _noise(images: Tensor, strength: float, mode: Mode) -> Tensor:
    """Normal noise of standard deviation `strength`, clipped to the box."""
    shape = images.shape[1:]
    noise = tf.reshape(normal(images, math.prod(shape), mode.seed, mode.draws), [-1, *shape])
    return tf.clip_by_value(images + strength * noise, 0.0, 1.0)


def _resize(images: Tensor, strength: float, mode: Mode) -> Tensor:
    """Shrunk by up to `strength` pixels and put anywhere on paper. Xie et al., arXiv:1711.01991."""
    shrink, row, column = tf.unstack(uniform(images, 3, mode.seed, mode.draws), axis=1)
    whole = images.shape[1]
    side = whole - strength * shrink
    down, across = ((whole - side) * place for place in (row, column))
    rows, columns = _sampled(side, down, whole), _sampled(side, across, whole)
    return tf.einsum("nij,njkc,nlk->nilc", rows, images, columns)


def _sampled(side: Tensor, offset: Tensor, whole: int) -> Tensor:
    """[n, new, old]: the share of each pixel of a line in each of the line shrunk to `side`."""
    place = tf.range(whole, dtype=tf.float32) + 0.5
    source = (place[None] - offset[:, None]) * whole / side[:, None]  # [n, new]
    shares = tf.nn.relu(1 - tf.abs(source[:, :, None] - place))
    inside = tf.cast((source > 0) & (source < whole), tf.float32)[:, :, None]
    return inside * shares / tf.maximum(tf.reduce_sum(shares, axis=2, keepdims=True), 1e-6)


KINDS = {
    kind.name: kind
    for kind in (
        Kind("blur", "Gaussian blur", "σ in pixels", 0.4, 3.0, 0.1, 1.0, EXACT,
             "Averages neighbors: fine noise goes, and so do fine strokes.", _blur,
             lambda sigma: 2 * int(4 * sigma + 0.5) + 1, lambda _: 0.1),
        Kind("median", "Median", "window in pixels", 3, 7, 2, 3, EXACT,
             "The middle value of a window: single pixels go.", _median, int,
             lambda size: size * size / 4),
        Kind("threshold", "Threshold", "value", 0.05, 0.95, 0.05, 0.5, STRAIGHT_THROUGH,
             "Every pixel becomes 0 or 1.", _threshold, lambda _: 1, lambda _: 0.1),
        Kind("bits", "Bit depth", "bits", 1, 7, 1, 1, STRAIGHT_THROUGH,
             "Pixels are rounded to a few values.", _bits, lambda _: 1, lambda _: 0.1),
        Kind("jpeg", "JPEG", "quality", 5, 95, 5, 30, STRAIGHT_THROUGH,
             "Small waves in blocks of 8 × 8 pixels are rounded away.", _jpeg,
             lambda _: 2 * _BLOCK - 1, lambda _: 0.3),
        Kind("resize", "Random resize", "pixels at most", 1, 8, 1, 4, AVERAGED,
             "The image is shrunk at random and put somewhere.", _resize, lambda _: MAX_SIDE,
             lambda _: 0.3),
        Kind("noise", "Random noise", "standard deviation", 0.05, 0.5, 0.05, 0.25, AVERAGED,
             "Noise drowns a small change, and some of the image.", _noise, lambda _: 1,
             lambda _: 0.3),
    )
}  # fmt: skip

"""What each channel of a convolution responds to: maps, kernels, receptive fields (experiment E5).

The convolutions and their stages are read from a model's layers, which stand in one chain.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.arrays import BoolArray, FloatArray, IntArray, Tensor, check_images
from core.backend import compiled, keras, tf
from core.network.classifier import Classifier, image_type, in_batches
from core.network.stages.stage import Stage, Sums
from core.network.stages.table import stage_of, stages_of

SATURATED_SHARE = 0.99
DoubleArray = NDArray[np.float64]


@dataclass(frozen=True)
class Convolution:
    """One convolution of a model and the names of the layers around it.

    Of a residual block it is the second, over the maps within the block. source: whose output is
    read. before: whose output goes into the ReLU (its own, or that of the batch normalization).
    after: the ReLU. pooled: the pooling behind, if there is one; averages: whether it averages.
    normalized: whether batch normalization stands behind it. shortcut: whether something is added
    to it then.
    """

    name: str
    source: str
    before: str
    after: str
    pooled: str | None
    kernel_size: int
    stride: int
    pooling: int
    averages: bool
    normalized: bool
    shortcut: bool
    input_channels: int
    channels: int
    side: int

    @property
    def stages(self) -> dict[str, str]:
        """Stage → layer, in order: before ReLU, after ReLU and, where there is one, pooling."""
        stages = {"before ReLU": self.before, "after ReLU": self.after}
        return stages | ({"after pooling": self.pooled} if self.pooled else {})


def convolutions(model: keras.Model) -> list[Convolution]:
    """The convolutions of `model` in order, with what follows each of them."""
    stages = stages_of(model)
    starts = [place for place, stage in enumerate(stages) if stage.sums]
    ends = [*starts[1:], len(stages)]
    return [
        _convolution(stages[start - 1], stages[start:end])
        for start, end in zip(starts, ends, strict=True)
    ]


def _convolution(source: Stage, stages: Sequence[Stage]) -> Convolution:
    """Of the layers from one convolution up to the next."""
    own, sums = stages[0], stages[0].sums
    assert sums
    convolution = sums.convolution
    relu = next((place for place, stage in enumerate(stages) if stage.rectifies), None)
    if relu is None:
        raise ValueError(f"No ReLU follows {own.name}: use a model with one behind each.")
    pooled = next((stage for stage in stages if stage.pools and not stage.sees_all), None)
    return Convolution(
        name=own.name,
        source=source.name,
        before=stages[relu - 1].name,
        after=stages[relu].name,
        pooled=pooled.name if pooled else None,
        kernel_size=int(convolution.kernel_size[0]),
        stride=int(convolution.strides[0]),
        pooling=pooled.window[0] if pooled else 1,
        averages=pooled is not None and pooled.linear,
        normalized=relu > 1 or sums.normalization is not None,
        shortcut=sums.added is not None,
        input_channels=int(convolution.kernel.shape[2]),
        channels=int(convolution.filters),
        side=int(own.layer.output.shape[1]),
    )


def _sums(model: keras.Model, convolution: str) -> Sums:
    sums = stage_of(model.get_layer(convolution)).sums
    assert sums
    return sums


def feature_maps(classifier: Classifier, images: FloatArray, layer: str) -> FloatArray:
    """What every channel of `layer` puts out, float32 [n, h, w, channels], signed and unscaled.

    Images are float32 [n, h, w, c] in [0, 1]. Raises ValueError on a layer without maps.
    """
    maps = classifier.activations(images, layer)
    if maps.ndim != 4:
        raise ValueError(
            f"{layer} puts out {maps.shape[1]} numbers and no maps: choose a layer "
            "before the flattening."
        )
    return maps


def kernels(model: keras.Model, convolution: str) -> FloatArray:
    """The weights of a convolution: float32 [rows, columns, input channels, channels]."""
    weights: FloatArray = _sums(model, convolution).convolution.kernel.numpy()
    return weights


def single_taps(weights: FloatArray) -> BoolArray:
    """Which channels look at one pixel: its weight exceeds the sum of all others: bool [channels].

    weights: as of `kernels`, signs aside. Such a channel is a threshold on that pixel.
    """
    sizes = np.abs(weights.reshape(-1, weights.shape[-1]))
    single: BoolArray = 2 * sizes.max(axis=0) > sizes.sum(axis=0)
    return single


@dataclass(frozen=True, eq=False)
class ChannelArithmetic:
    """How a convolution's sums become the values before ReLU: scale · (sum + bias) + shift.

    Where there is a shortcut, `under_kernel` has what is added to that.
    All float32 [channels]. Without batch normalization scale is 1 and shift 0; with it, scale is
    γ / √(variance + ε) and shift β − mean · scale (Ioffe & Szegedy 2015, arXiv:1502.03167).
    """

    bias: FloatArray
    scale: FloatArray
    shift: FloatArray


def channel_arithmetic(model: keras.Model, convolution: Convolution) -> ChannelArithmetic:
    """Bias, scale and shift of every channel of a convolution."""
    sums = _sums(model, convolution.name)
    bias = sums.convolution.bias.numpy()
    normalization = sums.normalization or stage_of(model.get_layer(convolution.before))
    scale, shift = normalization.affine() or (np.ones_like(bias), np.zeros_like(bias))
    return ChannelArithmetic(bias, scale.astype(np.float32), shift.astype(np.float32))


def under_kernel(
    classifier: Classifier, images: FloatArray, convolution: Convolution
) -> tuple[FloatArray, FloatArray | None]:
    """The maps that a convolution's kernel lies over, and those that a shortcut adds to its own.

    float32 [n, h, w, input channels] and [n, side, side, channels], None without a shortcut.
    Images are float32 [n, h, w, c] in [0, 1].
    """
    sums = _sums(classifier.model, convolution.name)
    source = classifier.activations(images, convolution.source)
    under = sums.within(tf.constant(source)).numpy() if sums.within else source
    return under, sums.added(tf.constant(source)).numpy() if sums.added else None


def seen_rows(model: keras.Model, layer: str) -> IntArray:
    """The first and last row of the image that each row of `layer`'s maps sees: int64 [h, 2].

    Images, kernels and strides are square: the same holds for columns. What lies beyond the
    border is cut off. Araujo et al. (2019), doi:10.23915/distill.00021.
    """
    names = [each.name for each in model.layers]
    own = model.get_layer(layer)
    rows = np.repeat(np.arange(int(own.output.shape[1]))[:, np.newaxis], 2, axis=1)
    for each in reversed(stages_of(model)[1 : names.index(layer) + 1]):
        rows = each.rows_before(rows, int(each.layer.input.shape[1]))
    return rows


def active_shares(classifier: Classifier, images: FloatArray) -> dict[str, DoubleArray]:
    """By convolution, the share of positions of all images at which each channel is above 0.

    After ReLU; float64 [channels] in [0, 1], NaN of no image. Images are float32 [n, h, w, c] in
    [0, 1].
    """
    check_images(images, classifier.spec.shape)
    found = convolutions(classifier.model)
    compiled = classifier.compiled("active_counts", lambda model: _compile_counts(model, found))
    counts = in_batches(compiled, images).astype(np.int64)
    totals = np.split(counts.sum(axis=0), np.cumsum([each.channels for each in found])[:-1])
    positions = len(images) or np.nan  # of no image there is no share
    return {
        each.name: total / (positions * each.side**2)
        for each, total in zip(found, totals, strict=True)
    }


def _compile_counts(model: keras.Model, found: Sequence[Convolution]) -> Any:
    after = keras.Model(model.inputs, [model.get_layer(each.after).output for each in found])

    def counts(images: Tensor) -> Tensor:
        """Int32 [n, channels of all convolutions]."""
        maps = after(images, training=False)
        maps = maps if isinstance(maps, list | tuple) else [maps]
        return tf.concat([tf.math.count_nonzero(m > 0, axis=[1, 2]) for m in maps], axis=1)

    return compiled(counts, image_type(model))


def is_dead(share: DoubleArray) -> Any:
    """Which channels are never above 0, of `active_shares`."""
    return share == 0


def is_saturated(share: DoubleArray) -> Any:
    """Which channels are above 0 at 99 % of the positions or more, of `active_shares`."""
    return share >= SATURATED_SHARE


@dataclass(frozen=True, eq=False)
class MapComparison:
    """How two sets of maps of one shape differ.

    distance: ‖a − b‖ / ‖a‖ over everything, infinite if only a is 0. cosine: of the angle between
    them, NaN if one is 0. by_channel: ‖a − b‖ of every channel, float64 [channels]. Euclidean.
    """

    distance: float
    cosine: float
    by_channel: DoubleArray

    @property
    def ranked(self) -> IntArray:
        """Channels, the one that differs most first."""
        return np.argsort(-self.by_channel, kind="stable")


def compare_maps(a: FloatArray, b: FloatArray) -> MapComparison:
    """How maps `b` differ from `a`, both [..., channels]. Raises ValueError on other shapes."""
    if a.shape != b.shape:
        raise ValueError(
            f"The maps are {_shape(a)} here and {_shape(b)} there: "
            "choose models whose maps have one shape."
        )
    first, second = a.astype(np.float64).ravel(), b.astype(np.float64).ravel()
    length, other = np.linalg.norm(first), np.linalg.norm(second)
    apart = np.linalg.norm(first - second)
    channels = tuple(range(a.ndim - 1))
    return MapComparison(
        distance=float(apart / length) if length else (0.0 if not apart else np.inf),
        cosine=float(first @ second / (length * other)) if length and other else np.nan,
        by_channel=np.sqrt(((a.astype(np.float64) - b) ** 2).sum(axis=channels)),
    )


def _shape(maps: FloatArray) -> str:
    return " × ".join(map(str, maps.shape))


def compare_layers(
    first: Classifier, second: Classifier, images: FloatArray, others: FloatArray
) -> dict[str, MapComparison]:
    """By layer: `second` on `others` beside `first` on `images`, after each ReLU and at the logits.

    ReLUs are matched in order; layers whose outputs differ in shape are left out.
    """
    pairs = list(zip(_relus(first.model), _relus(second.model), strict=False))
    compared = {}
    for name, other in [*pairs, ("logits", "logits")]:
        a, b = first.activations(images, name), second.activations(others, other)
        if a.shape == b.shape:
            compared[name] = compare_maps(a, b)
    return compared


def _relus(model: keras.Model) -> list[str]:
    return [stage.name for stage in stages_of(model) if stage.rectifies]

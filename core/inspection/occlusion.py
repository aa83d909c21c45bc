"""What a classifier still recognizes when a block of the image is hidden.

Zeiler and Fergus (2013), arXiv:1311.2901.
"""

import functools
from dataclasses import dataclass, replace

import numpy as np

from core.arrays import BoolArray, FloatArray, IntArray, check_classes, check_images
from core.checks import check_whole
from core.data.spec import MAX_SIDE, MNIST
from core.network.classifier import Classifier, softmax

_MAX_COPIES = 2_000  # occluded copies held at once: 6 MB


@dataclass(frozen=True, eq=False)
class OcclusionMap:
    """One cell per block position: the classifier's logits with the block there.

    tops int64 [rows], lefts int64 [columns]: where blocks of `block` pixels begin; those that reach
    over the border are clipped by it. logits float32 [n, rows, columns, classes], clean_logits
    float32 [n, classes] without a block, classes int64 [n] the class explained for each image.
    side: of the image.
    """

    tops: IntArray
    lefts: IntArray
    block: int
    logits: FloatArray
    clean_logits: FloatArray
    classes: IntArray
    side: int

    @property
    def positions(self) -> int:
        """How many positions a block takes, and so how many forward passes an image costs."""
        return len(self.tops) * len(self.lefts)

    @functools.cached_property
    def probabilities(self) -> FloatArray:
        """Float32 [n, rows, columns, classes] with the block."""
        return softmax(self.logits)

    @functools.cached_property
    def clean_probabilities(self) -> FloatArray:
        """Float32 [n, classes] without."""
        return softmax(self.clean_logits)

    @property
    def predicted(self) -> IntArray:
        """The most probable class with the block at each position: int64 [n, rows, columns]."""
        classes: IntArray = np.argmax(self.logits, axis=-1)
        return classes

    @property
    def probability_drop(self) -> FloatArray:
        """By how much the class's probability falls: [n, rows, columns] in [−1, 1], < 0: rises."""
        return self._drop(self.clean_probabilities, self.probabilities)

    @property
    def logit_drop(self) -> FloatArray:
        """By how much the class's logit falls: [n, rows, columns]; negative where it rises."""
        return self._drop(self.clean_logits, self.logits)

    def of_class(self, label: int) -> "OcclusionMap":
        """The same passes, read for another class: nothing is computed again."""
        check_whole("The class", label, 0, self.clean_logits.shape[1] - 1)
        classes = np.full_like(self.classes, label)
        return replace(self, classes=classes)

    def per_pixel_mean(self, values: FloatArray) -> FloatArray:
        """The mean of `values` [n, rows, columns] over the blocks that hide a pixel.

        [n, side, side].

        A mean, because a sum mostly shows how many blocks overlap. NaN where no block comes,
        which takes a stride above the block.
        """
        rows = _covers(self.tops, self.block, self.side).astype(np.float32)
        columns = _covers(self.lefts, self.block, self.side).astype(np.float32)
        total = np.einsum("nrc,ri,cj->nij", values, rows, columns)
        count = np.outer(rows.sum(axis=0), columns.sum(axis=0))
        with np.errstate(invalid="ignore"):
            mean: FloatArray = (total / count).astype(np.float32)
        return mean

    def _drop(self, clean: FloatArray, hidden: FloatArray) -> FloatArray:
        each = np.arange(len(self.classes))
        drop: FloatArray = clean[each, self.classes][:, None, None] - np.take_along_axis(
            hidden, self.classes[:, None, None, None], axis=-1
        ).squeeze(-1)
        return drop


def block_positions(block: int, stride: int, side: int = MNIST.side) -> IntArray:
    """Where blocks begin on one side: 0, stride, … until a block reaches the border.

    For stride ≤ block every pixel is hidden by some block. Raises ValueError unless both are in
    1 to `side`.
    """
    side = check_whole("The side of the image", side, 1, MAX_SIDE)
    block = check_whole("The block", block, 1, side)
    stride = check_whole("The stride", stride, 1, side)
    starts = [0]
    while starts[-1] + block < side and starts[-1] + stride < side:
        starts.append(starts[-1] + stride)
    return np.array(starts, np.int64)


def occlude(
    classifier: Classifier,
    images: FloatArray,
    classes: IntArray,
    *,
    block: int = 12,
    stride: int = 4,
    fill: float | FloatArray = 0.0,
) -> OcclusionMap:
    """The map of block positions for each image float32 [n, …] in [0, 1] and class int [n].

    `fill` stands where the block is: a number in [0, 1], or pixels that broadcast to `images`
    (core.data.fills). Each image costs one forward pass per position. Raises
    ValueError on a block or stride outside 1 to the side, a class that there is not, or other
    pixels.
    """
    spec = classifier.spec
    starts = block_positions(block, stride, spec.side)
    check_images(images, spec.shape)
    classes = check_classes(classes, len(images), len(spec.classes))
    hidden = _covers(starts, block, spec.side)
    masks = (hidden[:, None, :, None] & hidden[None, :, None, :]).reshape(-1, *spec.shape[:2], 1)
    fills = np.broadcast_to(np.asarray(fill, np.float32), images.shape)
    check_images(fills, spec.shape)
    return OcclusionMap(
        tops=starts,
        lefts=starts,
        block=block,
        logits=_occluded_logits(classifier, images, fills, masks).reshape(
            len(images), len(starts), len(starts), len(spec.classes)
        ),
        clean_logits=classifier.logits(images),
        classes=classes,
        side=spec.side,
    )


def _occluded_logits(
    classifier: Classifier, images: FloatArray, fills: FloatArray, masks: BoolArray
) -> FloatArray:
    """Logits [n · positions, classes] of every image under every mask, many images together."""
    together = max(1, _MAX_COPIES // len(masks))
    logits = [np.zeros((0, len(classifier.spec.classes)), np.float32)]
    for start in range(0, len(images), together):
        part = slice(start, start + together)
        copies = np.where(masks, fills[part, np.newaxis], images[part, np.newaxis])
        logits.append(classifier.logits(copies.reshape(-1, *images.shape[1:])))
    return np.concatenate(logits)


def _covers(starts: IntArray, block: int, side: int) -> BoolArray:
    """Whether a block that begins at each of `starts` hides each pixel: [starts, side]."""
    pixels = np.arange(side)
    return (pixels >= starts[:, None]) & (pixels < starts[:, None] + block)

"""What a classifier still recognizes when a block of the image is hidden.

Zeiler and Fergus (2013), arXiv:1311.2901.
"""

import functools
from dataclasses import dataclass

import numpy as np

from core.arrays import CLASSES, SIDE, BoolArray, FloatArray, IntArray, check_classes, check_images
from core.checks import check_whole
from core.network.classifier import Classifier, softmax

MAX_BLOCK = SIDE
_MAX_COPIES = 2_000  # occluded copies held at once: 6 MB


@dataclass(frozen=True, eq=False)
class OcclusionMap:
    """One cell per block position: the classifier's logits with the block there.

    tops int64 [rows], lefts int64 [columns]: where blocks of `block` pixels begin; those that reach
    over the border are clipped by it. logits float32 [n, rows, columns, 10], clean_logits
    float32 [n, 10] without a block, classes int64 [n] the class explained for each image.
    """

    tops: IntArray
    lefts: IntArray
    block: int
    logits: FloatArray
    clean_logits: FloatArray
    classes: IntArray

    @property
    def positions(self) -> int:
        """How many positions a block takes, and so how many forward passes an image costs."""
        return len(self.tops) * len(self.lefts)

    @functools.cached_property
    def probabilities(self) -> FloatArray:
        """Float32 [n, rows, columns, 10] with the block."""
        return softmax(self.logits)

    @functools.cached_property
    def clean_probabilities(self) -> FloatArray:
        """Float32 [n, 10] without."""
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
        check_whole("The class", label, 0, CLASSES - 1)
        classes = np.full_like(self.classes, label)
        return OcclusionMap(
            self.tops, self.lefts, self.block, self.logits, self.clean_logits, classes
        )

    def per_pixel_mean(self, values: FloatArray) -> FloatArray:
        """The mean of `values` [n, rows, columns] over the blocks that hide a pixel: [n, 28, 28].

        A mean, because a sum mostly shows how many blocks overlap. NaN where no block comes,
        which takes a stride above the block.
        """
        rows = _covers(self.tops, self.block).astype(np.float32)
        columns = _covers(self.lefts, self.block).astype(np.float32)
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


def block_positions(block: int, stride: int) -> IntArray:
    """Where blocks begin on one side: 0, stride, … until a block reaches the border.

    For stride ≤ block every pixel is hidden by some block. Raises ValueError unless both are in
    1 to 28.
    """
    block = check_whole("The block", block, 1, MAX_BLOCK)
    stride = check_whole("The stride", stride, 1, MAX_BLOCK)
    starts = [0]
    while starts[-1] + block < SIDE and starts[-1] + stride < SIDE:
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
    """The map of block positions for each image float32 [n, 28, 28, 1] and class int [n].

    `fill` stands where the block is: a number in [0, 1], or pixels that broadcast to `images`
    (core.data.fills). Each image costs one forward pass per position. Raises
    ValueError on a block or stride outside 1 to 28, a class outside 0 to 9, or other pixels.
    """
    starts = block_positions(block, stride)
    check_images(images)
    classes = check_classes(classes, len(images))
    hidden = _covers(starts, block)
    masks = (hidden[:, None, :, None] & hidden[None, :, None, :]).reshape(-1, SIDE, SIDE, 1)
    fills = np.broadcast_to(np.asarray(fill, np.float32), images.shape)
    check_images(fills)
    return OcclusionMap(
        tops=starts,
        lefts=starts,
        block=block,
        logits=_occluded_logits(classifier, images, fills, masks).reshape(
            len(images), len(starts), len(starts), CLASSES
        ),
        clean_logits=classifier.logits(images),
        classes=classes,
    )


def _occluded_logits(
    classifier: Classifier, images: FloatArray, fills: FloatArray, masks: BoolArray
) -> FloatArray:
    """Logits [n · positions, 10] of every image under every mask, many images together."""
    together = max(1, _MAX_COPIES // len(masks))
    logits = [np.zeros((0, CLASSES), np.float32)]
    for start in range(0, len(images), together):
        part = slice(start, start + together)
        copies = np.where(masks, fills[part, np.newaxis], images[part, np.newaxis])
        logits.append(classifier.logits(copies.reshape(-1, SIDE, SIDE, 1)))
    return np.concatenate(logits)


def _covers(starts: IntArray, block: int) -> BoolArray:
    """Whether a block that begins at each of `starts` hides each pixel of a side: [starts, 28]."""
    pixels = np.arange(SIDE)
    return (pixels >= starts[:, None]) & (pixels < starts[:, None] + block)

"""How far an image is from real ones."""

import numpy as np

from core.arrays import ByteArray, FloatArray, check_image, to_float
from core.checks import check_whole
from core.data.spec import MAX_CLASSES

_BATCH = 1_000


def nearest_by_class(
    image: FloatArray, images: ByteArray, labels: ByteArray, *, classes: int
) -> FloatArray:
    """The L2 from one image to the nearest real one of each class: float32 [classes].

    image float32 [1, side, side, channels] in [0, 1]; images uint8 as of `core.data.dataset.Split`
    with labels [n]. Infinite for a class without images. Raises ValueError on another image.
    """
    check_image(image, to_float(images[:1]).shape[1:])
    classes = check_whole("The number of classes", classes, 1, MAX_CLASSES)
    lengths = [np.zeros(0, np.float32)]
    lengths += [
        np.sqrt(((to_float(images[start : start + _BATCH]) - image) ** 2).sum(axis=(1, 2, 3)))
        for start in range(0, len(images), _BATCH)
    ]
    nearest = np.full(classes, np.inf, np.float32)
    np.minimum.at(nearest, labels, np.concatenate(lengths))
    return nearest

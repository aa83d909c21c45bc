"""How far an image is from real ones."""

import numpy as np

from core.arrays import CLASSES, ByteArray, FloatArray, check_image, to_float

_BATCH = 1_000


def nearest_by_class(image: FloatArray, images: ByteArray, labels: ByteArray) -> FloatArray:
    """The L2 from one image to the nearest real one of each class: float32 [classes].

    image float32 [1, 28, 28, 1] in [0, 1]; images uint8 [n, 28, 28] with labels [n]. Infinite for
    a class without images. Raises ValueError on another image.
    """
    check_image(image)
    lengths = [np.zeros(0, np.float32)]
    lengths += [
        np.sqrt(((to_float(images[start : start + _BATCH]) - image) ** 2).sum(axis=(1, 2, 3)))
        for start in range(0, len(images), _BATCH)
    ]
    nearest = np.full(CLASSES, np.inf, np.float32)
    np.minimum.at(nearest, labels, np.concatenate(lengths))
    return nearest

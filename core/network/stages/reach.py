"""Which rows of a map a window sees: kernels and pooling windows are square."""

import numpy as np

from core.arrays import IntArray


def padding_before(side: int, window: int, stride: int) -> int:
    """Rows of zeros that “same” padding puts above a map of `side` rows, as TensorFlow does."""
    missing = (-(-side // stride) - 1) * stride + window - side
    return max(missing, 0) // 2


def rows_under(rows: IntArray, side: int, window: int, stride: int, padding: str) -> IntArray:
    """First and last rows [h, 2] of a map of `side` rows; what lies beyond the border is cut."""
    before = padding_before(side, window, stride) if padding == "same" else 0
    seen: IntArray = rows * stride - before + np.array([0, window - 1])
    return np.clip(seen, 0, side - 1)

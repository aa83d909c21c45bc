"""Labels of any kind as numbers from 0, with the names of their classes."""

import numpy as np

from core.arrays import ByteArray
from core.checks import short
from core.data.reading.contents import Array
from core.data.reading.findings import DataFinding
from core.plain import one_line

MOST_CLASSES = 50
_NAME = 40  # characters


def column(labels: Array) -> tuple[Array, str]:
    """Labels [n] of a row, a column or one-hot rows, and what they were; "" where they were so.

    Raises ValueError where an image has several classes at once, or none.
    """
    labels = np.asarray(labels)
    if labels.ndim == 1:
        return labels, ""
    if labels.ndim == 2 and 1 in labels.shape:
        return labels.reshape(-1), "They come as a column."
    if labels.ndim != 2 or labels.dtype.kind not in "biuf":
        raise ValueError(f"The labels are {list(labels.shape)}: give one for each image.")
    if not (np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all()):
        raise ValueError(
            f"The labels are {list(labels.shape)} with several classes, or none, in one image: "
            "give one class for each."
        )
    return labels.argmax(axis=1), "They come one-hot: a column for each class."


class Classes:
    """The classes in the labels [n] of all parts, by number or by name."""

    def __init__(self, labels: Array, names: tuple[str, ...] = ()) -> None:
        """Raises ValueError on labels that are neither whole nor names, or not 2 to 50 of them."""
        self._values = np.unique(_whole_or_text(labels))
        if not 2 <= len(self._values) <= MOST_CLASSES:
            raise ValueError(
                f"The number of classes is {len(self._values):,}: give 2 to {MOST_CLASSES}."
            )
        self.names = self._named(names)

    def numbered(self, labels: Array) -> ByteArray:
        """Labels [n] as uint8 numbers from 0."""
        return np.searchsorted(self._values, _whole_or_text(labels)).astype(np.uint8)

    @property
    def finding(self) -> DataFinding:
        """What the labels were."""
        values, count = self._values, len(self._values)
        if values.dtype.kind == "U":
            return DataFinding("Classes", f"{count} names, numbered in the order of their letters.")
        if (values == np.arange(count)).all():
            return DataFinding("Classes", f"Labels of 0 to {count - 1}.")
        if (values == np.arange(1, count + 1)).all():
            ten = " In SVHN 10 stands for the digit 0." if count == 10 else ""
            return DataFinding("Classes", f"Labels of 1 to {count}, numbered from 0 here.{ten}")
        missing = sorted(set(range(int(values[0]), int(values[-1]))) - set(values.tolist()))
        told = ", ".join(map(str, missing[:5])) + ("…" if len(missing) > 5 else "")
        return DataFinding(
            "Classes",
            f"{count} labels of {values[0]} to {values[-1]} ({told} missing), numbered from 0 here "
            "and named as they were.",
            doubt=True,
        )

    def _named(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Names of the file where it has one for each number; else the labels themselves."""
        told = [str(value) for value in self._values]
        if self._values.dtype.kind != "U":
            first, last = int(self._values[0]), int(self._values[-1])
            if len(names) == len(self._values):
                told = list(names)
            elif first >= 0 and last < len(names):
                told = [names[value] for value in self._values]
        lines = [one_line(name, _NAME) or f"class {place}" for place, name in enumerate(told)]
        return tuple(
            line if lines.count(line) == 1 else f"{line} ({place})"
            for place, line in enumerate(lines)
        )


def _whole_or_text(labels: Array) -> Array:
    if labels.dtype.kind == "U":
        numbers = all(label.isascii() and label.isdecimal() for label in np.unique(labels))
        return labels.astype(np.int64) if numbers else labels  # folders 0, 1, 10, 2 in this order
    if labels.dtype.kind not in "biuf" or not np.isfinite(labels).all():
        raise ValueError("The labels are neither whole numbers nor names: give one or the other.")
    whole = labels.astype(np.int64)
    if (whole != labels).any():
        wrong = labels[whole != labels][0]
        raise ValueError(
            f"A label is {short(wrong)}, not a whole number: give whole numbers or names."
        )
    return whole

"""One sentence for a value out of range: what it is, which range holds, and so what to do."""

from collections.abc import Sequence

import numpy as np

MAX_SEED = 2**31 - 1  # what every generator here takes: NumPy's, TensorFlow's and Keras's
_MAX_BITS, _MAX_CHARACTERS = 100, 40  # of a value that a sentence holds


def check_range(what: str, value: float, low: float, high: float) -> None:
    """Raise ValueError unless `value` is a number and low <= value <= high; NaN never is."""
    if not _is_number(value):
        raise ValueError(
            f"{what} is {short(value)}, not a number: give one of {low:g} to {high:g}."
        )
    if not low <= value <= high:
        raise ValueError(
            f"{what} is {short(value)}, outside {low:g} to {high:g}: choose a value inside."
        )


def check_whole(what: str, value: int, low: int, high: int) -> int:
    """`value` as Python's int. Raises ValueError unless it is a whole number from low to high.

    Python's and NumPy's integers are; True and 40.0 are not: a count is written without a point.
    """
    if not _is_whole(value):
        raise ValueError(
            f"{what} is {short(value)}, not a whole number: give one of {low} to {high}."
        )
    if not low <= value <= high:
        raise ValueError(
            f"{what} is {short(value)}, outside {low} to {high}: choose a value inside."
        )
    return int(value)


def check_pixels(count: float, low: int, high: int) -> int:
    """`count` as an int, where a radius counts pixels: 40.0 is a number of them, 40.5 is none."""
    check_range("The number of pixels", count, low, high)
    if count != int(count):
        raise ValueError(f"The number of pixels is {count:g}, not a whole number: round it.")
    return int(count)


def check_seed(seed: int) -> int:
    """`seed` as Python's int. Raises ValueError unless every generator takes it: 0 to 2³¹ − 1."""
    return check_whole("The seed", seed, 0, MAX_SEED)


def check_switch(what: str, value: bool) -> None:
    """Raise ValueError unless `value` is True or False."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{what} is {short(value)}: give True or False.")


def check_choice(what: str, value: object, choices: tuple[str, ...]) -> None:
    """Raise ValueError unless `value` is one of `choices`."""
    if not isinstance(value, str) or value not in choices:
        listed = ", ".join(str(choice) for choice in choices)
        raise ValueError(f"{what} is {short(value)}, not one of {listed}: choose one of these.")


def check_apart(names: Sequence[str], what: str) -> None:
    """Raise ValueError if one name stands for two things; `what` is a phrase for “Two … x”."""
    for number, name in enumerate(names):
        if name in names[:number]:
            raise ValueError(f"Two {what} {short(name)}: leave one of them out.")


def as_written(value: float) -> float:
    """The number that a title shows: `value` in six significant digits.

    What is kept under a number, shown with it and computed with it takes this one first.
    """
    return float(f"{value:g}") + 0.0  # −0 is written 0


def on_step(value: float, low: float, step: float) -> float:
    """The nearest of low, low + step, low + 2 · step, …, without the rounding errors of the sum."""
    return as_written(low + round((value - low) / step) * step)


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, float | np.floating) or _is_whole(value)


def short(value: object) -> str:
    """A value for a sentence, in full but never long."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float) and as_written(value) == value:
        return f"{value:g}"
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        return "a number of more than 30 digits"
    text = repr(value)
    return text if len(text) <= _MAX_CHARACTERS else f"{text[:_MAX_CHARACTERS]}…"


def finding(error: ValueError) -> str:
    """What is wrong, without what to do, which stands behind the last colon."""
    return str(error).rpartition(": ")[0] or str(error).rstrip(".")

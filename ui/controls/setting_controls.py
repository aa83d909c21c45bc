"""The controls of a catalog's settings: a slider, a list or a switch; how values are written."""

import math
from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.catalog import Entry, Setting, Value
from ui.controls import bound, coach
from ui.visitor.parameters import Number

NORM_NAMES = {"linf": "L∞", "l2": "L2"}
_LOGARITHMIC = 1_000  # a range whose ends are so far apart has a logarithmic scale


def control(setting: Setting, key: str) -> Value:
    """Draw it, with its key in the session and in the link."""
    label, help = setting.label, setting.help or None
    if isinstance(setting.default, bool):
        return bound.toggle(label, setting.default, key=key, help=help)
    if setting.choices:
        index = setting.choices.index(str(setting.default))
        return bound.selectbox(
            label, setting.choices, index, format_func=written, key=key, help=help
        )
    if setting.name == "seed":
        low, high = int(setting.low), int(setting.high)
        return bound.number_input(label, low, high, int(setting.default), 1, key=key)
    return _number(setting, key, help)


def nearest(setting: Setting) -> coach.Nearest:
    """Of a number the nearest that its control takes."""
    if is_logarithmic(setting):
        return coach.among(logarithmic(setting))
    kind = type(setting.default)
    number = Number(setting.low, setting.high, setting.step, whole=kind is int)
    return lambda value: kind(number.nearest(value))


def words(entry: Entry, settings: Mapping[str, Value]) -> str:
    """The settings, for captions."""
    labels = {setting.name: setting.label for setting in entry.settings}
    return ", ".join(
        f"{_lowered(labels[name])} {written(value)}" for name, value in settings.items()
    )


def written(value: Value) -> str:
    """A value, for captions and lists."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str):
        return NORM_NAMES.get(value, value.replace("_", "-"))
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _number(setting: Setting, key: str, help: str | None) -> Value:
    whole = isinstance(setting.default, int)
    _keep_within(key, nearest(setting))
    if is_logarithmic(setting):
        options = logarithmic(setting)
        return bound.select_slider(
            setting.label,
            options,
            setting.default,
            format_func=written,
            key=key,
            help=help,
        )
    low, high, step = setting.low, setting.high, setting.step
    if whole:
        low, high, step = int(low), int(high), int(step)
    return bound.slider(setting.label, low, high, setting.default, step, key=key, help=help)


def is_logarithmic(setting: Setting) -> bool:
    """Whether its ends are too far apart for even steps."""
    return setting.low > 0 and setting.high / setting.low >= _LOGARITHMIC


def _keep_within(key: str, closest: coach.Nearest) -> None:
    """Another norm or limit may leave a value outside; the nearest that the control takes."""
    value = st.session_state.get(key)
    if value is not None and closest(value) != value:
        st.session_state[key] = closest(value)


def logarithmic(setting: Setting) -> list[Any]:
    """1, 2 and 5 times each power of ten of the range, and the default."""
    kind = type(setting.default)
    powers = range(math.floor(math.log10(setting.low)), math.ceil(math.log10(setting.high)) + 1)
    steps = [float(f"{digit}e{power}") for power in powers for digit in (1, 2, 5)]
    inside = {kind(step) for step in steps if setting.low <= step <= setting.high}
    return sorted(inside | {setting.default})


def _lowered(label: str) -> str:
    """For the middle of a sentence: “random start”, but “JSMA” and “Grad-CAM with its sign”."""
    name = any(letter.isupper() for letter in label.split()[0][1:])
    return label if name else label[0].lower() + label[1:]

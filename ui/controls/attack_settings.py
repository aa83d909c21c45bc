"""Controls made of the catalog: what an attack sets, for any view that runs attacks.

A prefix keeps the views apart: it begins the key of each control, in the session and in the link.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from core.attacks.catalog import ATTACKS, Attack, attack
from core.catalog import Setting, Value
from ui.controls import bound, coach
from ui.visitor import link
from ui.visitor.parameters import Choice, Number

NORM_NAMES = {"linf": "L∞", "l2": "L2"}
_FIRST = "PGD"
_SHARED = ("epsilon", "norm", "seed")  # mean the same in every attack
_LOGARITHMIC = 1_000  # a range whose ends are so far apart has a logarithmic scale
_L2 = {"epsilon": (2.0, 10.0, 0.1), "step_size": (None, 10.0, 0.01)}  # default, high, step
_FROM_LINF = 2.0 / 0.3  # a length in L2 for one in L∞
_NO_LIMITS: Mapping[str, float] = {}


def attack_select(prefix: str) -> Attack:
    """Which attack of the catalog."""
    names = list(ATTACKS)
    name: str = bound.selectbox("Attack", names, names.index(_FIRST), key=f"{prefix}_attack")
    chosen = attack(name)
    st.caption(chosen.summary, help=f"{chosen.purpose} {chosen.source}")
    return chosen


def controls(
    chosen: Attack, prefix: str, visible: int, limits: Mapping[str, float] = _NO_LIMITS
) -> dict[str, Value]:
    """The settings of an attack; those behind the first `visible` in a popover.

    limits: for who waits, the highest value of a setting by name, where it is below its own.
    """
    found: dict[str, Value] = {}
    norm = _norm(chosen, prefix)
    own = sorted(chosen.settings, key=lambda setting: setting.name == "seed")
    for setting in own[:visible]:
        found[setting.name] = _control(chosen, _for_norm(setting, norm, limits), prefix)
    if own[visible:]:
        with st.popover("More", icon=":material/tune:", width="stretch"):
            for setting in own[visible:]:
                found[setting.name] = _control(chosen, _for_norm(setting, norm, limits), prefix)
    return found


def defaults_button(chosen: Attack, prefix: str) -> None:
    """Sets everything as the catalog has it."""
    st.button(
        "Defaults",
        key=f"{prefix}-defaults",
        type="tertiary",
        icon=":material/restart_alt:",
        on_click=_restore,
        args=[chosen, prefix],
        help=f"The settings with which the list of attacks has {chosen.name}: {chosen.source}.",
    )


def keys(chosen: Attack, prefix: str) -> dict[str, str]:
    """The key of each control that is drawn for an attack, by the name of what it sets."""
    norm = _norm(chosen, prefix)
    own = {each.name: _key(chosen, _for_norm(each, norm), prefix) for each in chosen.settings}
    return {**own, "attack": f"{prefix}_attack"}


def nearest(
    chosen: Attack, prefix: str, limits: Mapping[str, float] = _NO_LIMITS
) -> dict[str, coach.Nearest]:
    """Of a number the nearest that its control takes, by the name of what it sets."""
    norm = _norm(chosen, prefix)
    return {
        each.name: _nearest(_for_norm(each, norm, limits))
        for each in chosen.settings
        if isinstance(each.default, int | float) and not isinstance(each.default, bool)
    }


def words(chosen: Attack, settings: Mapping[str, Value]) -> str:
    """The settings, for captions."""
    labels = {setting.name: setting.label for setting in chosen.settings}
    return ", ".join(
        f"{_lowered(labels[name])} {_written(value)}" for name, value in settings.items()
    )


def _norm(chosen: Attack, prefix: str) -> str:
    """The norm that is set, before its control is drawn; "" of an attack that has none."""
    if not any(setting.name == "norm" for setting in chosen.settings):
        return ""
    key = f"{prefix}_norm"
    said = link.ahead(key, Choice(tuple(NORM_NAMES.values())))
    if said is not None:
        return next(norm for norm, name in NORM_NAMES.items() if name == said)
    return str(st.session_state.get(key, "linf"))


def _for_norm(setting: Setting, norm: str, limits: Mapping[str, float] = _NO_LIMITS) -> Setting:
    """A length has another range and another key in L2; all bounded for who waits."""
    high = min(setting.high, limits.get(setting.name, setting.high))
    if norm != "l2" or setting.name not in _L2:
        return replace(setting, high=high)
    default, high, step = _L2[setting.name]
    if default is None:
        default = float(f"{_FROM_LINF * float(setting.default):.1g}")
    low = 10 * setting.low
    return replace(
        setting, name=f"{setting.name}_l2", default=default, low=low, high=high, step=step
    )


def _key(chosen: Attack, setting: Setting, prefix: str) -> str:
    if setting.name.removesuffix("_l2") in _SHARED:
        return f"{prefix}_{setting.name}"
    letters = "".join(
        letter for letter in chosen.name.lower() if letter.isascii() and letter.isalpha()
    )
    return f"{prefix}_{letters}_{setting.name}"


def _control(chosen: Attack, setting: Setting, prefix: str) -> Value:
    key, label, help = _key(chosen, setting, prefix), setting.label, setting.help or None
    if isinstance(setting.default, bool):
        return bound.toggle(label, setting.default, key=key, help=help)
    if setting.name == "norm":
        picked: str = bound.segmented_control(
            label,
            setting.choices,
            default=setting.default,
            format_func=NORM_NAMES.__getitem__,
            required=True,
            key=key,
            width="stretch",
        )
        return picked
    if setting.choices:
        index = setting.choices.index(str(setting.default))
        return bound.selectbox(label, setting.choices, index, format_func=_written, key=key)
    if setting.name == "seed":
        low, high = int(setting.low), int(setting.high)
        return bound.number_input(label, low, high, int(setting.default), 1, key=key)
    return _number(setting, key, help)


def _number(setting: Setting, key: str, help: str | None) -> Value:
    whole = isinstance(setting.default, int)
    _keep_within(key, _nearest(setting))
    if _is_logarithmic(setting):
        options = _logarithmic(setting)
        return bound.select_slider(
            setting.label,
            options,
            setting.default,
            format_func=_written,
            key=key,
            help=help,
        )
    low, high, step = setting.low, setting.high, setting.step
    if whole:
        low, high, step = int(low), int(high), int(step)
    return bound.slider(setting.label, low, high, setting.default, step, key=key, help=help)


def _is_logarithmic(setting: Setting) -> bool:
    return setting.low > 0 and setting.high / setting.low >= _LOGARITHMIC


def _nearest(setting: Setting) -> coach.Nearest:
    if _is_logarithmic(setting):
        return coach.among(_logarithmic(setting))
    kind = type(setting.default)
    number = Number(setting.low, setting.high, setting.step, whole=kind is int)
    return lambda value: kind(number.nearest(value))


def _keep_within(key: str, nearest: coach.Nearest) -> None:
    """Another norm or limit may leave a value outside; the nearest that the control takes."""
    value = st.session_state.get(key)
    if value is not None and nearest(value) != value:
        st.session_state[key] = nearest(value)


def _logarithmic(setting: Setting) -> list[Any]:
    """1, 2 and 5 times each power of ten of the range, and the default."""
    kind = type(setting.default)
    powers = range(math.floor(math.log10(setting.low)), math.ceil(math.log10(setting.high)) + 1)
    steps = [float(f"{digit}e{power}") for power in powers for digit in (1, 2, 5)]
    inside = {kind(step) for step in steps if setting.low <= step <= setting.high}
    return sorted(inside | {setting.default})


def _restore(chosen: Attack, prefix: str) -> None:
    for setting in chosen.settings:
        for norm in NORM_NAMES:
            each = _for_norm(setting, norm)
            if (key := _key(chosen, each, prefix)) in st.session_state:
                st.session_state[key] = each.default


def _lowered(label: str) -> str:
    return label if label.isupper() else label[0].lower() + label[1:]


def _written(value: Value) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str):
        return NORM_NAMES.get(value, value.replace("_", "-"))
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"

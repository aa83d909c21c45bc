"""Controls made of the catalog: what an attack sets, for any view that runs attacks.

A prefix keeps the views apart: it begins the key of each control, in the session and in the link.
"""

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from core.attacks.catalog import ATTACKS, Attack, attack
from core.catalog import Setting, Value
from ui.controls import bound, coach, setting_controls
from ui.controls.setting_controls import NORM_NAMES
from ui.visitor import link
from ui.visitor.parameters import OneOf

_FIRST = "PGD"
_SHARED = ("epsilon", "norm", "seed")  # mean the same in every attack
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
        each.name: setting_controls.nearest(_for_norm(each, norm, limits))
        for each in chosen.settings
        if isinstance(each.default, int | float) and not isinstance(each.default, bool)
    }


def _norm(chosen: Attack, prefix: str) -> str:
    """The norm that is set, before its control is drawn; "" of an attack that has none."""
    if not any(setting.name == "norm" for setting in chosen.settings):
        return ""
    key = f"{prefix}_norm"
    said = link.ahead(key, OneOf(tuple(NORM_NAMES.values())))
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
    key = _key(chosen, setting, prefix)
    if setting.name != "norm":
        return setting_controls.control(setting, key)
    picked: str = bound.segmented_control(
        setting.label,
        setting.choices,
        default=setting.default,
        format_func=NORM_NAMES.__getitem__,
        required=True,
        key=key,
        width="stretch",
    )
    return picked


def _restore(chosen: Attack, prefix: str) -> None:
    for setting in chosen.settings:
        for norm in NORM_NAMES:
            each = _for_norm(setting, norm)
            if (key := _key(chosen, each, prefix)) in st.session_state:
                st.session_state[key] = each.default

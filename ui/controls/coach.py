"""The coach at the settings: one sentence, its reason, and a button that follows it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from core.catalog import Value
from core.coach.rules import advise
from core.coach.situation import Advice, Situation

Nearest = Callable[[Any], Value]
_ANY: Mapping[str, Nearest] = {}


def among(options: Sequence[Any]) -> Nearest:
    """Of a value the nearest of those that a control offers."""
    return lambda value: min(options, key=lambda option: abs(option - value))


def show(
    situation: Situation,
    keys: Mapping[str, str],
    *,
    name: str,
    nearest: Mapping[str, Nearest] = _ANY,
) -> None:
    """The most important advice whose every setting has a control.

    keys: names of settings to the session-state keys of their controls. nearest: of a value the
    one that the control takes, by the setting's name, where it does not take all. name: of the
    button.
    """
    for advice in advise(situation):
        fix = {
            each: nearest[each](value) if each in nearest else value
            for each, value in advice.fix.items()
        }
        if all(
            each in keys and value != situation.settings.get(each) for each, value in fix.items()
        ):
            _show(advice, fix, keys, name)
            return


def _show(advice: Advice, fix: Mapping[str, Value], keys: Mapping[str, str], name: str) -> None:
    with st.container(border=True, key=f"{name}-coach", gap="xsmall"):
        st.markdown(f":material/lightbulb: {advice.sentence}", help=advice.reason)
        st.button(
            "Set " + ", ".join(f"{each.replace('_', ' ')} to {fix[each]}" for each in fix),
            key=f"{name}-coach-fix",
            type="tertiary",
            icon=":material/auto_fix_high:",
            on_click=st.session_state.update,
            args=[{keys[each]: value for each, value in fix.items()}],
        )

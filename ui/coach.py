"""The coach at the settings: one sentence, its reason, and a button that follows it."""

from collections.abc import Mapping, Sequence

import streamlit as st

from core.coach import Advice, Situation, Value, advise

_NOTHING: Mapping[str, Sequence[float]] = {}


def show(
    situation: Situation,
    keys: Mapping[str, str],
    *,
    name: str,
    options: Mapping[str, Sequence[float]] = _NOTHING,
) -> None:
    """The most important advice whose every setting has a control.

    keys: names of settings to the session-state keys of their controls. options: what a control
    offers, where it offers only some values; the nearest is taken. name: of the button.
    """
    for advice in advise(situation):
        fix = {each: _offered(value, options.get(each)) for each, value in advice.fix.items()}
        if all(
            each in keys and value != situation.settings.get(each) for each, value in fix.items()
        ):
            _show(advice, fix, keys, name)
            return


def _offered(value: Value, options: Sequence[float] | None) -> Value:
    if options is None or isinstance(value, str):
        return value
    return min(options, key=lambda option: abs(option - value))


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

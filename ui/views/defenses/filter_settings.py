"""The filters that a visitor chains, and how the image behind them is attacked."""

from dataclasses import dataclass

import streamlit as st

from core.defenses.defended import MAX_PARTS, defense_of, key_of
from core.defenses.filters import KINDS, Filter
from core.report.settings import E12
from ui.controls import bound
from ui.controls.report import as_in_the_report
from ui.visitor import link, state
from ui.visitor.choice import Choice, admit, bare_key
from ui.visitor.parameters import Text

CHAIN, EPSILON = "filters", "filter_epsilon"
_KINDS, _STRENGTH = "_filter_kinds", "_filter_strength"
_FIRST = (Filter("blur", 1.0),)


@dataclass(frozen=True)
class FiltersAsked:
    """The chain, at least one filter long, and the radius of the attack."""

    chain: tuple[Filter, ...]
    epsilon: float

    @property
    def key(self) -> str:
        """The chain as text."""
        return key_of(self.chain)


def controls(choice: Choice) -> FiltersAsked | None:
    """Filters, their strengths, ε, and the buttons; None without a filter."""
    _read_link()
    st.markdown("**Settings**")
    kinds = st.multiselect(
        "Filters, in this order",
        list(KINDS),
        format_func=lambda name: KINDS[name].label,
        max_selections=MAX_PARTS,
        key=_KINDS,
        help="The image goes through the first filter first, and through all before the network.",
    )
    chain = tuple(_strength(kind) for kind in kinds)
    epsilon = bound.slider(
        "ε of the attack (L∞)", 0.0, 1.0, 0.3, 0.05, key=EPSILON,
        help="By how much the attack may change each pixel, where a full pixel is 1.",
    )  # fmt: skip
    _write_link(chain)
    _buttons(choice, chain)
    return FiltersAsked(chain, epsilon) if chain else None


def _strength(kind: str) -> Filter:
    about = KINDS[kind]
    whole = about.step == int(about.step)
    low, high, step, default = (
        int(each) if whole else float(each)
        for each in (about.low, about.high, about.step, about.default)
    )
    chosen = st.slider(
        f"{about.label}: {about.strength}", low, high, default, step,
        key=f"{_STRENGTH}-{kind}", help=f"{about.summary} Gradient: {about.gradient}.",
    )  # fmt: skip
    return Filter(kind, float(chosen))


def _buttons(choice: Choice, chain: tuple[Filter, ...]) -> None:
    used = st.button(
        "Use on all pages",
        key="filters-use",
        type="primary",
        icon=":material/shield:",
        on_click=_use,
        args=[choice, chain],
        disabled=not chain,
        width="stretch",
        help="Puts the network behind these filters into the model picker: every map, attack and "
        "score then sees through them.",
    )
    if used:
        st.rerun()  # the header stands outside this fragment
    as_in_the_report(
        "filters-report",
        lambda: _set(E12.settings["filters"]),
        "E12 proposes blurring or a threshold, without strengths: here both, at the defaults.",
    )


def _use(choice: Choice, chain: tuple[Filter, ...]) -> None:
    key = f"{bare_key(choice.model)}{state.BEHIND}{key_of(chain)}"
    st.session_state[state.MODEL] = admit(key)


def _set(key: str) -> str:
    """Put a chain into the controls; its key. Raises ValueError with one sentence if it is none."""
    parts = defense_of(key)
    chain = [part for part in parts if isinstance(part, Filter)]
    kinds = [part.kind for part in chain]
    if len(chain) < len(parts) or len(set(kinds)) < len(kinds):
        raise ValueError(f"The filters {key!r} cannot be set here: name each kind once.")
    st.session_state[_KINDS] = kinds
    for part in chain:
        whole = KINDS[part.kind].step == int(KINDS[part.kind].step)
        strength = int(part.strength) if whole else part.strength
        st.session_state[f"{_STRENGTH}-{part.kind}"] = strength
    return key_of(chain)


def _read_link() -> None:
    """What the link asks for, when the controls are drawn for the first time."""
    if _KINDS in st.session_state:
        return
    _set(key_of(_FIRST))
    link.read(CHAIN, Text(_set, "up to four filters, such as blur-1+threshold-0.5"))
    link.taken_instead(CHAIN, key_of(_FIRST))


def _write_link(chain: tuple[Filter, ...]) -> None:
    # Not bound by Streamlit, which would put labels into the link, and strengths beside them.
    link.write(CHAIN, (key_of(chain),) if chain and chain != _FIRST else None)

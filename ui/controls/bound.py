"""Streamlit's controls, bound to the link: drawn as `st` draws them, read by the link first.

The key of a control is also the name of its parameter.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from ui.visitor import link
from ui.visitor.parameters import Number, OneOf, Parameter, SomeOf, Switch, Text, Texts


def slider(
    label: str,
    low: float,
    high: float,
    value: float,
    step: float | None = None,
    *,
    key: str,
    **look: Any,
) -> Any:
    """A number on a scale: the one that the link writes, whatever noise the browser adds to it."""
    return _numeric(st.slider, (label, low, high, value), step, key, look)


def number_input(
    label: str,
    low: float,
    high: float,
    value: float,
    step: float | None = None,
    *,
    key: str,
    **look: Any,
) -> Any:
    """A number that can be written; the one that the link writes."""
    return _numeric(st.number_input, (label, low, high, value), step, key, look)


def select_slider(label: str, options: Sequence[Any], value: Any, *, key: str, **look: Any) -> Any:
    """One of several on a scale."""
    choice = OneOf(_texts(options, look))
    return _drawn(st.select_slider, (label, options, value), key, choice, value, look)


def selectbox(label: str, options: Sequence[Any], index: int = 0, *, key: str, **look: Any) -> Any:
    """One of several, out of a list."""
    choice = OneOf(_texts(options, look))
    value = options[index] if options else None
    return _drawn(st.selectbox, (label, options, index), key, choice, value, look)


def segmented_control(label: str, options: Sequence[Any], *, key: str, **look: Any) -> Any:
    """One of a few, beside each other."""
    choice = OneOf(_texts(options, look), optional=not look.get("required"))
    return _drawn(st.segmented_control, (label, options), key, choice, look.get("default"), look)


def pills(label: str, options: Sequence[Any], *, key: str, **look: Any) -> Any:
    """One of a few; several of them with selection_mode="multi"."""
    texts = _texts(options, look)
    several = look.get("selection_mode") == "multi"
    parameter = SomeOf(texts) if several else OneOf(texts, optional=not look.get("required"))
    return _drawn(st.pills, (label, options), key, parameter, look.get("default"), look)


def toggle(label: str, value: bool = False, *, key: str, **look: Any) -> Any:
    """On or off."""
    return _drawn(st.toggle, (label, value), key, Switch(), value, look)


def text_input(label: str, parameter: Text, *, key: str, **look: Any) -> Any:
    """Text that may be empty."""
    return _drawn(st.text_input, (label,), key, parameter, "", look)


def tabs(views: Mapping[str, Callable[..., None]], *given: Any, key: str) -> None:
    """Views as tabs, of which the link says which is open; what is hidden is not computed.

    views: what each draws, by its label, out of what is `given`.
    """
    labels, look = list(views), {"on_change": "rerun"}
    drawn = _drawn(st.tabs, (labels,), key, OneOf(labels), labels[0], look)
    for tab, view in zip(drawn, views.values(), strict=True):
        if tab.open:
            with tab:
                view(*given)


def _numeric(
    draw: Callable[..., Any],
    given: tuple[str, float, float, float],
    step: float | None,
    key: str,
    look: dict[str, Any],
) -> Any:
    """A control of a number; given: its label, ends and default."""
    _, low, high, value = given
    whole = isinstance(value, int)
    number = Number(low, high, step or (1 if whole else 0.01), whole)  # as Streamlit has it
    return number.nearest(_drawn(draw, (*given, number.step), key, number, value, look))


def _drawn(
    draw: Callable[..., Any],
    arguments: tuple[Any, ...],
    key: str,
    parameter: Parameter,
    default: Any,
    look: dict[str, Any],
) -> Any:
    """The control behind what the link says of it, and the link behind the control.

    Of a value that comes along from another page Streamlit knows only in a page's second run: in
    the first it shows the default, whatever the session says. It also forgets to write the link.
    """
    first, said = link.first_look(key), link.read(key, parameter)
    if first and said is None and key in st.session_state:
        st.session_state[key] = st.session_state[key]
    found = draw(*arguments, key=key, bind="query-params", **look)
    texts = _written(st.session_state[key], parameter, look)
    link.write(key, None if texts == _written(default, parameter, look) else texts)
    link.taken_instead(key, ", ".join(texts) or "none")
    return found


def _texts(options: Sequence[Any], look: dict[str, Any]) -> Texts:
    """The options as the link writes them."""
    return tuple(map(look.get("format_func", str), options))


def _written(value: Any, parameter: Parameter, look: dict[str, Any]) -> Texts:
    """A value as the link writes it."""
    if value is None or value == []:
        return ("",)
    if isinstance(parameter, Number):
        return (parameter.text(value),)
    if isinstance(parameter, Switch):
        return (str(value).lower(),)
    return _texts(value if isinstance(value, list | tuple) else [value], look)

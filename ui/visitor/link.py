"""The link and the page: the one place that reads and writes query parameters.

Streamlit drops what it cannot read of a link without a word, and some of it (inf for a whole
number, nothing for a choice that must be made) ends the page. So whoever draws a control reads the
link here first (`ui.controls.bound` does so for the controls that Streamlit binds): what cannot be
taken is replaced by the default before Streamlit sees it, and named in one notice on top of the
page. The notice stays until it is dismissed or the page is left.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ui.visitor.parameters import OneOf, Parameter, Reading, Texts, quoted, said

_VISIT = "_visit"
_UNUSED = 10  # named one by one
_ICON = ":material/link_off:"


@dataclass
class Note:
    """A parameter that says what cannot be taken: its texts, why, and what is shown instead."""

    name: str
    texts: Texts
    why: str
    instead: str = ""

    @property
    def sentence(self) -> str:
        """Markdown in which the link's own text stands as text."""
        instead = f": {quoted(self.instead)} was taken instead" if self.instead else ""
        return f"{said(self.name, self.texts)}{instead}. {self.why}"


@dataclass
class Visit:
    """One page in one session, from when it is opened until it is left.

    fresh: what came with the link and no control has read. drawn: by name, what the controls take.
    met: the controls that were drawn so far. unread: whether Streamlit has refused the whole
    link for its length.
    """

    page: str | None
    fresh: dict[str, Texts]
    notes: dict[str, Note] = field(default_factory=dict)
    dismissed: bool = False
    drawn: dict[str, Parameter] = field(default_factory=dict)
    met: set[str] = field(default_factory=set)
    unread: bool = False
    running: bool = False
    unsent: bool = False


@contextmanager
def visit(page: str) -> Iterator[None]:
    """The run of a page, with a place above it for what its link says and the page does not show.

    For the router only. page: the name of the page.
    """
    now = _begun(page)
    place = st.empty()
    try:
        yield
        unused = [] if now.dismissed else list(now.fresh)
    except BaseException:  # stopped or begun anew before all controls were drawn
        unused = []
        raise
    finally:
        now.running = False
        if now.unsent:
            _send(now)
        if now.notes or now.unread or unused:
            with place.container(key="link-notice", gap="xsmall"):
                _show(now, unused)


def read(name: str, parameter: Parameter) -> Reading | None:
    """What a control takes of the link, which says just that from now on; once, None after that."""
    now = current()
    now.drawn[name] = parameter
    texts = now.fresh.pop(name, None)
    if texts is None:
        return None
    reading = parameter.read(texts)
    if reading.taken != texts:
        write(name, reading.taken)
    if not reading.exact:
        note(name, texts, reading.why or f"It takes {parameter.takes}.", reading.taken)
    return reading


def first_look(name: str) -> bool:
    """Whether this visit draws a control for the first time; asked before it is drawn."""
    met = current().met
    first = name not in met
    met.add(name)
    return first


def note(name: str, texts: Texts, why: str, instead: Texts | None = None) -> None:
    """Name a parameter in the notice, with one sentence about it."""
    now = current()
    now.notes[name] = Note(name, texts, why, ", ".join(instead or ()))
    if not now.running:
        st.rerun()  # the notice stands outside this fragment


def chosen(name: str, options: Sequence[str], default: str) -> str:
    """What the link, or else the visitor, has chosen among options that change; else the default.

    For a control that Streamlit does not bind, because the titles of its options are no texts for a
    link. It becomes the control's value in the session, and `write` is told it afterwards.
    """
    reading = read(name, OneOf(options))
    asked = reading.taken[0] if reading and reading.taken else st.session_state.get(name)
    value: str = asked if asked in options else default
    st.session_state[name] = value
    taken_instead(name, value)
    return value


def taken_instead(name: str, value: str) -> None:
    """Say in the notice what was taken instead of what the link says."""
    found = current().notes.get(name)
    if found is not None and not found.instead:
        found.instead = value


def ahead(name: str, parameter: Parameter) -> str | None:
    """What a control that is not drawn yet will take of the link; None of nothing."""
    texts = current().fresh.get(name)
    taken = parameter.read(texts).taken if texts else None
    return taken[0] if taken else None


def write(name: str, texts: Texts | None) -> None:
    """Make the link say so; None: the default, which no link names."""
    context = get_script_run_ctx()
    if context is None or _says(name) == (texts or ()):
        return
    with context.session_state.query_params() as link:
        link.discard_param_no_forward_msg(name)
        if texts is not None:
            link.set_with_no_forward_msg(name, texts[0] if len(texts) == 1 else list(texts))
        # Streamlit fills its controls from a copy, which it makes before the page is run.
        link.set_initial_query_params_from_current()
    now = current()
    now.unsent = True
    if not now.running:
        _send(now)


def address() -> str:
    """The whole link to what is shown."""
    parts = urlsplit(st.context.url or "")
    texts = {name: _says(name) for name in st.query_params}
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(texts, doseq=True), ""))


def current() -> Visit:
    """This session's visit."""
    found: Visit = st.session_state.setdefault(_VISIT, Visit(None, {}))
    return found


def _begun(page: str) -> Visit:
    """The visit that goes on, or a new one: of another page, or back to another link of this."""
    now, context = current(), get_script_run_ctx()
    if now.page != page or (context is not None and context.is_history_navigation):
        now = Visit(page, {name: _says(name) for name in st.query_params})
        now.unread = now.unsent = not now.fresh and _asks(context.query_string if context else "")
        st.session_state[_VISIT] = now
    now.running = True
    now.drawn.clear()
    return now


def _send(now: Visit) -> None:
    """Bring the browser's address up to date, in one step for its way back."""
    st.query_params.update({})
    now.unsent = False


def _says(name: str) -> Texts:
    return tuple(st.query_params.get_all(name))


def _asks(query: str) -> bool:
    """Whether a link asks for anything; Streamlit keeps to itself how it is embedded."""
    return any(part and not part.lower().startswith("embed") for part in query.split("&"))


def _show(now: Visit, unused: Sequence[str]) -> None:
    sentences = [found.sentence for found in now.notes.values()]
    if unused:
        more = f" and {len(unused) - _UNUSED:,} more" if len(unused) > _UNUSED else ""
        names = ", ".join(map(quoted, unused[:_UNUSED])) + more
        sentences.append(f"{names}: nothing that is shown here is set by that.")
    if now.unread:
        sentences.append("It is too long or has too many parts: nothing of it was read.")
    points = "\n".join(f"- {sentence}" for sentence in sentences)
    st.warning(f"**The link says what this page cannot show.**\n\n{points}", icon=_ICON)
    st.button(
        "Dismiss", key="link-dismiss", type="tertiary", icon=":material/close:", on_click=_dismiss
    )


def _dismiss() -> None:
    now = current()
    now.notes.clear()
    now.unread, now.dismissed = False, True

"""Whether what came out of a file reaches the browser as text, and not as Markdown."""

import re
from collections.abc import Iterable, Iterator, Sequence

from google.protobuf.message import Message
from streamlit.testing.v1 import AppTest

_PLAIN = {  # what Streamlit shows as it is, and what charts and components do
    "selectbox": {"options", "raw_value"},
    "multiselect": {"options", "raw_values"},
    "vega_lite_chart": {"spec", "data"},
    "bidi_component": {"bytes", "json"},
}


def _texts(message: Message) -> Iterator[tuple[str, str]]:
    """The name of every text in what goes to the browser, with the text."""
    for field, value in message.ListFields():
        for each in [value] if isinstance(value, str | bytes | Message) else _listed(value):
            if isinstance(each, Message):
                yield from _texts(each)
            elif isinstance(each, str):
                yield field.name, each
            elif isinstance(each, bytes):
                yield field.name, each.decode("utf-8", "ignore")


def _listed(value: object) -> Iterable[object]:
    return value if isinstance(value, Iterable) else ()


def shown(app: AppTest) -> str:
    """Every text that goes to the browser, as a reader sees it: without what escapes Markdown.

    And without what components are written in.
    """
    texts = (each for _, message in _messages(app) for each in _texts(message))
    written = " ".join(text for name, text in texts if not name.endswith("_content"))
    return re.sub("[\\\\\u2060]", "", written)


def unescaped(app: AppTest, raw: Sequence[str]) -> list[tuple[str, str, str]]:
    """Kind, field and beginning of every text in which one of `raw` stands as it is."""
    return [
        (kind, name, text[:400])
        for kind, message in _messages(app)
        for name, text in _texts(message)
        if name not in {"alt"} | _PLAIN.get(kind, set()) and any(each in text for each in raw)
    ]


def _messages(app: AppTest) -> Iterator[tuple[str, Message]]:
    for node in app._tree:
        if isinstance(proto := getattr(node, "proto", None), Message):
            yield node.type, proto

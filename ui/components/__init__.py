"""Our own browser components: a folder each with HTML, CSS and JavaScript, mounted in the page.

The folder `common` holds what several of them draw alike.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from core.data.spec import DatasetSpec
from ui import text
from ui.figures.palette import Palette

Component = Callable[..., Any]


def component(name: str, *, isolated: bool = True) -> Component:
    """Register the component of the folder `name`; call once, when its module is imported.

    Its scripts and those of `common` share one scope. A dialog keeps the Tab key out
    of what is isolated: a component with controls for a dialog is not, and its styles all begin
    with a class of its own.
    """
    here = Path(__file__).parent
    html, css, js = (
        "".join(
            path.read_text(encoding="utf-8")
            for folder in (here / "common", here / name)
            for path in sorted(folder.glob(f"*.{kind}"))
        )
        for kind in ("html", "css", "js")
    )
    return st.components.v2.component(
        f"convscope_{name}", html=html, css=css, js=js, isolate_styles=isolated
    )


def described(spec: DatasetSpec) -> dict[str, object]:
    """What the scripts must know of the images and their classes; they assume nothing."""
    return {
        "side": spec.side,
        "channels": spec.channels,
        "classes": list(spec.classes),
        "classCount": text.in_words(len(spec.classes)).capitalize(),
    }


def colors(palette: Palette) -> dict[str, object]:
    """What a component paints data with; the interface takes its colors from `--st-*`."""
    return {
        "ink": palette.ink,
        "paper": palette.paper,
        "pointer": palette.pointer,
        "true": palette.true,
        "other": palette.other,
        "track": palette.track,
        "signed": list(palette.signed),
    }

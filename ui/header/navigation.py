"""The one list of pages, and the guard that makes a deep link work on a fresh server."""

from dataclasses import dataclass

import streamlit as st

from ui.assets import asset
from ui.visitor import images

_ROUTED = "_routed"


@dataclass(frozen=True)
class View:
    """A page: its file in pages/, its title, its icon and the section of the sidebar.

    summary: what it is for; {noun}: what an image of the chosen model's data set is.
    """

    file: str
    title: str
    icon: str
    section: str
    summary: str

    @property
    def told(self) -> str:
        """The summary, for the model that is chosen."""
        return self.summary.format(noun=images.spec().noun)

    @property
    def path(self) -> str:
        """The page as Streamlit names it."""
        return f"pages/{self.file}.py"


VIEWS = (
    View("overview", "Overview", "home", "", "One {noun} all the way through a trained network."),
    View("data", "Data", "dataset", "Train", "What networks learn from, and your own images."),
    View("training", "Training", "model_training", "Train", "Train a network and watch it learn."),
    View("predictions", "Predictions", "fact_check", "Train", "What it gets right, and wrong."),
    View("layers", "Layers", "layers", "Train", "Every layer, counted from the model itself."),
    View("feature_maps", "Feature maps", "grid_view", "Inspect", "What each channel responds to."),
    View("occlusion", "Occlusion", "hide_image", "Inspect", "Hide a block, and see what it held."),
    View("attribution", "Attribution", "gradient", "Inspect", "Which pixels speak for a class."),
    View("class_images", "Class images", "blur_on", "Inspect", "What a class or channel asks for."),
    View("adversarial", "Adversarial", "bolt", "Attack and defend", "Fool it, step by step."),
    View(
        "one_noise",
        "One noise, many images",
        "grain",
        "Attack and defend",
        "Does a noise made for one {noun} fool it on others?",
    ),
    View(
        "defenses", "Defenses", "shield", "Attack and defend", "Defend it, and attack the defense."
    ),
)


def view(file: str) -> View:
    """The view whose file is pages/`file`.py."""
    return next(view for view in VIEWS if view.file == file)


def pages() -> dict[str, list[st.Page]]:
    """The pages by section, for `st.navigation`."""
    sections: dict[str, list[st.Page]] = {}
    for entry in VIEWS:
        page = st.Page(
            entry.path,
            title=entry.title,
            icon=f":material/{entry.icon}:",
            default=entry is VIEWS[0],
            help=entry.told,
        )
        sections.setdefault(entry.section, []).append(page)
    return sections


def route() -> st.Page:
    """Show the sidebar's list of pages and return the one to run; for the router only."""
    st.session_state[_ROUTED] = True
    return _declare()


def _declare() -> st.Page:
    # The icon first: otherwise the tab asks a host on the internet for the page's own.
    st.set_page_config(page_title="Convscope", page_icon=asset("icon.svg"), layout="wide")
    page = st.navigation(pages())
    st.set_page_config(page_title=f"{page.title} · Convscope")
    return page


def guard() -> None:
    """First line of every page.

    Until some session has called `st.navigation`, Streamlit runs a deep-linked page without the
    router. Declare the pages and start over: the second run goes through the router.
    """
    if _ROUTED not in st.session_state:
        _declare()
        st.rerun()

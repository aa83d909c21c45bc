import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from core.jobs import JobManager
from core.work import capacity
from tests.gate import Gate
from tests.test_house import ROOT

QUICK: Mapping[str, Mapping[str, str]] = {  # links to pages that take seconds without
    "class_images": {"img_steps": "20"},
    "one_noise": {"one_steps": "40", "one_rate": "5e-3"},
}


def take_no_pages_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    """AppTest looks for pages/ anew on every run; a server does not once it has routed."""
    build = PagesManager.__init__

    def routed(self: PagesManager, *arguments: object, **keywords: object) -> None:
        build(self, *arguments, **keywords)  # type: ignore[arg-type]
        PagesManager.uses_pages_directory = False  # of the class: nobody reads the instance

    monkeypatch.setattr(PagesManager, "__init__", routed)


@pytest.fixture(autouse=True)
def router(monkeypatch: pytest.MonkeyPatch) -> None:
    take_no_pages_directory(monkeypatch)


@pytest.fixture(autouse=True, scope="module")
def caches() -> None:
    """A file begins with nothing kept; its tests share what any of them has computed."""
    st.cache_data.clear()


@pytest.fixture(autouse=True, scope="session")
def no_workers() -> Iterator[None]:
    """As on a machine with little memory: in tests of pages work stays in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(capacity, "found", lambda: 0)
        yield


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60)


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """Of the jobs of this test."""
    gate = Gate(tmp_path / "gate.json")
    monkeypatch.setattr(JobManager, "gate", gate)
    yield gate
    gate.open()


@pytest.fixture
def visit(app: AppTest) -> Callable[..., AppTest]:
    """Open the adversarial page with what a link says."""
    return lambda **query: open_page(app, "adversarial", **query)


@pytest.fixture
def defenses(app: AppTest) -> Callable[..., AppTest]:
    """Open the page on defenses with what a link says; its attacks take their time."""
    app.default_timeout = 180
    return lambda **query: open_page(app, "defenses", **query)


def open_page(app: AppTest, page: str, **query: str) -> AppTest:
    """The page whose file is pages/`page`.py, with what a link says."""
    app.query_params.update(query)
    app.run()
    return app.switch_page(f"pages/{page}.py").run()


def text_of(app: AppTest) -> str:
    """What stands on a page that has met no exception."""
    assert not app.exception
    elements = [*app.markdown, *app.caption, *app.info]
    return " ".join(str(element.value) for element in elements)


def fine_text_of(app: AppTest) -> str:
    """The same, of a page that shows no error either."""
    assert not app.error
    return text_of(app)


def open_link(page: str, query: Mapping[str, object]) -> AppTest:
    """A new visitor, who opens a link to the page whose file is pages/`page`.py."""
    app = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=180)
    app.query_params.update(query)
    if page != "overview":
        app.switch_page(f"pages/{page}.py")
    return app.run()


def notice_of(app: AppTest) -> str:
    """What the page says of its link; "" of nothing."""
    found = [warning.value for warning in app.warning if "The link says" in warning.value]
    assert len(found) < 2
    return found[0] if found else ""


def run_until(app: AppTest, holds: Callable[[], bool], seconds: float = 480) -> AppTest:
    """The page, drawn again and again until `holds`."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, text_of(app)
        time.sleep(0.2)
        app.run()
    return app.run()  # a job may have ended while the page was drawn


def run_while_live(app: AppTest, stop: str) -> AppTest:
    """The page, drawn until the job has ended that the button `stop` stops."""
    return run_until(app, lambda: all(button.key != stop for button in app.button))

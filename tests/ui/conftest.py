from collections.abc import Callable

import pytest
import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from tests.test_house import ROOT


@pytest.fixture(autouse=True)
def router(monkeypatch: pytest.MonkeyPatch) -> None:
    """AppTest looks for pages/ anew on every run; a server does not once it has routed."""
    build = PagesManager.__init__

    def routed(self: PagesManager, *arguments: object, **keywords: object) -> None:
        build(self, *arguments, **keywords)  # type: ignore[arg-type]
        self.uses_pages_directory = False

    monkeypatch.setattr(PagesManager, "__init__", routed)
    st.cache_data.clear()


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60)


@pytest.fixture
def visit(app: AppTest) -> Callable[..., AppTest]:
    """Open the adversarial page with what a link says."""

    def open_page(**query: str) -> AppTest:
        app.query_params.update(query)
        app.run()
        return app.switch_page("pages/adversarial.py").run()

    return open_page

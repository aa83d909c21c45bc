"""A title out of a file that is an image in Markdown: shown as text on every page."""

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from core.network.model import deserialize_model, load_model, serialize_model
from core.zoo import models as zoo
from tests.ui.as_text import unescaped
from tests.ui.conftest import QUICK
from ui.header.navigation import VIEWS
from ui.visitor import state

HOSTILE = "![x](http://example.invalid/x.png) :rainbow[y] $z$ `q` <h1>"
_RAW = ("![x]", "](http", ":rainbow[", "$z$", "`q`", "<h1>")
_PAGES = [
    *((view.file, QUICK.get(view.file, {})) for view in VIEWS),
    ("defenses", {"defense_view": "Accuracy against ε"}),
    ("defenses", {"model": "upload-1~blur-1", "defense_view": "Generative"}),
]


@pytest.fixture(scope="module")
def file() -> state.ModelFile:
    model, card = load_model(zoo.path_of("model-2"))
    data = serialize_model(model, replace(card, title=HOSTILE, name=HOSTILE, description=HOSTILE))
    _, read = deserialize_model(data)
    assert read.title == HOSTILE
    return state.ModelFile("upload-1", data, read)


@pytest.mark.parametrize(("page", "link"), _PAGES)
def test_shown_as_text(
    app: AppTest, file: state.ModelFile, page: str, link: dict[str, str]
) -> None:
    app.default_timeout = 180
    app.session_state["_uploads"] = {"upload-1": file}
    model = link.get("model", "upload-1")
    app.query_params.update({"model": model} | link)
    app.run()
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception
    assert app.selectbox(key="model").value == model
    assert HOSTILE in " ".join(app.selectbox(key="model").options)
    assert unescaped(app, _RAW) == []

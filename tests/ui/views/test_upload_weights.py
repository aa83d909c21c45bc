"""Weights that a visitor uploads on the training page."""

import io
import zipfile
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from core.network.model import load_model, serialize_model
from core.zoo import models as zoo
from tests.test_house import ROOT
from tests.ui.conftest import open_page, text_of
from ui.visitor import state


def _upload(app: AppTest, name: str, data: bytes) -> AppTest:
    app.run()
    app.switch_page("pages/training.py").run()
    return app.file_uploader[0].upload(name, data).run()


def _keras() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("model.weights.h5", b"")
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("model.keras", _keras(), "This is a Keras model (.keras), not a safetensors file"),
        ("a.safetensors", _keras(), "This is a Keras model (.keras), not a safetensors file"),
        ("a.safetensors", b"\x80\x02}q\x00.", "This is a Python pickle"),
        ("![x](http://example.invalid/x.png)", bytes(7) + b"\x80{}", "its header has"),
    ],
)
def test_another_file_is_named_and_refused(app: AppTest, name: str, data: bytes, said: str) -> None:
    app = _upload(app, name, data)
    assert not app.exception
    assert [said in each.value for each in app.error] == [True]
    assert app.error[0].value.endswith(": upload weights that this dashboard saved.")


def test_one_uploader_takes_each_file_once(app: AppTest) -> None:
    first, second = (zoo.path_of(key).read_bytes() for key in ("model-1", "model-2"))
    app = _upload(app, "a.safetensors", first).run()
    assert list(app.session_state["_uploads"]) == ["upload-1"]
    uploader = app.file_uploader[0]
    assert uploader.value is not None
    app = uploader.upload("b.safetensors", second).run()
    assert list(app.session_state["_uploads"]) == ["upload-1", "upload-2"]
    app = app.file_uploader[0].upload("c.safetensors", b"\x80\x02}q\x00.").run()
    assert ["This is a Python pickle" in each.value for each in app.error] == [True]
    assert list(app.session_state["_uploads"]) == ["upload-1", "upload-2"]
    assert app.file_uploader[0].id == uploader.id  # another would lose a file on its way to this


def test_equal_weights_with_two_cards_are_two_models() -> None:
    model, card = load_model(zoo.path_of("model-2"))
    for title in ("First", "Second"):
        data = serialize_model(model, replace(card, title=title))
        app = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60)
        file = state.ModelFile("upload-1", data, replace(card, title=title))
        app.session_state["_uploads"] = {"upload-1": file}
        page = open_page(app, "defenses", model="upload-1~blur-1", defense_view="Generative")
        assert f"in front of {title}, not" in text_of(page)

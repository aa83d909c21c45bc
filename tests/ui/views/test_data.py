"""A visitor's own set on the data page: understood, overruled, used, trained on, linked to."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.data.dataset import Dataset
from tests.shapes import SHAPES, shapes
from tests.ui.conftest import notice_of, open_link, open_page, text_of
from ui.visitor import own_sets


def _npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def _toys() -> bytes:
    train, test = shapes().train, shapes().test
    names = np.array(SHAPES.classes)
    return _npz(
        x_train=train.images, y_train=names[train.labels],
        x_test=test.images, y_test=names[test.labels],
    )  # fmt: skip


@pytest.fixture
def bring(app: AppTest) -> Callable[[bytes], AppTest]:
    """Open the data page and give it a file."""

    def brought(data: bytes) -> AppTest:
        open_page(app, "data")
        return app.file_uploader(key="own-set").upload("toys.npz", data).run()

    return brought


def _key(app: AppTest) -> str:
    [key] = app.session_state["_brought"]
    return str(key)


def test_a_set_is_understood_used_and_offered_for_training(bring) -> None:
    app = bring(_toys())
    assert not app.exception
    assert "700 images of the training part" in text_of(app)
    assert "7 names" in text_of(app)
    app.button(key="use-set").click().run()
    assert app.button(key="use-set").disabled
    app.switch_page("pages/training.py").run()
    assert app.selectbox(key="set").options == ["MNIST", _key(app)]
    app.selectbox(key="set").select(_key(app)).run()
    assert not app.exception
    assert app.slider(key="images").max == SHAPES.training_images


def test_a_link_names_the_set_by_its_content_and_says_when_it_is_not_here() -> None:
    app = open_link("training", {"set": "toys-00000000"})
    assert not app.exception
    assert "toys-00000000" in notice_of(app)
    assert "bring its file again" in notice_of(app)


def test_what_is_overruled_counts(bring) -> None:
    app = bring(_toys())
    app.selectbox(key="own-ink").select("Exchanged").run()
    app.button(key="use-set").click().run()
    kept: Dataset = app.session_state["_brought"][_key(app)]
    assert np.array_equal(kept.test.images, 255 - shapes().test.images)


def test_a_wrong_file_gets_one_sentence_and_the_page_stays(bring) -> None:
    app = bring(b"\x80\x04K\x01.")
    assert not app.exception
    [error] = app.error
    assert "pickle" in error.value
    assert "MNIST" in text_of(app)


def test_one_visitor_brings_three_sets_and_all_together_share_a_budget(
    bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_sets._living().clear()  # what the tests before have brought is here still
    monkeypatch.setattr(own_sets, "MOST_PIXEL_BYTES", 1_000)
    app = bring(_toys())
    app.button(key="use-set").click().run()
    [error] = app.error
    assert "on this server" in error.value or "MB here" in error.value
    assert not app.session_state["_brought"]

"""The filters of the page on defenses, and every page behind a defended model."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.arrays import FloatArray
from core.data.spec import MNIST
from core.defenses.filters import KINDS, Filter
from tests.ui.conftest import QUICK, notice_of, open_page, text_of
from ui.header.navigation import VIEWS
from ui.views.defenses.filter_settings import FiltersAsked
from ui.views.defenses.filters import FiltersSeen, finding

FILTERS = {"defense_view": "Filters"}


def _open(app: AppTest, page: str, query: dict[str, str]) -> AppTest:
    app.default_timeout = 180
    return open_page(app, page, **query)


def _fine(app: AppTest) -> bool:
    return not app.exception and not app.error


def test_four_digits_through_the_filters_and_each_filter_alone(app: AppTest) -> None:
    page = _open(app, "defenses", FILTERS)
    assert _fine(page)
    assert "Gaussian blur 1: the attacked 2 " in text_of(page)
    assert "an attack that knows of it makes it a " in text_of(page)
    for kind in KINDS.values():
        assert f"**{Filter(kind.name, kind.default).title}** · gradient {kind.gradient}" in text_of(
            page
        )
    page.slider(key="_filter_strength-blur").set_value(2.0).run()
    assert _fine(page)
    assert "Gaussian blur 2: " in text_of(page)
    assert page.query_params["filters"] == "blur-2"


def test_the_reports_filters_and_a_random_one_in_a_chain(app: AppTest) -> None:
    page = _open(app, "defenses", FILTERS)
    page.button(key="filters-report").click().run()
    assert _fine(page)
    assert "Gaussian blur 1 + Threshold 0.5: " in text_of(page)
    page.multiselect(key="_filter_kinds").set_value(["noise", "median"]).run()
    page.slider(key="filter_epsilon").set_value(0.2).run()
    assert _fine(page)
    assert "Random noise 0.25 + Median 3: " in text_of(page)
    assert "gradient averaged over draws. A random filter is pictured by its first draw" in text_of(
        page
    )
    assert page.query_params["filters"] == "noise-0.25+median-3"
    page.multiselect(key="_filter_kinds").set_value([]).run()
    assert _fine(page)
    assert "No filter is chosen" in text_of(page)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("sharpen-1", "There is no filter 'sharpen-1'"),
        ("blur-99", "The strength of Gaussian blur is 99, outside 0.4 to 3"),
        ("blur-1+blur-2", "name each kind once"),
        ("+".join(["blur-1", "median-3", "bits-1", "jpeg-30", "noise-0.25"]), "5, outside 1 to 4"),
    ],
)
def test_a_bad_link_gets_one_sentence_and_the_default(
    asked: str, sentence: str, app: AppTest
) -> None:
    page = _open(app, "defenses", {**FILTERS, "filters": asked})
    assert not page.exception
    assert not page.error
    assert f"`filters={asked[:32]}" in notice_of(page)
    assert sentence in notice_of(page)
    assert "Gaussian blur 1: " in text_of(page)


def test_a_defended_model_goes_into_the_picker(app: AppTest) -> None:
    page = _open(app, "defenses", {**FILTERS, "filters": "median-5"})
    page.button(key="filters-use").click().run()
    assert _fine(page)
    assert page.session_state["model"] == "model-1~median-5"
    assert "Model 1, Median 5 · defended" in page.selectbox(key="model").options
    page.switch_page("pages/occlusion.py").run()
    assert _fine(page)
    assert page.selectbox(key="model").value == "model-1~median-5"


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.file)
def test_every_page_works_on_a_defended_model(app: AppTest, view) -> None:
    query = {"model": "model-1~blur-1+noise-0.25", **QUICK.get(view.file, {})}
    page = _open(app, view.file, query)
    assert _fine(page)
    title = "Model 1, Gaussian blur 1 + Random noise 0.25 · defended"
    assert title in page.selectbox(key="model").options
    assert page.session_state["model"] == "model-1~blur-1+noise-0.25"


@pytest.mark.parametrize("asked", ["model-1~sharpen-1", "model-1~blur-99"])
def test_a_broken_defense_in_a_link_gets_one_sentence(asked: str, app: AppTest) -> None:
    app.query_params["model"] = asked
    app.run()
    assert not app.exception
    assert not app.error
    assert f"`model={asked}`: `Model 1` was taken instead" in notice_of(app)
    assert app.session_state["model"] == "model-1"


def _seen(bare: list[int], defended: list[int]) -> FiltersSeen:
    def answers(classes: list[int]) -> FloatArray:
        return np.eye(10, dtype=np.float32)[classes]

    return FiltersSeen(
        np.zeros((4, 28, 28, 1), np.float32), {}, answers(bare), answers(defended), 2
    )


@pytest.mark.parametrize(
    ("bare", "defended", "words"),
    [
        ([2, 2, 7, 7], [2, 2, 2, 3], "the attacked 2 is read rightly again; an attack that knows"),
        ([2, 2, 7, 7], [2, 2, 2, 2], "an attack that knows of it does not get through either"),
        ([2, 2, 7, 7], [2, 2, 1, 3], "stays misread, as a 1; an attack that knows of it makes it"),
        ([2, 2, 2, 2], [2, 2, 2, 2], "the attack does not fool the bare network"),
        ([2, 2, 2, 2], [2, 2, 1, 2], "the attacked 2 is now misread, as a 1"),
        ([7, 2, 7, 7], [2, 2, 2, 2], "the 2, which the bare network reads as a 7, is read rightly"),
        ([2, 2, 7, 7], [8, 2, 1, 3], "the clean 2 itself is read as a 8"),
    ],
)
def test_the_finding_follows_the_answers(bare: list[int], defended: list[int], words: str) -> None:
    asked = FiltersAsked((Filter("blur", 1.0),), 0.3)
    assert words in finding(asked, _seen(bare, defended), MNIST.classes)

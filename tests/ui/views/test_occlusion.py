"""The occlusion page, headless."""

import pytest
from streamlit.testing.v1 import AppTest

from core.arrays import FloatArray
from core.network.classifier import Classifier
from tests.ui.conftest import text_of


@pytest.fixture
def page(app: AppTest) -> AppTest:
    app.query_params["image"] = "7"
    app.run()
    return app.switch_page("pages/occlusion.py").run()


def test_every_control_moves(page: AppTest) -> None:
    assert "25 forward passes, one batch" in text_of(page)
    assert "One digit of each class" in text_of(page)
    page.slider(key="block").set_value(6).run()
    page.slider(key="stride").set_value(2).run()
    assert "One block turns this 9 into a 4" in text_of(page)
    assert "144 forward passes" in text_of(page)
    for fill in page.selectbox(key="fill").options:
        page.selectbox(key="fill").select(fill).run()
    page.segmented_control(key="change").set_value("Logit").run()
    page.toggle(key="pixels").set_value(True).run()
    page.selectbox(key="class").select("4").run()
    assert "p(4) goes from" in text_of(page)
    assert page.query_params["class"] == "4"
    page.button(key="as-reported").click().run()
    assert not page.exception
    assert not page.error
    assert (page.slider(key="block").value, page.slider(key="stride").value) == (12, 4)
    assert page.selectbox(key="fill").value == "black"


def test_the_gallery_shows_the_images_beside(page: AppTest) -> None:
    page.text_input(key="more").set_value("8, 12").run()
    assert "The chosen images" in text_of(page)
    assert "of 3**" in text_of(page)


def test_a_move_asks_only_what_it_changes(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """25 positions and 2 × 29 steps of one deletion, beside a few looks at the image itself."""
    asked, logits = [], Classifier.logits

    def counted(classifier: Classifier, images: FloatArray) -> FloatArray:
        asked.append(len(images))
        return logits(classifier, images)

    monkeypatch.setattr(Classifier, "logits", counted)
    page.slider(key="stride").set_value(5).run()
    assert 25 + 58 <= sum(asked) <= 25 + 58 + 5


@pytest.mark.parametrize(
    "query", [{"class": "11"}, {"block": "99"}, {"stride": "0"}, {"fill": "white"}]
)
def test_edited_links_fall_back(app: AppTest, query: dict[str, str]) -> None:
    app.query_params.update(query)
    app.run()
    page = app.switch_page("pages/occlusion.py").run()
    assert not page.exception
    assert not page.error
    assert "25 forward passes" in text_of(page)

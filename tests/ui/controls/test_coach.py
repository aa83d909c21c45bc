"""The coach on the pages: what it says, and that its button does it."""

import pytest
from streamlit.testing.v1 import AppTest


def coached(app: AppTest, file: str, **query: str) -> AppTest:
    app.query_params.update(query)
    app.run()
    page = app.switch_page(f"pages/{file}.py").run()
    assert not page.exception
    return page


def said(page: AppTest, sentence: str) -> bool:
    return any(sentence in each.value for each in page.markdown)


def test_a_vanished_gradient_is_cured_by_the_logit(app: AppTest) -> None:
    page = coached(app, "adversarial", noise_cost="Cross-entropy", noise_rate="0.05")
    assert said(page, "its gradient has vanished: maximize the logit")
    page.button(key="noise-coach-fix").click().run()
    assert not page.exception
    assert page.session_state["noise_cost"] == "logit"
    assert not said(page, "its gradient has vanished")


def test_a_source_that_nothing_holds(app: AppTest) -> None:
    page = coached(app, "adversarial", view="Toward a source", to_beta="0", to_steps="20")
    while not said(page, "nothing holds the image near its source"):
        page.button(key="to-coach-fix").click().run()  # more important advice comes first
        assert not page.exception
    page.button(key="to-coach-fix").click().run()
    assert page.session_state["to_beta"] == 1


@pytest.mark.parametrize(("penalty", "less"), [("0", False), ("0.3", True)])
def test_much_ink_or_none(app: AppTest, penalty: str, less: bool) -> None:
    page = coached(app, "class_images", img_l2=penalty, img_steps="100")
    before = page.session_state["img_l2"]
    assert said(page, "more ink than 95 %") == (not less)
    if not less:
        page.button(key="img-coach-fix").click().run()
        assert not page.exception
        assert page.session_state["img_l2"] > before

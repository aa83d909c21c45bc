"""The view Is it masked?, headless: a planted mask is heard, its evidence drawn."""

import time
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from ui.defenses.masking_runs import PLANTED, MaskRun

VIEW = {"defense_view": "Is it masked?", "mask_images": "50", "mask_queries": "100"}


@pytest.fixture
def visit(app: AppTest) -> Callable[..., AppTest]:
    def open_page(**query: str) -> AppTest:
        app.query_params.update(query)
        app.run()
        return app.switch_page("pages/defenses.py").run()

    return open_page


def _text(page: AppTest) -> str:
    assert not page.exception
    return " ".join(str(element.value) for element in [*page.markdown, *page.caption])


def test_a_planted_mask_is_heard(visit: Callable[..., AppTest]) -> None:
    page = visit(**VIEW, mask_subject=PLANTED)
    assert "nothing has been checked yet" in _text(page)
    page.button(key="mask-start").click().run()
    deadline = time.monotonic() + 400
    while any(button.key == "mask-stop" for button in page.button):
        assert time.monotonic() < deadline
        time.sleep(0.5)
        page.run()
    run: MaskRun = page.session_state["_mask_run"]
    written = _text(page)
    assert not page.error
    assert run.study.count == run.checks == 12
    assert f"{len(run.study.alarms)} of 12 checks fire" in written
    assert ":red[:material/error:] **Gradients are exactly zero**: yes" in written
    for finding in run.study.findings:
        assert finding.verdict in written
        assert finding.criterion in written
    page.select_slider(key="mask_surface").set_value(3).run()
    assert f"Test image {run.study.shown[3]}: the runner-up’s logit" in _text(page)


@pytest.mark.parametrize(
    "query",
    [
        {"mask_subject": "Everything"},
        {"mask_images": "7"},
        {"mask_epsilon": "nan"},
        {"mask_epsilon": "3"},
        {"mask_queries": "0"},
    ],
    ids=str,
)
def test_edited_links_fall_back(visit: Callable[..., AppTest], query: dict[str, str]) -> None:
    page = visit(**{**VIEW, **query})
    assert "nothing has been checked yet" in _text(page)
    assert not page.error
    assert page.slider(key="mask_epsilon").value == 0.3

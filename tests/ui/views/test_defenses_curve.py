"""The view Accuracy against ε, headless: curves to the end, the cursor, and edited links."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.jobs import FINISHED, Job
from core.network.classifier import Classifier
from core.studies.robustness_curve import Curve, CurveStudy, Point
from tests.ui.conftest import run_while_live, text_of
from ui.figures import curve_charts
from ui.figures.palette import LIGHT
from ui.views.defenses import curve as curve_view
from ui.views.defenses import curve_runs
from ui.views.defenses.curve_runs import CurveAsked, CurveRun
from ui.visitor import compute
from ui.visitor.state import ModelFile

VIEW = {
    "defense_view": "Accuracy against ε",
    "curve_images": "50",
    "curve_radii": "9",
    "curve_iterations": "5",
}


def _measured(page: AppTest) -> CurveRun:
    page.button(key="curve-start").click().run()
    run_while_live(page, "curve-stop")
    run: CurveRun = page.session_state["_curve_run"]
    return run


def test_a_curve_grows_to_its_end(defenses: Callable[..., AppTest]) -> None:
    page = defenses(**VIEW)
    assert "nothing has been measured yet" in text_of(page)
    page.session_state["curve_defenses"] = []
    page.run()
    run = _measured(page)
    written = text_of(page)
    assert not page.error
    assert [len(curve.points) for curve in run.study.curves] == [9]
    assert "At ε = 0.3 (L∞) no image stands" in written
    assert "the first 50 test images, L∞, 5 iterations a run" in written


def _drawn(linear: Classifier) -> CurveRun:
    """Two curves of eight images at three radii, as a job that has ended leaves them."""
    asked = CurveAsked(("model-1", "model-2"), "linf", 3, 8, 5)
    study = CurveStudy({"a": linear, "b": linear}, "linf", asked.epsilons, 8)

    def point(epsilon: float, standing: int, certified: bool) -> Point:
        stands = np.arange(8) < standing
        return Point(epsilon, stands, np.ones(8, bool), stands if certified else None)

    study.curves = (
        Curve("a", (point(0.0, 8, True), point(0.3, 6, True), point(0.6, 0, True))),
        Curve("b", (point(0.0, 8, False), point(0.3, 0, False), point(0.6, 0, False))),
    )
    return CurveRun(asked, study, Job("nobody", "two curves", study.work, state=FINISHED))


def test_the_cursor_says_what_was_measured(
    defenses: Callable[..., AppTest], app: AppTest, linear: Classifier
) -> None:
    app.session_state["_curve_run"] = _drawn(linear)
    page = defenses(**VIEW)
    assert (
        "At ε = 0.3 (L∞) no winner among a and b: a is, beside b, better on 6 of the 6 images that "
        "tell them apart, p = 0.094 (Holm, 3 comparisons): no difference shown" in text_of(page)
    )
    table = page.table[0].value
    assert list(table["classifier"]) == ["a", "b"]
    assert list(table["stand at ε = 0.3"]) == ["75 % [41, 93] · 6 of 8", "0 % [0, 32] · 0 of 8"]
    assert table["certified"][1] == "no bound"
    assert list(table["ε at 50 %"]) == ["0.400", "0.150"]
    assert list(table["area to ε = 0.6"]) == ["0.375", "0.150"]
    page.slider(key="curve_at_linf_3").set_value(0.6).run()
    assert "At ε = 0.6 (L∞) no image stands" in text_of(page)
    page.slider(key="curve_at_linf_3").set_value(0.0).run()
    assert "no winner among a and b: a is, beside b, the same on every image" in text_of(page)


def test_curves_are_told_apart_by_pairs(linear: Classifier) -> None:
    """59 against 50 of 100: the intervals overlap, and no image says otherwise."""
    run, image = _drawn(linear), np.arange(100)

    def curve(name: str, *standing: np.ndarray) -> Curve:
        points = (Point(0.3 * n, each, image >= 0, None) for n, each in enumerate(standing))
        return Curve(name, tuple(points))

    run.study.curves = (
        curve("a", image < 99, image < 59), curve("b", image > 0, image < 50),
        curve("c", image < 99),
    )  # fmt: skip
    assert curve_view._finding(list(run.study.curves), 0.3, run) == (
        "At ε = 0.3 (L∞) a keeps most: 59 % [49, 68] · 59 of 100; a is, beside b, better on 9 of "
        "the 9 images that tell them apart, p = 0.016 (Holm, 4 comparisons): +9.0 points [+3.1, "
        "+14.7]"
    )


@pytest.mark.parametrize(
    "query",
    [
        {"curve_norm": "l7"},
        {"curve_radii": "10"},
        {"curve_images": "-4"},
        {"curve_iterations": "nan"},
        {"curve_models": "everything"},
        {"curve_defenses": "magic-1"},
    ],
    ids=str,
)
def test_edited_links_fall_back(defenses: Callable[..., AppTest], query: dict[str, str]) -> None:
    page = defenses(**{**VIEW, **query})
    assert "nothing has been measured yet" in text_of(page)
    assert not page.error


def test_without_a_classifier_it_says_so(defenses: Callable[..., AppTest]) -> None:
    page = defenses(**VIEW)
    page.session_state["curve_models"] = []
    page.session_state["curve_defenses"] = []
    page.run()
    assert [error.value for error in page.error] == [
        "No classifier is chosen: choose a network, or a defense in front of one."
    ]
    assert page.button(key="curve-start").disabled


def test_the_cursor_stays_while_another_page_is_looked_at(
    defenses: Callable[..., AppTest], app: AppTest, linear: Classifier
) -> None:
    app.session_state["_curve_run"] = _drawn(linear)
    page = defenses(**VIEW)
    page.slider(key="curve_at_linf_3").set_value(0.6).run()
    app.switch_page("pages/predictions.py").run()
    app.switch_page("pages/defenses.py").run()
    assert "At ε = 0.6 (L∞) no image stands" in text_of(app)


def test_a_curve_that_is_a_point_ahead_is_compared_where_the_other_ends(
    defenses: Callable[..., AppTest], app: AppTest, linear: Classifier
) -> None:
    run = _drawn(linear)
    ahead, behind = run.study.curves
    proven = replace(behind, points=ahead.points[:1])
    run.study.curves = (ahead, replace(behind, points=behind.points[:2]), replace(proven, name="c"))
    app.session_state["_curve_run"] = run
    table = defenses(**VIEW).table[0].value
    assert list(table["area to ε = 0"]) == ["0.000"] * 3
    assert list(table["certified"]) == ["75 % [41, 93] · 6 of 8", "no bound", "not measured"]
    run.study.curves = run.study.curves[:2]
    app.session_state["_curve_run"] = run
    table = app.run().table[0].value
    assert list(table["area to ε = 0.3"]) == ["0.263", "0.150"]


def test_networks_of_one_name_are_told_apart(
    defenses: Callable[..., AppTest], app: AppTest
) -> None:
    card = replace(compute.shipped_cards()["model-1"], title="Run 1")
    app.session_state["_kept"] = {
        key: ModelFile(key, b"", card) for key in ("edited-1", "edited-2")
    }
    page = defenses(**VIEW)
    assert not page.error
    names = next(each for each in page.pills if each.key == "curve_models").options
    assert {"Model 1", "Run 1, edited-1", "Run 1, edited-2"} <= set(names)


def test_the_chart_draws_every_kind() -> None:
    stand, noise = np.array([True, False]), np.array([True, True])
    curve = Curve("a", (Point(0.0, noise, noise, noise), Point(0.1, stand, noise, ~noise)))
    bare = Curve("b", (Point(0.0, noise, noise, None),))
    chart = curve_charts.accuracy_against_epsilon(
        [curve, bare], LIGHT, largest=0.6, cursor=0.1, title="ε"
    )
    kinds = chart.table.groupby("kind").size().to_dict()
    assert kinds == {"attack": 3, "noise": 3, "certified": 2, "cursor": 1}
    assert CurveAsked((), "linf", 9, 50, 5).epsilons[-1] == 0.6


def test_two_classifiers_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """An upload may be called what a chain is called; its curve was left out without a word."""
    titles = {"model-1": "Model 1", "model-2": "Model 1, Gaussian blur 1"}
    monkeypatch.setattr(curve_runs, "short_titles", lambda: titles)
    with pytest.raises(ValueError, match="Two classifiers are called 'Model 1, Gaussian blur 1'"):
        curve_runs.begin(CurveAsked(("model-1~blur-1", "model-2"), "linf", 3, 8, 5))

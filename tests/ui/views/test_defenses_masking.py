"""The view Is it masked?, headless: a planted mask is heard, its evidence drawn."""

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.attacks.loss_surface import Surfaces
from core.jobs import FAILED, QUEUED, RUNNING, STOPPED, Job
from core.network.classifier import Classifier
from core.statistics.rate import Rate
from core.studies.masking import MaskingStudy
from core.studies.masking_verdicts import compared, gap, none_of, not_monotone, share_below
from tests.gate import Gate
from tests.ui.conftest import run_until, run_while_live, text_of
from ui.figures import attack_charts
from ui.figures.palette import LIGHT
from ui.views.defenses import masking
from ui.views.defenses.masking_runs import PLANTED, MaskingAsked, MaskRun

VIEW = {"defense_view": "Is it masked?", "mask_images": "50", "mask_queries": "100"}


def _first(count: int) -> np.ndarray:
    return np.arange(50) < count


def _drawn(linear: Classifier) -> MaskRun:
    """A silent check, an unclear one and three alarms, as a stopped job leaves them."""
    study = MaskingStudy(linear, 50)
    along = np.linspace(0, 1, 3, dtype=np.float32)
    rise = np.stack([np.add.outer(along, along), np.outer(along, along)]).astype(np.float32)
    study.counted, study.shown, study.left = 50, np.array([4, 7]), Rate(7, 50)
    study.surface = Surfaces(along, rise)
    rate = {"steeper along the gradient": Rate(2, 50)}
    study.findings = (
        none_of("zero", "Gradients are exactly zero", {"no gradient": Rate(50, 50)}, "without one"),
        share_below("surface", "Not uphill", rate, 0.5, "so", values=study.surface.roughness),
        not_monotone([0.1, 0.3], np.stack([_first(40), ~_first(40)])),
        compared("noise", "Noise wins", "noise", _first(1), "PGD", _first(0)),
        gap(_first(2), _first(3), 40),
    )
    job = Job("nobody", "masked?", lambda: iter(()), state=STOPPED)  # type: ignore[arg-type]
    return MaskRun(MaskingAsked(PLANTED, "model-2", 50, 0.3, 100), study, job, "Linear", 12)


def test_verdicts_and_evidence(
    defenses: Callable[..., AppTest], app: AppTest, linear: Classifier
) -> None:
    run = _drawn(linear)
    app.session_state["_mask_run"] = run
    page = defenses(**VIEW)
    written = text_of(page)
    assert not page.error
    assert (
        "**:red[:material/gpp_bad:] Not robust: 7 of 50 stand under the strongest attack of the "
        "checks; 3 of 5 checks fire: do not trust" in written
    )
    assert "Stopped after 5 of 12 checks; they stay." in written
    assert ":red[:material/error:] **Gradients are exactly zero**: yes" in written
    assert ":orange[:material/hourglass_top:] **Noise wins**: not clear" in written
    assert ":green[:material/check_circle:] **Robust to one step only**: no" in written
    for finding in run.study.findings:
        assert finding.verdict in written
        assert finding.criterion in written
    assert "Test image 4: the runner-up’s logit" in written
    assert "range ±2; roughness 0.000 (0 is a plane)" in written
    page.select_slider(key="mask_surface").set_value(1).run()
    assert "Test image 7: the runner-up’s logit" in text_of(page)


def test_a_planted_mask_is_heard_before_the_job_ends(
    defenses: Callable[..., AppTest], gate: Gate
) -> None:
    gate.hold("masked?", 0.01)
    page = defenses(**VIEW, mask_subject=PLANTED)
    assert "nothing has been checked yet" in text_of(page)
    page.button(key="mask-start").click().run()
    run_until(page, lambda: "**Gradients are exactly zero**: yes" in text_of(page))
    page.button(key="mask-stop").click().run()
    run_while_live(page, "mask-stop")
    run: MaskRun = page.session_state["_mask_run"]
    assert run.name == "Model 1, Threshold 0.5, its gradient held back"
    assert "Stopped after 1 of 12 checks; they stay." in text_of(page)


def test_silence_is_not_robustness(
    defenses: Callable[..., AppTest], app: AppTest, linear: Classifier
) -> None:
    run = _drawn(linear)
    run.study.findings = tuple(
        none_of(f"check-{n}", "A check", {"none": Rate(0, 50)}, "without")
        for n in range(run.study.planned)
    )
    run.study.left = Rate(0, 50)
    app.session_state["_mask_run"] = run
    written = text_of(defenses(**VIEW))
    assert "**:red[:material/gpp_bad:] Not masked, and not robust: 0 of 50 stand" in written
    assert "no trace of a hidden gradient, which is not robustness" in written
    run.study.left = Rate(48, 50)
    assert ":green[:material/shield:] Not masked, and most stand: 48 of 50" in masking._finding(run)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (QUEUED, "**The job is waiting, and nothing is checked yet**"),
        (RUNNING, "**The first check is under way**"),
        (STOPPED, "**No check was finished**"),
        (FAILED, "**No check was finished**"),
    ],
)
def test_without_a_check_it_says_what_became_of_the_job(
    defenses: Callable[..., AppTest], app: AppTest, linear: Classifier, state: str, words: str
) -> None:
    run = _drawn(linear)
    run.study.findings, run.study.counted, run.job.state = (), 0, state
    app.session_state["_mask_run"] = run
    assert f"{words} :gray[· Linear, the first 50 test images, L∞ ε = 0.3]" in text_of(
        defenses(**VIEW)
    )


def test_transfers_come_from_networks_without_a_defense(defenses: Callable[..., AppTest]) -> None:
    page = defenses(**VIEW, model="model-1~blur-1")
    assert not page.exception
    options = page.selectbox(key="mask_source").options
    assert options[0] == "Model 1"
    assert not [name for name in options if "blur" in name]


@pytest.mark.parametrize(("source", "taken"), [("Robust", "robust"), ("Nobody", "model-2")])
def test_the_source_of_transfers_is_in_the_link(
    defenses: Callable[..., AppTest], source: str, taken: str
) -> None:
    page = defenses(**VIEW, mask_source=source)
    assert not page.exception
    assert page.selectbox(key="mask_source").value == taken


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
def test_edited_links_fall_back(defenses: Callable[..., AppTest], query: dict[str, str]) -> None:
    page = defenses(**{**VIEW, **query})
    assert "nothing has been checked yet" in text_of(page)
    assert not page.error
    assert page.slider(key="mask_epsilon").value == 0.3


def test_a_long_name_stands_above_its_number() -> None:
    def lines(name: str) -> tuple[int, set[tuple[str, int]]]:
        chart = attack_charts.attack_rates({name: Rate(150, 200)}, LIGHT)
        texts = [
            layer["mark"]
            for layer in chart.specification["layer"]
            if layer["mark"]["type"] == "text"
        ]
        return chart.specification["height"], {(mark["align"], mark["dy"]) for mark in texts}

    short, row = lines("PGD")
    long, stack = lines("gradient and finite differences agree")
    assert row == {("left", -8), ("right", -8)}
    assert stack == {("left", -17), ("left", 0)}
    assert long > short

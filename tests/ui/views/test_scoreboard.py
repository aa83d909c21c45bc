"""The view Scoreboard, headless: runs to the end, compared, stopped, removed, and edited links."""

import re
from collections.abc import Callable, Generator

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.arrays import to_float
from core.attacks.catalog import attack
from core.data.mnist import Dataset
from core.data.spec import MNIST
from core.jobs import FINISHED, Job
from core.network.classifier import Classifier
from core.statistics.paired import judge
from core.statistics.rate import Rate
from core.studies.scoreboard import GOALS, Attacked, Scoreboard, noise_control
from tests.gate import Gate
from tests.ui.conftest import fine_text_of, run_until, run_while_live
from ui import text
from ui.figures import score_charts
from ui.figures.palette import LIGHT
from ui.views.adversarial import score_compare, score_runs
from ui.views.adversarial.score_runs import ScoreRun
from ui.visitor import compute

VIEW = {"view": "Scoreboard", "score_attack": "FGSM", "score_images": "50"}
QUICK = {**VIEW, "score_attack": "PGD", "score_pgd_iterations": "3", "score_pgd_step_size": "0.1"}


def _attack(page: AppTest) -> AppTest:
    page.button(key="score-start").click().run()
    return run_while_live(page, "score-stop")


def _runs(page: AppTest) -> list[ScoreRun]:
    runs: list[ScoreRun] = page.session_state["_score_runs"]
    return runs


def _done(model: Classifier, mnist: Dataset, name: str, goal: str, **settings: float) -> Scoreboard:
    board = Scoreboard(attack(name), settings, goal, 50)
    images = to_float(mnist.test.images[:50])
    for _ in board.work(model, images, mnist.test.labels[:50].astype(np.int64)):
        pass
    return board


def test_fifty_images_to_the_end(
    visit: Callable[..., AppTest], model_1: Classifier, mnist: Dataset
) -> None:
    page = visit(**VIEW)
    assert "no attack has been run yet" in fine_text_of(page)
    written = fine_text_of(_attack(page))
    board = _done(model_1, mnist, "FGSM", GOALS[0])
    rate = text.full_rate(board.success)
    assert f"**FGSM at ε 0.3 (L∞): {rate} become another digit**" in written
    assert "Model 1, the first 50 test images, 1 of them not counted: misread before" in written
    assert f"L2 **{board.median('l2'):.2f}**" in written
    assert f"L0 **{board.median('l0'):.0f}** of 784" in written
    assert f"Accuracy under this attack **{text.full_rate(board.standing)}**" in written
    assert "the first 8 shown" in written
    assert "One run so far" in written
    table = page.dataframe[0].value.iloc[0]
    assert table["success"] == rate
    changed = noise_control(board.found, model_1)
    assert table["control"] == text.full_rate(Rate.of(changed))
    success = board.found.succeeded[board.found.counted]
    assert f"Beside the noise it is {judge(success, changed).words('stronger')}." in written
    page.button(key="score-more").click().run()
    assert "the first 16 shown" in fine_text_of(page)


def test_two_runs_are_compared_and_one_removed(
    visit: Callable[..., AppTest], model_1: Classifier, mnist: Dataset
) -> None:
    page = _attack(visit(**VIEW, score_epsilon="0.05"))
    page.slider(key="score_epsilon").set_value(0.5).run()
    page.segmented_control(key="score_goal").set_value(GOALS[1]).run()
    page.slider(key="score_epsilon").set_value(0.4).run()
    written = fine_text_of(_attack(page))
    weak = _done(model_1, mnist, "FGSM", GOALS[0], epsilon=0.05)
    strong = _done(model_1, mnist, "FGSM", GOALS[1], epsilon=0.4)
    rates = [run.board.success for run in _runs(page)]
    assert rates == [weak.success, strong.success]
    assert "FGSM at ε 0.4 (L∞)" in written
    assert "reach their random target" in written
    assert re.search(r":gray-badge\[target \d not reached\]", written), "failures are shown"
    best = max(_runs(page), key=lambda run: run.board.success.value)
    assert f"Run {best.number}, {best.attack}, succeeds most often: run {best.number} is" in written
    assert re.search(r"stronger on \d+ of the \d+ images that tell them apart, p < 0\.001", written)
    assert list(page.dataframe[0].value["run"]) == [1, 2]
    page.selectbox(key=score_runs.SHOWN).set_value(1).run()
    assert "**FGSM at ε 0.05 (L∞)" in fine_text_of(page)
    page.button(key="score-remove").click().run()
    assert "One run so far" in fine_text_of(page)
    assert "**FGSM at ε 0.4 (L∞)" in fine_text_of(page)
    assert [run.number for run in _runs(page)] == [2]


def _run(number: int, model: Classifier, succeeded: np.ndarray, misread: int = 0) -> ScoreRun:
    """A run that has ended: which images succeeded, the first `misread` of them not counted."""
    count = len(succeeded)
    labels, lengths = np.zeros(count, np.int64), np.ones(count, np.float32)
    before = np.where(np.arange(count) < misread, 1, 0)
    images = np.zeros((count, 28, 28, 1), np.float32)
    done = Attacked(images, images, labels, labels - 1, before, succeeded.astype(int),
                    succeeded, *[lengths] * 4, np.zeros(count, bool), lengths / count)  # fmt: skip
    board = Scoreboard(attack("FGSM"), {"epsilon": 0.3, "norm": "linf"}, GOALS[0], count)
    board._images = images
    board.take(0, done)
    job = Job("nobody", "a run", lambda: iter(()), state=FINISHED)
    return ScoreRun(number, board, job, "Model 1", model)


def test_runs_are_told_apart_by_the_images_that_count_in_both(model_1: Classifier) -> None:
    """30 against 21 of 100: the intervals overlap, and no image says otherwise."""
    image = np.arange(100)
    strong, weak = _run(1, model_1, image >= 70), _run(2, model_1, image >= 79, misread=4)
    assert score_compare._finding([strong, weak]) == (
        "Run 1, FGSM at ε 0.3 (L∞), succeeds most often: run 1 is, beside run 2, stronger on 9 of "
        "the 9 images that tell them apart, p = 0.004: +9.4 points [+3.2, +15.8]"
    )
    third = _run(3, model_1, (image >= 72) | (image < 1))
    assert score_compare._finding([strong, weak, third]) == (
        "No winner among runs 1 and 3: run 1 is, beside run 3, stronger on 2 of the 3 images that "
        "tell them apart, p = 1.00 (Holm, 3 comparisons): no difference shown"
    )
    other = _run(2, model_1, image[:50] >= 60)
    assert score_compare._finding([strong, other]) == (
        "No winner: runs on 100 and 50 images are no pairs"
    )


def test_a_stopped_run_keeps_what_is_done(visit: Callable[..., AppTest], gate: Gate) -> None:
    gate.hold("on 50 images", 0.5)
    page = visit(**VIEW)
    page.button(key="score-start").click().run()
    run_until(page, lambda: "the first 25 test images" in fine_text_of(page))
    assert page.button(key="score-start").disabled, "one job at a time"
    page.button(key="score-stop").click().run()
    run_while_live(page, "score-stop")
    written = fine_text_of(page)
    assert "Stopped after 25 of 50 images" in written
    assert "the first 25 test images" in written
    assert page.dataframe[0].value["images"][0] == "25"
    assert not page.button(key="score-start").disabled
    done = _runs(page)[0].board.found
    gate.open()
    page.button(key="score-stop-continue").click().run()
    run_while_live(page, "score-stop")
    assert "the first 50 test images" in fine_text_of(page)
    (run,) = _runs(page)
    assert run.board.count == 50
    np.testing.assert_array_equal(run.board.found.seconds[:25], done.seconds, "not measured twice")
    assert all(button.key != "score-stop-continue" for button in page.button)


def test_a_run_that_fails_says_why(
    visit: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: Scoreboard, *arguments: object, **workers: object) -> Generator[float]:
        yield 0.0
        raise ValueError("Theta is 7, outside −1 to 1.")

    monkeypatch.setattr(Scoreboard, "work", fails)
    page = visit(**VIEW)
    page.button(key="score-start").click().run()
    run_until(page, lambda: bool(page.error))
    assert not page.exception
    assert [error.value for error in page.error] == ["Theta is 7, outside −1 to 1."]
    page.button(key="score-remove").click().run()
    assert "no attack has been run yet" in fine_text_of(page)


def test_where_all_is_misread_there_is_nothing_to_attack(
    visit: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch, mnist: Dataset
) -> None:
    wrong = (mnist.test.labels[:50].astype(np.int64) + 5) % 10
    misread = (to_float(mnist.test.images[:50]), wrong)
    monkeypatch.setattr(compute, "first_test_images", lambda *_: misread)
    written = fine_text_of(_attack(visit(**VIEW, score_epsilon="0")))
    assert "Model 1 misreads all 50 images: nothing to attack." in written
    assert "nan" not in written


def test_the_kept_runs_are_bounded(
    visit: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score_runs, "MAX_RUNS", 1)
    page = _attack(visit(**VIEW))
    assert page.button(key="score-start").disabled
    assert "1 runs are kept, and no more: remove one first." in fine_text_of(page)
    page.button(key="score-remove").click().run()
    assert not page.button(key="score-start").disabled
    assert "no attack has been run yet" in fine_text_of(page)


def test_nothing_succeeds_and_says_so(visit: Callable[..., AppTest]) -> None:
    page = visit(**VIEW, score_epsilon="0")
    assert "ε is 0: no pixel may change." in fine_text_of(page)
    written = fine_text_of(_attack(page))
    assert "0 % [0, 7] · 0 of 49 become another digit" in written
    assert "there is no length to measure" in written
    assert page.dataframe[0].value["L2"][0] == "no success"
    page.button(key="score-coach-fix").click().run()
    assert page.slider(key="score_epsilon").value == 0.3


def test_the_coach_asks_for_more_images(visit: Callable[..., AppTest]) -> None:
    page = visit(**VIEW, score_epsilon="0.2")
    assert "attack more images" not in fine_text_of(page)
    assert "attack more images" in fine_text_of(_attack(page))
    page.button(key="score-coach-fix").click().run()
    assert page.select_slider(key="score_images").value == 200
    assert "attack more images" not in fine_text_of(page)


def test_links_carry_the_settings(visit: Callable[..., AppTest]) -> None:
    page = visit(**QUICK, score_goal="Random", score_norm="L2", score_epsilon_l2="3.5")
    fine_text_of(page)
    assert page.segmented_control(key="score_goal").value == GOALS[1]
    assert page.slider(key="score_epsilon_l2").value == 3.5
    assert page.select_slider(key="score_images").value == 50


@pytest.mark.parametrize(
    "query",
    [
        {"score_attack": "Everything"},
        {"score_goal": "fame"},
        {"score_images": "7"},
        {"score_epsilon": "nan"},
        {"score_epsilon": "-3"},
        {"score_norm": "l7"},
        {"score_norm": "l2"},
    ],
    ids=str,
)
def test_edited_links_fall_back(visit: Callable[..., AppTest], query: dict[str, str]) -> None:
    page = visit(**{**VIEW, **query})
    assert "no attack has been run yet" in fine_text_of(page)
    assert page.slider(key="score_epsilon").value == 0.3
    assert page.button(key="score-start").label in ("Attack 50 images", "Attack 200 images")


def test_the_matrix_draws_what_was_counted(model_1: Classifier, mnist: Dataset) -> None:
    for goal in GOALS:
        board = _done(model_1, mnist, "FGSM", goal)
        table = score_charts.outcomes(
            board.matrix, MNIST.classes, LIGHT, targeted=goal == GOALS[1]
        ).table
        assert len(table) == 100
        for row in table.itertuples():
            rate = board.matrix[row.true][row.column]
            assert row.count_text == f"{rate.successes} of {rate.total}"
            assert row.share == (rate.value if rate.total else 0)
        assert table["right"].any() == (goal == GOALS[0])

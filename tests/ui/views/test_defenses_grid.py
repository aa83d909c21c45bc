"""The view Defense × attack, headless: measured to the end, its words, files, stops and links."""

import io

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.arrays import to_float
from core.data.mnist import Dataset
from core.defenses.defended import DefendedClassifier, defense_of
from core.jobs import FAILED, FINISHED, QUEUED, RUNNING, STOPPED, Job
from core.network.classifier import Classifier
from core.statistics.rate import Rate
from core.studies.grid import COLUMNS, Budget, Cell, Grid, Row
from tests.ui.conftest import fine_text_of, open_page, run_until, run_while_live
from ui import text
from ui.figures import grid_charts
from ui.figures.palette import LIGHT
from ui.views.defenses import grid, grid_files, grid_runs
from ui.views.defenses.grid_runs import GridAsked, GridRun

QUICK = {"grid_images": "50", "grid_steps": "10", "grid_queries": "100"}


def _open(app: AppTest, **query: str) -> AppTest:
    app.default_timeout = 180
    return open_page(app, "defenses", **query)


def _run(
    rates: dict[tuple[str, str], int],
    model: Classifier,
    *,
    others: tuple[str, ...] = (),
    state: str = FINISHED,
) -> GridRun:
    """A grid of 200 images, of which so many are right in each cell."""
    images, labels = np.zeros((200, 28, 28, 1), np.float32), np.zeros(200, np.int64)
    keys = dict.fromkeys(row for row, _ in rates)
    measured = Grid(model, model, tuple(Row(key, key, model) for key in keys), images, labels)
    for place, right in rates.items():
        standing = np.arange(200) < right
        after = np.where(standing, 0, 1)
        measured.cells = {**measured.cells, place: Cell(images, after, standing, 1.0)}
    job = Job("someone", "a grid", measured.work, state=state)
    asked = GridAsked("model-1", "model-2", tuple(keys), others, False, 200, Budget())
    return GridRun(asked, measured, job, "Model 1", "Model 2")


def test_before_anything_is_measured_the_columns_are_explained(app: AppTest) -> None:
    written = fine_text_of(_open(app))
    assert "nothing has been measured yet" in written
    for title in grid.TITLES.values():
        assert f"- **{title}**" in written
    assert "At ε = 0.3 only 47 of 784 pixels can cross 0.5" in written


def test_a_defense_to_the_end(app: AppTest, model_1: Classifier, mnist: Dataset) -> None:
    app.session_state["grid_defenses"] = ["blur-1"]
    app.session_state["grid_models"] = []
    page = _open(app, **QUICK)
    page.button(key="grid-start").click().run()
    run_until(page, lambda: any(button.key == "grid-more" for button in page.button))
    run_while_live(page, "grid-stop")
    run: GridRun = page.session_state["_grid"]
    written = fine_text_of(page)
    assert "all attacks measured** :gray[· robust accuracy; Model 1, the first 50 test" in written
    assert [row.key for row in run.grid.rows] == ["none", "blur-1"]
    assert len(run.grid.cells) == len(run.grid.plan)
    blurred = DefendedClassifier(model_1, defense_of("blur-1"))
    right = blurred.predict(to_float(mnist.test.images[:50])) == mnist.test.labels[:50]
    assert run.grid.cells["blur-1", "clean"].rate == Rate(int(right.sum()), 50)
    adaptive = run.grid.cells["blur-1", "adaptive"].rate
    assert "**Looks fixed, is fixed. " in written
    assert f"**Gaussian blur 1, adaptive: {adaptive.successes} of 50 right**" in written
    page.button(key="grid-more").click().run()
    assert "the first 12 of them all" in fine_text_of(page)


def test_rows_are_parts_their_chain_the_chosen_one_and_other_networks() -> None:
    parts = ("blur-1", "median-3", "threshold-0.5", "bits-1", "jpeg-30")
    asked = GridAsked("model-1~blur-2", "model-2", parts, ("model-2",), True, 50, Budget())
    keys = [row.key for row in grid_runs._rows(asked)]
    assert keys == ["none", "blur-2", *parts, "+".join(parts[:4]), "model-2"]
    assert asked.bare == "model-1"


def test_what_the_finding_counts(model_1: Classifier) -> None:
    falling = _run({("none", "adaptive"): 0, ("a", "adaptive"): 0, ("b", "adaptive"): 140}, model_1)
    assert grid._finding(falling).startswith("1 of 2 defenses keeps half of the images")
    one = _run({("a", "adaptive"): 10}, model_1)
    assert grid._finding(one).startswith("The defense does not keep half of the images")
    both = _run({("a", "adaptive"): 100, ("b", "adaptive"): 140}, model_1)
    assert grid._finding(both).startswith("2 of 2 defenses keep half")
    searched = _run({("a", "adaptive"): 150, ("a", "black box"): 90}, model_1)
    assert grid._finding(searched).startswith("The defense does not keep half")


def test_other_networks_are_no_defenses(model_1: Classifier) -> None:
    rates = {("a", "static"): 150, ("a", "adaptive"): 130, ("robust", "adaptive"): 120}
    both = _run({**rates, ("robust", "static"): 190}, model_1, others=("robust",))
    assert grid._finding(both).startswith("The defense keeps half of the images")
    most = grid_runs.largest_loss(both)
    assert most is not None
    assert most.key == "a"
    alone = _run(
        {("none", "adaptive"): 0, ("robust", "adaptive"): 120}, model_1, others=("robust",)
    )
    assert grid._finding(alone).startswith("1 of 2 networks keeps half of the images")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (QUEUED, "The job is waiting, and nothing is measured yet"),
        (RUNNING, "The attacks that know the defenses are still to come"),
        (STOPPED, "No attack that knows a defense was measured"),
        (FAILED, "No attack that knows a defense was measured"),
    ],
)
def test_a_finding_says_what_became_of_the_job(model_1: Classifier, state: str, words: str) -> None:
    assert grid._finding(_run({("a", "clean"): 200}, model_1, state=state)) == words


def test_an_attack_that_knows_less_and_does_more_is_named(model_1: Classifier) -> None:
    masked = _run({("a", "adaptive"): 150, ("a", "black box"): 90, ("a", "clean"): 199}, model_1)
    (doubt,) = grid._doubts(masked)
    assert (
        "a: black box leaves 45.0 %, less than adaptive (75.0 %), and is stronger on 60 of the 60 "
        "images that tell them apart, p < 0.001 (Holm, 2 comparisons): +30.0 points" in doubt
    )
    assert "may be masked" in doubt
    tied = _run({("a", "adaptive"): 150, ("a", "black box"): 147}, model_1)
    (doubt,) = grid._doubts(tied)
    assert (
        "stronger on 3 of the 3 images that tell them apart, p = 0.25: no difference shown. Too few"
        in doubt
    )
    assert "may be masked" not in doubt
    pairs = _run({("a", "adaptive"): 150, ("a", "black box"): 141}, model_1)
    assert "p = 0.004: +4.5 points" in grid._doubts(pairs)[0]
    assert "may be masked" in grid._doubts(pairs)[0], "the intervals overlap, the pairs tell"
    assert not grid._doubts(_run({("a", "adaptive"): 9, ("a", "black box"): 90}, model_1))


def test_all_cells_beside_their_reference_are_one_family(model_1: Classifier) -> None:
    """p = 0.031 alone is no difference among three cells."""
    kept = {"none": 20, "a": 26, "b": 26, "c": 60}
    rates = {(row, "adaptive"): right for row, right in kept.items()}
    alone = _run({("none", "adaptive"): 20, ("a", "adaptive"): 26}, model_1)
    assert grid_runs.beside_none(alone)["a", "adaptive"].shown
    told = grid._beside_none(_run({**rates, ("none", "clean"): 9, ("a", "clean"): 9}, model_1))
    assert told.startswith("Against adaptive, beside no defense: c more; a and b no difference ")
    assert "all 4 cells beside no defense" in told
    assert grid._beside_none(_run({("a", "adaptive"): 26}, model_1)) == ""
    lost = _run({("a", "adaptive"): 26, ("a", "static"): 29}, model_1)
    assert grid_runs.largest_loss(lost) is not None
    assert not grid_runs.beside_adaptive(lost)["a", "static"].shown


def test_the_files_say_all_of_every_cell(model_1: Classifier) -> None:
    run = _run({("a", "adaptive"): 20, ("a", "clean"): 198}, model_1)
    table = grid_files.table(run, grid.TITLES)
    again = pd.read_csv(io.StringIO(table.to_csv(index=False)))
    assert list(again["attack"]) == ["Adaptive", "Clean", "Worst of all"]
    assert list(again["right"]) == [20, 198, 20]
    assert list(again["robust_accuracy"]) == [0.1, 0.99, 0.1]
    assert set(again["norm"]) == {"linf"}
    with np.load(io.BytesIO(grid_files.images(run))) as arrays:
        assert arrays["a_adaptive_images"].shape == (200, 28, 28, 1)
        assert (arrays["a_clean_answers"] == 0).sum() == 198


def test_the_charts_write_rates_intervals_and_losses() -> None:
    rate = Rate(20, 200)
    chart = grid_charts.rates_matrix(["a"], list(COLUMNS), {("a", "adaptive"): rate}, LIGHT)
    first, second = chart.table.iloc[0], chart.table.iloc[1]
    assert (first["big"], first["full"]) == ("10.0 %", text.full_rate(rate))
    assert first["small"] == "6.6 – 14.9"
    assert (second["measured"], second["full"]) == (False, "not measured")
    losses = {"a": (Rate(100, 200), rate, rate), "b": (rate, rate, rate)}
    table = grid_charts.static_and_adaptive(losses, LIGHT).table
    assert list(table["loss"]) == ["−40 points", ""]


@pytest.mark.parametrize("query", [{"grid_norm": "L7"}, {"grid_epsilon": "99"}])
def test_an_edited_link_leaves_the_view_whole(app: AppTest, query: dict[str, str]) -> None:
    assert "nothing has been measured yet" in fine_text_of(_open(app, **query))


def test_the_chosen_chain_and_a_bad_radius_between_steps(app: AppTest) -> None:
    page = _open(app, model="model-1~blur-2", grid_epsilon="0.333")
    assert "nothing has been measured yet" in fine_text_of(page)

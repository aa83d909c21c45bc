"""The runs of the scoreboard beside each other, and as a file."""

import itertools

import pandas as pd
import streamlit as st

from core.statistics.paired import Paired, Verdict, beside, judged, paired
from core.studies.scoreboard import Attacked
from ui import text, theme
from ui.controls.downloads import download
from ui.figures import attack_charts
from ui.show import draw
from ui.views.adversarial import score_runs
from ui.views.adversarial.score_runs import ScoreRun


def show() -> None:
    """Rates with intervals, a table of all that was measured, and the file."""
    runs = score_runs.begun()
    if not runs:
        return  # the last one was removed since the card was drawn
    st.markdown(
        f"**{_finding(runs)}** :gray[· success over the images that count; each run’s own model "
        "and settings]"
    )
    rates = {run.title: run.board.success for run in runs}
    draw(
        attack_charts.attack_rates(rates, theme.palette()),
        key="score-runs",
        alt="How often each run succeeds, with 95 % intervals",
    )
    st.dataframe(
        pd.DataFrame([_written(run) for run in runs]),
        hide_index=True,
        alt="Runs with model, settings, rates and median lengths",
    )
    st.caption(
        "Runs are compared in pairs, on the images that count in both, by McNemar’s exact test. "
        f"Medians over the successes. Control: noise of each image’s own L2. Up to "
        f"{score_runs.MAX_RUNS} runs are kept, in this session only."
    )
    _download(runs)


def _finding(runs: list[ScoreRun]) -> str:
    """Which run succeeds most often, and which the images do not tell from it."""
    if len(runs) == 1:
        return "One run so far: the next is laid beside it"
    counts = [f"{run.board.count:,}" for run in runs]
    if len(set(counts)) > 1:
        return f"No winner: runs on {text.listed(counts)} images are no pairs"
    best = max(runs, key=lambda run: run.board.success.value)
    others = [run.number for run in runs if run is not best]
    against = beside(best.number, others, _verdicts(runs))
    tied = [number for number, verdict in against.items() if not verdict.shown]
    closest = max(against, key=lambda number: against[number].p_value)
    said = f"run {best.number} is, beside run {closest}, {against[closest].words('stronger')}"
    if tied:
        return f"No winner among runs {text.listed(sorted([best.number, *tied]))}: {said}"
    return f"Run {best.number}, {best.attack}, succeeds most often: {said}"


def _verdicts(runs: list[ScoreRun]) -> dict[tuple[int, int], Verdict]:
    """Every run against every other, on the images that count in both; one family."""
    return judged(
        {
            (first.number, second.number): _pair(first.board.found, second.board.found)
            for first, second in itertools.combinations(runs, 2)
        }
    )


def _pair(first: Attacked, second: Attacked) -> Paired:
    count = first.counted & second.counted
    return paired(first.succeeded[count], second.succeeded[count])


def _written(run: ScoreRun) -> dict[str, object]:
    board = run.board
    return {
        "run": run.number,
        "attack": board.attack.name,
        "model": run.model,
        "goal": "random" if run.targeted else "any other",
        "images": f"{board.count:,}",
        "success": text.full_rate(board.success),
        "accuracy under it": text.full_rate(board.standing),
        "control": "running" if run.live else text.full_rate(run.noise_control),
        "L0": _length(run, "l0", 0),
        "L2": _length(run, "l2", 2),
        "L∞": _length(run, "linf", 3),
        "confidence": _length(run, "confidence", 3),
        "ms an image": f"{run.milliseconds:.1f}",
        "settings": run.words,
    }


def _length(run: ScoreRun, of: str, digits: int) -> str:
    value = run.board.median(of)
    return f"{value:.{digits}f}" if value == value else "no success"


def _numbers(run: ScoreRun) -> dict[str, object]:
    board = run.board
    row: dict[str, object] = {
        "run": run.number,
        "attack": board.attack.name,
        "model": run.model,
        "version": run.classifier.version,
        "goal": board.goal,
        "images": board.count,
        "planned": board.total,
    }
    rates = {"success": board.success, "standing": board.standing}
    if not run.live:
        rates["control"] = run.noise_control
    for name, rate in rates.items():
        low, high = rate.interval
        row |= {name: rate.value, f"{name}_count": rate.successes, f"{name}_of": rate.total}
        row |= {f"{name}_low": low, f"{name}_high": high}
    row |= {f"median_{of}": board.median(of) for of in ("l0", "l2", "linf", "confidence")}
    return {**row, "seconds_an_image": run.milliseconds / 1e3, **board.settings}


def _download(runs: list[ScoreRun]) -> None:
    with st.container(horizontal=True, horizontal_alignment="right"):
        download(
            "Runs",
            lambda: pd.DataFrame([_numbers(run) for run in runs]).to_csv(index=False),
            "scoreboard.csv",
            key="score-csv",
            help="Rates, intervals, medians and settings of all runs, as CSV.",
        )

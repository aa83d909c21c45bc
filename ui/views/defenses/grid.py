"""Every defense against every attack: what an attacker knows decides what a defense is worth."""

import streamlit as st

from core.data.spec import MNIST
from core.jobs import QUEUED
from core.network.classifier import Classifier
from core.statistics.rate import Rate
from core.studies.grid import (
    ADAPTIVE,
    BLACK_BOX,
    CLEAN,
    COLUMNS,
    NOISE,
    STATIC,
    TRANSFER,
    Cell,
    Row,
)
from ui import text, theme
from ui.controls import no_gradient
from ui.controls.columns import result_and_settings
from ui.figures import grid_charts
from ui.show import draw, error_box
from ui.views.defenses import grid_files, grid_images, grid_note, grid_runs, grid_settings
from ui.views.defenses.grid_runs import GridRun
from ui.visitor.choice import Choice
from ui.visitor.kept_job import progress

TITLES = {
    ADAPTIVE: "Adaptive",
    BLACK_BOX: "Black box",
    TRANSFER: "Transfer",
    STATIC: "Static",
    NOISE: "Noise (control)",
    CLEAN: "Clean",
}
_KNOWS = {
    ADAPTIVE: "goes through the defense: its gradient or a stand-in for it, and draws of its own.",
    BLACK_BOX: "asks the defended network for logits, and sees nothing else.",
    TRANSFER: "is made on another network, and brought here.",
    STATIC: "is made on the same network without the defense: what most papers once reported.",
    NOISE: "goes as far as the attacks do, in a random direction.",
    CLEAN: "is the image itself: what the defense costs when nobody attacks.",
}
_HALF = 0.5  # a defense that keeps fewer images than this against its attacker does not hold


def show(choice: Choice, classifier: Classifier) -> None:
    """The grid, the settings of the next, and what it says."""
    live = grid_runs.KEPT.live()
    result, side = result_and_settings()
    with side, st.container(border=True, key="settings"):
        grid_settings.show(choice)
    with result, st.container(border=True, height="stretch", key="grid-result"):
        st.fragment(_result, run_every=2.0 if live else None)(live)
    if grid_runs.KEPT.latest() is not None:
        st.fragment(_below, run_every=4.0 if live else None)()
    if choice.spec == MNIST:
        with st.container(border=True, key="grid-note"):
            grid_note.show(choice)


def _result(drawn_live: bool) -> None:
    if drawn_live != grid_runs.KEPT.live() or grid_images.clicked():
        st.rerun()  # the view begins or ceases to look after the job; or the images stand below
    if error := grid_runs.KEPT.problem():
        error_box(error)
    run = grid_runs.KEPT.latest()
    if run is None:
        st.markdown(
            "**Which defense is left when the attacker knows about it?** :gray[· nothing has been "
            "measured yet: choose defenses in the settings, and press Measure there]"
        )
        for column, what in _KNOWS.items():
            st.markdown(f"- **{TITLES[column]}** {what}")
        st.caption(
            "Every cell will say how many of the same images are right, with a 95 % interval. A "
            "defense is worth what its hardest column leaves."
        )
        return
    st.markdown(f"**{_finding(run)}** :gray[· robust accuracy; {run.measured_on}]")
    done, total = len(run.grid.cells), len(run.grid.plan)
    progress(run.job, done, total, "cells", key="grid-stop", hand="the one in hand")
    _matrix(run)
    _without_gradient(run)


def _finding(run: GridRun) -> str:
    """How many defenses keep half of the images, image by image against all that was tried."""
    defenses = grid_runs.defenses(run)
    rows, what = (defenses, "defense") if defenses else (run.grid.rows, "network")
    measured = [row for row in rows if (row.key, ADAPTIVE) in run.grid.cells]
    if not measured:
        return _unmeasured(run, what)
    worst = [rate for row in measured if (rate := run.grid.worst(row))]
    holding = sum(rate.value >= _HALF for rate in worst)
    of = f"{holding} of {len(measured)} {what}s" if len(measured) > 1 else f"The {what}"
    keep = "keep" if holding != 1 and len(measured) > 1 else "keeps"
    if len(measured) == 1 and not holding:
        keep = "does not keep"
    return f"{of} {keep} half of the images against all attacks measured"


def _unmeasured(run: GridRun, what: str) -> str:
    """Why nothing can be said of an attacker who knows."""
    if run.job.state == QUEUED:
        return "The job is waiting, and nothing is measured yet"
    if run.live:
        return f"The attacks that know the {what}s are still to come"
    return f"No attack that knows a {what} was measured"


def _matrix(run: GridRun) -> None:
    rates = {
        (row.title, TITLES[column]): cell.rate
        for row in run.grid.rows
        for column in COLUMNS
        if (cell := run.grid.cells.get((row.key, column)))
    }
    budget = run.asked.budget
    with st.grid(1, min_column_width=640, wrap=False):
        draw(
            grid_charts.rates_matrix(
                [row.title for row in run.grid.rows], list(TITLES.values()), rates, theme.palette()
            ),
            key=grid_images.matrix_key(run),
            on_select=grid_images.remember if not run.live else "ignore",
            selection_mode="cell" if not run.live else (),
            alt="Robust accuracy of each defense under each attack",
        )
    st.caption(
        f"Each cell: images that are right, of all {run.asked.images:,}, and the 95 % Wilson "
        f"interval. *Adaptive* ({budget.iterations} iterations of each ascent) and *black box* "
        f"({budget.queries:,} queries an image) go through the defense, *static* is made on "
        f"{text.literal(run.model)} without it, *transfer* on {text.literal(run.source)}."
        + ("" if run.live else " Click a cell for its images.")
    )
    if told := _beside_none(run):
        st.markdown(told)


def _beside_none(run: GridRun) -> str:
    """Which defenses are shown to keep more than no defense against the attacker who knows."""
    verdicts = grid_runs.beside_none(run)
    of = {
        row.title: verdicts[row.key, ADAPTIVE]
        for row in grid_runs.defenses(run)
        if (row.key, ADAPTIVE) in verdicts
    }
    if not of:
        return ""
    return (
        f"Against adaptive, beside no defense: {text.by_winner(of, 'more', 'less')} :gray[· "
        f"McNemar’s exact test on the same images, p < 0.05 (Holm, all "
        f"{len(verdicts)} cells beside no defense)]"
    )


def _without_gradient(run: GridRun) -> None:
    for row in run.grid.rows:
        if cell := run.grid.cells.get((row.key, ADAPTIVE)):
            no_gradient.say(Rate.of(cell.flat), row.title)


def _below() -> None:
    run = grid_runs.KEPT.latest()
    if run is None:
        return
    left, right = st.columns(2, gap="small")
    with left, st.container(border=True, height="stretch", key="grid-loss"):
        _looks_fixed(run)
    with right, st.container(border=True, height="stretch", key="grid-images"):
        grid_images.show(run, TITLES)
    if not run.live:
        grid_files.downloads(run, TITLES)


def _looks_fixed(run: GridRun) -> None:
    rows = {
        row.title: (cells[0].rate, cells[1].rate, worst)
        for row in run.grid.rows
        if row.key not in run.asked.others  # static is made on another network than these
        and (cells := _both(run, row))
        and (worst := run.grid.worst(row))
    }
    most = grid_runs.largest_loss(run)
    if most is None:
        when = "not measured for any defense"
        if run.live and grid_runs.defenses(run):
            when = "as soon as both are measured for a defense"
        st.markdown(f"**Looks fixed, is fixed** :gray[· static against adaptive, {when}]")
        return
    verdict = grid_runs.beside_adaptive(run)[most.key, STATIC]
    lost = "No defense is shown to lose to an attacker who knows it"
    if verdict.winner > 0:
        points = 100 * verdict.pair.difference
        title = text.literal(most.title)
        lost = f"{title} loses the most to an attacker who knows it: {points:.0f} points"
    st.markdown(f"**Looks fixed, is fixed. {lost}** :gray[· {run.measured_on}]")
    draw(
        grid_charts.static_and_adaptive(rows, theme.palette()),
        key="grid-losses",
        alt="What each defense keeps against the static and the adaptive attack",
    )
    st.caption(
        "Ring: static. Dot: adaptive. The bar is the security that was not there. Tick: the worst "
        f"of all columns, image by image. {text.literal(most.title)} is, under the static attack "
        f"beside the "
        f"adaptive one, {verdict.words()}."
    )
    for sentence in _doubts(run):
        st.markdown(f":orange[:material/hourglass_top:] {sentence}")


def _both(run: GridRun, row: Row) -> tuple[Cell, Cell] | None:
    static = run.grid.cells.get((row.key, STATIC))
    adaptive = run.grid.cells.get((row.key, ADAPTIVE))
    return (static, adaptive) if static and adaptive else None


def _doubts(run: GridRun) -> list[str]:
    """Where an attack that knows less does more: the adaptive one is then not the last word."""
    found = []
    verdicts = grid_runs.beside_adaptive(run)
    for row in run.grid.rows:
        for column in COLUMNS[1:]:
            verdict = verdicts.get((row.key, column))
            if verdict is None or verdict.pair.difference >= 0:
                continue
            doubt = "Its gradient may be masked." if verdict.shown else "Too few to call it masked."
            found.append(
                f"{text.literal(row.title)}: {TITLES[column].lower()} leaves "
                f"{text.percent(verdict.pair.first)}, "
                f"less than adaptive ({text.percent(verdict.pair.second)}), and is "
                f"{verdict.turned.words('stronger')}. {doubt}"
            )
    return found

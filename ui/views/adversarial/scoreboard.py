"""An attack over many test images: how often, how far, into what; and the runs compared."""

from dataclasses import fields

import numpy as np
import streamlit as st

from core.arrays import IntArray
from core.network.classifier import Classifier
from ui import text, theme
from ui.controls import no_gradient, shared, tray
from ui.controls.columns import result_and_settings
from ui.controls.downloads import download
from ui.figures import attack_charts, score_charts
from ui.files import npz
from ui.show import draw, error_box
from ui.views.adversarial import score_compare, score_runs, score_settings
from ui.views.adversarial.score_runs import ScoreRun
from ui.visitor import session
from ui.visitor.choice import Choice
from ui.visitor.kept_job import progress

_GALLERY = 8
_ROUND, _MORE = "_score_round", "_score_more"


def show(choice: Choice, classifier: Classifier) -> None:
    """The run that is shown, the settings of the next, and all runs compared."""
    live = score_runs.live()
    every = 1.0 if live else None
    result, side = result_and_settings()
    with side, st.container(border=True, key="settings"):
        score_settings.show(choice, classifier)
    with result, st.container(border=True, height="stretch", key="result"):
        st.fragment(_result, run_every=every)(live)
    if score_runs.begun():
        with st.container(border=True, key="score-compare"):
            st.fragment(score_compare.show, run_every=every)()


def _result(drawn_live: bool) -> None:
    if drawn_live != score_runs.live():
        st.rerun()  # the view begins or ceases to look after the job
    if error := score_runs.problem():
        error_box(error)
    run = score_runs.shown()
    if run is None:
        st.markdown(
            "**How often does it work, and how far does it have to go?** :gray[· no attack has "
            "been run yet: choose one in the settings, and start it there]"
        )
        return
    _which(run)
    if run in score_runs.begun():
        _finding(run)
    done, total = run.board.count, run.board.total
    progress(run.job, done, total, "images", key="score-stop", hand="those in hand")
    if run in score_runs.begun():
        _scores(run)
    elif not run.live and run.board.count:
        st.markdown(
            f"**{text.literal(run.model)} misreads all {run.board.count} images: nothing to "
            f"attack.**"
        )


def _which(run: ScoreRun) -> None:
    """Which of the runs is shown; the others stay."""
    runs = {each.number: each for each in score_runs.kept()}
    row = st.container(
        horizontal=True, wrap=False, width=400, vertical_alignment="center", gap="xsmall"
    )
    with row:
        st.selectbox(
            "Run",
            list(runs),
            list(runs).index(run.number),
            format_func=lambda number: f"{runs[number].title}, {runs[number].model}",
            key=score_runs.SHOWN,
            label_visibility="collapsed",
        )
        removed = st.button(
            "",
            icon=":material/delete:",
            key="score-remove",
            type="tertiary",
            on_click=score_runs.remove,
            args=[run],
            disabled=run.live,
            help=f"Remove run {run.number}",
        )
    if removed:
        st.rerun()


def _finding(run: ScoreRun) -> None:
    board = run.board
    misread = board.count - board.success.total
    goal = "reach their random target" if run.targeted else f"become another {run.spec.noun}"
    why = "misread or at their target before" if run.targeted else "misread before"
    left_out = f", {misread} of them not counted: {why}"
    st.markdown(
        f"**{run.attack}: {text.full_rate(board.success)} {goal}** :gray[· "
        f"{text.literal(run.model)}, the first "
        f"{board.count:,} test images{left_out if misread else ''}; {run.words}]"
    )


def _scores(run: ScoreRun) -> None:
    matrix, numbers = st.columns([1.15, 1], gap="medium")
    key = f"score-matrix-{run.number}-{st.session_state.get(_ROUND, 0)}"
    with matrix:
        draw(
            score_charts.outcomes(
                run.board.matrix, run.spec.classes, theme.palette(), targeted=run.targeted
            ),
            key=key,
            on_select="rerun",
            selection_mode="cell",
            alt="What became of which class: rows are true classes, columns "
            + ("targets" if run.targeted else "what is read after the attack"),
        )
        st.caption(
            "Reached of tried, for each true class and target. Click a cell to see its images."
            if run.targeted
            else "Of each true class, how many are read as what; green: those that stay as they "
            "were. Click a cell to see its images."
        )
    with numbers:
        _numbers(run)
    _gallery(run, _cell(key))
    if not run.live:
        _download(run)


def _numbers(run: ScoreRun) -> None:
    board = run.board
    no_gradient.say(board.flat)
    turned = f"Turned into another {run.spec.noun}"
    rates = {"Brought to the goal" if run.targeted else turned: board.success}
    if not run.live:
        rates[f"{attack_charts.CONTROL}changed by noise as long"] = run.noise_control
    draw(
        attack_charts.attack_rates(rates, theme.palette()),
        key="score-rates",
        alt="How often the attack succeeds, and how often noise of the same length does",
    )
    if not run.live:
        st.markdown(f"Beside the noise it is {run.beside_noise.words('stronger')}.")
    if board.success.successes:
        st.markdown(
            f"Medians of the {board.success.successes:,} successes\n"
            f"- L0 **{board.median('l0'):.0f}** of {run.spec.side**2:,} pixels\n"
            f"- L2 **{board.median('l2'):.2f}**\n"
            f"- L∞ **{board.median('linf'):.3f}**\n"
            f"- probability of what is read **{board.median('confidence'):.3f}**"
        )
    else:
        st.markdown("No image has been brought to the goal: there is no length to measure.")
    st.markdown(f"Accuracy under this attack **{text.full_rate(board.standing)}**")
    st.caption(
        f"{_time(run.milliseconds)} an image on {session.where_chunks_run()}. Brackets: 95 % "
        "Wilson intervals. Noise as long: each image’s own L2."
    )


def _time(milliseconds: float) -> str:
    return f"{milliseconds / 1e3:.1f} s" if milliseconds >= 1_000 else f"{milliseconds:.0f} ms"


def _cell(key: str) -> tuple[int, int] | None:
    selection = st.session_state.get(key, {}).get("selection", {}).get("cell", [])
    return (int(selection[0]["true"]), int(selection[0]["column"])) if selection else None


def _gallery(run: ScoreRun, cell: tuple[int, int] | None) -> None:
    """The images of a cell, failures included; without one the first of all."""
    done = run.board.found
    rows = np.flatnonzero(done.counted) if cell is None else done.rows(*cell)
    more = f"{_MORE}-{run.number}-{cell}"
    count = st.session_state.get(more, _GALLERY)
    reached = int(done.succeeded[rows].sum())
    whose = "All classes" if cell is None else _cell_words(run, *cell)
    st.markdown(
        f"**{whose}: {reached:,} of {len(rows):,} at the goal** :gray[· "
        f"{f'the first {count} shown' if count < len(rows) else 'all shown'}; original, "
        "adversarial, signed change from −1 to +1]"
    )
    if not len(rows):
        st.markdown("No image stands in this cell: choose another.")
    else:
        shared.pairs(
            done.originals[rows[:count]],
            done.adversarial[rows[:count]],
            [_caption(run, row) for row in rows[:count]],
            [f"Test image {row}: original, adversarial, change" for row in rows[:count]],
        )
    with st.container(horizontal=True):
        if count < len(rows):
            st.button(
                f"{min(_GALLERY, len(rows) - count)} more",
                key="score-more",
                icon=":material/expand_more:",
                on_click=st.session_state.update,
                args=[{more: count + _GALLERY}],
            )
        if cell is not None:
            st.button(
                "All classes again",
                key="score-all",
                icon=":material/close:",
                on_click=_clear_cell,
            )
        hits = [row for row in rows[:count] if done.succeeded[row]]
        tray.button(
            done.adversarial[hits],
            done.labels[hits].tolist(),
            f"scoreboard: {run.attack}",
            key="score-tray",
            originals=list(map(int, hits)),
        )


def _download(run: ScoreRun) -> None:
    done = run.board.found
    with st.container(horizontal=True, horizontal_alignment="right"):
        download(
            f"Images of run {run.number}",
            lambda: npz({each.name: getattr(done, each.name) for each in fields(done)}),
            f"scoreboard-run-{run.number}.npz",
            key="score-npz",
            help="Originals, adversarial images, classes and lengths of all, as NumPy arrays.",
        )


def _clear_cell() -> None:
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1


def _cell_words(run: ScoreRun, true: int, column: int) -> str:
    name, other = (text.literal(run.spec.classes[label]) for label in (true, column))
    if run.targeted:
        return f"{name} with the target {other}"
    return f"{name} that stay {name}" if true == column else f"{name} read as {other}"


def _caption(run: ScoreRun, row: IntArray) -> str:
    done, names = run.board.found, text.literals(run.spec.classes)
    fate = "" if done.succeeded[row] else " :gray-badge[not reached]"
    if run.targeted and not done.succeeded[row]:
        fate = f" :gray-badge[target {names[done.wanted[row]]} not reached]"
    return (
        f"**{names[done.labels[row]]} → {names[done.after[row]]}** p = "
        f"{done.confidence[row]:.3f}{fate}  \n"
        f"Test image {row}, L2 {done.l2[row]:.2f}"
    )

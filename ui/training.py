"""The training page: start a run, watch it, steer it, lay runs over each other."""

import math
from dataclasses import replace

import pandas as pd
import streamlit as st

from core.jobs import FAILED, PAUSED, QUEUED, RUNNING, Job, QueueFull
from core.rate import Rate
from core.runs import Run, describe_differences
from core.training import SCORED_IMAGES, TrainingDiverged
from ui import compute, session, state, text, theme, training_settings
from ui.figures import charts

_ERROR = "_training_error"
_POINTS = 240
_AXES = {"Steps": "step", "Epochs": "epoch", "Seconds": "seconds"}


def start() -> None:
    """Train what the sliders say, as this visitor's job; the reason is kept if it cannot be."""
    st.session_state.pop(_ERROR, None)
    runs = state.runs()
    if len(runs) >= state.MAX_RUNS:
        st.session_state[_ERROR] = (
            f"You have {len(runs)} runs, the most that are kept: remove one from the list first."
        )
        return
    try:
        run = Run(
            training_settings.chosen_architecture(),
            training_settings.chosen_settings(),
            compute.mnist(),
            number=1 + max((run.number for run in runs), default=0),
        )
        _submit(run)
    except (ValueError, QueueFull) as error:
        st.session_state[_ERROR] = str(error)
        return
    runs.append(run)
    for older in runs[: -state.MAX_OVERLAID]:
        st.session_state[_shown_key(older)] = False


def _submit(run: Run) -> None:
    title = f"Training {run.title} · run {run.number}"
    job = Job(session.owner(), title, run.work, explained=(TrainingDiverged,))
    session.manager().submit(job)
    run.job = job


def focus() -> Run | None:
    """The run that the page is about: the newest of those shown."""
    shown = overlaid()
    return shown[-1] if shown else None


def overlaid() -> list[Run]:
    """The runs whose box is ticked, the oldest first."""
    return [run for run in state.runs() if st.session_state.get(_shown_key(run), True)]


def _shown_key(run: Run) -> str:
    return f"show-run-{run.id}"


# ---- the column of controls


def controls() -> None:
    """The run in hand, the settings of the next one, and the list of runs."""
    job = session.current_job()
    run = next((run for run in state.runs() if run.job is job), None) if job else None
    if job is not None and run is not None and not job.ended:
        with st.container(border=True, key="run-controls"):
            _steering(run, job)
    with st.container(border=True, key="settings"):
        st.markdown("**Next run**" if state.runs() else "**Settings**")
        busy = job is not None and not job.ended
        st.button(
            "Train", key="train", type="primary", icon=":material/play_arrow:", width="stretch", on_click=start,
            disabled=busy, help="One training at a time: stop the one that runs first." if busy else None,
        )  # fmt: skip
        training_settings.settings_sliders()
    if state.runs():
        with st.container(border=True, key="runs"):
            _run_list()


def _steering(run: Run, job: Job) -> None:
    st.markdown(f"**Run {run.number}** :gray[· {job.state}]")
    manager = session.manager()
    with st.container(horizontal=True):
        if job.state == PAUSED:
            st.button(
                "Resume", key="resume", type="primary", icon=":material/play_arrow:", on_click=manager.resume, args=[job]
            )  # fmt: skip
        else:
            st.button("Pause", key="pause", icon=":material/pause:", on_click=manager.pause, args=[job])
        st.button("Stop", key="stop", icon=":material/stop:", on_click=manager.stop, args=[job])
    rates = sorted({*training_settings.LEARNING_RATES, run.controls.learning_rate})
    key = f"live-lr-{run.id}"
    st.select_slider(
        "Learning rate now", rates, run.controls.learning_rate, format_func=text.learning_rate,
        key=key, on_change=lambda: run.change_learning_rate(st.session_state[key]),
    )  # fmt: skip
    st.button(
        "One more epoch", key="one-more", type="tertiary", icon=":material/add:", on_click=_one_more_epoch, args=[run],
        help=f"{run.controls.epochs} epochs are planned.",
    )  # fmt: skip


def _one_more_epoch(run: Run) -> None:
    """Add an epoch to the one in hand, or go on with one that has ended."""
    st.session_state.pop(_ERROR, None)
    if run.job is None or run.job.ended:
        done = int(run.last.epoch) if run.last else 0
        run.controls.epochs = done + 1
        try:
            _submit(run)
        except QueueFull as error:
            st.session_state[_ERROR] = str(error)
    else:
        run.controls.epochs += 1


def _run_list() -> None:
    st.markdown("**Runs**")
    names = describe_differences(state.runs())
    chosen = len(overlaid())
    for run in reversed(state.runs()):
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
            key = _shown_key(run)
            shown = st.session_state.get(key, True)
            st.checkbox(
                names[run.id], True, key=key, disabled=not shown and chosen >= state.MAX_OVERLAID,
                help=_status(run), persist_state="session", width="stretch",
            )  # fmt: skip
            active = run.job is not None and not run.job.ended
            st.button(
                "", icon=":material/delete:", key=f"remove-{run.id}", type="tertiary", on_click=_remove,
                args=[run], disabled=active, help=f"Remove run {run.number}",
            )  # fmt: skip
    last = state.runs()[-1]
    if last.job is not None and last.job.ended and last.job.state != FAILED:
        st.button(
            f"One more epoch of run {last.number}", type="tertiary", icon=":material/add:",
            on_click=_one_more_epoch, args=[last], width="stretch",
        )  # fmt: skip
    st.caption(f"Up to {state.MAX_OVERLAID} are laid over each other. Each is a model in the picker.")


def _remove(run: Run) -> None:
    state.runs().remove(run)


def _status(run: Run) -> str:
    step = run.last.step if run.last else 0
    return f"{run.job.state if run.job else 'not started'} at step {step:,}"


# ---- the result


def watch() -> None:
    """The curves, twice a second while a job works."""
    if error := st.session_state.get(_ERROR):
        st.error(error, icon=":material/error:")
    job = session.current_job()
    working = job is not None and job.active
    st.fragment(_watch, run_every=0.5 if working else None)(working)


def _watch(was_working: bool) -> None:
    job = session.current_job()
    if was_working and (job is None or not job.active):
        st.rerun()
    run = focus()
    if run is None:
        with st.container(border=True, height="stretch"):
            st.markdown("**No run yet** :gray[· press Train, and its curves appear here twice a second]")
            st.markdown(
                "Ten epochs of Model 1 on 60,000 digits take a few minutes. You may leave this page; "
                "the training goes on, and the card in the sidebar shows it."
            )
        return
    for other in overlaid():
        if other.job is not None and other.job.error:
            st.error(f"Run {other.number}: {other.job.error}", icon=":material/error:")
    if run.job is not None and run.job.state == QUEUED:
        position = session.manager().position(run.job)
        st.info(f"Run {run.number} waits: it is number {position} in the queue.", icon=":material/hourglass_top:")
    _metrics(run)
    with st.container(border=True):
        _curves(run)


def _metrics(run: Run) -> None:
    last, score = run.last, run.last_score
    total = run.controls.epochs * run.settings.steps_per_epoch
    losses = [p.loss for p in run.history if p.gradient_norms]
    running = run.job is not None and run.job.state == RUNNING
    speed = run.images_per_second
    with st.grid(4, min_column_width=150):
        st.metric(
            "Step", f"{last.step:,}" if last else "0", border=True, height="stretch",
            delta=f"of {total:,}", delta_color="off", delta_arrow="off",
            help="One step is one batch and one change of the weights.",
        )  # fmt: skip
        st.metric(
            "Test accuracy", text.percent(score) if score else "not measured", border=True, height="stretch",
            delta=f"{text.interval(score)}, n = {score.total:,}" if score else None,
            delta_color="off", delta_arrow="off",
        )  # fmt: skip
        st.metric(
            "Training loss", f"{losses[-1]:.3f}" if losses else "not measured", border=True, height="stretch",
            delta=f"learning rate {text.learning_rate(run.controls.learning_rate)}",
            delta_color="off", delta_arrow="off",
        )  # fmt: skip
        st.metric(
            "Speed", f"{speed:,.0f} img/s" if speed == speed else "not measured", border=True, height="stretch",
            delta=_time(run, running),
            delta_color="off", delta_arrow="off", help="Training images per second on this server.",
        )  # fmt: skip


def _time(run: Run, running: bool) -> str | None:
    if run.last is None or run.last.step == 0:
        return "preparing the first step" if running else None
    if running:
        return f"{text.duration(run.seconds_left)} left" if math.isfinite(run.seconds_left) else None
    return f"{text.duration(run.last.seconds)} in all"


def _curves(run: Run) -> None:
    from core.comparison import compare

    shown = overlaid()
    others = [other for other in shown if other is not run and other.last]
    sentence = compare(run, others[-1]) if others else ""
    head, axis = st.columns([3, 1], vertical_alignment="center")
    head.markdown(f"**{sentence or _single_finding(run)}**")
    with axis:
        by = st.segmented_control(
            "Against", list(_AXES), default="Steps", key="axis", required=True,
            label_visibility="collapsed", bind="query-params", width="stretch",
        )  # fmt: skip
    names = describe_differences(shown)
    ordered = [names[run.id] for run in shown]
    st.markdown(_legend(shown, names))
    column = _AXES[by]
    first, second = st.columns(2, gap="medium")
    with first:
        st.markdown(":gray[**Training loss, log scale**]")
        _chart("loss", _table(shown, names, column, "loss"), ordered, by, log=True)
    with second:
        st.markdown(f":gray[**Accuracy on {SCORED_IMAGES:,} test images**]")
        _chart("test", _table(shown, names, column, "test"), ordered, by, percent=True)
    first, second = st.columns(2, gap="medium")
    with first:
        st.markdown(":gray[**Accuracy on the training batches**]")
        _chart("accuracy", _table(shown, names, column, "accuracy"), ordered, by, percent=True, height=150)
    with second:
        st.markdown(f":gray[**Gradient norm by layer, run {run.number}, log scale**]")
        table = _gradient_table(run, column)
        layer_names = list(dict.fromkeys(table["name"]))
        _chart("gradients", table, layer_names, by, log=True, height=150, legend=True)
    if run.architecture.batch_normalization:
        st.caption(
            "With batch normalization the test accuracy starts late: its running averages take "
            "some hundred steps to fill."
        )


def _chart(
    key: str, table: pd.DataFrame, names: list[str], by: str, *, height: int = 260, **options: bool
) -> None:
    """One chart of curves, or its place while there is nothing to draw."""
    if table.empty:
        st.skeleton(height=height)
        return
    chart = charts.curves(
        table, theme.palette(), names=names, x_title=by.lower(), y_title="", height=height, **options
    )
    st.altair_chart(chart, key=f"{key}-chart", alt=f"{key} against {by.lower()}")


def _single_finding(run: Run) -> str:
    score = run.last_score
    if run.last is None or score is None:
        return f"Run {run.number} is about to start"
    return f"Run {run.number} reads {text.percent(score)} of {score.total:,} test images right at step {run.last.step:,}"


def _legend(shown: list[Run], names: dict[int, str]) -> str:
    colors, marks = ("blue", "orange", "green", "violet", "red"), ("—", "– –", "···", "– ·", "·")
    return " ".join(
        f":{colors[number]}-badge[{marks[number]} {names[run.id]}{_live_mark(run)}]"
        for number, run in enumerate(shown)
    )


def _live_mark(run: Run) -> str:
    return f" · {run.job.state}" if run.job is not None and not run.job.ended else ""


def _table(shown: list[Run], names: dict[int, str], column: str, what: str) -> pd.DataFrame:
    rows = []
    for run in shown:
        points = [
            (getattr(p, column), _value(p.test.accuracy if what == "test" and p.test else None, p, what))
            for p in run.history
        ]
        points = [(x, y) for x, y in points if y is not None and y == y]
        rows += [{"x": x, "y": y, "name": names[run.id]} for x, y in _thin(points)]
    return pd.DataFrame(rows, columns=["x", "y", "name"])


def _value(score: Rate | None, progress: object, what: str) -> float | None:
    if what == "test":
        return score.value if score else None
    return float(getattr(progress, what))


def _gradient_table(run: Run, column: str) -> pd.DataFrame:
    rows = [
        {"x": x, "y": y, "name": layer}
        for layer in (run.history[-1].gradient_norms if run.history else {})
        for x, y in _thin([(getattr(p, column), p.gradient_norms[layer]) for p in run.history if p.gradient_norms])
        if y > 0
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["x", "y", "name"])


def _thin(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most `_POINTS` points: means of neighbors, the last x of each."""
    size = -(-len(points) // _POINTS)
    chunks = [points[i : i + size] for i in range(0, len(points), size)] if size > 1 else []
    if not chunks:
        return points
    return [(chunk[-1][0], sum(y for _, y in chunk) / len(chunk)) for chunk in chunks]


# ---- check the claim


def claim() -> None:
    """E2: does batch normalization help? By this visitor's runs, and by the shipped models."""
    from core.comparison import race
    from core.experiments import batch_normalization_verdict

    cards = compute.shipped_cards()
    with st.container(border=True, key="claim"):
        st.markdown(
            "**Does batch normalization help?** :gray[· experiment E2; the report says: trains much "
            "faster, a percent better]"
        )
        if {"model-1", "model-2"} <= cards.keys():
            plain, normalized = cards["model-1"].test, cards["model-2"].test
            st.markdown(batch_normalization_verdict(plain, normalized))
            st.caption(
                f"The shipped models, ten epochs each: Model 1 {text.full_rate(plain)}; "
                f"Model 2 {text.full_rate(normalized)}. The report has 97.5 and 98.7 %."
            )
        pair = _pair_that_differs_in_normalization()
        if pair is None:
            st.caption(
                "Speed: train Model 1 and Model 2 with the same settings, lay both over each other, "
                "and the race to 97 % is written here, by steps and by seconds."
            )
        else:
            st.markdown(race(*pair))
            st.caption(
                "Seconds count training and scoring on this server; a batch-normalized step costs more."
            )


def _pair_that_differs_in_normalization() -> tuple[Run, Run] | None:
    shown = overlaid()
    for second in reversed(shown):
        for first in shown:
            plain = not first.architecture.batch_normalization
            twin = replace(first.architecture, batch_normalization=True) == second.architecture
            if plain and twin and first.settings == second.settings:
                return first, second
    return None

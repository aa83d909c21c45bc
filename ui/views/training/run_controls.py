"""This visitor's runs: start one, steer it while it trains, list and choose them."""

import streamlit as st

from core.jobs import FAILED, PAUSED, Job, QueueFull
from core.training.loop import TrainingDiverged
from core.training.runs import Run, describe_differences
from ui import text
from ui.views.training import chosen
from ui.views.training import settings as training_settings
from ui.visitor import compute, session, state

_ERROR = "_training_error"


def start() -> None:
    """Train what the sliders say, as this visitor's job; the reason is kept if it cannot be."""
    st.session_state.pop(_ERROR, None)
    try:
        add(
            Run(
                chosen.architecture(),
                chosen.settings(),
                compute.dataset(chosen.spec()),
                number=next_number(),
            )
        )
    except (ValueError, QueueFull) as error:
        st.session_state[_ERROR] = str(error)


def next_number() -> int:
    """What the next run is called."""
    return 1 + max((run.number for run in state.runs()), default=0)


def add(run: Run) -> None:
    """Start a run and lay it over the others. ValueError or QueueFull if it cannot be."""
    runs = state.runs()
    if len(runs) >= state.MAX_RUNS:
        raise ValueError(
            f"You have {len(runs)} runs, the most that are kept: remove one from the list first."
        )
    _submit(run)
    runs.append(run)
    for older in runs[: -state.MAX_OVERLAID]:
        st.session_state[_shown_key(older)] = False


def _submit(run: Run) -> None:
    title = f"Training {run.title} · run {run.number}"
    job = Job(
        session.owner(),
        title,
        run.work,
        explained=(TrainingDiverged, ValueError),
        seconds=run.expected_seconds,
        resumable=True,
        fraction=run.share_done,
    )
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


def latest_run() -> None:
    """The card of the newest run: its state, and the buttons that steer it.

    A fragment, and drawn first, so that a press shows before the curves are drawn again.
    """
    if state.runs():
        with st.container(border=True, key="run-controls"):
            st.fragment(_steering)(state.runs()[-1])


def next_run() -> None:
    """The settings of the next run, and the list of those there are."""
    job = session.current_job()
    with st.container(border=True, key="settings"):
        st.markdown("**Next run**" if state.runs() else "**Settings**")
        busy = job is not None and not job.ended
        st.button(
            "Train",
            key="train",
            type="primary",
            icon=":material/play_arrow:",
            width="stretch",
            on_click=start,
            disabled=busy,
            help="One training at a time: stop the one that runs first." if busy else None,
        )
        training_settings.settings_sliders()
    if state.runs():
        with st.container(border=True, key="runs"):
            _run_list()


def _steering(run: Run) -> None:
    if run.job is None:
        return
    ended = run.job.ended
    # An active job may begin while this card stands: whether it waits is said beside the curves.
    state_of = _status(run) if ended else "paused" if run.job.state == PAUSED else "in hand"
    st.markdown(f"**Run {run.number}** :gray[· {state_of}]")
    if not ended:
        _pause_and_stop(run.job)
        _live_learning_rate(run)
    if run.job.state != FAILED or run.lost:
        more = st.button(
            "Go on from the last checkpoint" if run.lost else "One more epoch",
            key="one-more",
            type="tertiary",
            icon=":material/play_arrow:" if run.lost else ":material/add:",
            on_click=_one_more_epoch,
            args=[run],
            help=f"{run.controls.epochs} epochs are planned.",
        )
        if more:
            st.rerun()


def _pause_and_stop(job: Job) -> None:
    manager = session.manager()
    with st.container(horizontal=True):
        if job.state == PAUSED:
            st.button(
                "Resume",
                key="resume",
                type="primary",
                icon=":material/play_arrow:",
                on_click=manager.resume,
                args=[job],
            )
        else:
            st.button(
                "Pause", key="pause", icon=":material/pause:", on_click=manager.pause, args=[job]
            )
        st.button("Stop", key="stop", icon=":material/stop:", on_click=manager.stop, args=[job])


def _live_learning_rate(run: Run) -> None:
    rates = sorted({*training_settings.LEARNING_RATES, run.controls.learning_rate})
    key = f"live-lr-{run.id}"
    st.select_slider(
        "Learning rate now",
        rates,
        run.controls.learning_rate,
        format_func=text.learning_rate,
        key=key,
        on_change=lambda: setattr(run.controls, "learning_rate", st.session_state[key]),
    )


def _one_more_epoch(run: Run) -> None:
    """Add an epoch to the one in hand, or go on with one that has ended."""
    st.session_state.pop(_ERROR, None)
    if run.job is None or run.job.ended:
        if run.job is not None and run.job.settled and not run.checkpoints.can_go_on:
            st.session_state[_ERROR] = f"Run {run.number} has no state to go on from: start anew."
            return
        if not run.lost:
            run.controls.epochs = 1 + (int(run.last.epoch) if run.last else 0)
        try:
            _submit(run)
        except QueueFull as error:
            st.session_state[_ERROR] = str(error)
    else:
        run.controls.epochs += 1


def _run_list() -> None:
    st.markdown("**Runs**")
    names = describe_differences(state.runs())
    laid = len(overlaid())
    for run in reversed(state.runs()):
        with st.container(horizontal=True, wrap=False, gap="xsmall", vertical_alignment="center"):
            key = _shown_key(run)
            shown = st.session_state.get(key, True)
            st.checkbox(
                text.literal(names[run.id]),
                True,
                key=key,
                disabled=not shown and laid >= state.MAX_OVERLAID,
                help=_status(run),
                persist_state="session",
                width="stretch",
            )
            active = run.job is not None and not run.job.ended
            st.button(
                "",
                icon=":material/delete:",
                key=f"remove-{run.id}",
                type="tertiary",
                on_click=_remove,
                args=[run],
                disabled=active,
                help=f"Remove run {run.number}",
            )
    st.caption(
        f"Up to {state.MAX_OVERLAID} are laid over each other. Each is a model in the picker."
    )


def _remove(run: Run) -> None:
    state.runs().remove(run)


def _status(run: Run) -> str:
    step = run.last.step if run.last else 0
    return f"{run.job.state if run.job else 'not started'} at step {step:,}"


def problem() -> str:
    """Why the last run did not start, in a sentence; "" if it did."""
    return str(st.session_state.get(_ERROR, ""))

"""The job panel below the list of pages: what works for this visitor, on every page."""

import math

import streamlit as st

from core.jobs import PAUSED, QUEUED, Job
from ui import text
from ui.visitor import session, state


def show() -> None:
    """The visitor's running job; nothing when there is none."""
    job = session.current_job()
    if job is None or job.ended:
        return
    with st.container(border=True, key="job-panel"):
        st.fragment(_live, run_every=2.0)()


def _live() -> None:
    job = session.current_job()
    if job is None or job.ended:
        st.rerun()
    st.markdown(f"**{text.literal(job.title)}**")
    st.caption(_line(job))
    st.progress(min(1.0, max(0.0, job.fraction)))


def _line(job: Job) -> str:
    if job.state == QUEUED:
        return f"waiting, {session.place(job)}"
    run = next((run for run in state.runs() if run.job is job), None)
    if run is None or run.last is None:
        return job.state
    epoch = min(run.controls.epochs, int(run.last.epoch) + 1)
    where = f"epoch {epoch} of {run.controls.epochs}"
    if job.state == PAUSED:
        return f"{where} · paused"
    left = run.seconds_left
    return (
        f"{where} · {text.duration(left)} left" if math.isfinite(left) else f"{where} · preparing"
    )

"""A measurement that a visitor has started: kept while it grows and after, with its progress."""

import functools
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import streamlit as st

from core.data.spec import DatasetSpec
from core.jobs import FINISHED, QUEUED, STOPPED, Job, QueueFull
from ui.show import error_box
from ui.visitor import compute, session


class Measurement(Protocol):
    """What a job fills, with that job."""

    @property
    def job(self) -> Job:
        """The job."""


M = TypeVar("M", bound=Measurement)


def is_live(job: Job) -> bool:
    """Whether more is to come; a stopped job finishes what it has in hand."""
    return not job.settled


@dataclass(frozen=True)
class Kept(Generic[M]):
    """The latest measurement of a kind in the visitor's session, under the key `name`."""

    name: str

    def latest(self) -> M | None:
        """In work or ended; None before the first."""
        return st.session_state.get(self.name)

    def live(self) -> bool:
        """Whether it still grows."""
        run = self.latest()
        return run is not None and is_live(run.job)

    def problem(self) -> str:
        """Why the last did not start, in a sentence; "" if it did."""
        return str(st.session_state.get(f"{self.name}_error", ""))

    def has_started(self) -> bool:
        """Whether a start was asked for since this was called last."""
        return bool(st.session_state.pop(f"{self.name}_started", False))

    def start(self, begin: Callable[[], M]) -> None:
        """Submit the job of what `begin` makes, and keep it in the place of the one before.

        A ValueError of `begin` and a full queue become the `problem`; then the one before stays.
        """
        st.session_state.pop(f"{self.name}_error", None)
        st.session_state[f"{self.name}_started"] = True
        try:
            run = begin()
            session.manager().submit(run.job)
        except (QueueFull, ValueError) as error:
            st.session_state[f"{self.name}_error"] = str(error)
            return
        st.session_state[self.name] = run


def study_job(title: str, work: Callable[..., Generator[float]]) -> Job:
    """The visitor's job `title`: the `work` of a study on the server's workers; it continues."""
    return Job(
        session.owner(),
        title,
        lambda: work(workers=session.workers()),
        explained=(ValueError,),
        continues=True,
    )


def job_on_test_images(
    title: str, spec: DatasetSpec, count: int, work: Callable[..., Generator[float]]
) -> Job:
    """The same on the first `count` test images and their classes."""
    return study_job(title, functools.partial(work, *compute.first_test_images(spec, count)))


def _go_on(job: Job, key: str) -> None:
    try:
        session.manager().submit(job)
    except QueueFull as error:
        st.session_state[key] = str(error)


def progress(
    job: Job, done: int, total: int, what: str, *, key: str, hand: str, left: str = "they stay"
) -> None:
    """Where a job is, with a button to stop it; or how it ended before its end, and one to go on.

    what: is counted; hand: what a stopped job still finishes; key: of the button; left: what a
    stopped job leaves.
    """
    if not is_live(job):
        _ended(job, f"Stopped after {done:,} of {total:,} {what}; {left}.", f"{key}-continue")
        return
    where = f"{done:,} of {total:,} {what}"
    if job.state == QUEUED:
        where = f"waiting, {session.place(job)}"
    elif job.ended:
        where += f", stopping after {hand}"
    if (machines := session.machines()) and machines.problem:
        st.caption(f":material/cloud_off: {machines.problem}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(min(1.0, job.fraction), text=where)
        st.button(
            "Stop",
            key=key,
            icon=":material/stop:",
            on_click=session.manager().stop,
            args=[job],
            disabled=job.ended,
        )


def _ended(job: Job, stopped: str, key: str) -> None:
    """How a job ended before its end, and a button to go on, if it can."""
    if problem := st.session_state.pop(f"{key}-problem", "") or job.error:
        error_box(problem)
    if job.state == FINISHED:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if job.state == STOPPED:
            st.caption(stopped, width="content")
        if job.halted:
            st.button(
                "Continue",
                key=key,
                icon=":material/resume:",
                on_click=_go_on,
                args=[job, f"{key}-problem"],
                help="It goes on where it ended: nothing is measured twice.",
            )

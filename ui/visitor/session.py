"""Who a visitor is, and what happens to the job of one who leaves.

The job manager meets Streamlit only here. Streamlit releases session-scoped resources when the
connection closes, a short drop included: so a grace period begins, and any later run of the
visitor's script ends it.
"""

import os
import threading
import uuid

import streamlit as st

from core.jobs import Job, JobManager
from core.work import capacity, here
from core.work.chunks import HERE, AnyWorkers
from core.work.machines import Machines
from core.work.pool import Workers
from ui import text

GRACE_SECONDS = 120
SCHEDULER = "CONVSCOPE_SCHEDULER"
_OWNER = "_owner"


@st.cache_resource(show_spinner=False)
def manager() -> JobManager:
    """The one job manager of the process: a job at a time for each worker that there is room for.

    Without any its jobs run here, one at a time.
    """
    places = capacity.found()
    here.use(Workers(places) if places else None)
    return JobManager(workers=max(1, places))


@st.cache_resource(show_spinner=False)
def machines() -> Machines | None:
    """The workers of a scheduler, if the environment names one."""
    address = os.environ.get(SCHEDULER)
    return Machines(address, _own_workers()) if address else None


def where_chunks_run() -> str:
    """For captions of how long something took."""
    return "one of the workers" if machines() else "this server"


def workers() -> AnyWorkers:
    """Who computes the chunks of studies; called in their job."""
    return machines() or _own_workers()


def _own_workers() -> AnyWorkers:
    """This machine's worker processes, or the thread that asks where there is room for none."""
    manager()  # finds out how many there are
    return here.workers() or HERE


@st.cache_resource(show_spinner=False)
def _departures() -> dict[str, threading.Timer]:
    return {}


def owner() -> str:
    """The visitor's name for the job manager; also takes the visitor's job up again."""
    name: str = st.session_state.setdefault(_OWNER, uuid.uuid4().hex)
    timer = _departures().pop(name, None)
    if timer is not None:
        timer.cancel()
    _lease(name)
    return name


def current_job() -> Job | None:
    """The visitor's latest job."""
    return manager().job_of(owner())


def place(job: Job) -> str:
    """Where a job is that waits: “number 2 in the queue, its turn comes in about 40 s”."""
    wait = manager().wait(job)
    when = f"in about {text.duration(wait)}" if wait >= 1 else "at once"
    return f"number {manager().position(job)} in the queue, its turn comes {when}"


def _leave(name: str) -> None:
    job = manager().job_of(name)
    if job is None or job.ended:
        manager().forget(name)
        return
    timer = threading.Timer(GRACE_SECONDS, _forget, [name])
    timer.daemon = True
    _departures()[name] = timer
    timer.start()


def _forget(name: str) -> None:
    _departures().pop(name, None)
    manager().forget(name)


@st.cache_resource(scope="session", on_release=_leave, show_spinner=False)
def _lease(name: str) -> str:
    return name

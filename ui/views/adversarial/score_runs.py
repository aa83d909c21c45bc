"""The attacks over many test images that a visitor has started and keeps."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field

import streamlit as st

from core.arrays import BoolArray
from core.attacks.catalog import Attack
from core.catalog import Value
from core.data.spec import DatasetSpec
from core.jobs import Job, QueueFull
from core.network.classifier import Classifier
from core.statistics.paired import Verdict, judge
from core.statistics.rate import Rate
from core.studies.scoreboard import GOALS, Scoreboard, noise_control
from ui.controls import setting_controls
from ui.visitor import session
from ui.visitor.choice import Choice, short_titles
from ui.visitor.kept_job import is_live, job_on_test_images

MAX_RUNS = 8  # of 1,000 images each, they hold 25 MB
SHOWN = "_score_shown"
_RUNS, _ERROR, _STARTED = "_score_runs", "_score_error", "_score_started"


@dataclass(eq=False)
class ScoreRun:
    """A scoreboard and the job that fills it. model: its title; number: counts a visitor's runs."""

    number: int
    board: Scoreboard
    job: Job
    model: str
    classifier: Classifier
    _changed: dict[int, BoolArray] = field(default_factory=dict, init=False, repr=False)

    @property
    def live(self) -> bool:
        """Whether images are still to come."""
        return is_live(self.job)

    @property
    def spec(self) -> DatasetSpec:
        """What the images are of."""
        return self.classifier.spec

    @property
    def targeted(self) -> bool:
        """Whether each image had a random target."""
        return self.board.goal == GOALS[1]

    @property
    def attack(self) -> str:
        """“PGD at ε 0.3 (L∞)”."""
        name, settings = self.board.attack.name, self.board.settings
        if not self.board.attack.bounded:
            return name
        norm = setting_controls.NORM_NAMES[str(settings["norm"])]
        return f"{name} at ε {settings['epsilon']:g} ({norm})"

    @property
    def title(self) -> str:
        """“Run 2 · PGD ε 0.3 L∞, random”: short enough to stand beside a rate on a phone."""
        short = self.attack.translate(str.maketrans("", "", "()")).replace(" at ", " ")
        return f"Run {self.number} · {short}{', random' if self.targeted else ''}"

    @property
    def words(self) -> str:
        """Every setting, for captions."""
        return setting_controls.words(self.board.attack, self.board.settings)

    @property
    def milliseconds(self) -> float:
        """For one image, on this server."""
        return 1e3 * self.board.seconds / self.board.count

    @property
    def changed(self) -> BoolArray:
        """Of the images that count, which noise as long changes; to be asked once it has ended."""
        done = self.board.found
        if len(done) not in self._changed:  # a stopped run may have gone on
            self._changed = {len(done): noise_control(done, self.classifier)}
        return self._changed[len(done)]

    @property
    def noise_control(self) -> Rate:
        """How often noise of the same lengths changes the answer."""
        return Rate.of(self.changed)

    @property
    def beside_noise(self) -> Verdict:
        """The attack beside noise as long, on the images that count."""
        done = self.board.found
        return judge(done.succeeded[done.counted], self.changed)


def kept() -> list[ScoreRun]:
    """This visitor's runs, the oldest first."""
    found: list[ScoreRun] = st.session_state.setdefault(_RUNS, [])
    return found


def begun() -> list[ScoreRun]:
    """Those that have attacked an image that counts."""
    return [run for run in kept() if run.board.count and run.board.success.total]


def live() -> bool:
    """Whether one of them is still at work."""
    return any(run.live for run in kept())


def shown() -> ScoreRun | None:
    """The run that the view is about: the newest, until another is chosen."""
    runs = kept()
    number = st.session_state.get(SHOWN)
    return next((run for run in runs if run.number == number), runs[-1] if runs else None)


def problem() -> str:
    """Why the last run did not start, in a sentence; "" if it did."""
    return str(st.session_state.get(_ERROR, ""))


def has_started() -> bool:
    """Whether a start was asked for since this was called last."""
    return bool(st.session_state.pop(_STARTED, False))


def start(
    chosen: Attack,
    settings: Mapping[str, Value],
    goal: str,
    total: int,
    classifier: Classifier,
    choice: Choice,
) -> None:
    """Attack the first `total` test images as this visitor's job."""
    st.session_state.pop(_ERROR, None)
    st.session_state[_STARTED] = True
    runs = kept()
    board = Scoreboard(chosen, dict(settings), goal, total)
    title = f"{chosen.name} on {total:,} images"
    job = job_on_test_images(
        title, classifier.spec, total, functools.partial(board.work, classifier)
    )
    try:
        session.manager().submit(job)
    except QueueFull as error:
        st.session_state[_ERROR] = str(error)
        return
    number = 1 + max((run.number for run in runs), default=0)
    model = short_titles()[choice.model]
    runs.append(ScoreRun(number, board, job, model, classifier))
    st.session_state[SHOWN] = number


def remove(run: ScoreRun) -> None:
    """Let go of a run that has ended."""
    kept().remove(run)
    st.session_state.pop(SHOWN, None)

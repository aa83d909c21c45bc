"""What the next run of the scoreboard is told, and the button that starts it."""

from collections.abc import Mapping

import streamlit as st

from core.attacks.catalog import Attack
from core.catalog import Value
from core.coach.situation import Situation
from core.network.classifier import Classifier
from core.statistics.rate import Rate
from core.studies.scoreboard import GOALS
from ui import text
from ui.controls import attack_settings, bound, coach, shared
from ui.views.adversarial import score_runs
from ui.visitor import session
from ui.visitor.choice import Choice

COUNTS = (50, 100, 200, 500, 1_000)
_PREFIX = "score"
_VISIBLE = 3  # beside attack, goal and images
_GOALS = dict(zip(GOALS, ("Any other", "Random"), strict=True))


@st.fragment
def show(choice: Choice, classifier: Classifier) -> None:
    """Draw them, with the button that starts, and what the coach says of them."""
    st.markdown("**Settings**")
    chosen = attack_settings.attack_select(_PREFIX)
    goal = bound.segmented_control(
        "Goal",
        GOALS,
        default=GOALS[0],
        required=True,
        format_func=_GOALS.__getitem__,
        key="score_goal",
        width="stretch",
        help="Any class but the true one; or one for each image, drawn among the "
        f"{text.in_words(len(choice.spec.classes) - 1)} others.",
    )
    total = shared.count_slider(
        choice.spec,
        COUNTS,
        key="score_images",
        help=f"The first of the {choice.spec.test_images:,}.",
    )
    settings = attack_settings.controls(chosen, _PREFIX, _VISIBLE)
    attack_settings.defaults_button(chosen, _PREFIX)
    _start_button(chosen, settings, goal, total, classifier, choice)
    keys = {**attack_settings.keys(chosen, _PREFIX), "images": "score_images"}
    situation = Situation(
        {**settings, "images": total},
        attack=chosen.name,
        success=_success_of(chosen, settings, goal, total, classifier),
    )
    nearest = {**attack_settings.nearest(chosen, _PREFIX), "images": coach.among(COUNTS)}
    coach.show(situation, keys, name="score", nearest=nearest)


def _start_button(
    chosen: Attack,
    settings: Mapping[str, Value],
    goal: str,
    total: int,
    classifier: Classifier,
    choice: Choice,
) -> None:
    job, full = session.current_job(), len(score_runs.kept()) >= score_runs.MAX_RUNS
    busy = job is not None and not job.ended
    why = "With the settings above, as a job that you can stop."
    if busy:
        why = "One job at a time: stop the one that runs or let it end."
    elif full:
        why = f"{score_runs.MAX_RUNS} runs are kept, and no more: remove one first."
    st.button(
        f"Attack {total:,} images",
        key="score-start",
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        disabled=busy or full,
        help=why,
        on_click=score_runs.start,
        args=[chosen, settings, goal, total, classifier, choice],
    )
    if full:
        st.caption(why)
    if score_runs.has_started():
        st.rerun()  # the run stands outside this fragment


def _success_of(
    chosen: Attack, settings: Mapping[str, Value], goal: str, total: int, classifier: Classifier
) -> Rate | None:
    """What the last run with these very settings has found; None without one."""
    for run in reversed(score_runs.begun()):
        same = (run.board.attack, run.board.settings, run.board.goal, run.board.total)
        if same == (chosen, settings, goal, total) and run.classifier is classifier:
            return None if run.live else run.board.success
    return None

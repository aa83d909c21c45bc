"""Which classifiers the next curves are of, and the button that measures them."""

import streamlit as st

from ui import text
from ui.controls import bound, shared
from ui.show import error_box
from ui.views.defenses import curve_runs
from ui.views.defenses.curve_runs import LARGEST, NORMS, CurveAsked
from ui.views.defenses.parts import offered
from ui.visitor import session, state
from ui.visitor.choice import Choice, bare_key, peers

MOST = 6  # colors that are told apart
_COUNTS, _RADII = (50, 100, 200, 500), (9, 13, 25)
_FIRST_PARTS = ("threshold-0.5",)


@st.fragment
def show(choice: Choice) -> None:
    """Draw them."""
    st.markdown("**Settings**")
    norm: str = bound.segmented_control(
        "Norm", list(NORMS), default="linf", required=True, format_func=NORMS.__getitem__,
        key="curve_norm", width="stretch",
        help="L∞: every pixel may move by ε. L2: the whole change may be ε long.",
    )  # fmt: skip
    keys = _classifiers(choice)
    images = shared.count_slider(
        choice.spec, _COUNTS, key="curve_images",
        help=f"The first of the {choice.spec.test_images:,}. More images, narrower bands. 50 and "
        "100: a quick look with wide intervals.",
    )  # fmt: skip
    radii: int = bound.select_slider(
        "Values of ε", _RADII, 13, key="curve_radii",
        help=f"Evenly from 0 to {LARGEST[norm]:g} in {NORMS[norm]}.",
    )  # fmt: skip
    iterations: int = bound.slider(
        "Iterations", 5, 100, 20, 5, key="curve_iterations",
        help="Of each of the two attacks at each ε, for each gradient that a defense passes.",
    )  # fmt: skip
    asked = CurveAsked(keys, norm, radii, images, iterations)
    problem = ""
    if not keys:
        problem = "No classifier is chosen: choose a network, or a defense in front of one."
    elif len(keys) > MOST:
        problem = f"{len(keys)} classifiers are chosen: leave at most {MOST}."
    if problem:
        error_box(problem)
    job = session.current_job()
    busy = job is not None and not job.ended
    st.button(
        "Measure", key="curve-start", type="primary", icon=":material/play_arrow:",
        width="stretch", disabled=busy or bool(problem), on_click=_start, args=[asked],
        help="One job at a time: stop the one that runs or let it end." if busy
        else "As a job that you can stop; the curves grow as it works.",
    )  # fmt: skip
    if curve_runs.KEPT.has_started():
        st.rerun()  # the chart stands outside this fragment


def _start(asked: CurveAsked) -> None:
    curve_runs.KEPT.start(lambda: curve_runs.begin(asked))


def _classifiers(choice: Choice) -> tuple[str, ...]:
    """The networks, and the chosen one behind each defense; the header's own chain, too."""
    own = bare_key(choice.model)
    titles = peers(choice.model)
    networks = {key: title for key, title in titles.items() if state.BEHIND not in key}
    bare: list[str] = bound.pills(
        "Networks", list(networks), default=[own], selection_mode="multi",
        format_func=lambda key: text.literal(networks[key]), key="curve_models",
        help="Without a defense in front.",
    )  # fmt: skip
    titles = {part.key: part.title for part in offered(choice.spec)}
    parts: list[str] = bound.pills(
        f"Defenses of {text.literal(networks[own])}", list(titles),
        default=[key for key in _FIRST_PARTS if key in titles], selection_mode="multi",
        format_func=titles.__getitem__, key="curve_defenses",
        help="Each alone in front of the model chosen above, at its default strength; another "
        "strength or a chain: choose it in the header. Steps and a projection take longest: every "
        "gradient that stands in for theirs is followed.",
    )  # fmt: skip
    chosen = [*bare, *(f"{own}{state.BEHIND}{part}" for part in parts)]
    if state.BEHIND in choice.model:
        chosen.append(choice.model)
    return tuple(dict.fromkeys(chosen))

"""What the next grid is told, and the button that starts it."""

import streamlit as st

from core.studies.grid import Budget
from ui import text
from ui.controls import bound, shared
from ui.controls.report import as_in_the_report
from ui.views.defenses import grid_runs
from ui.views.defenses.grid_runs import GridAsked
from ui.views.defenses.parts import offered
from ui.visitor import session, state
from ui.visitor.choice import Choice, bare_key, peers

COUNTS = (50, 100, 200, 500)
_NORM, _PARTS, _OTHERS, _SOURCE = "grid_norm", "grid_defenses", "grid_models", "grid_source"
_IMAGES, _STEPS, _CHAINED = "grid_images", "grid_steps", "grid_chained"
_QUERIES, _SEED = "grid_queries", "grid_seed"
_RADIUS = {  # by norm: key, label, from, to, default, step
    "linf": ("grid_epsilon", "ε", 0.05, 0.8, 0.3, 0.05),
    "l2": ("grid_l2", "ε", 0.5, 9.0, 3.0, 0.5),
    "l0": ("grid_pixels", "Pixels", 4, 120, 40, 2),
}
_FIRST = ("blur-1", "median-3", "threshold-0.5", "resize-4")
_ROBUST = ("robust", "certified")


@st.fragment
def show(choice: Choice) -> None:
    """Draw them, with the button that starts."""
    st.markdown("**Settings**")
    budget = _budget()
    images = shared.count_slider(
        choice.spec, COUNTS, key=_IMAGES,
        help=f"The first of the {choice.spec.test_images:,}; every cell is measured on the same "
        "ones. 50 and 100: a quick look with wide intervals.",
    )  # fmt: skip
    titles = {part.key: part.title for part in offered(choice.spec)}
    parts = bound.pills(
        "Defenses", list(titles), default=[key for key in _FIRST if key in titles],
        selection_mode="multi", format_func=titles.__getitem__, key=_PARTS,
        help="Each is a row, at its default strength. A chain of your own: set it under Filters, "
        "press “Use on all pages” there, and it is a row here.",
    )  # fmt: skip
    with st.popover("More", icon=":material/tune:", width="stretch"):
        chained, others, source, budget = _more(choice, budget)
    asked = GridAsked(choice.model, source, tuple(parts), tuple(others), chained, images, budget)
    _start_button(choice, asked)


def _budget() -> Budget:
    norm = bound.segmented_control(
        "Norm", list(grid_runs.NORMS), default="linf", required=True, key=_NORM,
        format_func=grid_runs.NORMS.__getitem__, width="stretch",
        help="L∞: every pixel by at most ε. L2: the length of the whole change. L0: so many "
        "pixels, each by as much as it likes.",
    )  # fmt: skip
    key, label, low, high, default, step = _RADIUS[norm]
    radius = bound.slider(
        label, low, high, default, step, key=key,
        help="How far every attack, and the noise, may go from the image.",
    )  # fmt: skip
    iterations = bound.slider(
        "Iterations", 10, 200, 40, 10, key=_STEPS, disabled=norm == "l0",
        help="Of each ascent by the gradient. The attack on few pixels takes two in each step.",
    )  # fmt: skip
    return Budget(norm, _on_steps(radius, low, step), iterations)


def _on_steps(radius: float, low: float, step: float) -> float:
    """The nearest value of the slider: a link may hold one between its steps."""
    return round(low + round((radius - low) / step) * step, 6)


def _more(choice: Choice, budget: Budget) -> tuple[bool, list[str], str, Budget]:
    own = bare_key(choice.model)
    networks = {
        key: title
        for key, title in peers(choice.model).items()
        if key != own and state.BEHIND not in key
    }
    chained = bound.toggle(
        "All of them in a row", key=_CHAINED,
        help="One more row: the chosen defenses one behind the other, the first four.",
    )  # fmt: skip
    others = bound.pills(
        "Other networks as rows", list(networks),
        default=[key for key in _ROBUST if key in networks],
        selection_mode="multi", format_func=lambda key: text.literal(networks[key]), key=_OTHERS,
        help="Without a defense in front, attacked in the same way.",
    )  # fmt: skip
    source = bound.selectbox(
        "Transfer from", list(networks), format_func=networks.__getitem__, key=_SOURCE,
        help="The network of one's own on which an attacker makes images, who has no access to "
        "the one that is attacked.",
    )  # fmt: skip
    queries = bound.slider(
        "Queries of the black box", 100, 2_000, 300, 100, key=_QUERIES,
        help="How often Square may ask for the logits of an image. The page's most expensive "
        "setting where a defense holds.",
    )  # fmt: skip
    seed = bound.number_input("Seed", 0, 999, 0, 1, key=_SEED)
    budget = Budget(budget.norm, budget.epsilon, budget.iterations, queries, seed)
    return chained, list(others), source or own, budget


def _start_button(choice: Choice, asked: GridAsked) -> None:
    job = session.current_job()
    busy = job is not None and not job.ended
    why = "Every cell of the table, as a job that you can stop; what is done stays."
    if busy:
        why = "One job at a time: stop the one that runs or let it end."
    st.button(
        "Measure", key="grid-start", type="primary", icon=":material/play_arrow:",
        width="stretch", disabled=busy, help=why, on_click=_start, args=[asked],
    )  # fmt: skip
    as_in_the_report(
        "grid-report",
        _as_in_the_report,
        "E12 proposes a blur and a threshold against its attacks: here at the defaults, "
        "L∞ ε = 0.3.",
    )
    if grid_runs.KEPT.has_started():
        st.rerun()  # the table stands outside this fragment


def _start(asked: GridAsked) -> None:
    grid_runs.KEPT.start(lambda: grid_runs.begin(asked))


def _as_in_the_report() -> None:
    st.session_state.update(
        {_NORM: "linf", _RADIUS["linf"][0]: 0.3, _STEPS: 40, _PARTS: ["blur-1", "threshold-0.5"]}
    )


def measure_steps(choice: Choice, norm: str, radius: float) -> None:
    """In one click: threshold and bit depth against attacks of a norm and radius."""
    parts = ("threshold-0.5", "bits-1")
    st.session_state.update({_NORM: norm, _RADIUS[norm][0]: radius, _PARTS: list(parts)})
    own = bare_key(choice.model)
    source = next((key for key in peers(own) if key != own and state.BEHIND not in key), own)
    _start(GridAsked(own, source, parts, (), False, 200, Budget(norm, radius)))

"""Why rounding pixels is a real defense on MNIST below one half, and how it falls in one click."""

import numpy as np
import streamlit as st

from core.data.spec import MNIST
from core.studies.grid import ADAPTIVE
from ui import text
from ui.views.defenses import grid_runs, grid_settings
from ui.visitor import compute, session
from ui.visitor.cache import cached
from ui.visitor.choice import Choice

_EDGE = 0.5
_COUNTED = 200
_FALLS = {"L∞ ε = 0.3": ("linf", 0.3), "L∞ ε = 0.55": ("linf", 0.55),
          "L0, 40 pixels": ("l0", 40), "L2 ε = 4": ("l2", 4.0)}  # fmt: skip


def show(choice: Choice) -> None:
    """What can cross the edge, counted; and the buttons that measure."""
    crossing = {epsilon: _crossing(epsilon) for epsilon in (0.3, 0.55)}
    st.markdown(
        f"**Why does a threshold hold here, and what takes it down? At ε = 0.3 only "
        f"{crossing[0.3]:.0f} of {MNIST.side**2} pixels can cross {_EDGE:g}, at 0.55 it is "
        f"{crossing[0.55]:.0f}** :gray[· mean of the first {_COUNTED} test images]"
    )
    st.markdown(
        "Most pixels of MNIST are paper or full ink, so far from the edge that a change of every "
        "pixel by less than one half leaves them where they were: *Threshold* and *Bit depth 1* "
        "are then defenses in earnest, whatever the gradient. They fall as soon as a pixel may "
        "move by more than that: with ε above 0.5, or where few pixels may change by as much as "
        "they like (L0), or many by a length in all (L2)."
    )
    job = session.current_job()
    busy = job is not None and not job.ended
    with st.container(horizontal=True):
        for number, (words, (norm, radius)) in enumerate(_FALLS.items()):
            st.button(
                words, key=f"grid-fall-{number}", icon=":material/play_arrow:", disabled=busy,
                on_click=grid_settings.measure_steps, args=[choice, norm, radius],
                help="Measures Threshold 0.5 and Bit depth 1 under this budget, on 200 images.",
            )  # fmt: skip
    _found()


def _found() -> None:
    """What the grid that is kept says of the two."""
    run = grid_runs.KEPT.latest()
    if run is None:
        return
    rates = [
        f"{row.title} keeps {text.full_rate(cell.rate)}"
        for row in run.grid.rows
        if row.key in ("threshold-0.5", "bits-1")
        and (cell := run.grid.cells.get((row.key, ADAPTIVE)))
    ]
    if rates:
        st.markdown(f"**{text.listed(rates)}** :gray[· adaptive; {run.measured_on}]")


@cached
def _crossing(epsilon: float) -> float:
    """How many pixels of an image a change of at most `epsilon` can bring across the edge."""
    images, _ = compute.first_test_images(MNIST, _COUNTED)
    return float(np.mean((np.abs(images - _EDGE) <= epsilon).sum(axis=(1, 2, 3))))

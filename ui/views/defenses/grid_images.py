"""The images of one cell: original, attacked, and what the network gets behind the defense."""

from collections.abc import Mapping

import numpy as np
import streamlit as st

from core.arrays import FloatArray
from core.defenses.defended import DefendedClassifier
from core.studies.grid import ADAPTIVE, STATIC, Cell, Row
from ui import text, theme
from ui.figures import tiles
from ui.show import picture
from ui.views.defenses import grid_runs
from ui.views.defenses.grid_runs import GridRun

_CHOSEN, _MORE, _CLICKED = "_grid_cell", "_grid_more", "_grid_clicked"
_SHOWN = 6
_TILE = 56


def matrix_key(run: GridRun) -> str:
    """Of the chart, another for each run; its selection ends with the run."""
    return f"grid-matrix-{run.job.number}"


def clicked() -> bool:
    """Whether a cell was clicked since this was called last."""
    return bool(st.session_state.pop(_CLICKED, False))


def remember() -> None:
    """Keep which cell was clicked; without one, the images are again those of the largest loss."""
    st.session_state[_CLICKED] = True
    run = grid_runs.KEPT.latest()
    if run is None:
        return
    selected = st.session_state[matrix_key(run)].get("selection", {}).get("cell", [])
    st.session_state[_CHOSEN] = (
        (run.job.number, selected[0]["row"], selected[0]["column"]) if selected else None
    )
    st.session_state[_MORE] = _SHOWN


def show(run: GridRun, titles: Mapping[str, str]) -> None:
    """The images of the cell that was clicked, or of the row that looks safer than it is."""
    row, column = _chosen(run, titles)
    if row is None:
        when = "when the first one is measured" if run.live else "no static attack was measured"
        st.markdown(f"**The images of a cell** :gray[· {when}]")
        return
    cell = run.grid.cells[row.key, column]
    count = min(st.session_state.get(_MORE, _SHOWN), len(cell.after))
    st.markdown(
        f"**{text.literal(row.title)}, {titles[column].lower()}: {cell.rate.successes} of "
        f"{cell.rate.total} "
        f"right** :gray[· the first {count} of them all; {run.ball}]"
    )
    _sheets(run, row, cell, count)
    defended = isinstance(row.classifier, DefendedClassifier)
    st.caption(
        "Original, attacked, "
        + ("what the network gets behind the defense. " if defended else "with nothing between. ")
        + "Then the true class, and what is read."
    )
    if count < len(cell.after):
        st.button(
            f"{min(_SHOWN, len(cell.after) - count)} more", key="grid-more",
            icon=":material/expand_more:", on_click=st.session_state.update,
            args=[{_MORE: count + _SHOWN}],
        )  # fmt: skip


def _chosen(run: GridRun, titles: Mapping[str, str]) -> tuple[Row | None, str]:
    asked = st.session_state.get(_CHOSEN)
    if asked and asked[0] == run.job.number:
        for row in run.grid.rows:
            for column, title in titles.items():
                if asked[1:] == (row.title, title) and (row.key, column) in run.grid.cells:
                    return row, column
    row = grid_runs.largest_loss(run)
    if row is not None:
        return row, ADAPTIVE
    static = next((row for row in run.grid.rows if (row.key, STATIC) in run.grid.cells), None)
    return static, STATIC


def _sheets(run: GridRun, row: Row, cell: Cell, count: int) -> None:
    originals, adversarial = run.grid.images[:count], cell.adversarial[:count]
    stages = [originals, adversarial, *_behind(row, adversarial)]
    width = len(stages) * (_TILE + 4)
    palette, names = theme.palette(), text.literals(row.classifier.spec.classes)
    with st.grid(min_column_width=width, gap="small"):
        for number in range(count):
            three = np.stack([tiles.colored(stage[number], palette) for stage in stages])
            scale = tiles.scale_of(_TILE, three.shape[1])
            sheet = tiles.mosaic(three, palette, columns=len(stages), scale=scale)
            true, read = (names[each[number]] for each in (run.grid.labels, cell.after))
            with st.container(gap="xxsmall"):
                alt = f"Test image {number}: original, attacked, behind the defense"
                picture(sheet, width=sheet.shape[1] // 2, alt=alt)
                st.caption(_read(number, true, read))


def _behind(row: Row, adversarial: FloatArray) -> list[FloatArray]:
    classifier = row.classifier
    if not isinstance(classifier, DefendedClassifier):
        return []
    return [classifier.purified(adversarial)]


def _read(number: int, true: str, read: str) -> str:
    fate = f"**{true} stays {true}**" if true == read else f"**{true} → {read}**"
    return f"{fate} Test image {number}"

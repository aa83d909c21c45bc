"""A measured grid as files: its table, and its images."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from core.studies.grid import COLUMNS
from ui.controls.downloads import download
from ui.files import npz
from ui.views.defenses.grid_runs import GridRun


def downloads(run: GridRun, titles: Mapping[str, str]) -> None:
    """The buttons."""
    name = f"defenses-{run.asked.budget.norm}-{run.asked.budget.epsilon:g}"
    with st.container(horizontal=True, horizontal_alignment="right"):
        download(
            "Table",
            lambda: table(run, titles).to_csv(index=False),
            f"{name}.csv",
            key="grid-csv",
            help="Every cell with its count, interval, settings and seconds, and the worst of all.",
        )
        download(
            "Images",
            lambda: images(run),
            f"{name}.npz",
            key="grid-npz",
            help="Originals, true classes, and of each cell the attacked images and the answers.",
        )


def table(run: GridRun, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row for each cell, and one for the worst of a row's cells."""
    budget, lines = run.asked.budget, []
    for row in run.grid.rows:
        cells = {c: run.grid.cells[row.key, c] for c in COLUMNS if (row.key, c) in run.grid.cells}
        rates = {titles[column]: (cell.rate, cell.seconds) for column, cell in cells.items()}
        if worst := run.grid.worst(row):
            rates["Worst of all"] = (worst, float("nan"))
        for attack, (rate, seconds) in rates.items():
            lines.append(
                {
                    "defense": row.title,
                    "attack": attack,
                    "right": rate.successes,
                    "images": rate.total,
                    "robust_accuracy": rate.value,
                    "low_95": rate.interval[0],
                    "high_95": rate.interval[1],
                    "seconds": round(seconds, 2),
                    "model": run.model,
                    "transfer_from": run.source,
                    "norm": budget.norm,
                    "epsilon": budget.epsilon,
                    "iterations": budget.iterations,
                    "queries": budget.queries,
                    "seed": budget.seed,
                }
            )
    return pd.DataFrame(lines)


def images(run: GridRun) -> bytes:
    """Arrays by row and column."""
    arrays = {"originals": run.grid.images, "labels": run.grid.labels}
    for (row, column), cell in run.grid.cells.items():
        name = f"{row} {column}".replace(" ", "_")
        arrays[f"{name}_images"], arrays[f"{name}_answers"] = cell.adversarial, cell.after
    return npz(dict(arrays))

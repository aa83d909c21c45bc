"""What goes out of the training page and comes in: weights, curves, a script."""

import io

import pandas as pd
import streamlit as st

from core.data.spec import MNIST
from core.network.model import deserialize_model
from core.training.loop import Progress
from core.training.runs import Run
from ui import text
from ui.controls.downloads import download
from ui.files import npz
from ui.show import error_box
from ui.views.training import rewind, run_controls
from ui.visitor import compute, state

_ARRIVED, _TAKEN = "_upload_arrived", "_uploads_taken"


def show() -> None:
    """The row of tertiary buttons below the page."""
    if message := st.session_state.pop(_ARRIVED, ""):
        st.toast(message)
    run = run_controls.focus()
    with st.container(horizontal=True, horizontal_alignment="right", key="files"):
        with st.popover("Upload weights", icon=":material/upload:", type="tertiary"):
            _upload()
        if run is None or not run.trained:
            return
        st.button(
            "Use on all pages",
            type="tertiary",
            icon=":material/deployed_code:",
            on_click=rewind.use_everywhere,
            args=[run],
            help="Make this run the model of the header.",
        )
        download("Curves", lambda: curves(run), f"run-{run.number}.csv")
        download(
            "Script",
            script(run),
            f"run_{run.number}.py",
            icon=":material/code:",
            help="Trains the same run without the dashboard.",
        )
        if run.extra is not None:
            download(
                "Tray",
                lambda: _tray(run),
                f"run-{run.number}-tray.npz",
                key="run-tray",
                help="The images that were mixed in, for the script.",
            )


def curves(run: Run) -> bytes:
    """The run's whole history as CSV."""
    rows = [
        {
            "step": p.step,
            "epoch": p.epoch,
            "seconds": p.seconds,
            "learning_rate": p.learning_rate,
            "loss": p.loss,
            "accuracy": p.accuracy,
            "test_accuracy": p.test.accuracy.value if p.test else None,
            "test_loss": p.test.loss if p.test else None,
            **(_under_attack(p) if run.settings.scores_robustness else {}),
            "images_per_second": p.images_per_second,
            **{f"gradient_norm_{name}": norm for name, norm in p.gradient_norms.items()},
        }
        for p in run.history
    ]
    table = io.StringIO()
    pd.DataFrame(rows).to_csv(table, index=False)
    return table.getvalue().encode()


def _under_attack(progress: Progress) -> dict[str, float | None]:
    """The columns of a run whose accuracy under attack is measured."""
    rates = (progress.test.robust, progress.test.single_step) if progress.test else (None, None)
    pgd, one = (rate.value if rate else None for rate in rates)
    return {"pgd_10_accuracy": pgd, "one_step_accuracy": one}


def script(run: Run) -> str:
    """A Python program, to be run in a clone of this project, that trains the same run."""
    imports, files, more = _TRAY_PARTS if run.extra is not None else ("", "", "")
    split = "Split, " if imports else ""
    load, dataset = f"from core.data import {split}load_mnist", "load_mnist()"
    if run.dataset.spec != MNIST:
        own = "from core.data import Split\n" if imports else ""
        load = f"{own}from core.data.sets import source"
        dataset = f"source({run.dataset.spec.key!r}).load()"
    return f'''"""Run {run.number} of a Convscope session; run this in a clone of the project."""

{imports}from core.network.architecture import Architecture, ConvBlock
{load}
from core.training.settings import TrainingSettings
from core.training import Controls, train

architecture = {run.architecture!r}
settings = {run.settings!r}
controls = Controls(settings.learning_rate, epochs={run.controls.epochs})
changes = {dict(run.changes)!r}  # the step after which, and the learning rate from then on
{files.format(number=run.number)}
for progress in train(architecture, {dataset}, settings, controls=controls{more}):
    controls.learning_rate = changes.get(progress.step, controls.learning_rate)
    if progress.test:
        print(progress.step, progress.loss, progress.test)
'''


_TRAY_PARTS = (
    """from pathlib import Path

import numpy as np

from core.network.model import load_model, named_weights
from core.training.trainer import TrainingState
""",
    """
# Both files are on the Training page: “Tray” beside this script, “Weights” of checkpoint 0.
with np.load("run-{number}-tray.npz") as tray:
    extra = Split(tray["images"], tray["labels"])
model, card = load_model(Path("run-{number}-step-0.safetensors"))
state = TrainingState(0, named_weights(model))
""",
    ", state=state, extra=extra",
)


def _tray(run: Run) -> bytes:
    assert run.extra is not None
    return npz({"images": run.extra.images, "labels": run.extra.labels})


def _upload() -> None:
    st.markdown("**Weights that this dashboard saved** :gray[· safetensors only]")
    # The uploader stays as it is: one that is replaced loses the file that is on its way to it.
    file = st.file_uploader(
        "Weights", key="weights-file", max_upload_size=64, label_visibility="collapsed"
    )
    taken: set[str] = st.session_state.setdefault(_TAKEN, set())
    if file is None or file.file_id in taken:
        return
    uploads = state.uploads()
    if len(uploads) >= state.MAX_UPLOADS:
        st.error(
            f"You have {state.MAX_UPLOADS} uploads, the most that are kept: open a new tab.",
            icon=":material/error:",
        )
        return
    try:
        data = file.getvalue()
        _, card = deserialize_model(data)
        compute.check_here(card.spec)
    except ValueError as error:
        error_box(error)
        return
    key = f"upload-{len(uploads) + 1}"
    uploads[key] = state.ModelFile(key, data, card)
    taken.add(file.file_id)
    st.session_state[_ARRIVED] = f"{text.literal(card.title)} is in the model picker."
    st.rerun()  # the header stands above

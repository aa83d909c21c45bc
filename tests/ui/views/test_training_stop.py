"""A run that stands still, headless: the page says of which step its scores are."""

import re
import tempfile
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import disk
from core.jobs import FAILED, PAUSED
from core.training.runs import Run
from tests.gate import Gate
from tests.ui.conftest import open_page, run_until, text_of
from ui.visitor import session

SMALL = {
    "blocks": "1", "filters1": "4", "hidden": "10", "epochs": "2", "images": "3000",
    "at": "FGSM", "at_eps": "0.1",
}  # fmt: skip


def _headline(page: AppTest) -> str:
    match = re.search(r"Run 1 reads [^*]*", text_of(page))
    assert match
    return match[0]


def _labels(page: AppTest) -> list[str]:
    return [metric.label for metric in page.metric]


def test_a_stopped_run_is_scored_where_it_stopped(app: AppTest, gate: Gate) -> None:
    gate.hold("Training", 0.5)  # the end of the first epoch: its score is of an earlier step
    page = open_page(app, "training", **SMALL)
    page.button(key="train").click().run()
    run: Run = page.session_state["_runs"][-1]
    assert run.job
    run_until(page, lambda: run.last is not None and run.job.fraction >= 0.5)
    assert run.last
    step = f"{run.last.step:,}"
    scored = run.last_scored
    assert scored
    assert 0 < run.last.step != scored.step
    assert f"at step {scored.step}, and under" in _headline(page)
    assert {f"Test accuracy, step {scored.step}", f"Under attack, step {scored.step}"} <= {
        *_labels(page)
    }
    page.button(key="pause").click().run()
    assert run.job.state == PAUSED
    run_until(page, lambda: run.job.iterator is None)
    assert not run.unscored, "it rests, and is scored there"
    page.button(key="stop").click().run()
    run_until(page, lambda: run.job.settled)
    assert run.last_score == run.evaluate(run.last.step).accuracy
    assert f"test images right at step {step}, and under PGD-10" in _headline(page)
    assert "it ended" not in _headline(page)
    assert {"Test accuracy", "Under attack"} <= {*_labels(page)}
    run.checkpoints.thin()
    assert re.search(r"\d+ checkpoints of run 1 had to make room: ", text_of(page.run()))
    page.button(key="keep-checkpoint")  # there still are some to go back to
    run.checkpoints.clear()
    assert "All checkpoints of run 1 had to make room: " in text_of(page.run())
    assert all(button.key != "keep-checkpoint" for button in page.button)
    session.manager().forget(run.job.owner)


def test_a_disk_that_takes_nothing_is_one_sentence(
    app: AppTest, gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a run begins and while it trains; the page serves on, and the run keeps its score."""
    page = open_page(app, "training", **{**SMALL, "at": "Off", "epochs": "1"})
    (tmp_path / "file").touch()
    with monkeypatch.context() as full:
        full.setattr(tempfile, "tempdir", str(tmp_path / "file" / "below"))
        full.setattr(disk._Home, "now", None)
        page.button(key="train").click().run()
        assert not page.exception
        assert [re.sub(r"\(.*\)", "()", error.value) for error in page.error] == [
            "The weights of the run cannot be written to the server's disk (): free space in its "
            "temporary folder, or start the server with TMPDIR set to a folder that it can write "
            "to."
        ]
    gate.hold("Training", 0.01)
    page.button(key="train").click().run()
    run: Run = page.session_state["_runs"][-1]
    run_until(page, lambda: run.job.fraction >= 0.01)
    run.checkpoints._folder.rename(tmp_path / "away")
    gate.open()
    run_until(page, lambda: run.job.settled)
    assert run.job.state == FAILED
    assert not page.exception
    assert [error.value.partition(" (")[0] for error in page.error] == [
        "Run 1: The weights of the run cannot be written to the server's disk"
    ]
    assert f"at step {run.last.step}" in _headline(page)

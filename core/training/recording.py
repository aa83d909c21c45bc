"""A training that leaves its checkpoints and its last state behind as files, and can go on."""

from collections.abc import Generator
from dataclasses import replace

import numpy as np

from core.data.dataset import Dataset, Split
from core.network.architecture import Architecture
from core.training.checkpoints import CheckpointFolder
from core.training.loop import Controls, Progress, train
from core.training.settings import TrainingSettings
from core.training.trainer import TrainingState, trainer_for
from core.work.messages import Stopped


def recorded(
    architecture: Architecture,
    dataset: Dataset,
    settings: TrainingSettings,
    controls: Controls,
    files: CheckpointFolder,
    extra: Split | None = None,
) -> Generator[Progress, Controls | None]:
    """Train as `core.training.loop.train` does, from the state in `files` or else checkpoint 0.

    Its records, without their weights, which are files by then; the state, too, from which a
    training that is killed goes on. What is sent in are the controls from now on. Where it ends,
    `Stopped` is raised in it or it fails, the last record comes once more with its score, if it has
    none. Raises what `train` raises, and DiskError.
    """
    state = _where_it_was(architecture, settings, files, extra)
    training = train(architecture, dataset, settings, controls=controls, state=state, extra=extra)
    record: Progress | None = None
    try:
        for progress in training:
            record = replace(progress, weights=None)
            if progress.weights is not None:
                files.save(progress.step, progress.weights)
                _save_state(architecture, state, files)
            sent = yield record
            if sent is not None:
                controls.learning_rate, controls.epochs = sent.learning_rate, sent.epochs
    except Stopped:
        pass
    finally:
        training.close()
        if all(np.isfinite(array).all() for array in state.weights.values()):
            if record is not None and record.test is None and record.step == state.step:
                again = train(architecture, dataset, settings, state=state, extra=extra)
                scored = next(again)
                again.close()
                yield replace(record, test=scored.test, seconds=record.seconds + scored.seconds)
            files.save_state(state)


def _where_it_was(
    architecture: Architecture,
    settings: TrainingSettings,
    files: CheckpointFolder,
    extra: Split | None,
) -> TrainingState:
    if files.can_go_on:
        return files.load_state()
    if extra is not None:  # mixed in to a network that was trained before
        return TrainingState(0, files.load(0))
    return TrainingState.untrained(architecture, settings.seed)


def _save_state(architecture: Architecture, state: TrainingState, files: CheckpointFolder) -> None:
    """In the middle of a training, unless another one sits on its trainer by now."""
    trainer = trainer_for(architecture)
    with trainer.lock:
        if trainer.seated is not state:
            return
        trainer.unseat()
    files.save_state(state)

"""Weights of runs on disk, by step, within a budget."""

import shutil
import threading
import weakref
from pathlib import Path
from typing import ClassVar

import numpy as np

from core.disk import new_folder, read_arrays, write_arrays
from core.network.model import Weights
from core.training.trainer import TrainingState

DISK_BUDGET = 4_000_000_000
_SLOTS, _STEP, _RECENT, _PLANNED = "slots.safetensors", "step", "recent", "planned"


class CheckpointFolder:
    """Weights by step, as safetensors in a folder that somebody else made and removes.

    Everything raises DiskError with one sentence where the disk is full, not writable or has lost
    a file.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def steps(self) -> list[int]:
        """The steps whose weights are there, in order."""
        return sorted(int(path.stem) for path in self._folder.glob("[0-9]*.safetensors"))

    def save(self, step: int, weights: Weights) -> None:
        """Keep the weights as they are at `step`."""
        write_arrays(self._path(step), weights)

    def load(self, step: int) -> Weights:
        """The weights at `step`, one of `steps`."""
        return read_arrays(self._path(step))

    def save_state(self, state: TrainingState) -> None:
        """Keep all that a training needs to go on from here with the same curve."""
        slots = {f"{number:03d}": array for number, array in enumerate(state.slots)}
        self.save(state.step, state.weights)
        planned = np.array(state.planned, np.int64)
        more = {_STEP: np.array([state.step]), _RECENT: state.recent, _PLANNED: planned}
        write_arrays(self._folder / _SLOTS, {**slots, **more})

    @property
    def can_go_on(self) -> bool:
        """Whether a state was saved."""
        return (self._folder / _SLOTS).exists()

    def load_state(self) -> TrainingState:
        """The state that was saved last."""
        slots = read_arrays(self._folder / _SLOTS)
        step, recent = int(slots.pop(_STEP)[0]), slots.pop(_RECENT)
        planned = slots.pop(_PLANNED).tolist()
        arrays = [slots[key] for key in sorted(slots)]
        return TrainingState(step, self.load(step), arrays, recent, planned)

    def _path(self, step: int) -> Path:
        return self._folder / f"{step:08d}.safetensors"


class CheckpointFiles(CheckpointFolder):
    """A temporary folder of checkpoints of its own, within the budget of the process.

    reached: the step of the last record; a worker that is ahead of it has written more.
    All runs share `DISK_BUDGET` bytes: past that the oldest are thinned first, the one that writes
    last; and if that is not enough, the oldest are emptied.
    """

    _all: ClassVar["list[weakref.ref[CheckpointFiles]]"] = []
    _lock = threading.Lock()

    def __init__(self) -> None:
        super().__init__(new_folder("run-"))
        self.dropped = 0  # checkpoints that had to make room
        self.reached = 0
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        with self._lock:
            self._all[:] = [ref for ref in self._all if ref() is not None]
            self._all.append(weakref.ref(self))

    @property
    def steps(self) -> list[int]:
        """The steps up to `reached` whose weights are there, in order."""
        return [step for step in super().steps if step <= self.reached]

    @property
    def folder(self) -> CheckpointFolder:
        """The same files for a worker, which owns none of them."""
        return CheckpointFolder(self._folder)

    def save(self, step: int, weights: Weights) -> None:
        """Keep the weights as they are at `step`."""
        super().save(step, weights)
        self.reached = max(self.reached, step)
        self.make_room()

    def thin(self) -> None:
        """Drop every second checkpoint, but neither the first nor the last."""
        self._drop(self.steps[1:-1:2])

    def clear(self) -> None:
        """Drop all there is."""
        (self._folder / _SLOTS).unlink(missing_ok=True)
        self._drop(self.steps)

    def _drop(self, steps: list[int]) -> None:
        for step in steps:
            self._path(step).unlink(missing_ok=True)
        self.dropped += len(steps)

    @property
    def _bytes(self) -> int:
        return sum(path.stat().st_size for path in self._folder.glob("*"))

    def make_room(self) -> None:
        """Thin what all runs of the process keep, until it is within the budget."""
        with self._lock:
            everyone = [files for ref in self._all if (files := ref()) is not None]
            others = [files for files in everyone if files is not self]
            for files in [*others, self]:
                while sum(f._bytes for f in everyone) > DISK_BUDGET and len(files.steps) > 2:
                    files.thin()
            for files in others:
                if sum(f._bytes for f in everyone) > DISK_BUDGET:
                    files.clear()

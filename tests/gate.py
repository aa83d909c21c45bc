"""Where a job under test stands still, so that no test has to be quick to see its middle."""

import json
import time
from pathlib import Path

from core.jobs import Job


class Gate:
    """A gate for `JobManager`: a file says which jobs wait, and from which share done on.

    The file lets a test open and shut the gate of a server that is another process.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def hold(self, title: str, share: float) -> None:
        """Let jobs whose title contains `title` stand still once that share of them is done."""
        written = self._file.with_suffix(".new")
        written.write_text(json.dumps([title, share]))
        written.replace(self._file)

    def open(self) -> None:
        """Let every job go on."""
        self._file.unlink(missing_ok=True)

    def __call__(self, job: Job) -> None:
        """Wait; a job that is paused or stopped meanwhile is let go."""
        while job.active and self._holds(job):
            time.sleep(0.02)

    def _holds(self, job: Job) -> bool:
        try:
            title, share = json.loads(self._file.read_text())
        except FileNotFoundError:
            return False
        return title in job.title and job.fraction >= share

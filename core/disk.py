"""The temporary folder of this process: its own while it lives; and what to say of a full disk.

A file in the folder is held locked. The system unlocks it when the process ends, in whatever way:
so a folder that can be locked is nobody's, and the next process removes it.
"""

import os
import shutil
import stat
import tempfile
import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import safetensors
import safetensors.numpy
from numpy.typing import NDArray

try:
    import fcntl
except ImportError:  # on Windows what a killed process leaves behind stays
    fcntl = None  # type: ignore[assignment]

_PREFIX, _OWNED = "convscope-", "owned"


class DiskError(ValueError):
    """Something could not be written or read; the message is one sentence for the reader."""


def remove_leftovers() -> None:
    """Remove the folders that processes which were killed could not remove themselves."""
    if fcntl is None:
        return
    try:
        folders = list(Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"))
    except OSError:  # there is no temporary folder
        return
    for folder in folders:
        if _is_left(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_left(folder: Path) -> bool:
    """Whether a process of this user made the folder, and has ended."""
    try:
        found, owned = folder.lstat(), (folder / _OWNED).lstat()
        if not (stat.S_ISDIR(found.st_mode) and stat.S_ISREG(owned.st_mode)):
            return False
        if found.st_uid != os.geteuid():
            return False
        with (folder / _OWNED).open() as file:
            return _lock(file.fileno())
    except OSError:
        return False


class _Home:
    """The folder of this process; removed when it ends in good order."""

    now: ClassVar["_Home | None"] = None
    changing = threading.Lock()

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        if fcntl is not None:
            unlocked = self.folder / "unlocked"
            _lock(os.open(unlocked, os.O_CREAT | os.O_RDWR))  # never closed: that would unlock it
            unlocked.rename(self.folder / _OWNED)  # so that nobody ever finds it unlocked


def new_folder(prefix: str) -> Path:
    """An empty folder in that of this process, which is made anew if somebody has removed it."""
    with _writing(), _Home.changing:
        if _Home.now is None or not _Home.now.folder.exists():
            remove_leftovers()
            _Home.now = _Home()
        return Path(tempfile.mkdtemp(dir=_Home.now.folder, prefix=prefix))


def _lock(descriptor: int) -> bool:
    """Lock the open file until it is closed or the process has ended; False if another has."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write a safetensors file whole or not at all. DiskError where it cannot be written."""
    unfinished = path.with_suffix(".part")
    with _writing():
        try:
            unfinished.write_bytes(safetensors.numpy.save(dict(arrays)))
            unfinished.replace(path)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise


@contextmanager
def _writing() -> Iterator[None]:
    """Turn what the system says of a disk into what can be done about it."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise DiskError(
            f"The weights of the run cannot be written to the server's disk ({reason}): "
            "free space in its temporary folder, or start the server with TMPDIR set to a folder "
            "that it can write to."
        ) from None


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """What `write_arrays` wrote. DiskError where it is gone or damaged."""
    try:
        return safetensors.numpy.load(path.read_bytes())
    except (OSError, safetensors.SafetensorError):
        raise DiskError(
            "The weights of the run cannot be read: their file in the server's temporary folder is "
            "gone or damaged. Choose another checkpoint, or train it again."
        ) from None

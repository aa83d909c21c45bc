"""What a visitor has, in one place: session keys, their defaults, and the runs and uploads."""

import functools
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from core.network.card import ModelCard

if TYPE_CHECKING:
    from core.training.runs import Run

MODEL = "model"
IMAGE = "image"
MORE = "more"
INK = "ink"
CLASS = "class"
TRAY = "_tray"
UPLOAD = "_upload"  # the file that the upload dialog has read last, and its picture
FIRST_MODEL = "model-1"
FIRST_IMAGE = 1  # the 2 that the first page shows before TensorFlow is loaded

_RUNS = "_runs"
_UPLOADS = "_uploads"
_KEPT = "_kept"
_DEFENDED = "_defended"
BEHIND = "~"  # between the key of a model and that of its defense, such as model-1~blur-1
MAX_RUNS = 8
MAX_OVERLAID = 5
MAX_UPLOADS = 5
MAX_KEPT = 5
MAX_DEFENDED = 5


@dataclass(frozen=True)
class ModelFile:
    """A model that a visitor brought or made: its file's bytes, checked, and its card."""

    key: str
    data: bytes
    card: ModelCard

    @functools.cached_property
    def digest(self) -> str:
        """The SHA-256 of the file."""
        return hashlib.sha256(self.data).hexdigest()


def runs() -> "list[Run]":
    """This visitor's runs, the oldest first."""
    found: list[Run] = st.session_state.setdefault(_RUNS, [])
    return found


def run_by_key(key: str) -> "Run | None":
    """The run that the model picker calls `key`, such as run-3."""
    return next((run for run in runs() if run_key(run) == key), None)


def run_key(run: "Run") -> str:
    """What a run is called in the URL."""
    return f"run-{run.number}"


def uploads() -> dict[str, ModelFile]:
    """This visitor's uploaded models by key, such as upload-1."""
    found: dict[str, ModelFile] = st.session_state.setdefault(_UPLOADS, {})
    return found


def kept() -> dict[str, ModelFile]:
    """Edited models and checkpoints that this visitor keeps, by key, such as edited-1."""
    found: dict[str, ModelFile] = st.session_state.setdefault(_KEPT, {})
    return found


def defended() -> dict[str, str]:
    """Titles of the defended models that this visitor has put on all pages, by their key."""
    found: dict[str, str] = st.session_state.setdefault(_DEFENDED, {})
    return found

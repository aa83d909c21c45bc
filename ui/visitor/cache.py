"""The caches of what pages compute: a result is kept under all that its function was given.

Streamlit compares most arguments by value; what it cannot read is told here, by the exact class.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import streamlit as st

F = TypeVar("F", bound=Callable[..., Any])


def _version(classifier: Any) -> str:
    return f"{classifier.version} {classifier.name}"


_TOLD = {
    "core.network.classifier.Classifier": _version,
    "core.defenses.defended.DefendedClassifier": _version,
    "ui.visitor.images.ChosenImage": lambda image: image.key,
    "core.training.runs.Run": lambda run: run.id,
}


def cached(entries: int) -> Callable[[F], F]:
    """Keep the latest `entries` results of a function in this process, as they are: never copied.

    Its arguments may hold classifiers, chosen images and runs.
    """
    return cast(
        Callable[[F], F],
        st.cache_resource(max_entries=entries, show_spinner=False, hash_funcs=_TOLD),
    )

"""The data sets that there are: one row each. MNIST is the one that everything begins with."""

import copyreg
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.data.dataset import Dataset
from core.data.mnist import load_mnist
from core.data.spec import MNIST, DatasetSpec


@dataclass(frozen=True)
class Source:
    """A data set before it is read: `load` reads it once per process, or raises DataError."""

    spec: DatasetSpec
    load: Callable[[], Dataset]


SETS = {MNIST.key: Source(MNIST, load_mnist)}


def source(key: str) -> Source:
    """The data set of that key. Raises ValueError with one sentence if there is none."""
    if key not in SETS:
        raise ValueError(f"There is no data set {key!r}: choose of {', '.join(SETS)}.")
    return SETS[key]


def _load(key: str) -> Dataset:
    return source(key).load()


def _pickled(dataset: Dataset) -> Any:
    """One that is here, whole, travels as its key: the process at the other end has it, too."""
    key = dataset.spec.key
    if key in SETS and SETS[key].load() is dataset:
        return _load, (key,)
    return dataset.__reduce_ex__(4)


copyreg.pickle(Dataset, _pickled)

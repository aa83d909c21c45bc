"""Cached calls into core, keyed by the version of the classifier.

TensorFlow takes seconds to load, so core's modules that need it are imported when they are used.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from core.arrays import ByteArray, FloatArray, IntArray, to_float
from core.data.dataset import DataError, Dataset, Split
from core.data.mnist import load_mnist, load_test, load_test_labels
from core.data.spec import MNIST, DatasetSpec
from core.network.architecture import Architecture
from core.network.card import ModelCard
from core.work import here
from core.zoo import models as zoo
from ui import text
from ui.show import error_box
from ui.visitor import garbage, own_sets, state, waiting
from ui.visitor.cache import cached

if TYPE_CHECKING:
    from core.network.classifier import Classifier
    from core.network.evaluation import Evaluation
    from core.network.model import LayerInfo
    from core.training.runs import Run

T = TypeVar("T")


@st.cache_data
def shipped_cards() -> dict[str, ModelCard]:
    """The cards of the shipped models by name; needs no TensorFlow."""
    return {card.name: card for card in zoo.available_models()}


@st.cache_data
def left_out() -> list[str]:
    """One sentence for each shipped model whose file is missing or damaged."""
    return zoo.left_out()


WARM_UP_DELAY = 2.0  # seconds: importing TensorFlow would hold up the first page on its way


def spec(key: str) -> DatasetSpec:
    """The data set of the model that the picker calls `key`; needs no TensorFlow."""
    bare, _, _ = key.partition(state.BEHIND)
    if run := state.run_by_key(bare):
        return run.dataset.spec
    file = state.uploads().get(bare) or state.kept().get(bare)
    return file.card.spec if file else _shipped_specs().get(bare, MNIST)


@st.cache_resource(show_spinner=False)
def _shipped_specs() -> dict[str, DatasetSpec]:
    """Asked for many times in a run of a page, which would copy the cards each time."""
    return {name: card.spec for name, card in shipped_cards().items()}


def check_here(spec: DatasetSpec) -> None:
    """Raise ValueError unless the images are here that a specification describes."""
    here = own_sets.here()
    if spec.key not in here or here[spec.key].spec != spec:
        names = text.listed(each.spec.name for each in here.values())
        raise ValueError(
            f"The network reads {spec.name}, and those images are not here: take one that reads "
            f"{names}."
        )


def dataset(spec: DatasetSpec) -> Dataset:
    """The images that a specification describes, or one sentence and the end of this run."""
    try:
        check_here(spec)
        return own_sets.here()[spec.key].load()
    except (DataError, ValueError) as error:
        error_box(error)
        st.stop()


def test_labels(spec: DatasetSpec) -> ByteArray:
    """The labels of the test images, which the header needs before anything else."""
    if spec != MNIST:
        return test_split(spec).labels
    return _of_mnist(load_test_labels)


def test_split(spec: DatasetSpec) -> Split:
    """The test images of `dataset`; of MNIST they are read without the 47 MB for training."""
    return dataset(spec).test if spec != MNIST else _of_mnist(load_test)


def _of_mnist(load: Callable[[], T]) -> T:
    try:
        return load()
    except DataError as error:
        error_box(error)
        st.stop()


def warm_up() -> None:
    """Load TensorFlow and the first model behind the page that is already on the screen."""
    _once(_load_first)


def warm_up_training() -> None:
    """Have what takes seconds and 200 MB of a first training behind us where one is likely.

    That is its first step, or that there is something to fork a worker from.
    """
    if workers := here.workers():
        workers.supervisor.start()
    else:
        _once(_train_first)


_warm_up_lock = threading.Lock()
_warm_up_started: set[Callable[[], None]] = set()


def _once(work: Callable[[], None]) -> None:
    with _warm_up_lock:
        if work not in _warm_up_started:
            _warm_up_started.add(work)
            threading.Timer(WARM_UP_DELAY, work).start()


def _load_first() -> None:
    import numpy as np

    from core.disk import remove_leftovers

    remove_leftovers()
    with contextlib.suppress(ValueError):  # of a damaged file: the pages say so
        zoo.load_once(state.FIRST_MODEL).logits(np.zeros((1, *MNIST.shape), np.float32))
    garbage.watch()


def _train_first() -> None:
    from core.network.architecture import MODEL_1
    from core.training.loop import train
    from core.training.settings import TrainingSettings

    one_step = TrainingSettings(epochs=1, training_images=64)
    with contextlib.suppress(DataError):  # of a damaged file: the page says so
        for _ in train(MODEL_1, load_mnist(), one_step):
            pass


def classifier(key: str) -> "Classifier":
    """The classifier that the picker calls `key`; one sentence and the end if it is broken."""
    bare, _, defense = key.partition(state.BEHIND)
    try:
        if defense:
            behind = classifier(bare)
            return _defended_classifier(behind.version, behind.name, defense, behind)
        if run := state.run_by_key(key):
            return run_classifier(run, run.checkpoints.steps[-1])
        if file := state.uploads().get(key) or state.kept().get(key):
            return _filed_classifier(file.digest, file.data)
        return zoo.load_once(key)
    except ValueError as error:
        error_box(error)
        st.stop()


@cached
def _defended_classifier(
    version: str, name: str, defense: str, _bare: "Classifier"
) -> "Classifier":
    """Equal weights may have come in two files, with a title each."""
    from core.defenses.defended import DefendedClassifier, defense_of

    return DefendedClassifier(_bare, defense_of(defense))


def run_classifier(run: "Run", step: int) -> "Classifier":
    """The classifier at a run's checkpoint."""
    return _run_classifier(run.id, step, run)


@cached
def _run_classifier(run_id: int, step: int, _run: "Run") -> "Classifier":
    return _run.classifier(step)


@cached
def _filed_classifier(digest: str, _data: bytes) -> "Classifier":
    from core.network.classifier import Classifier
    from core.network.model import deserialize_model

    model, card = deserialize_model(_data)
    return Classifier(model, name=card.title, spec=card.spec)


def card(key: str) -> ModelCard:
    """The card of the model that the picker calls `key`; of a defended one, the bare network's."""
    key, _, _ = key.partition(state.BEHIND)
    if run := state.run_by_key(key):
        step = run.checkpoints.steps[-1]
        test = checkpoint_evaluation(run, step).accuracy
        model = run_classifier(run, step)
        return run.card(step, test, model.version, model.model.count_params())
    if file := state.uploads().get(key) or state.kept().get(key):
        return file.card
    return shipped_cards()[key]


def test_evaluation(classifier: "Classifier") -> "Evaluation":
    """The classifier's answers to all test images."""
    return _test_evaluation(classifier.version, classifier)


@cached
def _test_evaluation(version: str, _classifier: "Classifier") -> "Evaluation":
    from core.network.evaluation import evaluate

    test = test_split(_classifier.spec)
    return evaluate(_classifier, to_float(test.images), test.labels)


def checkpoint_evaluation(run: "Run", step: int) -> "Evaluation":
    """The answers of a run's checkpoint to the 2,000 test images that score a training."""
    return _checkpoint_evaluation(run.id, step, run)


@cached
def _checkpoint_evaluation(run_id: int, step: int, _run: "Run") -> "Evaluation":
    return _run.evaluate(step)


@cached
def _checkpoint_probabilities(
    run_id: int, step: int, image_key: str, _run: "Run", _image: FloatArray
) -> FloatArray:
    from core.network.classifier import softmax

    return softmax(_run.logits(step, _image))[0]


def checkpoint_probabilities(run: "Run", step: int, key: str, image: FloatArray) -> FloatArray:
    """Float32 [classes]: what a run's checkpoint says of the one image called `key`."""
    return _checkpoint_probabilities(run.id, step, key, run, image)


def first_test_images(spec: DatasetSpec, count: int) -> tuple[FloatArray, IntArray]:
    """The first `count` (up to 1,000) test images float32 [n, side, side, channels]; classes."""
    images, labels = _first_test_images(spec)
    return images[:count], labels[:count]


@cached
def _first_test_images(spec: DatasetSpec) -> tuple[FloatArray, IntArray]:
    """Once in memory, for the measurements of all visitors."""
    first = test_split(spec).first(1_000)
    images = to_float(first.images)
    images.flags.writeable = False  # whoever holds some of them does not hold all
    return images, first.labels.astype("int64")


@cached
def nearest_real(spec: DatasetSpec, key: str, _image: FloatArray) -> FloatArray:
    """The L2 from the one image called `key` to the nearest test image of each class."""
    from core.data.neighbors import nearest_by_class

    test, classes = test_split(spec), len(spec.classes)
    return nearest_by_class(_image, test.images, test.labels, classes=classes)


def layers(architecture: Architecture) -> "list[LayerInfo]":
    """The layer table of an architecture, computed from a model built for it."""
    return _layers(architecture)


@cached
def _layers(architecture: Architecture) -> "list[LayerInfo]":
    from core.network.model import build_model, layer_table

    return layer_table(build_model(architecture))


MAX_INLINE_WORK = 100_000  # looks that one visitor may wait for at once
_LOOKS_A_SECOND = 10_000  # images through Model 1, on two cores of 2025


def seconds_of(looks: float) -> float:
    """How long so many looks take, roughly."""
    return looks / _LOOKS_A_SECOND


def check_inline(what: str, work: int, classifier: "Classifier") -> None:
    """Raise ValueError if it is above what a visitor may wait for.

    work: images × iterations, each a look at the classifier; each counts as what it costs.
    """
    looks = round(work * classifier.looks)
    cheaper = ", or a cheaper model" if classifier.looks >= 2 else ""
    if looks > MAX_INLINE_WORK:
        raise ValueError(
            f"{what} takes {looks:,} images × iterations, above {MAX_INLINE_WORK:,}: choose fewer "
            f"images or iterations{cheaper}."
        )


def or_its_sentence(what: str, work: int, classifier: "Classifier") -> None:
    """Go on if a visitor may wait for it; else say so and end this run."""
    try:
        check_inline(what, work, classifier)
    except ValueError as error:
        error_box(error)
        st.stop()


@contextlib.contextmanager
def inline(what: str, work: int, classifier: "Classifier") -> Iterator[None]:
    """An attack that runs while its visitor waits, and sees the place in the line before it.

    Arguments and errors as of `check_inline`.
    """
    check_inline(what, work, classifier)
    with waiting.in_line(what, work * classifier.looks, 1 / _LOOKS_A_SECOND):
        yield

"""Chunks on workers that answer when the test says so: order, stop, going on, and failure."""

import pickle
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest

from core.arrays import to_float
from core.attacks.catalog import attack
from core.data.dataset import Split
from core.data.mnist import Dataset
from core.defenses.defended import DefendedClassifier, defense_of
from core.failures import WorkerLost
from core.inspection.catalog import METHODS
from core.network.classifier import Classifier
from core.studies.certified_study import CertifiedStudy
from core.studies.detection_study import DetectionStudy
from core.studies.fidelity_study import FidelityStudy
from core.studies.grid import Budget, Grid, Row
from core.studies.masking import MaskingStudy
from core.studies.repeated import NoiseStudy, SourceStudy
from core.studies.robustness_curve import CurveStudy
from core.studies.scoreboard import GOALS, Scoreboard
from core.studies.smallest_study import SmallestStudy
from core.studies.smoothing_study import SmoothingStudy
from core.work.chunks import HERE, AnyWorkers, Chunk, WorkersGone, work_on
from core.work.parcels import Parcel, opened, packed
from core.work.pool import Workers
from tests.core.work.held import Collected, broken
from ui.views.attribution.maps import defaults, maps_of

STEPS = {"learning_rate": 0.02, "iterations": 2}


class Patient:
    """Workers that do nothing by themselves."""

    places = 3

    def __init__(self) -> None:
        self.futures: list[Future[Any]] = []

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Future[Any]:
        self.futures.append(Future())
        return self.futures[-1]


class Elsewhere:
    """Workers behind a wall: only bytes go through, and a network goes once."""

    places = 1

    def __init__(self) -> None:
        self.sent: dict[str, bytes] = {}

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Future[Any]:
        parcel, shared = packed(function, arguments)
        assert len(pickle.dumps(parcel)) < 600_000, "the weights are not in it"
        for each in shared:
            self.sent.setdefault(each.digest, pickle.dumps(each))
        needs = [self.sent[digest] for digest in parcel.needs]
        return HERE.submit(lambda: pickle.loads(pickle.dumps(opened(parcel, *needs))))


def _chunks(count: int) -> list[Chunk]:
    return [Chunk(number, divmod, (number, 2)) for number in range(count)]


def test_results_are_taken_in_in_their_order_and_no_more_are_given_than_there_are_places() -> None:
    workers, into = Patient(), Collected()
    work = work_on(_chunks(7), into, workers)
    assert next(work) == 0
    assert len(workers.futures) == 3
    for number in (2, 1):
        workers.futures[number].set_result("early")
        assert next(work) == 0
    assert len(workers.futures) == 5, "two wait for the first: their places are given away"
    workers.futures[3].set_result("early")
    assert next(work) == 0
    assert len(workers.futures) == 5, "no more than that"
    workers.futures[0].set_result("first")
    assert [next(work) for _ in range(4)] == pytest.approx([1 / 7, 2 / 7, 3 / 7, 4 / 7])
    assert list(into.results) == [0, 1, 2, 3]
    next(work)
    for future in workers.futures[4:]:
        future.set_result("last")
    assert list(work)[-1] == 1
    assert len(into.results) == 7


def test_a_stop_cancels_and_a_second_start_goes_on() -> None:
    workers, into = Patient(), Collected()
    work = work_on(_chunks(4), into, workers)
    next(work)
    workers.futures[1].set_result("kept")
    next(work)
    work.close()
    assert [future.cancelled() for future in workers.futures] == [True, False, True, True]
    shares = list(work_on(_chunks(4), into, HERE))
    assert shares == pytest.approx([0.5, 0.75, 1.0])
    assert into.results == {0: (0, 0), 1: "kept", 2: (1, 0), 3: (1, 1)}
    assert list(work_on(_chunks(4), into, HERE)) == []


def test_what_workers_left_behind_is_given_anew() -> None:
    workers, into = Patient(), Collected()
    work = work_on(_chunks(1), into, workers)
    next(work)
    workers.futures[0].set_exception(WorkersGone("They are gone."))
    assert next(work) == 0
    next(work)
    workers.futures[1].set_result("done")
    assert next(work) == 1
    assert into.results == {0: "done"}


def test_a_chunk_whose_worker_dies_is_tried_once_more() -> None:
    workers, into = Patient(), Collected()
    work = work_on(_chunks(2), into, workers)
    next(work)
    workers.futures[0].set_exception(WorkerLost("It died."))
    next(work)
    next(work)
    workers.futures[2].set_result("again")
    workers.futures[1].set_exception(WorkerLost("It died."))
    next(work)
    next(work)
    assert into.results == {0: "again"}
    workers.futures[3].set_exception(WorkerLost("It died, too."))
    with pytest.raises(WorkerLost, match="It died, too"):
        next(work)


def test_a_chunk_that_fails_ends_the_work_and_the_others() -> None:
    workers = Patient()
    work = work_on([Chunk(0, broken, (0,)), *_chunks(2)], Collected(), workers)
    next(work)
    workers.futures[0].set_exception(ValueError("Ask for another."))
    with pytest.raises(ValueError, match="Ask for another"):
        next(work)
    assert [future.cancelled() for future in workers.futures] == [False, True, True]
    with pytest.raises(ValueError, match="Chunk 0 cannot be done: ask for another"):
        list(work_on([Chunk(0, broken, (0,))], Collected()))


def test_another_version_of_the_program_is_refused() -> None:
    parcel, _ = packed(divmod, (7, 2))
    assert opened(parcel) == (3, 1)
    with pytest.raises(ValueError, match="runs another version of Convscope"):
        opened(Parcel(parcel.content, (), "0" * 16))


Begun = tuple[Any, tuple[Any, ...], Mapping[str, Any]]


def _studies(classifier: Classifier, images: np.ndarray, labels: np.ndarray) -> dict[str, Begun]:
    """Every kind, over more images than one chunk has where that is quick."""
    some, defended = (images[:3], labels[:3]), DefendedClassifier(classifier, defense_of("blur-1"))
    defended = pickle.loads(pickle.dumps(defended))
    pixels = np.rint(images * 255).astype(np.uint8)[..., 0]
    rows = Row("none", "None", classifier), Row("blur-1", "Blur", defended)
    return {
        "scoreboard": (
            Scoreboard(attack("PGD"), {"iterations": 2}, GOALS[1], 30),
            (classifier, images, labels), {},
        ),
        "smallest": (SmallestStudy(3), (classifier, *some), {"method": "FGSM"}),
        "smoothing": (SmoothingStudy(3), (classifier, *some), {"sigma": 0.5, "copies": 20}),
        "certified": (CertifiedStudy(3, (0.0, 0.1)), (classifier, *some), {"iterations": 2}),
        "fidelity": (FidelityStudy(3), (classifier, some[0], maps_of(defaults())), {}),
        "noise": (
            NoiseStudy((1, 7), 3), (classifier,),
            {"mean": 0.5, "stddev": 0.05, "objective": "logit", **STEPS},
        ),
        "source": (SourceStudy(3), (classifier, *some), {"start": "noise", **STEPS}),
        "detection": (
            DetectionStudy(3, "Feature squeezing", 0.3),
            (classifier, Split(pixels, labels.astype(np.uint8))), {"iterations": 2},
        ),
        "grid": (
            Grid(classifier, classifier, rows, images[:9], labels[:9],
                 Budget(iterations=2, queries=3)), (), {},
        ),
        "masking": (
            MaskingStudy(classifier, 5, queries=3, source=classifier),
            (images[:5], labels[:5]), {},
        ),
        "curve": (
            CurveStudy({"a": classifier, "b": defended}, "linf", (0, 0.1), 3, iterations=2),
            some, {},
        ),
    }  # fmt: skip


def _arrays(found: Any, path: str = "") -> dict[str, np.ndarray]:
    """Every array in what a study has found, however deep; how long it took is its own."""
    if isinstance(found, np.ndarray):
        return {} if path.endswith(".seconds") else {path: found}
    if isinstance(found, Mapping):
        inside = {str(key): each for key, each in found.items()}
    elif isinstance(found, list | tuple):
        inside = {str(number): each for number, each in enumerate(found)}
    elif isinstance(found, Classifier) or not hasattr(found, "__dataclass_fields__"):
        return {}
    else:
        inside = vars(found)
    return {
        name: array
        for key, each in inside.items()
        for name, array in _arrays(each, f"{path}.{key}").items()
    }


@pytest.fixture(scope="module")
def digits(mnist: Dataset) -> tuple[np.ndarray, np.ndarray]:
    return to_float(mnist.test.images[:30]), mnist.test.labels[:30].astype(np.int64)


def _worked(begun: Begun, workers: AnyWorkers) -> Any:
    study, given, settings = begun
    assert list(study.work(*given, workers=workers, **settings))[-1] == pytest.approx(1)
    return study


def test_every_study_finds_the_same_elsewhere_to_the_last_bit(
    model_1: Classifier, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    elsewhere, network = Elsewhere(), pickle.loads(pickle.dumps(model_1))  # one set of graphs
    here, there = (_studies(network, *digits) for _ in range(2))
    pairs = zip(here.items(), there.values(), strict=True)
    for (name, one), other in pairs:
        arrays, others = (
            _arrays(vars(_worked(begun, workers)))
            for begun, workers in ((one, HERE), (other, elsewhere))
        )
        assert arrays.keys() == others.keys()
        assert arrays, name
        for path, array in arrays.items():
            np.testing.assert_array_equal(others[path], array, err_msg=f"{name} {path}")
    assert len(elsewhere.sent) == 1, "the network went once, with and without a defense"
    assert set(METHODS) <= set(maps_of(defaults()))


def test_worker_processes_find_the_same_to_the_last_bit(
    model_1: Classifier, digits: tuple[np.ndarray, np.ndarray], workers: Workers
) -> None:
    boards = [Scoreboard(attack("FGSM"), {}, GOALS[1], 30) for _ in range(2)]
    here, there = (
        _arrays(vars(_worked((board, (model_1, *digits), {}), where)))
        for board, where in zip(boards, (HERE, workers), strict=True)
    )
    for path, array in here.items():
        np.testing.assert_array_equal(there[path], array, err_msg=path)

"""Where there is no gradient to follow, whoever attacked says so."""

import numpy as np
import pytest

from core.arrays import FloatArray, IntArray, to_float
from core.attacks.catalog import attack
from core.attacks.loss_surface import input_gradients, without_gradient
from core.backend import keras
from core.data.mnist import Dataset
from core.defenses.adaptive import views
from core.defenses.defended import DefendedClassifier, defense_of
from core.defenses.filters import KINDS, Filter
from core.network.classifier import Classifier
from core.studies.grid import ADAPTIVE, STATIC, Budget, Grid, Row
from core.studies.robustness_curve import CurveStudy
from core.studies.scoreboard import GOALS, Scoreboard
from core.studies.smallest_study import SmallestStudy
from tests.core.linear import scaled

COUNT = 10


@pytest.fixture(scope="module")
def digits(mnist: Dataset) -> tuple[FloatArray, IntArray]:
    return to_float(mnist.test.images[:COUNT]), mnist.test.labels[:COUNT].astype(np.int64)


@pytest.fixture(scope="module")
def dead(model_1: Classifier) -> Classifier:
    """Model 1 with a hidden layer that is silent on every image: its logits are constant."""
    model = keras.models.clone_model(model_1.model)
    model.set_weights(model_1.model.get_weights())
    kernel, bias = model.get_layer("dense1").get_weights()
    model.get_layer("dense1").set_weights([kernel, np.full_like(bias, -1e6)])
    return Classifier(model, name="dead")


def test_sure_is_not_without_gradient(
    linear: Classifier, digits: tuple[FloatArray, IntArray]
) -> None:
    images, labels = digits
    assert not without_gradient([scaled(linear, 1_000)], images, labels).any()


def test_silent_units_and_steps_are(
    model_1: Classifier, dead: Classifier, digits: tuple[FloatArray, IntArray]
) -> None:
    images, labels = digits
    stepped = DefendedClassifier(model_1, [Filter("threshold", 0.5)], stand_in="none")
    for each in (dead, stepped):
        assert without_gradient([each], images, labels).all()
    assert not without_gradient(views(stepped), images, labels).any(), "a stand-in has one"
    assert not without_gradient([dead, model_1], images, labels).any()
    assert without_gradient([dead], images[:0], labels[:0]).shape == (0,)


@pytest.mark.parametrize(
    "key",
    [
        *(f"{kind.name}-{kind.default:g}" for kind in KINDS.values()),
        "autoencoder",
        "projection-2x2",
        "blur-1+projection-2x1+threshold-0.5",
    ],
)
def test_every_part_is_asked(
    model_1: Classifier, digits: tuple[FloatArray, IntArray], key: str
) -> None:
    images, labels = digits[0][:2], digits[1][:2]
    defended = DefendedClassifier(model_1, defense_of(key))
    for gradient in input_gradients(defended, images, labels, (labels + 1) % 10):
        assert gradient.shape == images.shape
        assert np.isfinite(gradient).all()
        assert np.any(gradient, axis=(1, 2, 3)).all()
    assert not without_gradient([defended], images, labels).any()


def test_every_study_says_so(
    model_1: Classifier, dead: Classifier, digits: tuple[FloatArray, IntArray]
) -> None:
    images, labels = digits
    for name, expected in (("FGSM", COUNT), ("One pixel", 0)):
        quick = {"population": 4, "generations": 0} if name == "One pixel" else {}
        board = Scoreboard(attack(name), quick, GOALS[0], COUNT)
        list(board.work(dead, images, labels))
        assert board.flat.successes == expected
    study = SmallestStudy(COUNT)
    list(study.work(dead, images, labels.astype(np.uint8), method="FGSM"))
    assert study.found.flat.all()
    curves = CurveStudy({"alive": model_1, "dead": dead}, "linf", (0, 0.1), COUNT, iterations=1)
    list(curves.work(images, labels))
    assert [bool(each.flat.any()) for each in curves.curves] == [False, True]


def test_a_grid_says_so_of_the_attack_that_knows(
    model_1: Classifier, dead: Classifier, digits: tuple[FloatArray, IntArray]
) -> None:
    images, labels = digits
    rows = (Row("alive", "Alive", model_1), Row("dead", "Dead", dead))
    grid = Grid(model_1, dead, rows, images, labels, Budget(iterations=1, queries=1))
    list(grid.work())
    assert grid.cells["dead", ADAPTIVE].flat.all()
    assert not grid.cells["alive", ADAPTIVE].flat.any()
    assert not len(grid.cells["dead", STATIC].flat)

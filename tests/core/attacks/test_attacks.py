"""Every attack under the same invariants, and what is known in closed form."""

import inspect
from typing import Any

import numpy as np
import pytest

from core.arrays import FloatArray, IntArray, to_float
from core.attacks.catalog import ATTACKS, Attack, attack
from core.attacks.geometry import Ball, random_start
from core.attacks.goals import Goal, Targeted, Untargeted
from core.attacks.gradient import fgsm, momentum, pgd
from core.attacks.result import AttackResult, result_of
from core.catalog import Dial, Value
from core.data.mnist import Dataset
from core.network.classifier import Classifier
from tests.core.linear import gray_images
from tests.sizes import SIDE

# Settings under which an attack that is slow by itself is quick enough to be run many times.
_QUICK: dict[str, dict[str, Value]] = {
    "APGD": {"iterations": 20},
    "DDN": {"iterations": 20},
    "Carlini–Wagner": {"binary_search_steps": 2, "iterations": 20},
    "JSMA": {"pixels": 20},
    "One pixel": {"population": 20, "generations": 5},
    "Square": {"queries": 100},
    "Worst case": {"iterations": 10, "queries": 20},
}
_NAMES = list(ATTACKS)
_BALLS = {"linf": 0.15, "l2": 1.5}
_ROUNDING = 1e-5


@pytest.fixture(scope="module")
def digits(mnist: Dataset) -> tuple[FloatArray, IntArray]:
    """Test images 0 to 31, among them number 8, which model-1 misreads."""
    return to_float(mnist.test.images[:32]), mnist.test.labels[:32].astype(np.int64)


def settings_of(name: str, norm: str = "linf", epsilon: float | None = None) -> dict[str, Value]:
    """What an attack is tested with: quick, and in a ball if it stays in one."""
    ball = {"epsilon": _BALLS[norm] if epsilon is None else epsilon, "norm": norm}
    return _QUICK.get(name, {}) | (ball if attack(name).bounded else {})


def other_classes(labels: IntArray) -> IntArray:
    return (labels + 3) % 10


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize(
    ("name", "norm"),
    [
        (each.name, norm)
        for each in ATTACKS.values()
        for norm in (_BALLS if each.bounded else ["l2"])
    ],
)
def test_invariants(
    model_1: Classifier, digits: tuple[FloatArray, IntArray], name: str, norm: str, targeted: bool
) -> None:
    images, labels = digits
    goal: Goal = Targeted(other_classes(labels)) if targeted else Untargeted(labels)
    untouched = images.copy()
    result, again = (
        attack(name)(model_1, images, goal, settings_of(name, norm), record=record)
        for record in (False, True)
    )
    assert (images == untouched).all()
    assert result.adversarial.dtype == np.float32
    assert result.adversarial.shape == images.shape
    assert 0 <= result.adversarial.min() <= result.adversarial.max() <= 1
    if attack(name).bounded:
        distance = result.linf if norm == "linf" else result.l2
        assert (distance <= _BALLS[norm] + _ROUNDING).all()
    assert (result.adversarial == again.adversarial).all()
    predicted = model_1.predict(result.adversarial)
    wanted = predicted == goal.classes if targeted else predicted != goal.classes
    assert (result.succeeded == wanted).all()
    before = model_1.predict(images)
    at_goal = before == goal.classes if targeted else before != goal.classes
    assert (result.right_before == ~at_goal).all()
    assert (result.adversarial[at_goal] == images[at_goal]).all()
    assert result.success.total == (~at_goal).sum()
    assert result.standing.total == len(images)
    assert again.trajectory is not None
    assert (again.trajectory.images[0] == images).all()
    assert (again.trajectory.result == result.adversarial).all()


@pytest.mark.parametrize("name", [each.name for each in ATTACKS.values() if each.bounded])
def test_nothing_changes_at_radius_0(
    model_1: Classifier, digits: tuple[FloatArray, IntArray], name: str
) -> None:
    images, labels = digits
    still = attack(name)(model_1, images, Untargeted(labels), settings_of(name, epsilon=0.0))
    assert (still.adversarial == images).all()
    assert still.success.successes == 0


@pytest.mark.parametrize("name", _NAMES)
def test_no_images_are_no_result(model_1: Classifier, name: str) -> None:
    images, goal = np.zeros((0, SIDE, SIDE, 1), np.float32), Untargeted(np.zeros(0, np.int64))
    for record in (False, True):
        empty = attack(name)(model_1, images, goal, settings_of(name), record=record)
        assert empty.adversarial.shape == images.shape
        assert empty.success.total == 0


@pytest.mark.parametrize("name", _NAMES)
def test_the_true_class_as_target_is_there_already(
    model_1: Classifier, digits: tuple[FloatArray, IntArray], name: str
) -> None:
    images, labels = digits
    result = attack(name)(model_1, images[:4], Targeted(labels[:4]), settings_of(name))
    assert (result.adversarial == images[:4]).all()
    assert result.succeeded.all()
    assert result.success.total == 0


@pytest.mark.parametrize("name", _NAMES)
def test_bad_images_are_one_sentence(linear: Classifier, name: str) -> None:
    goal = Untargeted(np.array([1]))
    with pytest.raises(ValueError, match="clip them first"):
        attack(name)(linear, np.full((1, SIDE, SIDE, 1), np.nan, np.float32), goal)
    with pytest.raises(ValueError, match="The goal is for 1 images, and there are 2"):
        attack(name)(linear, np.zeros((2, SIDE, SIDE, 1), np.float32), goal)


def test_an_unknown_attack_is_refused() -> None:
    with pytest.raises(ValueError, match="There is no attack 'Guess': choose of FGSM, PGD"):
        attack("Guess")


def test_one_step_on_a_linear_model_is_known(linear: Classifier) -> None:
    """The cross-entropy's gradient is Σ p_k w_k − w_y; the step goes along its sign."""
    random = np.random.default_rng(5)
    image = (0.5 + 0.001 * random.standard_normal((1, SIDE, SIDE, 1))).astype(np.float32)
    label = linear.predict(image)
    weights = linear.model.layers[-1].get_weights()[0]
    gradient = (weights @ linear.probabilities(image)[0] - weights[:, label[0]]).reshape(SIDE, SIDE)
    p = float(linear.probabilities(image)[0, label[0]])
    assert p < 1, "the gradient would vanish"
    for norm, direction in (
        ("linf", np.sign(gradient)),
        ("l2", gradient / np.linalg.norm(gradient)),
    ):
        result = fgsm(linear, image, Untargeted(label), epsilon=0.01, norm=norm)
        expected = image[0, ..., 0] + 0.01 * direction
        assert result.adversarial[0, ..., 0] == pytest.approx(expected, abs=1e-5)


def test_many_steps_beat_one_image_by_image(model_1: Classifier, mnist: Dataset) -> None:
    images = to_float(mnist.test.images[:200])
    goal = Untargeted(mnist.test.labels[:200].astype(np.int64))
    one = fgsm(model_1, images, goal, epsilon=0.2)
    many = pgd(model_1, images, goal, epsilon=0.2, step_size=0.02, random_start=False)
    assert (many.succeeded | ~one.succeeded).mean() >= 0.99
    assert many.success.value > one.success.value


def test_strength(model_1: Classifier, mnist: Dataset) -> None:
    """What is known of a plain model: PGD at 0.3 leaves nothing, at 0.02 nearly everything."""
    images = to_float(mnist.test.images[:200])
    goal = Untargeted(mnist.test.labels[:200].astype(np.int64))
    assert pgd(model_1, images, goal).success.value == 1
    within = pgd(model_1, images, goal, norm="l2", epsilon=2.0, step_size=0.1, random_start=False)
    assert within.success.value >= 0.8
    assert pgd(model_1, images, goal, epsilon=0.02).success.value <= 0.2


def test_restarts_only_add(model_1: Classifier, mnist: Dataset) -> None:
    images = to_float(mnist.test.images[:200])
    goal = Untargeted(mnist.test.labels[:200].astype(np.int64))
    once, often = (
        pgd(model_1, images, goal, epsilon=0.08, iterations=10, restarts=restarts)
        for restarts in (1, 4)
    )
    assert (often.succeeded | ~once.succeeded).all()


def test_no_slider_retraces(model_1: Classifier, digits: tuple[FloatArray, IntArray]) -> None:
    images, labels = digits
    for count, epsilon, step_size, iterations in ((3, 0.1, 0.01, 2), (20, 0.3, 0.05, 7)):
        for goal in (Untargeted(labels[:count]), Targeted(other_classes(labels[:count]))):
            pgd(
                model_1, images[:count], goal,
                epsilon=epsilon, step_size=step_size, iterations=iterations,
            )  # fmt: skip
            momentum(model_1, images[:count], goal, epsilon=epsilon, decay=step_size)
    assert model_1._compiled["ascend/linf"].experimental_get_tracing_count() == 1


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_random_starts_fill_the_ball(norm: str) -> None:
    center = gray_images(400)  # that are not equal, because equal ones begin at the same point
    change = random_start(center, Ball(0.2, norm), seed=0) - center
    size = np.abs(change).max(axis=(1, 2, 3)) if norm == "linf" else np.linalg.norm(
        change.reshape(400, -1), axis=1
    )  # fmt: skip
    assert size.max() <= 0.2 + _ROUNDING
    assert size.min() >= 0.19  # in 784 dimensions nearly all of a ball lies at its surface
    assert change.mean() == pytest.approx(0, abs=1e-3)


def test_an_attack_is_not_believed(
    model_1: Classifier, digits: tuple[FloatArray, IntArray]
) -> None:
    images, labels = digits
    result = result_of(model_1, "none", images, images, Untargeted(labels))
    assert result.success.successes == 0
    with pytest.raises(ValueError, match="clip them first"):
        result_of(model_1, "bad", images, images * np.nan, Untargeted(labels))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"epsilon": -0.1}, "Epsilon is -0.1, outside 0 to 28"),
        ({"epsilon": np.nan}, "Epsilon is nan"),
        ({"norm": "l1"}, "The norm is 'l1', not one of linf, l2"),
        ({"step_size": -1.0}, "The step size is -1"),
        ({"iterations": 0}, "The number of iterations is 0, outside 1 to 2000"),
        ({"restarts": 0}, "The number of restarts is 0"),
        ({"images": np.full((1, SIDE, SIDE, 1), np.nan, np.float32)}, "clip them first"),
        ({"goal": Untargeted(np.array([1, 2]))}, "The goal is for 2 images, and there are 1"),
    ],
)
def test_bad_values_are_one_sentence(
    linear: Classifier, change: dict[str, object], sentence: str
) -> None:
    good = {
        "images": np.zeros((1, SIDE, SIDE, 1), np.float32),
        "goal": Untargeted(np.array([1])),
    }
    with pytest.raises(ValueError, match=sentence):
        pgd(linear, **(good | change))  # type: ignore[arg-type]


def test_a_goal_of_eleven_is_refused(linear: Classifier) -> None:
    image = np.zeros((1, SIDE, SIDE, 1), np.float32)
    with pytest.raises(ValueError, match="The class is 11, outside 0 to 9"):
        pgd(linear, image, Targeted(np.array([11])))
    with pytest.raises(ValueError, match="The class is -1, below 0"):
        Targeted(np.array([-1]))


def wander(
    classifier: Classifier,
    images: FloatArray,
    goal: Goal,
    *,
    walks: int = 700,
    record: bool = False,
) -> AttackResult:
    """An attack that no list knows: as many steps anywhere as it is told."""
    found = images
    for walk in range(walks):
        noise = np.random.default_rng(walk).uniform(-0.01, 0.01, images.shape)
        found = np.clip(found + noise, 0, 1).astype(np.float32)
    return result_of(
        classifier, "Wander", images, found, goal, frames=found[None] if record else None,
        walks=walks,
    )  # fmt: skip


def entered(**fields: Any) -> Attack:
    return Attack(
        **{
            "name": "Wander",
            "run": wander,
            "summary": "Here and there.",
            "purpose": "For a test.",
            "source": "Nobody",
            "dials": {"walks": Dial("Walks", 1, 1_000_000, 1)},
            "looks": lambda walks: walks,
            **fields,
        }
    )


def test_an_entry_has_its_settings_from_the_signature_and_says_their_cost() -> None:
    wanders = entered()
    assert [each.name for each in wanders.settings] == ["walks"]
    assert wanders.defaults() == {"walks": 700}
    assert wanders.work({}) == 700
    assert wanders.work({"walks": 90_000}) == 90_000
    for each in ATTACKS.values():
        parameters = inspect.signature(each.run).parameters
        assert each.defaults() == {name: parameters[name].default for name in each.defaults()}


def test_a_setting_whose_cost_nobody_says_is_refused() -> None:
    with pytest.raises(ValueError, match="Wander does not say what walks costs: let `looks` take"):
        entered(looks=lambda: 1)
    with pytest.raises(ValueError, match="Wander has no parameter runs: see its function"):
        entered(looks=lambda walks, runs: walks * runs)
    with pytest.raises(ValueError, match="Wander has no parameter steps: see its function"):
        entered(dials={"steps": Dial("Steps", free=True)}, looks=lambda: 1)

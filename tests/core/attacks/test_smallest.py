"""The smallest change against closed forms, and what the network reads on a plane."""

import numpy as np
import pytest

from core.arrays import FloatArray, to_float
from core.attacks.goals import Targeted, Untargeted
from core.attacks.gradient import ascend_within, fgsm
from core.attacks.noise_control import changed_by_noise
from core.attacks.plane import plane
from core.attacks.smallest import METHODS, MINIMAL, bisect, path, smallest
from core.backend import keras
from core.data.mnist import Dataset
from core.network.classifier import Classifier
from core.studies.smallest_study import SmallestStudy
from tests.core.linear import gray_images, needed_radius
from tests.sizes import SIDE


@pytest.fixture(scope="module")
def two_classes(linear: Classifier) -> Classifier:
    """Linear in the classes 0 and 1, and never another: what is nearest is known exactly."""
    model = keras.models.clone_model(linear.model)
    weights, bias = linear.model.layers[-1].get_weights()
    weights[:, 2:], bias[2:] = 0, -1e6
    model.layers[-1].set_weights([0.1 * weights, 0.1 * bias])
    return Classifier(model, name="two classes")


@pytest.mark.parametrize("iterations", [1, 20])
@pytest.mark.parametrize(("norm", "tolerance"), [("linf", 1e-4), ("l2", 1e-3)])
def test_bisection_finds_what_is_known(
    two_classes: Classifier, norm: str, tolerance: float, iterations: int
) -> None:
    images = gray_images(70)  # more than a batch
    needed = needed_radius(two_classes, images, norm)
    goal = Untargeted(two_classes.predict(images))
    found = bisect(two_classes, images, goal, norm=norm, iterations=iterations, tolerance=tolerance)
    assert (found.radius >= needed - 1e-5).all()
    assert (found.radius <= needed + 1.1 * tolerance).all()
    change = (found.adversarial - images).reshape(len(images), -1)
    length = np.abs(change).max(1) if norm == "linf" else np.linalg.norm(change, axis=1)
    np.testing.assert_allclose(found.radius, length, rtol=1e-5)
    assert goal.reached(two_classes.logits(found.adversarial)).all()
    assert found.found.all()


@pytest.mark.parametrize("method", MINIMAL)
def test_minimal_attacks_find_what_is_known(two_classes: Classifier, method: str) -> None:
    images = gray_images(4)
    goal = Untargeted(two_classes.predict(images))
    found = smallest(two_classes, images, goal, method=method, norm="linf")
    needed = needed_radius(two_classes, images, "l2")
    assert found.norm == "l2"
    assert np.isnan(found.failed).all()
    np.testing.assert_allclose(found.radius, needed, rtol=0.05)
    np.testing.assert_allclose(found.radius, found.l2)


def test_where_there_is_nothing_to_find(two_classes: Classifier) -> None:
    images = gray_images(6)
    read = two_classes.predict(images)
    never = bisect(two_classes, images, Targeted(np.full(6, 7)))
    assert np.isinf(never.radius).all()
    np.testing.assert_array_equal(never.adversarial, images)
    there = bisect(two_classes, images, Targeted(read))
    assert not there.radius.any()
    assert not there.found.any()
    np.testing.assert_array_equal(there.adversarial, images)
    assert len(bisect(two_classes, images[:0], Targeted(read[:0])).radius) == 0


@pytest.mark.parametrize("method", MINIMAL)
def test_where_a_minimal_attack_finds_nothing(two_classes: Classifier, method: str) -> None:
    images = gray_images(2)
    never = smallest(two_classes, images, Targeted(np.full(2, 7)), method=method)
    assert np.isinf(never.radius).all()
    np.testing.assert_array_equal(never.adversarial, images)
    assert not never.l2.any()


def _tried(
    classifier: Classifier, image: FloatArray, goal: Untargeted, iterations: int, tolerance: float
) -> tuple[list[float], float]:
    """One image in L2, step by step: the lengths that succeed, the largest ball that fails."""
    lengths: list[float] = []
    failed, enough, ball = 0.0, np.inf, 28 / 32
    while enough - failed > tolerance and ball <= 28:
        attempt = ascend_within(
            classifier, image, goal, np.array([ball]), norm="l2", iterations=iterations
        )
        if goal.reached(classifier.logits(attempt))[0]:
            enough = ball
            lengths.append(float(np.linalg.norm(attempt - image)))
        else:
            failed = ball
        ball = (failed + enough) / 2 if np.isfinite(enough) else 2 * failed
    return lengths, failed


@pytest.mark.parametrize("iterations", [1, 20])
def test_no_ball_that_was_tried_gives_a_shorter_change(
    model_1: Classifier, mnist: Dataset, iterations: int
) -> None:
    images, labels = to_float(mnist.test.images[:8]), mnist.test.labels[:8].astype(np.int64)
    goal = Untargeted(labels)
    found = bisect(model_1, images, goal, norm="l2", iterations=iterations, tolerance=0.05)
    assert (found.radius[found.found] <= found.ball[found.found] + 1e-4).all()
    for row in range(len(images)):
        lengths, failed = _tried(
            model_1, images[[row]], goal.take(np.array([row])), iterations, 0.05
        )
        shortest = min(lengths, default=np.inf)
        assert found.radius[row] == pytest.approx(shortest, abs=1e-4)
        assert found.failed[row] == failed


def test_bisection_agrees_with_fgsm_at_its_radius(model_1: Classifier, mnist: Dataset) -> None:
    images = to_float(mnist.test.images[:12])
    goal = Untargeted(mnist.test.labels[:12].astype(np.int64))
    before = images.copy()
    found = bisect(model_1, images, goal, iterations=1)
    np.testing.assert_array_equal(images, before)
    assert found.found.sum() >= 8
    for row in np.flatnonzero(found.found):
        at = [
            bool(
                fgsm(
                    model_1, images[[row]], goal.take(np.array([row])), epsilon=float(radius)
                ).succeeded[0]
            )
            for radius in (found.ball[row], found.failed[row])
        ]
        assert at[0], "it succeeds at the radius that is returned"
        assert not at[1], "and fails where it is said to fail"
        assert 0 < found.ball[row] - found.failed[row] <= 0.001


def test_more_steps_find_no_larger_change(model_1: Classifier, mnist: Dataset) -> None:
    images = to_float(mnist.test.images[:20])
    goal = Untargeted(mnist.test.labels[:20].astype(np.int64))
    one, many = (bisect(model_1, images, goal, iterations=steps) for steps in (1, 20))
    assert np.median(many.radius) < np.median(one.radius)
    assert np.isfinite(many.radius).all()


@pytest.mark.parametrize("method", METHODS)
def test_the_way_leads_there(model_1: Classifier, mnist: Dataset, method: str) -> None:
    image, goal = to_float(mnist.test.images[:1]), Untargeted(np.array([7]))
    found = smallest(model_1, image, goal, method=method)
    steps = path(model_1, found, goal, method=method)
    np.testing.assert_array_equal(steps[0], image[0])
    np.testing.assert_allclose(steps[-1], found.adversarial[0], atol=1e-5)


def test_a_search_traces_once(two_classes: Classifier) -> None:
    for count, steps in ((3, 1), (5, 7)):
        images = gray_images(count)
        bisect(two_classes, images, Untargeted(two_classes.predict(images)), iterations=steps)
    compiled = two_classes._compiled["ascend/linf"]
    assert compiled.experimental_get_tracing_count() == 1


def test_the_plane_and_its_corners(model_1: Classifier, mnist: Dataset) -> None:
    image = to_float(mnist.test.images[:1])
    goal = Untargeted(np.array([7]))
    adversarial = bisect(model_1, image, goal).adversarial
    way = np.concatenate([image, (image + adversarial) / 2, adversarial])
    seen = plane(model_1, image, adversarial, path=way, points=25)
    length = float(np.linalg.norm(adversarial - image))
    np.testing.assert_allclose(seen.path[:, 0], [0, length / 2, length], atol=1e-5)
    np.testing.assert_allclose(seen.path[:, 1], 0, atol=1e-5)
    assert seen.off_plane == pytest.approx(0, abs=1e-5)
    assert seen.read.shape == seen.clipped.shape == (25, 25)
    np.testing.assert_allclose(seen.along[[0, -1]], [-0.7 * length, 1.7 * length], rtol=1e-5)
    np.testing.assert_allclose(seen.across[[0, -1]], [-1.2 * length, 1.2 * length], rtol=1e-5)
    row = int(np.argmin(np.abs(seen.across)))
    for column in (0, 24):
        beyond = image + seen.along[column] / length * (adversarial - image)
        clipped = np.clip(beyond, 0, 1).astype(np.float32)
        assert seen.read[row, column] == model_1.predict(clipped)[0]
        assert seen.clipped[row, column] == pytest.approx(
            np.linalg.norm(beyond - clipped), abs=1e-4
        )
    assert seen.read[row, np.argmin(np.abs(seen.along))] == 7
    assert seen.ends == (7, model_1.predict(adversarial)[0])
    assert seen.length == pytest.approx(length)


def test_the_plane_of_a_linear_network(two_classes: Classifier) -> None:
    """Its boundary is a straight line, across the attack where L2 is bisected."""
    image = gray_images(1)
    goal = Untargeted(two_classes.predict(image))
    adversarial = bisect(two_classes, image, goal, norm="l2", tolerance=1e-4).adversarial
    seen = plane(two_classes, image, adversarial, points=41, seed=3)
    assert seen.clipped.max() == 0
    length = np.linalg.norm(adversarial - image)
    other = seen.read != goal.labels[0]
    np.testing.assert_array_equal(other, np.broadcast_to(seen.along >= length, other.shape))


def test_a_plane_needs_a_direction(two_classes: Classifier) -> None:
    image = gray_images(1)
    with pytest.raises(ValueError, match="no direction"):
        plane(two_classes, image, image)


def test_noise_of_the_same_length_changes_less(two_classes: Classifier) -> None:
    image = gray_images(1)
    needed = float(needed_radius(two_classes, image, "l2")[0])
    assert changed_by_noise(two_classes, image, 1.01 * needed, draws=50).successes == 0
    assert changed_by_noise(two_classes, image, 0.0, draws=5).successes == 0
    far = changed_by_noise(two_classes, image, min(12.0, 60 * needed), draws=50)
    assert 0 < far.successes < 50


def test_a_study_of_many_images(model_1: Classifier, mnist: Dataset) -> None:
    images, labels = to_float(mnist.test.images[:40]), mnist.test.labels[:40]
    study = SmallestStudy(40)
    assert list(study.work(model_1, images, labels, target=3, iterations=5)) == [0.625, 1.0]
    measured = study.found
    result = measured.result
    assert study.count == 40
    np.testing.assert_array_equal(measured.labels, labels)
    np.testing.assert_array_equal(result.radius == 0, measured.before == 3)
    assert len(measured.radius) == 40 - (measured.before == 3).sum()
    assert (measured.after[result.found] == 3).all()
    again = bisect(model_1, images[25:], Targeted(np.full(15, 3)), iterations=5)
    np.testing.assert_allclose(result.radius[25:], again.radius, atol=1e-6)
    assert measured.noise_control.total == result.found.sum()
    assert measured.noise_control.successes < measured.noise_control.total / 2


def test_what_was_read_of_a_study_stays(two_classes: Classifier) -> None:
    images = gray_images(30)
    study = SmallestStudy(30)
    with pytest.raises(ValueError, match="work first"):
        _ = study.found
    work = study.work(two_classes, images, two_classes.predict(images).astype(np.uint8))
    next(work)
    seen = study.found
    next(work)
    parts = (seen.result.radius, seen.labels, seen.before, seen.after, seen.noisy)
    assert [len(part) for part in parts] == [25] * 5
    assert (study.count, len(study.found.result.failed)) == (30, 30)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"method": "Guessing"}, "not one of"),
        ({"norm": "l1"}, "not one of"),
        ({"iterations": 0}, "outside 1 to"),
    ],
)
def test_bad_values_are_named(
    two_classes: Classifier, settings: dict[str, object], words: str
) -> None:
    images = np.zeros((1, SIDE, SIDE, 1), np.float32)
    goal = Untargeted(two_classes.predict(images))
    with pytest.raises(ValueError, match=words):
        smallest(two_classes, images, goal, **settings)  # type: ignore[arg-type]

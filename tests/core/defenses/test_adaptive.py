"""The attack that knows the defense: closed forms on linear models, cascades on model-1."""

import numpy as np
import pytest

from core.arrays import FloatArray, IntArray, to_float
from core.attacks.apgd import apgd
from core.attacks.goals import Targeted, Untargeted
from core.data.mnist import Dataset
from core.defenses.adaptive import JUDGE, VIEW, adaptive, lasting, other_draws, views
from core.defenses.defended import DefendedClassifier, defense_of
from core.defenses.latent_attack import latent_attack
from core.network.classifier import Classifier
from tests.core.linear import gray_images, needed_radius


@pytest.fixture(scope="module")
def digits(mnist: Dataset) -> tuple[FloatArray, IntArray]:
    return to_float(mnist.test.images[:200]), mnist.test.labels[:200].astype(np.int64)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_without_a_defense_it_breaks_what_can_be_broken(linear: Classifier, norm: str) -> None:
    images = gray_images(40)
    radius = needed_radius(linear, images, norm)
    for share, reached in ((0.95, False), (1.05, True)):
        for row in range(3):
            one = images[row : row + 1]
            goal = Untargeted(linear.predict(one))
            result = adaptive(linear, one, goal, epsilon=share * float(radius[row]), norm=norm)
            assert result.succeeded[0] == reached


def test_it_goes_through_a_step_that_passes_no_gradient(
    model_1: Classifier, digits: tuple[FloatArray, IntArray]
) -> None:
    """The gradient is zero everywhere, and the attack needs its stand-ins."""
    images, labels = digits[0][:32], digits[1][:32]
    masked = DefendedClassifier(model_1, defense_of("bits-2"), stand_in="none")
    blind = apgd(masked, images, Untargeted(labels), iterations=10)
    seeing = adaptive(masked, images, Untargeted(labels), iterations=10)
    assert seeing.standing.successes < blind.standing.successes - 10


def test_threshold_holds_below_a_half_and_falls_above_and_to_few_pixels(
    model_1: Classifier, digits: tuple[FloatArray, IntArray]
) -> None:
    defended = DefendedClassifier(model_1, defense_of("threshold-0.5"))
    images, labels = digits
    goal = Untargeted(labels)
    near = adaptive(defended, images, goal, epsilon=0.3)
    far = adaptive(defended, images, goal, epsilon=0.55)
    long = adaptive(defended, images, goal, epsilon=4.0, norm="l2")
    few = adaptive(defended, images, goal, epsilon=60, norm="l0")
    assert 0.5 < near.standing.value <= 0.8
    assert max(each.standing.value for each in (far, long, few)) < 0.05
    assert near.linf.max() <= 0.3 + 1e-5
    assert far.linf.max() <= 0.55 + 1e-5
    assert long.l2.max() <= 4 + 1e-4
    assert few.l0.max() <= 60


@pytest.mark.parametrize("key", ["blur-1", "median-3"])
def test_smoothing_is_no_defense_against_who_knows_it(
    model_1: Classifier, digits: tuple[FloatArray, IntArray], key: str
) -> None:
    images, labels = digits
    defended = DefendedClassifier(model_1, defense_of(key))
    assert (defended.predict(images) == labels).mean() > 0.95
    result = adaptive(defended, images, Untargeted(labels), epsilon=0.3, iterations=10)
    assert result.standing.value < 0.05


def test_a_random_defense_is_attacked_and_judged_with_other_draws(model_1: Classifier) -> None:
    defended = DefendedClassifier(model_1, defense_of("noise-0.25"), draws=2)
    (view,) = views(defended)
    assert isinstance(view, DefendedClassifier)
    assert view.seed != defended.seed
    (plain,) = views(model_1)
    assert plain is model_1
    both = views(DefendedClassifier(model_1, defense_of("bits-1")))
    assert [view.stand_in for view in both if isinstance(view, DefendedClassifier)] == [
        "identity",
        "smooth",
    ]


def test_an_attackers_draws_are_those_of_no_other_seed(linear: Classifier) -> None:
    """The first copy of seed 10 once had the draws of the second copy of seed 0, and seed 20's."""
    defended = [DefendedClassifier(linear, defense_of("noise-0.25"), seed=s) for s in (0, 10, 20)]
    copies = [other_draws(each, number) for each in defended for number in (VIEW, JUDGE)]
    seeds = [each.seed for each in [*defended, *copies] if isinstance(each, DefendedClassifier)]
    assert len(set(seeds)) == len(seeds) == 9


def test_success_is_the_classifiers_own_word(
    model_1: Classifier, digits: tuple[FloatArray, IntArray]
) -> None:
    images, labels = digits[0][:16], digits[1][:16]
    defended = DefendedClassifier(model_1, defense_of("noise-0.25"), draws=2)
    result = adaptive(defended, images, Untargeted(labels), iterations=5)
    np.testing.assert_array_equal(result.succeeded, defended.predict(result.adversarial) != labels)
    again = adaptive(defended, images, Untargeted(labels), iterations=5)
    np.testing.assert_array_equal(result.adversarial, again.adversarial)
    assert result.standing.successes < (defended.predict(images) == labels).sum()


def test_against_draws_a_goal_is_never_reached(linear: Classifier) -> None:
    images = gray_images(3)
    logits, classes = linear.logits(images), np.array([1, 2, 3])
    random = DefendedClassifier(linear, defense_of("noise-0.25"))
    for goal in (Untargeted(classes), Targeted(classes)):
        assert lasting(linear, goal) is goal
        endless = lasting(random, goal).take(np.array([2, 0]))
        assert isinstance(endless, type(goal))
        assert endless.sign == goal.sign
        assert endless.classes.tolist() == [3, 1]
        assert not endless.reached(logits[[2, 0]]).any()
        np.testing.assert_array_equal(endless.margin(logits[[2, 0]]), goal.margin(logits)[[2, 0]])


def test_an_image_misread_by_luck_is_attacked_all_the_same(
    model_1: Classifier, digits: tuple[FloatArray, IntArray]
) -> None:
    """From another label, all images are misread from the start, and still the margin grows."""
    images, labels = digits[0][:8], (digits[1][:8] + 1) % 10
    defended = DefendedClassifier(model_1, defense_of("noise-0.25"))
    goal = Untargeted(labels)
    result = adaptive(defended, images, goal, iterations=3)
    judge = defended.with_seed(999, draws=32)
    before, after = (goal.margin(judge.logits(each)) for each in (images, result.adversarial))
    assert (after > before).mean() > 0.8
    assert not result.right_before.any()


def test_seeds_vary_the_ascent_and_not_the_copies(
    model_1: Classifier, digits: tuple[FloatArray, IntArray]
) -> None:
    defended = DefendedClassifier(model_1, defense_of("noise-0.25"))
    images, goal = digits[0][:4], Untargeted(digits[1][:4])
    first = adaptive(defended, images, goal, iterations=1)
    kept = set(defended._compiled)
    second = adaptive(defended, images, goal, iterations=1, seed=1)
    assert set(defended._compiled) == kept
    assert not np.array_equal(first.adversarial, second.adversarial)


def test_on_a_projection_it_goes_among_latent_numbers_last(
    model_1: Classifier, digits: tuple[FloatArray, IntArray]
) -> None:
    defended = DefendedClassifier(model_1, defense_of("projection-20x1"))
    images, goal = digits[0][:8], Untargeted(digits[1][:8])
    alone = latent_attack(defended, images, goal, epsilon=0.4)
    result = adaptive(defended, images, goal, epsilon=0.4, iterations=1)
    assert alone.succeeded.any()
    assert (result.succeeded | ~alone.succeeded).all()
    assert result.linf.max() <= 0.4 + 1e-5


def test_values_out_of_range_are_named(linear: Classifier) -> None:
    images = gray_images(2)
    goal = Untargeted(linear.predict(images))
    with pytest.raises(ValueError, match="norm"):
        adaptive(linear, images, goal, norm="l7")
    with pytest.raises(ValueError, match=r"number of pixels is 0\.3"):
        adaptive(linear, images, goal, norm="l0")
    with pytest.raises(ValueError, match="Epsilon is 29"):
        adaptive(linear, images, goal, epsilon=29)

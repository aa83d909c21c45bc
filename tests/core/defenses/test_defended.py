"""A defended classifier is a classifier: for maps, attacks and scores."""

import numpy as np
import pytest

from core.arrays import FloatArray, IntArray, to_float
from core.attacks.goals import Untargeted
from core.attacks.gradient import pgd
from core.certification.interval_bounds import interval_bounds
from core.data.mnist import Dataset
from core.defenses.defended import (
    MAX_PARTS,
    DefendedClassifier,
    defense_of,
    gradient_of,
    key_of,
    title_of,
)
from core.defenses.filters import Filter
from core.inspection.occlusion import occlude
from core.keyed_noise import other_seed
from core.network.classifier import Classifier
from core.network.model import layer_table

BLUR, STEP, NOISE = Filter("blur", 1.0), Filter("threshold", 0.5), Filter("noise", 0.25)


@pytest.fixture(scope="module")
def images(mnist: Dataset) -> FloatArray:
    return to_float(mnist.test.images[:200])


@pytest.fixture(scope="module")
def labels(mnist: Dataset) -> IntArray:
    return mnist.test.labels[:200].astype(np.int64)


def test_it_is_the_network_behind_the_filters(model_1: Classifier, images: FloatArray) -> None:
    defended = DefendedClassifier(model_1, [BLUR, STEP])
    filtered = STEP(BLUR(images))
    assert np.allclose(defended.logits(images), model_1.logits(filtered), atol=1e-4)
    assert np.array_equal(defended.purified(images), filtered)
    maps = defended.activations(images[:3], "conv1_relu")
    assert np.allclose(maps, model_1.activations(filtered[:3], "conv1_relu"), atol=1e-5)
    assert defended.layer_names[:3] == ["image", "blur-1", "threshold-0.5"]
    assert len(defended.logits(images[:0])) == 0


def test_the_same_filter_twice_has_two_layers(model_1: Classifier, images: FloatArray) -> None:
    defended = DefendedClassifier(model_1, [BLUR, BLUR])
    assert np.allclose(defended.purified(images[:5]), BLUR(BLUR(images[:5])), atol=1e-6)


def test_a_random_defense_answers_with_the_mean_over_its_draws(
    model_1: Classifier, images: FloatArray
) -> None:
    many = DefendedClassifier(model_1, [NOISE], draws=64)
    some = images[:10]
    by_hand = [model_1.logits(NOISE(some, seed=seed)) for seed in range(1, 65)]
    one = DefendedClassifier(model_1, [NOISE], seed=64)
    assert np.allclose(one.logits(some), by_hand[-1], atol=1e-3)
    apart = many.logits(some) - np.mean(by_hand, axis=0)
    assert np.abs(apart).mean() < 0.35 * np.std(by_hand, axis=0).mean()
    assert np.array_equal(many.logits(some), many.logits(some))
    assert np.allclose(many.logits(some[4:6]), many.logits(some)[4:6], atol=1e-4)
    assert not np.allclose(many.with_seed(5).logits(some), many.logits(some), atol=1e-3)
    assert many.activations(some, "conv1").shape == (10, 28, 28, 32)
    assert np.array_equal(many.purified(some), NOISE(some))  # the first draw


def test_every_defense_has_a_version_of_its_own(model_1: Classifier) -> None:
    made = [
        DefendedClassifier(model_1, [BLUR]),
        DefendedClassifier(model_1, [Filter("blur", 1.1)]),
        DefendedClassifier(model_1, [STEP]),
        DefendedClassifier(model_1, [STEP], stand_in="smooth"),
        DefendedClassifier(model_1, [BLUR, STEP]),
        DefendedClassifier(model_1, [STEP, BLUR]),
        DefendedClassifier(model_1, [NOISE]),
        DefendedClassifier(model_1, [NOISE], draws=4),
        DefendedClassifier(model_1, [NOISE], seed=1),
        model_1,
    ]
    assert len({each.version for each in made}) == len(made)
    assert DefendedClassifier(model_1, [BLUR]).version == made[0].version


@pytest.mark.parametrize("key", ["blur-1", "median-3", "jpeg-30"])
def test_an_adaptive_attack_takes_what_a_filter_seemed_to_save(
    key: str, model_1: Classifier, images: FloatArray, labels: IntArray
) -> None:
    """At L∞ ε = 0.3, below 0.05 of 200 images stay."""
    defended = DefendedClassifier(model_1, defense_of(key))
    assert (defended.predict(images) == labels).mean() > 0.97
    attacked = pgd(defended, images, Untargeted(labels), iterations=20, step_size=0.03)
    assert attacked.standing.value < 0.05


def test_without_a_gradient_an_attack_is_hardly_more_than_noise(
    model_1: Classifier, images: FloatArray, labels: IntArray
) -> None:
    blind = DefendedClassifier(model_1, [STEP], stand_in="none")
    some = slice(100)
    goal = Untargeted(labels[some])
    stays = pgd(blind, images[some], goal, iterations=10, step_size=0.05).standing
    through = pgd(blind.with_stand_in("identity"), images[some], goal, iterations=10, step_size=0.1)
    assert stays.value > 0.94
    assert through.standing.value < stays.value


def test_pages_can_ask_it_what_they_ask_a_network(
    model_1: Classifier, images: FloatArray, labels: IntArray
) -> None:
    defended = DefendedClassifier(model_1, [BLUR, NOISE])
    occluded = occlude(defended, images[:1], labels[:1])
    assert np.isfinite(occluded.logit_drop).all()
    rows = {row.name: row for row in layer_table(defended.model)}
    assert rows["blur-1"].output_shape == (28, 28, 1)
    assert rows["blur-1"].parameters == 0
    with pytest.raises(ValueError, match="no rule for blur-1"):
        interval_bounds(defended, images[:1], 0.1)


def test_keys_and_titles_go_there_and_back() -> None:
    defense = defense_of("blur-1+threshold-0.5+noise-0.25")
    assert key_of(defense) == "blur-1+threshold-0.5+noise-0.25"
    assert title_of(defense) == "Gaussian blur 1 + Threshold 0.5 + Random noise 0.25"
    assert gradient_of(defense) == "straight-through, averaged over draws"
    assert gradient_of(defense[:1]) == "exact"


def test_a_defense_has_one_to_four_parts(model_1: Classifier) -> None:
    with pytest.raises(ValueError, match="number of parts of a defense is 0, outside 1 to 4"):
        DefendedClassifier(model_1, [])
    with pytest.raises(ValueError, match="number of parts of a defense is 5"):
        DefendedClassifier(model_1, [BLUR] * (MAX_PARTS + 1))


def test_a_pixel_behind_a_filter_sees_its_window(model_1: Classifier) -> None:
    """A receptive field is what a change of one pixel reaches, looked at from the other end."""
    for key, window in (("median-3", 3), ("blur-0.5", 5), ("jpeg-30", 15), ("noise-0.25", 1)):
        rows = {
            row.name: row for row in layer_table(DefendedClassifier(model_1, defense_of(key)).model)
        }
        assert rows[key].receptive_field == window
        assert rows["conv1"].receptive_field == window + 2


@pytest.mark.parametrize("batch", [1, 2])
def test_an_image_meets_the_same_draws_in_whatever_batch(
    model_1: Classifier, images: FloatArray, batch: int
) -> None:
    defended = DefendedClassifier(model_1, defense_of("blur-1+noise-0.25"))
    some = images[:50]
    parts = [defended.logits(some[at : at + batch]) for at in range(0, 50, batch)]
    assert np.allclose(np.concatenate(parts), defended.logits(some), atol=1e-3)


def test_a_part_shares_no_draws_with_a_part_of_another_seed(
    linear: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds = []
    layer = Filter.layer
    monkeypatch.setattr(
        Filter, "layer", lambda part, mode: seeds.append(mode.seed) or layer(part, mode)
    )
    for seed in range(8):
        DefendedClassifier(linear, [NOISE] * MAX_PARTS, seed=seed)
    assert seeds[::MAX_PARTS] == list(range(8))  # a defense of one part draws as it always did
    assert len(set(seeds)) == 8 * MAX_PARTS


def test_a_layer_in_front_of_the_draws_has_a_row_for_each_image(
    model_1: Classifier, images: FloatArray
) -> None:
    defended = DefendedClassifier(model_1, [BLUR, NOISE], draws=4)
    some = images[:6]
    assert np.allclose(defended.activations(some, "blur-1"), BLUR(some), atol=1e-6)
    assert np.array_equal(defended.activations(some, "image"), some)
    seed = other_seed(0, "part", 1)
    assert np.array_equal(defended.purified(some), NOISE(BLUR(some), seed=seed))  # the first draw
    assert defended.activations(some, "logits").shape == (6, 10)
    assert defended.activations(some, "conv1").shape == (6, 28, 28, 32)
    with pytest.raises(ValueError, match="There is no layer"):
        defended.activations(some, "conv9")

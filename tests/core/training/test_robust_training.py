"""Adversarial and certified training: the attack inside, the schedule, and what is saved."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.arrays import to_float
from core.backend import keras, tf
from core.certification.interval_bounds import certified, margin_bounds
from core.data.mnist import Dataset
from core.network.architecture import Architecture, ConvBlock
from core.network.card import ModelCard, Robustness
from core.network.classifier import Classifier
from core.network.model import assign_weights, build_model
from core.statistics.rate import Rate
from core.training.inner_attack import inner_attack, keep_clean, step_draws
from core.training.robust.network import initial_weights
from core.training.robust.settings import SCHEDULE, RobustSettings
from core.training.robust.trainer import RobustTrainer
from core.zoo import models as zoo
from core.zoo.robust import measure, train

SMALL = Architecture(
    blocks=(ConvBlock(8, 4, 2, 1), ConvBlock(8, 3, 1, 2)), hidden_units=(16,)
)  # a stride, and a pooling
AVERAGED = Architecture((ConvBlock(6, 4, 2, 2, pooling_kind="average"),), (9,), ending="average")
SETTINGS = RobustSettings(
    epochs=4, fall=1, batch_size=32, training_images=320, held_back=10, attack_ramp=0.5,
    certified_ramp=2, shift=1, clean_share=0.25,
)  # fmt: skip


@pytest.fixture(scope="module")
def trained(mnist: Dataset) -> RobustTrainer:
    """Two epochs of the hybrid on 320 images."""
    trainer, schedule = RobustTrainer(SMALL, SETTINGS), SETTINGS.schedule()
    for epoch in range(2):
        rows = np.random.default_rng(epoch).permutation(320).reshape(10, 32)
        now = schedule[trainer.step : trainer.step + 10]
        trainer.run(mnist.train.images[rows], mnist.train.labels[rows], now)
    return trainer


def _classifier(trainer: RobustTrainer) -> Classifier:
    model = build_model(trainer.architecture)
    assign_weights(model, trainer.folded())
    return Classifier(model, name="trained")


def _linear_logits(classifier: Classifier):
    kernel, bias = classifier.model.layers[-1].weights
    return lambda x: tf.reshape(x, [-1, 784]) @ kernel + bias


def test_one_step_reaches_the_worst_corner_of_a_linear_model(mnist, random) -> None:
    """Between two classes the gradient's sign is everywhere the same; 2 ε cross the whole ball."""
    images, labels = to_float(mnist.test.images[:20]), random.integers(0, 2, 20)
    kernel = random.normal(0, 0.05, (784, 2)).astype(np.float32)
    attacked = inner_attack(
        lambda x: tf.reshape(x, [-1, 784]) @ kernel, tf.constant(images), tf.constant(labels),
        step_draws(images, (3, tf.constant(0))), epsilon=0.1, step_size=0.2, steps=1,
    ).numpy()  # fmt: skip
    slope = kernel[:, 1 - labels] - kernel[:, labels]
    worst = np.clip(images + 0.1 * np.sign(slope.T).reshape(images.shape), 0, 1)
    assert attacked == pytest.approx(worst, abs=1e-6)


def test_no_steps_are_a_random_point_of_the_ball(linear, mnist) -> None:
    images = np.full((200, 28, 28, 1), 0.5, np.float32)
    arguments = dict(epsilon=0.2, step_size=0.2, steps=0)

    def draw(step: int) -> np.ndarray:
        labels = np.zeros(200, np.int64)
        draws = step_draws(images, (1, tf.constant(step)))
        return inner_attack(
            _linear_logits(linear), tf.constant(images), labels, draws, **arguments
        ).numpy()

    noise = draw(0) - 0.5
    assert (draw(0) == draw(0)).all()
    assert (draw(0) != draw(1)).mean() > 0.99
    assert np.abs(noise).max() <= 0.2 + 1e-6
    assert noise.mean() == pytest.approx(0, abs=2e-3)
    assert noise.std() == pytest.approx(0.2 / np.sqrt(3), rel=0.01)


def test_settings_of_the_attack_do_not_retrace(linear, mnist) -> None:
    traces = []
    logits_of = _linear_logits(linear)

    @tf.function(autograph=False)
    def attack(images, labels, step, epsilon, step_size, steps, share):
        traces.append(1)
        attacked = inner_attack(
            logits_of,
            images,
            labels,
            step_draws(images, (1, step)),
            epsilon=epsilon,
            step_size=step_size,
            steps=steps,
        )
        return keep_clean(images, attacked, share)

    images, labels = tf.constant(to_float(mnist.test.images[:8])), tf.zeros([8], tf.int32)
    moved = []
    for epsilon, steps, share in ((0.1, 1, 0.0), (0.3, 4, 0.25), (0.2, 0, 0.5), (0.2, 2, 1.0)):
        numbers = tf.constant(epsilon), tf.constant(epsilon / 2), tf.constant(steps)
        found = attack(images, labels, tf.constant(7), *numbers, tf.constant(share)).numpy()
        moved.append(int((np.abs(found - images).max(axis=(1, 2, 3)) > 0).sum()))
    assert len(traces) == 1
    assert moved == [8, 6, 4, 0]


def test_a_restart_goes_on_where_a_whole_training_would_have_ended() -> None:
    once, again = RobustSettings(epochs=40), RobustSettings(epochs=56, restart=40)
    rates, so_far = again.schedule()[:, 0], 40 * once.steps_per_epoch
    assert np.array_equal(again.schedule()[:so_far], once.schedule())
    assert rates[so_far - 1] < 0.01 * again.learning_rate
    assert np.allclose(rates[so_far : again.steps_before_fall], again.learning_rate)
    assert rates[-1] == pytest.approx(0.005 * again.learning_rate)
    with pytest.raises(ValueError, match="The epoch of the restart is 57, outside 0 to 56"):
        RobustSettings(epochs=56, restart=57)


def test_the_schedule_says_what_the_settings_say() -> None:
    settings = RobustSettings()
    schedule = dict(zip(SCHEDULE, settings.schedule().T, strict=True))
    per_epoch = settings.steps_per_epoch
    assert per_epoch == 429
    assert {len(column) for column in schedule.values()} == {40 * per_epoch}
    at = {
        name: column[[0, 3 * per_epoch - 1, 6 * per_epoch, -1]] for name, column in schedule.items()
    }
    assert at["adversarial_share"] == pytest.approx([1, 0.875, 0.75, 0.75], abs=1e-3)
    assert at["certified_epsilon"] == pytest.approx([0, 0.16, 0.32, 0.32], abs=1e-3)
    assert at["attack_epsilon"] == pytest.approx([0.045, 0.32, 0.32, 0.32], abs=1e-3)
    assert at["learning_rate"] == pytest.approx([7e-6, 1.5e-3, 1.5e-3, 7.5e-6], rel=0.01)
    assert (np.diff(schedule["learning_rate"][settings.steps_before_fall :]) <= 0).all()
    alone = RobustSettings(adversarial_share=1.0).schedule()
    assert (alone[:, 1] == 1).all()
    assert (alone[:, 3:] == 0).all()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"epochs": 0}, "The number of epochs is 0, outside 1 to 200"),
        ({"attack_epsilon": -0.1}, "Epsilon of the attack is -0.1"),
        ({"held_back": 6_000}, "more than 60,000: lower one of them"),
        ({"normalized": ("conv1",)}, "would move the thresholds"),
        ({"training_images": 100}, "A batch of 128 does not fit"),
    ],
)
def test_bad_settings_are_one_sentence(values: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        RobustSettings(**values)


def test_the_first_layer_begins_as_thresholds_on_one_pixel() -> None:
    weights = initial_weights(Architecture((ConvBlock(64, 4, 2, 1),)), RobustSettings())
    kernel, bias = weights["conv1/kernel"][:, :, 0], weights["conv1/bias"]
    row, column, filters = np.nonzero(np.abs(kernel) > 1)
    assert set(filters) == set(range(64))
    assert len(filters) == 64
    assert set(row) == set(column) == {1, 2}
    tap = kernel[row, column, filters]
    assert np.abs(tap) == pytest.approx(2, abs=0.5)
    thresholds = -bias[filters] / np.sign(tap) / 2  # where tap × pixel + bias changes its sign
    assert (thresholds > 0.29).all()
    assert (thresholds < 0.71).all()
    assert 0.5 < (tap > 0).mean() < 0.9


def test_folding_changes_no_logit(trained: RobustTrainer, mnist: Dataset) -> None:
    """The average of the weights, with its statistics, and the plain model that is saved."""
    images = to_float(mnist.test.images[:20])
    classifier = _classifier(trained)
    assert not any(
        isinstance(layer, keras.layers.BatchNormalization) for layer in classifier.model.layers
    )
    other = RobustTrainer(SMALL, SETTINGS)
    for name, variable in other.network.variables.items():
        variable.assign(trained._averages[name])
    unfolded = other.network.logits(tf.constant(images)).numpy()
    assert classifier.logits(images) == pytest.approx(unfolded, abs=1e-4)
    assert not np.allclose(unfolded, trained.network.logits(tf.constant(images)).numpy(), atol=1e-3)


@pytest.mark.parametrize("architecture", [SMALL, AVERAGED])
def test_training_bounds_are_those_of_the_saved_model(
    architecture: Architecture, mnist: Dataset
) -> None:
    """Without normalization the network in training is the one that is saved."""
    settings = RobustSettings(normalized=())
    trainer = RobustTrainer(architecture, settings)
    images, labels = to_float(mnist.train.images[:16]), mnist.train.labels[:16].astype(np.int64)
    _, scales = trainer.network.train_forward(tf.constant(images))
    margins, tightness = trainer.network.bounds(images, labels, 0.2, scales)
    expected = margin_bounds(_classifier(trainer), images, labels, 0.2)
    assert margins.numpy() == pytest.approx(expected, abs=1e-4)
    assert 0 <= float(tightness) <= 0.5


def test_a_residual_block_has_no_rule_in_robust_training() -> None:
    with pytest.raises(ValueError, match=r"no rule for res1 \(residual block\): choose"):
        RobustTrainer(Architecture((ConvBlock(4, kind="residual"),)), SETTINGS)


def test_an_interrupted_training_ends_where_the_whole_one_does(
    trained: RobustTrainer, tmp_path: Path, mnist: Dataset
) -> None:
    file, schedule = tmp_path / "training.npz", SETTINGS.schedule()
    rows = np.arange(96).reshape(3, 32)
    batches = mnist.train.images[rows], mnist.train.labels[rows]
    trained.save(file, 12.5)
    resumed = RobustTrainer(SMALL, SETTINGS)
    assert resumed.restore(file) == 12.5
    assert resumed.step == trained.step
    for trainer in (trained, resumed):
        trainer.run(*batches, schedule[trainer.step : trainer.step + 3])
    assert trained.traces == 1
    for name, value in trained.folded().items():
        assert resumed.folded()[name] == pytest.approx(value, abs=1e-6), name
    longer = RobustTrainer(SMALL, replace(SETTINGS, epochs=9))
    assert longer.restore(file) == 12.5
    other = RobustTrainer(SMALL, replace(SETTINGS, seed=9))
    with pytest.raises(ValueError, match=r"training\.npz is a training with other settings"):
        other.restore(file)


def test_bounds_are_trained(mnist: Dataset) -> None:
    """Six short epochs prove at ε = 0.1 what training without bounds never does."""
    settings = RobustSettings(
        epochs=6, fall=1, batch_size=64, training_images=640, attack_ramp=0.5, normalized=(),
        certified_ramp=2, adversarial_share=0.5, attack_epsilon=0.1, certified_epsilon=0.1,
        learning_rate=5e-3,
    )  # fmt: skip
    trainer, schedule = RobustTrainer(SMALL, settings), settings.schedule()
    images, labels = mnist.train.images[:640], mnist.train.labels[:640]
    right = []
    for epoch in range(6):
        order = np.random.default_rng(epoch).permutation(640).reshape(10, 64)
        now = schedule[trainer.step : trainer.step + 10]
        right.append(trainer.run(images[order], labels[order], now)[2])
    assert right[-1] > right[0] + 0.3
    proven = certified(_classifier(trainer), to_float(images), labels.astype(np.int64), 0.1)
    plain = certified(zoo.load("model-1"), to_float(images), labels.astype(np.int64), 0.1)
    assert proven.mean() >= 0.3
    assert plain.mean() == 0


def test_a_training_can_be_left_and_taken_up(tmp_path: Path, capsys) -> None:
    file, settings = tmp_path / "small.npz", replace(SETTINGS, epochs=2, members=2)
    first, _ = train(settings, file, architecture=SMALL)
    assert "seed 2  epoch   2.00 of 2" in capsys.readouterr().out
    assert {each.name for each in tmp_path.iterdir()} == {"small.1.npz", "small.2.npz"}
    assert first.model.get_layer("conv1").kernel.shape[-1] == 2 * SMALL.blocks[0].filters
    again, seconds = train(settings, file, architecture=SMALL)
    log = capsys.readouterr().out
    assert "epoch" not in log  # it was at its end
    assert again.version == first.version
    assert seconds > 0


def test_what_is_measured_agrees_with_itself(mnist: Dataset) -> None:
    classifier = zoo.load("model-1")
    bounds, steps, worst = measure(classifier, mnist.test.first(12))
    assert [each.attack for each in (bounds, steps, worst)] == [
        "Interval bounds", "PGD", "Worst case"
    ]  # fmt: skip
    assert {each.standing.total for each in (bounds, steps, worst)} == {12}
    assert bounds.standing.successes <= worst.standing.successes <= steps.standing.successes
    fallen = sum(count for what, count in worst.settings.items() if what.startswith("fell to "))
    assert fallen == 12 - worst.standing.successes


def test_cards_keep_what_was_measured() -> None:
    card = zoo.available_models()[0]
    figure = Robustness("PGD", 0.3, "linf", Rate(7, 10), {"iterations": 100})
    kept = Robustness.of("PGD", 0.3, "linf", np.arange(10) > 2, {"iterations": 100})
    assert kept.standing == figure.standing
    assert kept.right.tolist() == [False] * 3 + [True] * 7
    assert not len(figure.right)
    robust = replace(card, robustness=(figure, kept))
    assert ModelCard.from_json(robust.to_json()) == robust
    for bits in ("ff", "zz", "1fc", kept.bits + "00"):
        with pytest.raises(ValueError, match=r"names others|hexadecimal"):
            replace(kept, bits=bits)

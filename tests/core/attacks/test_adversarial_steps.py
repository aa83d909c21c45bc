"""Adversarial training as a setting of the training page: the attack inside the traced step."""

from dataclasses import replace

import numpy as np
import pytest

from core.arrays import to_float
from core.backend import tf
from core.data.mnist import Dataset, Split
from core.network.architecture import Architecture, ConvBlock
from core.network.model import build_model
from core.statistics.rate import Rate
from core.training.inner_attack import attack_share
from core.training.loop import Progress, Score, train
from core.training.runs import Run, describe_differences
from core.training.settings import FGSM, OFF, PGD, TrainingSettings
from core.training.trainer import Trainer, TrainingState
from core.training.training_forward import ANSWERING, ATTACKING

TINY = Architecture((ConvBlock(4, 3), ConvBlock(5, 3)), (12,))
NORMALIZED = replace(TINY, batch_normalization=True, dropout=0.25)
NONE = {"weight_decay": 0.0, "label_smoothing": 0.0, "shift": 0.0, "rotation": 0.0}
FAST = TrainingSettings(epochs=1, batch_size=50, learning_rate=2e-3, training_images=500)
ATTACKED = replace(FAST, attack=FGSM, attack_step=1.25)


def _curve(progress: list[Progress]) -> list[tuple[float, ...]]:
    return [(p.step, p.loss, p.accuracy, *p.gradient_norms.values()) for p in progress[1:]]


def _linear_trainer() -> tuple[Trainer, np.ndarray]:
    """A network that is linear on its images: every unit it uses is positive for all of them.

    The one filter is a delta, the hidden units pass two sums of pixels on, shifted to be positive.
    """
    architecture = Architecture((ConvBlock(1, 1, pooling=1),), (2,), classes=10)
    trainer = Trainer(architecture)
    state = TrainingState.untrained(architecture, seed=0)
    state.weights = {name: np.zeros_like(array) for name, array in state.weights.items()}
    kernel = np.random.default_rng(1).normal(0, 0.02, (784, 2)).astype(np.float32)
    state.weights["conv1/kernel"][:] = 1
    state.weights["conv1/bias"][:] = 1  # at a pixel of 0, too, ReLU passes the gradient
    state.weights["dense1/kernel"][:] = kernel
    state.weights["dense1/bias"][:] = 100
    state.weights["logits/kernel"][:2, :2] = np.eye(2)
    trainer.seat(state)
    return trainer, kernel


def test_the_attack_is_fgsm_on_a_linear_network(mnist: Dataset) -> None:
    """Closed form: of two classes the slope is known; 2 ε cross the ball, whatever the start."""
    trainer, kernel = _linear_trainer()
    images = to_float(mnist.train.images[:16])
    labels = np.random.default_rng(0).integers(0, 2, 16).astype(np.int32)
    scalars = {
        "epsilon": tf.constant(0.25),
        "attack_step": tf.constant(0.5),
        "attack_steps": tf.constant(1.0),
        "clean_share": tf.constant(0.25),
    }
    seed = (tf.constant(0), tf.constant(3))
    attacked = trainer._attacked(tf.constant(images), tf.constant(labels), seed, scalars).numpy()
    slope = (kernel[:, 1 - labels] - kernel[:, labels]).T.reshape(images.shape)
    worst = np.clip(images + 0.25 * np.sign(slope), 0, 1)
    assert (attacked[:4] == images[:4]).all()
    assert attacked[4:] == pytest.approx(worst[4:], abs=1e-6)


@pytest.mark.parametrize("architecture", [TINY, NORMALIZED], ids=["plain", "normalized"])
def test_an_epsilon_of_zero_is_plain_training(architecture: Architecture, small: Dataset) -> None:
    """Bit for bit, moving statistics and draws of dropout included."""
    plain = list(train(architecture, small, FAST))
    nothing = replace(ATTACKED, attack=PGD, attack_steps=3, attack_epsilon=0.0)
    for settings in (nothing, replace(ATTACKED, clean_share=1.0)):
        other = list(train(architecture, small, settings))
        assert _curve(other) == _curve(plain)
        for name, array in plain[-1].weights.items():  # type: ignore[union-attr]
            assert (array == other[-1].weights[name]).all()  # type: ignore[index]


def test_attacks_change_what_is_learned_and_keep_to_their_seed(small: Dataset) -> None:
    first, second = (_curve(list(train(TINY, small, ATTACKED))) for _ in range(2))
    assert first == second
    assert first != _curve(list(train(TINY, small, FAST)))
    assert first != _curve(list(train(TINY, small, replace(ATTACKED, seed=1))))


def test_no_setting_of_the_attack_retraces(mnist: Dataset) -> None:
    trainer = Trainer(TINY)
    trainer.seat(TrainingState.untrained(TINY, seed=0))
    for steps, share, size in ((0, 0.0, 8), (1, 0.3, 7), (5, 1.0, 2), (3, 0.9, 1)):
        images = mnist.train.images[: 2 * size].reshape(2, size, 28, 28)
        labels = mnist.train.labels[: 2 * size].reshape(2, size)
        attack = dict(epsilon=0.1 * size, attack_step=0.05, attack_steps=steps, clean_share=share)
        results = trainer.run(
            images, labels, optimizer="sgd", seed=0, learning_rate=1e-3, **NONE, **attack
        )
        assert np.isfinite(results.losses).all()
        test = mnist.test.first(size + 1)
        trainer.standing(test.images, test.labels, epsilon=0.1 * size, single_step=1.0)
    assert trainer.traces == 1
    assert trainer._standing.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 0.99, 1.0])
@pytest.mark.parametrize("count", [2, 7])
def test_the_clean_share_of_a_batch_stays(share: float, count: int) -> None:
    sizes = []

    def attack(images, labels):
        sizes.append(len(images))
        return images + 1

    images = tf.zeros([count, 28, 28, 1])
    changed = attack_share(attack, images, tf.zeros([count], tf.int32), share)
    clean = changed.numpy()[:, 0, 0, 0] == 0
    assert clean.sum() == np.ceil(share * count)
    assert clean[: clean.sum()].all()
    assert 2 <= sizes[0] <= max(2, count - np.floor(share * count))


def test_the_network_attacked_is_the_one_that_answers(small: Dataset) -> None:
    """ANSWERING is the model at inference; ATTACKING normalizes by the batch and moves nothing."""
    trainer = Trainer(NORMALIZED)
    state = TrainingState.untrained(NORMALIZED, seed=0)
    list(train(NORMALIZED, small, FAST, state=state))
    trainer.seat(state)
    images = to_float(small.test.images[:60])
    model = build_model(NORMALIZED)
    before = trainer.weights()
    for variable, array in zip(model.weights, trainer._model.weights, strict=True):
        variable.assign(array)
    ours = trainer._forward(tf.constant(images), (0, 0), ANSWERING).numpy()
    assert ours == pytest.approx(model(images, training=False).numpy(), abs=1e-4)
    seed = (tf.constant(0), tf.constant(1))
    attacked = trainer._forward(tf.constant(images), seed, ATTACKING).numpy()
    assert np.abs(attacked - ours).max() > 0.1
    for name, array in trainer.weights().items():
        assert (array == before[name]).all()
    trained = trainer._forward(tf.constant(images), seed).numpy()
    assert (trained == attacked).all()


def test_ten_steps_are_stronger_than_one_and_no_epsilon_is_the_test_accuracy(
    small: Dataset,
) -> None:
    settings = replace(ATTACKED, attack=OFF, robust_scores=True, attack_epsilon=0.1)
    last = list(train(TINY, small, replace(settings, epochs=3)))[-1]
    assert last.test is not None
    one, ten = last.test.single_step, last.test.robust
    assert one is not None
    assert ten is not None
    assert ten.total == one.total == 200
    assert ten.successes < one.successes < last.test.accuracy.value * 200
    unattacked = list(train(TINY, small, replace(settings, attack_epsilon=0.0)))[-1].test
    assert unattacked is not None
    assert unattacked.robust == unattacked.single_step
    assert list(train(TINY, small, FAST))[-1].test.robust is None  # type: ignore[union-attr]


def test_scores_say_where_an_attack_has_no_gradient(small: Dataset) -> None:
    settings = replace(FAST, robust_scores=True, attack_epsilon=0.1)
    state = TrainingState.untrained(TINY, seed=0)
    alive = next(train(TINY, small, settings)).test
    state.weights["dense1/bias"][:] = -1_000  # silent units, whatever the image
    dead = next(train(TINY, small, settings, state=state)).test
    assert alive is not None
    assert dead is not None
    assert alive.flat == Rate(0, 200)
    assert dead.flat == Rate(200, 200)
    assert next(train(TINY, small, FAST)).test.flat is None  # type: ignore[union-attr]


def test_training_on_attacks_makes_robust(small: Dataset) -> None:
    """At a small ε a few epochs are enough: the control is the same training without the attack."""
    architecture = Architecture((ConvBlock(8, 5),), (32,))
    settings = replace(
        FAST, epochs=4, training_images=2_000, learning_rate=5e-3, attack_epsilon=0.05
    )

    def robust(settings: TrainingSettings) -> Rate:
        rate = list(train(architecture, small, settings))[-1].test.robust  # type: ignore[union-attr]
        assert rate is not None
        return rate

    plain = robust(replace(settings, robust_scores=True))
    assert robust(replace(settings, attack=PGD, attack_steps=3)).interval[0] > plain.value


def test_extra_images_come_as_often_as_they_should(small: Dataset) -> None:
    """Counted at the trainer's door, for an epoch whose last batch is smaller."""
    from core.training.loop import Controls, _Training

    extra = Split(np.full((3, 28, 28), 7, np.uint8), np.array([9, 9, 9], np.uint8))
    extra.images[:, 0, 0] = [1, 2, 3]
    settings = replace(FAST, training_images=40, extra_images=3, extra_repeat=5, batch_size=16)
    assert settings.images_per_epoch == 55
    assert settings.steps_per_epoch == 4
    trainer = Trainer(TINY)
    state = TrainingState.untrained(TINY, 0)
    training = _Training(trainer, small, settings, Controls.of(settings), state, extra)
    rows = np.arange(55).reshape(11, 5)
    images, labels = training._images_at(rows)
    assert (images.reshape(-1, 28, 28)[:40] == small.train.images[:40]).all()
    assert (labels.reshape(-1)[:40] == small.train.labels[:40]).all()
    assert images.reshape(-1, 784)[40:, 0].tolist() == [1, 2, 3] * 5
    assert (labels.reshape(-1)[40:] == 9).all()
    assert list(train(TINY, small, settings, extra=extra))[-1].step == 4
    with pytest.raises(ValueError, match="give as many"):
        next(train(TINY, small, settings))


def test_settings_without_an_attack_are_written_as_before() -> None:
    """Cards of models that were trained before there were attacks say the same."""
    assert set(FAST.to_dict()) == {
        "learning_rate", "epochs", "batch_size", "optimizer", "weight_decay", "label_smoothing",
        "shift", "rotation", "training_images", "seed",
    }  # fmt: skip
    for settings in (ATTACKED, replace(FAST, robust_scores=True), replace(FAST, extra_images=4)):
        assert TrainingSettings(**settings.to_dict()) == settings


@pytest.mark.parametrize(
    "change",
    [
        {"attack": "bim"},
        {"attack_epsilon": -0.1},
        {"attack_epsilon": 1.1},
        {"attack_steps": 0},
        {"attack_steps": 21},
        {"attack_step": 5},
        {"clean_share": 1.5},
        {"extra_images": 201},
        {"extra_repeat": 0},
    ],
)
def test_bad_settings_are_one_sentence(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"choose|outside"):
        TrainingSettings(**change)


def _scored(run: Run, *points: tuple[int, int, int]) -> Run:
    """A run with a written history: step, right under one step and under ten, of 200."""
    for step, one, ten in points:
        score = Score(Rate(190, 200), 0.1, robust=Rate(ten, 200), single_step=Rate(one, 200))
        run.history.append(
            Progress(step, 100, 0.0, 0.0, 1e-3, 0.5, 0.9, {"conv1": 1.0}, test=score)
        )
    return run


def test_catastrophic_overfitting_is_called_out(small: Dataset) -> None:
    run = _scored(Run(TINY, ATTACKED, small, number=1), (0, 100, 0), (10, 160, 140))
    assert run.overfitting == ""  # exactly ten points
    _scored(run, (20, 180, 150))
    assert "one step only" in run.overfitting
    _scored(run, (30, 198, 20))
    assert "catastrophic overfitting" in run.overfitting
    assert "at step 20 ten left 75.0 %" in run.overfitting
    plain = _scored(Run(TINY, replace(FAST, robust_scores=True), small, number=2), (10, 160, 20))
    assert plain.overfitting == ""  # nothing was trained against an attack


def test_names_say_which_attack(small: Dataset) -> None:
    runs = [Run(TINY, FAST, small, number=1), Run(TINY, ATTACKED, small, number=2)]
    names = list(describe_differences(runs).values())
    assert "FGSM" not in names[0]
    assert "FGSM · ε 0.3" in names[1]

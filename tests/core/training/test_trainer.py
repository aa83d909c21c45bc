"""The traced step against Keras and against formulas."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from core.arrays import to_float
from core.backend import keras, tf
from core.data.mnist import Dataset
from core.network.architecture import MODEL_1, MODEL_2, Architecture, ConvBlock
from core.network.model import Weights, assign_weights, build_model, named_weights
from core.network.pooling import max_pool, max_pool_and_moments
from core.training.augmentation import augment
from core.training.settings import OPTIMIZERS
from core.training.trainer import Trainer, TrainingState, trainer_for
from core.training.training_forward import ANSWERING, ATTACKING, TRAINING

NONE = {"weight_decay": 0.0, "label_smoothing": 0.0, "shift": 0.0, "rotation": 0.0}
OTHER = Architecture(  # of kinds that these do not have
    (ConvBlock(4, pooling_kind="average"), ConvBlock(5, 3, 2, 2, "residual")), (), ending="average"
)
TINY = Architecture((ConvBlock(4, 3), ConvBlock(5, 3)), (12,))


def _batches(data: Dataset, steps: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    images = data.train.images[: steps * size].reshape(steps, size, 28, 28)
    return images, data.train.labels[: steps * size].reshape(steps, size)


def _keras_optimizer(name: str) -> keras.Optimizer:
    return {
        "adam": keras.optimizers.Adam(1e-3),
        "adamw": keras.optimizers.AdamW(1e-3, weight_decay=0.0),
        "sgd": keras.optimizers.SGD(1e-3, momentum=0.9),
        "rmsprop": keras.optimizers.RMSprop(1e-3),
    }[name]


@pytest.mark.parametrize(
    ("architecture", "optimizer"),
    [
        *product((MODEL_1, MODEL_2), OPTIMIZERS),
        (OTHER, "sgd"),
        (replace(OTHER, batch_normalization=True), "sgd"),
    ],
)
def test_steps_are_those_of_keras(
    architecture: Architecture, optimizer: str, mnist: Dataset
) -> None:
    """Five steps with an odd batch give Keras's losses, weights and moving statistics."""
    images, labels = _batches(mnist, 5, 33)
    state = TrainingState.untrained(architecture, seed=1)
    trainer = trainer_for(architecture)
    trainer.seat(state)
    results = trainer.run(images, labels, optimizer=optimizer, seed=0, learning_rate=1e-3, **NONE)
    trainer.unseat()
    model = build_model(architecture, seed=1)
    apply = _keras_optimizer(optimizer)
    losses = []
    for batch, targets in zip(images, labels, strict=True):
        with tf.GradientTape() as tape:
            logits = model(to_float(batch), training=True)
            loss = keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True)
            loss = tf.reduce_mean(loss)
        variables = model.trainable_variables
        apply.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        losses.append(float(loss))
    assert results.losses == pytest.approx(losses, rel=2e-3)
    tolerance = 3e-3 if optimizer == "rmsprop" else 1e-3  # 1e-3 is one step of Adam
    ours, theirs = _comparable(state.weights), _comparable(named_weights(model))
    for name, expected in theirs.items():
        difference = np.abs(ours[name] - expected)  # a gradient of about 0 may take either sign
        assert np.quantile(difference, 0.99) < tolerance, name
        assert difference.mean() < tolerance / 10, name


def _comparable(weights: Weights) -> Weights:
    """Without the biases that normalization takes away, which Keras moves by rounding noise."""
    normalized = {name.split("_bn/")[0] for name in weights if name.endswith("_bn/moving_mean")}
    without = {f"{layer}/bias" for layer in normalized}
    return {name: array for name, array in weights.items() if name not in without}


def test_one_step_of_momentum_by_hand(mnist: Dataset) -> None:
    """Closed form: with zero weights the logits' bias moves by −η (softmax − target)."""
    images, labels = _batches(mnist, 1, 16)
    trainer = trainer_for(TINY)
    state = TrainingState.untrained(TINY, seed=0)
    state.weights = {name: np.zeros_like(array) for name, array in state.weights.items()}
    trainer.seat(state)
    results = trainer.run(images, labels, optimizer="sgd", seed=0, learning_rate=0.5, **NONE)
    trainer.unseat()
    frequencies = np.bincount(labels[0], minlength=10) / 16
    assert state.weights["logits/bias"] == pytest.approx(-0.5 * (0.1 - frequencies), abs=1e-6)
    assert results.losses[0] == pytest.approx(np.log(10), abs=1e-6)
    norm = np.linalg.norm(0.1 - frequencies)
    assert results.gradient_norms[0] == pytest.approx([0, 0, 0, norm], abs=1e-6)


def test_label_smoothing_is_in_the_loss(mnist: Dataset) -> None:
    """Closed form: loss (1 − s) CE(true) + s mean CE over classes, of the same logits."""
    images, labels = _batches(mnist, 1, 8)
    state = TrainingState.untrained(TINY, seed=2)
    model = build_model(TINY, seed=2)
    log_p = np.asarray(keras.ops.log_softmax(model(to_float(images[0]))))
    plain = -log_p[np.arange(8), labels[0]].mean()
    expected = 0.8 * plain + 0.2 * -log_p.mean()
    trainer = trainer_for(TINY)
    trainer.seat(state)
    options = {**NONE, "label_smoothing": 0.2}
    results = trainer.run(images, labels, optimizer="sgd", seed=0, learning_rate=1e-6, **options)
    trainer.unseat()
    assert results.losses[0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("optimizer", "shrinks"), [("adamw", True), ("sgd", True)])
def test_weight_decay_shrinks_kernels_and_spares_biases(
    optimizer: str, shrinks: bool, mnist: Dataset
) -> None:
    images, labels = _batches(mnist, 1, 16)

    def after(decay: float) -> dict[str, np.ndarray]:
        trainer, state = trainer_for(TINY), TrainingState.untrained(TINY, seed=0)
        trainer.seat(state)
        options = {**NONE, "weight_decay": decay}
        trainer.run(images, labels, optimizer=optimizer, seed=0, learning_rate=0.01, **options)
        trainer.unseat()
        return state.weights

    start = TrainingState.untrained(TINY, seed=0).weights["dense1/kernel"]
    plain, decayed = after(0.0), after(0.5)
    assert plain["dense1/kernel"] - decayed["dense1/kernel"] == pytest.approx(
        0.01 * 0.5 * start, abs=1e-6
    )
    assert decayed["logits/bias"] == pytest.approx(plain["logits/bias"], abs=1e-7)


@pytest.mark.parametrize("window", [2, 3])
@pytest.mark.parametrize("ties", [False, True])
def test_max_pooling_has_tensorflows_gradient(
    window: int, ties: bool, random: np.random.Generator
) -> None:
    maps = random.normal(size=(3, 28, 28, 4)).astype(np.float32)
    if ties:
        maps = np.rint(maps).astype(np.float32)
    upstream = random.normal(size=(3, 28 // window, 28 // window, 4)).astype(np.float32)
    gradients = []
    for pool in (
        lambda m: max_pool(m, window),
        lambda m: tf.nn.max_pool2d(m, window, window, "VALID"),
    ):
        with tf.GradientTape() as tape:
            variable = tf.constant(maps)
            tape.watch(variable)
            pooled = pool(variable)
        gradients.append(tape.gradient(pooled, variable, upstream).numpy())
    assert (gradients[0] == gradients[1]).all()


def test_pooling_knows_the_moments_of_its_maps(random: np.random.Generator) -> None:
    """Of two parts as if they were one; the smallest where the sign is negative; gradients too."""
    first, second = (random.normal(1, 2, (n, 6, 8, 3)).astype(np.float32) for n in (3, 2))
    signs = tf.constant([1.0, -1.0, 1.0])

    def plainly(parts: list[tf.Tensor]) -> list[tf.Tensor]:
        pooled = [signs * tf.nn.max_pool2d(signs * part, 2, 2, "VALID") for part in parts]
        return [*pooled, *tf.nn.moments(tf.concat(parts, axis=0), [0, 1, 2])]

    def ours(parts: list[tf.Tensor]) -> list[tf.Tensor]:
        pooled, mean, variance = max_pool_and_moments(parts, signs, 2)
        return [*pooled, mean, variance]

    found = []
    for function in (ours, plainly):
        parts = [tf.constant(first), tf.constant(second)]
        with tf.GradientTape() as tape:
            tape.watch(parts)
            results = function(parts)
            total = tf.add_n([tf.reduce_sum(tf.sin(result)) for result in results])
        found.append([*results, *tape.gradient(total, parts)])
    for mine, expected in zip(*found, strict=True):
        assert mine.numpy() == pytest.approx(expected.numpy(), abs=1e-5)


@pytest.mark.parametrize("side", [8, 9])
def test_normalization_with_negative_scales_is_that_of_keras(
    side: int, random: np.random.Generator
) -> None:
    """With pooling before it in training; with a border that pooling leaves out, too."""
    architecture = Architecture(
        (ConvBlock(4),), (), batch_normalization=True, input_shape=(side, side, 1)
    )
    trainer = Trainer(architecture)
    state = TrainingState.untrained(architecture, seed=0)
    for name in ("gamma", "beta", "moving_mean"):
        state.weights[f"conv1_bn/{name}"] = random.normal(size=4).astype(np.float32)
    trainer.seat(state)
    images = random.uniform(size=(5, side, side, 1)).astype(np.float32)
    for mode, training in ((ANSWERING, False), (ATTACKING, True), (TRAINING, True)):
        ours = trainer._forward(tf.constant(images), (0, 0), mode).numpy()
        moved = trainer.weights()
        assign_weights(trainer._model, state.weights)
        expected = trainer._model(images, training=training).numpy()
        assert ours == pytest.approx(expected, abs=1e-4), mode
        if mode == TRAINING:
            for name, array in trainer.weights().items():
                assert moved[name] == pytest.approx(array, abs=1e-5), name
        assign_weights(trainer._model, state.weights)


@pytest.mark.parametrize("count", [1, 2, 129, 300])
def test_logits_are_those_of_the_model(count: int, mnist: Dataset) -> None:
    trainer = trainer_for(TINY)
    trainer.seat(TrainingState.untrained(TINY, seed=0))
    images = mnist.test.images[:count]
    expected = build_model(TINY, seed=0)(to_float(images)).numpy()
    assert trainer.logits(images) == pytest.approx(expected, abs=1e-5)


def test_shifts_and_rotations_keep_to_their_limits(mnist: Dataset) -> None:
    image = np.zeros((400, 28, 28, 1), np.float32)
    image[:, 14, 14] = 1
    zero = tf.constant(0.0)
    moved = augment(image, (1, tf.constant(5)), {"shift": tf.constant(2.0), "rotation": zero})
    rows, columns = np.nonzero(moved.numpy()[..., 0].max(axis=0) > 0)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (12, 16, 12, 16)
    assert moved.numpy().sum(axis=(1, 2, 3)) == pytest.approx(1)
    where = moved.numpy()[..., 0].reshape(400, -1).argmax(axis=1)
    counts = np.bincount(where, minlength=784)
    assert (counts > 0).sum() == 25
    assert counts[counts > 0].min() > 3
    tilted = augment(
        np.ones((50, 28, 28, 1), np.float32),
        (1, tf.constant(0)),
        {"shift": zero, "rotation": tf.constant(30.0)},
    ).numpy()
    assert tilted[:, 12:16, 12:16].min() == pytest.approx(1)  # the center stays
    assert tilted[:, 0, 0].min() < 0.5  # a corner leaves


def test_dropout_drops_in_training_and_scales(mnist: Dataset) -> None:
    """With every weight at zero but the biases, the mean over draws is that without dropout."""
    architecture = Architecture((ConvBlock(2),), (400,), dropout=0.5)
    trainer = Trainer(architecture)
    state = TrainingState.untrained(architecture, seed=0)
    state.weights = {name: np.zeros_like(array) for name, array in state.weights.items()}
    state.weights["dense1/bias"][:] = 1
    state.weights["logits/kernel"][:, 0] = 1 / 400
    trainer.seat(state)
    images = tf.zeros([200, 28, 28, 1])
    logits = trainer._forward(images, (0, tf.constant(3))).numpy()[:, 0]
    other = trainer._forward(images, (0, tf.constant(4))).numpy()[:, 0]
    assert logits.mean() == pytest.approx(1, abs=0.02)
    assert logits.std() == pytest.approx(1 / 20, rel=0.3)  # sqrt(p / (1 − p) / 400)
    assert (logits != other).any()
    assert len(np.unique(logits.round(4))) > 10  # the halves do not share their draws


def test_trainings_take_turns(mnist: Dataset) -> None:
    images, labels = _batches(mnist, 6, 16)

    def run(state: TrainingState, part: slice) -> None:
        trainer = trainer_for(TINY)
        trainer.seat(state)
        trainer.run(
            images[part], labels[part], optimizer="adam", seed=0, learning_rate=1e-3, **NONE
        )

    alone = [TrainingState.untrained(TINY, seed=seed) for seed in (1, 2)]
    for state in alone:
        run(state, slice(0, 6))
        trainer_for(TINY).unseat()
    turns = [TrainingState.untrained(TINY, seed=seed) for seed in (1, 2)]
    for start in range(0, 6, 2):
        for state in turns:
            run(state, slice(start, start + 2))
    trainer_for(TINY).unseat()
    for one, other in zip(alone, turns, strict=True):
        assert one.step == other.step == 6
        for name in one.weights:
            assert (one.weights[name] == other.weights[name]).all()


def test_nothing_retraces(mnist: Dataset) -> None:
    """Every setting, batch size and number of steps runs on one trace."""
    trainer = Trainer(TINY)
    for optimizer in OPTIMIZERS:
        for size, steps in ((16, 1), (7, 3), (1, 2)):
            images, labels = _batches(mnist, steps, size)
            trainer.seat(TrainingState.untrained(TINY, seed=size))
            results = trainer.run(
                images,
                labels,
                optimizer=optimizer,
                seed=size,
                learning_rate=1e-4 * size,
                weight_decay=0.01,
                label_smoothing=0.1,
                shift=float(size % 3),
                rotation=float(steps),
            )
            assert np.isfinite(results.losses).all()
    assert trainer.traces == 1


def test_assign_weights_is_the_inverse_of_named_weights() -> None:
    a, b = build_model(TINY, seed=1), build_model(TINY, seed=2)
    assign_weights(b, named_weights(a))
    for name, array in named_weights(b).items():
        assert (array == named_weights(a)[name]).all()

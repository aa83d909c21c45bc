import gc
import math
from dataclasses import replace

import numpy as np
import psutil
import pytest

from core.arrays import to_float
from core.backend import tf
from core.data.mnist import Dataset
from core.network.architecture import MODEL_1, Architecture, ConvBlock
from core.network.classifier import Classifier
from core.network.evaluation import Evaluation
from core.network.model import build_model
from core.training.loop import (
    CHECKPOINTS,
    Controls,
    Progress,
    TrainingDiverged,
    checkpoint_steps,
    train,
)
from core.training.settings import TrainingSettings
from core.training.trainer import TrainingState, trainer_for

TINY = Architecture((ConvBlock(4, 3), ConvBlock(4, 3)), (10,))
FAST = TrainingSettings(epochs=2, batch_size=50, learning_rate=2e-3, training_images=2_000)


def _curve(progress: list[Progress]) -> list[tuple[float, ...]]:
    return [(p.step, p.loss, p.accuracy, *p.gradient_norms.values()) for p in progress[1:]]


def test_learns(small: Dataset) -> None:
    settings = TrainingSettings(epochs=2, batch_size=50, training_images=2_000, learning_rate=1e-3)
    last = list(train(MODEL_1, small, settings))[-1]
    assert last.step == last.total_steps == 80
    assert last.test is not None
    assert last.test.accuracy.total == 500
    assert last.test.accuracy.value > 0.8


def test_same_settings_same_curve(small: Dataset) -> None:
    first, second = (list(train(TINY, small, FAST)) for _ in range(2))
    assert _curve(first) == _curve(second)
    other = list(train(TINY, small, TrainingSettings(**{**FAST.to_dict(), "seed": 1})))
    assert _curve(first) != _curve(other)


def test_interleaved_trainings_keep_their_curves(small: Dataset) -> None:
    alone = _curve(list(train(TINY, small, FAST)))
    one, other = train(TINY, small, FAST), train(TINY, small, FAST)
    turns = [(next(one), next(other))]
    for pair in zip(one, other, strict=True):
        turns.append(pair)
    assert _curve([pair[0] for pair in turns]) == alone
    assert _curve([pair[1] for pair in turns]) == alone


def test_starts_with_the_untrained_network_and_ends_scored(small: Dataset) -> None:
    progress = list(train(TINY, small, FAST))
    first, last = progress[0], progress[-1]
    assert first.step == 0
    assert math.isnan(first.loss)
    assert first.weights is not None
    assert first.test is not None
    assert last.weights is not None
    assert last.test is not None
    assert [p.step for p in progress] == sorted({p.step for p in progress})


def test_keeps_at_least_twenty_checkpoints(small: Dataset) -> None:
    kept = [p.step for p in train(TINY, small, FAST) if p.weights is not None]
    assert len(kept) >= 20
    assert kept == [0, *checkpoint_steps(0, 80)]


@pytest.mark.parametrize(("first", "last"), [(0, 9380), (0, 25), (100, 200), (0, 3)])
def test_checkpoints_are_dense_at_the_start(first: int, last: int) -> None:
    steps = checkpoint_steps(first, last)
    assert steps[-1] == last
    assert steps[0] > first
    gaps = np.diff([first, *steps])
    assert (gaps > 0).all()
    assert len(steps) <= CHECKPOINTS
    assert gaps[0] <= gaps[-1]


@pytest.mark.parametrize("images", [64, 65, 66, 100, 129, 130])
def test_the_last_record_of_an_epoch_is_of_all_its_images(small: Dataset, images: int) -> None:
    """Closed form: with next to no steps, loss and accuracy are those of the untrained network.

    So every image is seen once, and the last batch, however small, counts by its images.
    """
    settings = TrainingSettings(
        epochs=1, batch_size=64, training_images=images, learning_rate=1e-7, optimizer="sgd"
    )
    last = list(train(TINY, small, settings))[-1]
    seen = small.train.first(images)
    untrained = Classifier(build_model(TINY, seed=settings.seed), name="untrained")
    expected = Evaluation(untrained.logits(to_float(seen.images)), seen.labels)
    assert last.step == settings.steps_per_epoch
    assert last.loss == pytest.approx(expected.loss, abs=1e-5)
    assert last.accuracy == pytest.approx(expected.accuracy.value, abs=1e-6)


def test_no_record_is_of_a_few_images(small: Dataset) -> None:
    """Nor is the first of a training that goes on: it reaches back to the steps before it."""
    settings = replace(FAST, training_images=1_510, epochs=1, batch_size=50)
    controls, state = Controls.of(settings), TrainingState.untrained(TINY, 0)
    for epochs in (1, 2):
        controls.epochs = epochs
        for progress in train(TINY, small, settings, controls=controls, state=state):
            if progress.step:
                seen = state.recent[:, 0].sum()
                assert seen >= min(600, progress.step * 50), f"step {progress.step}"


@pytest.mark.parametrize(("images", "steps"), [(1, 1), (63, 1), (65, 1), (66, 2), (128, 2)])
def test_a_last_image_alone_joins_the_batch_before(images: int, steps: int) -> None:
    settings = TrainingSettings(batch_size=64, training_images=images)
    assert settings.steps_per_epoch == steps


def test_batch_normalization_never_meets_an_image_alone(small: Dataset) -> None:
    """Closed form: after a step its moving variances are those of all 65 images, not of one."""
    normalized = replace(TINY, batch_normalization=True)
    settings = TrainingSettings(epochs=1, batch_size=64, training_images=65)
    weights = list(train(normalized, small, settings))[-1].weights
    assert weights is not None
    kernel = build_model(normalized, seed=0).get_layer("conv1").kernel
    images = to_float(small.train.first(65).images)
    variance = np.var(np.asarray(tf.nn.conv2d(images, kernel, 1, "SAME")), axis=(0, 1, 2))
    assert weights["conv1_bn/moving_variance"] == pytest.approx(0.99 + 0.01 * variance, abs=1e-5)
    for alone in ({"batch_size": 1}, {"training_images": 1}):
        with pytest.raises(ValueError, match="an image alone: choose a batch size"):
            next(train(normalized, small, replace(settings, **alone)))


def test_batches_of_one_image_train(small: Dataset) -> None:
    settings = TrainingSettings(epochs=1, batch_size=1, training_images=5)
    assert math.isfinite(list(train(TINY, small, settings))[-1].loss)


def test_stopping_leaves_a_state_to_go_on_from(small: Dataset) -> None:
    whole = list(train(TINY, small, FAST))
    state = TrainingState.untrained(TINY, FAST.seed)
    training = train(TINY, small, FAST, state=state)
    part = [next(training) for _ in range(10)]
    training.close()
    assert state.step == part[-1].step
    rest = list(train(TINY, small, FAST, state=state))
    assert rest[-1].step == whole[-1].step
    assert rest[-1].weights is not None
    assert whole[-1].weights is not None
    for name, array in whole[-1].weights.items():
        assert (rest[-1].weights[name] == array).all()


def test_learning_rate_and_epochs_change_while_it_runs(small: Dataset) -> None:
    controls = Controls.of(FAST)
    training = train(TINY, small, FAST, controls=controls)
    seen = [next(training) for _ in range(5)]
    controls.learning_rate, controls.epochs = 1e-4, 3
    seen += list(training)
    assert seen[4].learning_rate == 2e-3
    assert seen[5].learning_rate == 1e-4
    assert seen[-1].step == seen[-1].total_steps == 120
    assert seen[-1].epoch == 3


def test_fewer_epochs_while_it_runs_end_it(small: Dataset) -> None:
    controls = Controls.of(FAST)
    training = train(TINY, small, FAST, controls=controls)
    seen = []
    for progress in training:
        seen.append(progress)
        if progress.step >= 41:
            controls.epochs = 1
    assert seen[-1].step < 80


def test_divergence_is_explained(small: Dataset) -> None:
    settings = TrainingSettings(
        epochs=3, learning_rate=10, weight_decay=1, optimizer="sgd", training_images=2_000
    )
    with pytest.raises(TrainingDiverged, match="lower the learning rate") as caught:
        list(train(MODEL_1, small, settings))
    assert 1 <= caught.value.step <= 120
    assert f"at step {caught.value.step}" in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"learning_rate": 0},
        {"learning_rate": -1e-3},
        {"learning_rate": float("nan")},
        {"learning_rate": 11},
        {"epochs": 0},
        {"epochs": 101},
        {"batch_size": 0},
        {"batch_size": 2048},
        {"optimizer": "adagrad"},
        {"weight_decay": -0.1},
        {"weight_decay": 2},
        {"label_smoothing": 1},
        {"label_smoothing": -0.1},
        {"shift": 9},
        {"shift": -1},
        {"rotation": 50},
        {"rotation": -1},
        {"training_images": 0},
        {"training_images": 10_000_001},
        {"seed": -1},
        {"seed": 2**31},
    ],
)
def test_settings_out_of_range_get_one_sentence(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"^The .* is .*: choose .*\.$"):
        TrainingSettings(**change)


def test_twenty_trainings_on_one_trace_without_growth(small: Dataset) -> None:
    settings = TrainingSettings(epochs=1, batch_size=50, training_images=500)
    process = psutil.Process()

    def train_once(seed: int) -> int:
        list(train(MODEL_1, small, TrainingSettings(**{**settings.to_dict(), "seed": seed})))
        gc.collect()
        return process.memory_info().rss

    for seed in range(3):
        train_once(seed)
    before = trainer_for(MODEL_1).traces
    sizes = [train_once(seed) for seed in range(20)]
    assert trainer_for(MODEL_1).traces == before
    growth = np.median(sizes[-5:]) - np.median(sizes[:5])
    assert growth < 15e6, f"grew by {growth / 1e6:.0f} MB"

"""Who trains: rounds of this project, of Keras, of PyTorch, and of plain TensorFlow.

All train with Adam at 5e-4 in batches of 64 on the first images of MNIST, with the default threads
of their library. What a function here returns trains on as many images each time it is called, and
says how many seconds that took.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

BATCH = 64
LEARNING_RATE = 5e-4
RECORD = 10 * BATCH
Work = Callable[[], float]


def convscope(task: str, images: int) -> Work:
    """This project's own steps, as `train` runs them, without scores."""
    if task == "certified":
        return _robust(images)
    from core.data.mnist import load_mnist
    from core.training.trainer import TrainingState, trainer_for

    architecture, attack = _architecture(task), {}
    if task == "pgd-7":
        attack = dict(epsilon=0.3, attack_step=0.1, attack_steps=7.0)
    trainer = trainer_for(architecture)
    state = TrainingState.untrained(architecture, seed=0)
    train = load_mnist().train
    settings = dict(weight_decay=0.0, label_smoothing=0.0, shift=0.0, rotation=0.0, **attack)

    def work() -> None:
        trainer.seat(state)
        for start in range(0, images, RECORD):
            rows = slice(start, start + RECORD)
            trainer.run(
                train.images[rows].reshape(-1, BATCH, 28, 28),
                train.labels[rows].reshape(-1, BATCH),
                optimizer="adam", seed=0, learning_rate=LEARNING_RATE, **settings,
            )  # fmt: skip

    return _timed(work)


def train(task: str, images: int) -> Work:
    """`train` with its scores, records and checkpoints, as the default settings have it.

    Each round goes on with the training up to the record that has brought `images` more, and counts
    its seconds for as many. The first, which nobody counts, is a short training.
    """
    from core.data.mnist import load_mnist
    from core.training.loop import train
    from core.training.settings import TrainingSettings

    architecture, mnist, settings = _architecture(task), load_mnist(), TrainingSettings()
    assert (settings.batch_size, settings.learning_rate) == (BATCH, LEARNING_RATE)

    def rounds() -> Iterator[int]:
        short = replace(settings, epochs=1, training_images=RECORD)
        yield sum(1 for _ in train(architecture, mnist, short))
        while True:
            begun = 0
            for progress in train(architecture, mnist, settings):
                if (progress.step - begun) * BATCH >= images:
                    yield progress.step - begun
                    begun = progress.step

    each = rounds()

    def work() -> float:
        started = time.perf_counter()
        steps = next(each)
        return (time.perf_counter() - started) * images / (steps * BATCH)

    return work


def keras(task: str, images: int) -> Work:
    """Keras `fit` with the same model."""
    import keras as k

    x, y = _arrays(images)
    network = _network(k, task)
    network.compile(
        k.optimizers.Adam(LEARNING_RATE),
        k.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return _timed(lambda: network.fit(x, y, batch_size=BATCH, epochs=1, verbose=0))


def torch(task: str, images: int) -> Work:
    """A plain PyTorch loop with the same model."""
    import torch as t

    x, y = _arrays(images)
    pixels, labels = t.from_numpy(x.transpose(0, 3, 1, 2)), t.from_numpy(y.astype("int64"))
    blocks: list[Any] = []
    for channels in (1, 32):
        normal = [t.nn.BatchNorm2d(32)] if task == "model-2" else []
        blocks += [t.nn.Conv2d(channels, 32, 3, padding=1), *normal, t.nn.ReLU(), t.nn.MaxPool2d(2)]
    normal = [t.nn.BatchNorm1d(500)] if task == "model-2" else []
    blocks += [t.nn.Flatten(), t.nn.Linear(1568, 500), *normal, t.nn.ReLU(), t.nn.Linear(500, 10)]
    network = t.nn.Sequential(*blocks)
    optimizer = t.optim.Adam(network.parameters(), LEARNING_RATE)

    def work() -> None:
        for rows in t.randperm(images).split(BATCH):
            optimizer.zero_grad()
            t.nn.functional.cross_entropy(network(pixels[rows]), labels[rows]).backward()
            optimizer.step()

    return _timed(work)


def plain(task: str, images: int) -> Work:
    """A loop of `tf.function` steps as one writes them with Keras and a tape."""
    from benchmarks import plain_tensorflow

    if task == "certified":
        step = plain_tensorflow.certified_step()
    else:
        import keras as k

        step = plain_tensorflow.attacked_step(_network(k, task))
    x, y = _arrays(images)

    def work() -> None:
        for rows in np.split(np.random.default_rng(0).permutation(images), images // BATCH):
            step(x[rows], y[rows].astype(np.int32))

    return _timed(work)


CONTENDERS = {each.__name__: each for each in (convscope, train, keras, torch, plain)}


def _robust(images: int) -> Work:
    from core.data.mnist import load_mnist
    from core.training.robust.settings import SHIPPED, STRIDED
    from core.training.robust.trainer import RobustTrainer

    settings = replace(SHIPPED["certified"], batch_size=BATCH, shift=0, members=1)
    trainer, train = RobustTrainer(STRIDED, settings), load_mnist().train
    schedule = settings.schedule()[-images // BATCH :]

    def work() -> None:
        for start in range(0, images, RECORD):
            rows = slice(start, start + RECORD)
            batches = train.images[rows].reshape(-1, BATCH, 28, 28)
            labels = train.labels[rows].reshape(-1, BATCH)
            trainer.run(batches, labels, schedule[start // BATCH :][: len(labels)])

    return _timed(work)


def _architecture(task: str) -> Any:
    from core.network.architecture import MODEL_1, MODEL_2

    return MODEL_2 if task == "model-2" else MODEL_1


def _network(k: Any, task: str) -> Any:
    """Model 1 or 2 as one writes it in Keras."""
    blocks: list[Any] = [k.Input((28, 28, 1))]
    normal = [k.layers.BatchNormalization] if task == "model-2" else []
    for _ in range(2):
        blocks += [k.layers.Conv2D(32, 3, padding="same"), *(n() for n in normal), k.layers.ReLU()]
        blocks += [k.layers.MaxPooling2D()]
    blocks += [k.layers.Flatten(), k.layers.Dense(500), *(n() for n in normal), k.layers.ReLU()]
    return k.Sequential([*blocks, k.layers.Dense(10)])


def _arrays(images: int) -> tuple[Any, Any]:
    from core.arrays import to_float
    from core.data.mnist import load_mnist

    train = load_mnist().train.first(images)
    return to_float(train.images), train.labels


def _timed(work: Callable[[], Any]) -> Work:
    def seconds() -> float:
        started = time.perf_counter()
        work()
        return time.perf_counter() - started

    return seconds

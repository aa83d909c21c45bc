"""Images per second of training: this project, Keras `fit` and a plain PyTorch loop, alternating.

Every contender trains the same model with Adam at 5e-4 in batches of 64 on the same images, in a
process of its own with its default threads. The report is the median over rounds and the ratio
within each round.
"""

import importlib.util
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.contender import Contender, serve

IMAGES = 3_200
BATCH = 64
LEARNING_RATE = 5e-4


def main(rounds: int = 15) -> None:
    """Print a table for Model 1 and one for Model 2."""
    for model in ("model-1", "model-2"):
        names = ["convscope", "keras"]
        if importlib.util.find_spec("torch"):
            names.append("torch")
        contenders = [Contender("benchmarks.training", name, model) for name in names]
        for contender in contenders:
            contender.round()  # start-up, tracing and warm-up
        seconds: dict[str, list[float]] = {name: [] for name in names}
        for _ in range(rounds):
            for contender in contenders:
                seconds[contender.name].append(contender.round())
        for contender in contenders:
            contender.__exit__(None, None, None)
        report(model, seconds)


def report(model: str, seconds: dict[str, list[float]]) -> None:
    """Print the medians, and how many times as fast as each peer this project is."""
    print(f"{model}: {IMAGES:,} images a round, {len(seconds['convscope'])} rounds, median")
    for name, times in seconds.items():
        ratios = [peer / own for peer, own in zip(times, seconds["convscope"], strict=True)]
        speed = IMAGES / statistics.median(times)
        print(
            f"  {name:10s} {speed:7,.0f} images/s   convscope is {statistics.median(ratios):.2f} "
            f"times as fast [{min(ratios):.2f}, {max(ratios):.2f}]"
        )


def convscope(model: str) -> Callable[[], float]:
    """Rounds of this project's own trainer, as `train` runs it, without scores."""
    from core.data.mnist import load_mnist
    from core.network.model import MODEL_1, MODEL_2
    from core.training.trainer import TrainingState, trainer_for

    architecture = {"model-1": MODEL_1, "model-2": MODEL_2}[model]
    trainer = trainer_for(architecture)
    state = TrainingState.untrained(architecture, seed=0)
    train = load_mnist().train
    settings = dict(weight_decay=0.0, label_smoothing=0.0, shift=0.0, rotation=0.0)

    def work() -> float:
        started = time.perf_counter()
        trainer.seat(state)
        for start in range(0, IMAGES, 10 * BATCH):
            rows = slice(start, start + 10 * BATCH)
            trainer.run(
                train.images[rows].reshape(10, BATCH, 28, 28),
                train.labels[rows].reshape(10, BATCH),
                optimizer="adam",
                seed=0,
                learning_rate=LEARNING_RATE,
                **settings,
            )
        return time.perf_counter() - started

    return work


def keras(model: str) -> Callable[[], float]:
    """Rounds of Keras `fit` with the same model and TensorFlow's default threads."""
    import keras as k

    x, y = _arrays()
    blocks: list[Any] = [k.Input((28, 28, 1))]
    normal = [k.layers.BatchNormalization] if model == "model-2" else []
    for _ in range(2):
        blocks += [k.layers.Conv2D(32, 3, padding="same"), *(n() for n in normal), k.layers.ReLU()]
        blocks += [k.layers.MaxPooling2D()]
    blocks += [k.layers.Flatten(), k.layers.Dense(500), *(n() for n in normal), k.layers.ReLU()]
    network = k.Sequential([*blocks, k.layers.Dense(10)])
    network.compile(
        k.optimizers.Adam(LEARNING_RATE),
        k.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )

    def work() -> float:
        started = time.perf_counter()
        network.fit(x, y, batch_size=BATCH, epochs=1, verbose=0)
        return time.perf_counter() - started

    return work


def torch(model: str) -> Callable[[], float]:
    """Rounds of a plain PyTorch loop with the same model and PyTorch's default threads."""
    import torch as t

    x, y = _arrays()
    images, labels = t.from_numpy(x.transpose(0, 3, 1, 2)), t.from_numpy(y.astype("int64"))
    blocks: list[Any] = []
    for channels in (1, 32):
        normal = [t.nn.BatchNorm2d(32)] if model == "model-2" else []
        blocks += [t.nn.Conv2d(channels, 32, 3, padding=1), *normal, t.nn.ReLU(), t.nn.MaxPool2d(2)]
    normal = [t.nn.BatchNorm1d(500)] if model == "model-2" else []
    blocks += [t.nn.Flatten(), t.nn.Linear(1568, 500), *normal, t.nn.ReLU(), t.nn.Linear(500, 10)]
    network = t.nn.Sequential(*blocks)
    optimizer = t.optim.Adam(network.parameters(), LEARNING_RATE)

    def work() -> float:
        started = time.perf_counter()
        for rows in t.randperm(IMAGES).split(BATCH):
            optimizer.zero_grad()
            t.nn.functional.cross_entropy(network(images[rows]), labels[rows]).backward()
            optimizer.step()
        return time.perf_counter() - started

    return work


def _arrays() -> tuple[Any, Any]:
    from core.arrays import to_float
    from core.data.mnist import load_mnist

    train = load_mnist().train.first(IMAGES)
    return to_float(train.images), train.labels


if __name__ == "__main__":
    contenders = {"convscope": convscope, "keras": keras, "torch": torch}
    serve(contenders[sys.argv[1]](sys.argv[2]))

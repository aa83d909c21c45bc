"""The robust models that ship with the project: how they are trained, chosen and measured.

    python -m core.zoo robust          adversarial training alone
    python -m core.zoo certified       attacks and interval bounds together

A training that was interrupted goes on from its last epoch.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from core.architecture import Architecture, ConvBlock
from core.attacks.goals import Untargeted
from core.attacks.gradient import pgd
from core.classifier import Classifier
from core.data import IntArray, load_mnist, to_float
from core.defenses.certified import certified
from core.defenses.robust_training import RobustTrainer
from core.defenses.settings import RobustSettings
from core.model import assign_weights, build_model

EPSILON = 0.3
STRIDED = Architecture(
    blocks=(
        ConvBlock(32, kernel_size=4, stride=2, pooling=1),
        ConvBlock(64, kernel_size=4, stride=2, pooling=1),
    ),
    hidden_units=(256,),
)
SETTINGS = {
    "robust": RobustSettings(
        epochs=12, learning_rate=2e-3, adversarial_share=1.0, attack_epsilon=0.38,
        attack_steps=3, attack_step=0.6, shift=2, normalized=(),
    ),
    "certified": RobustSettings(),
}  # fmt: skip
_RECORD = 39  # steps between two lines of the log
_SCORED = 1_000  # held-back images
_SCORED_EPOCHS = 2
_ATTACKED = 300


def train(
    settings: RobustSettings, checkpoint: Path, *, architecture: Architecture = STRIDED
) -> tuple[Classifier, float]:
    """The trained classifier and the processor seconds that it took; prints a log.

    Goes on from the file `checkpoint` if there is one, and writes it after every epoch.
    """
    trainer = RobustTrainer(architecture, settings)
    spent = trainer.restore(checkpoint) if checkpoint.exists() else 0.0
    started = time.process_time()
    dataset, schedule = load_mnist(), settings.schedule()
    classifier = Classifier(build_model(architecture), name="in training")
    for rows in _batches(settings, trainer.step):
        batch = slice(trainer.step, trainer.step + len(rows))
        losses = trainer.run(
            dataset.train.images[rows], dataset.train.labels[rows], schedule[batch]
        )
        seconds = spent + time.process_time() - started
        epoch, rest = divmod(trainer.step, settings.steps_per_epoch)
        print(
            f"epoch {trainer.step / settings.steps_per_epoch:6.2f} of {settings.epochs}"
            f"  {seconds:7.0f} s  attacked: loss {losses[0]:.3f}, right {losses[2]:.3f}"
            f"  bounds: loss {losses[1]:.3f}",
            flush=True,
        )
        if rest == 0:
            trainer.save(checkpoint, seconds)
            if epoch % _SCORED_EPOCHS == 0:
                assign_weights(classifier.model, trainer.folded())
                print(f"  held back: {held_back_scores(classifier, settings)}", flush=True)
    assign_weights(classifier.model, trainer.folded())
    return Classifier(classifier.model, name="trained"), spent + time.process_time() - started


def _batches(settings: RobustSettings, step: int) -> Iterator[IntArray]:
    """Rows [k, batch] of the training images, in a new order every epoch, from `step` on."""
    while step < settings.epochs * settings.steps_per_epoch:
        epoch, done = divmod(step, settings.steps_per_epoch)
        order = np.random.default_rng((settings.seed, epoch)).permutation(settings.training_images)
        count = min(_RECORD, settings.steps_per_epoch - done)
        rows = order[done * settings.batch_size :][: count * settings.batch_size]
        yield rows.reshape(count, -1)
        step += count


def held_back_scores(classifier: Classifier, settings: RobustSettings) -> dict[str, float]:
    """Accuracy on the last training images, which no step has seen: clean, certified, attacked."""
    train = load_mnist().train
    images, labels = to_float(train.images[-_SCORED:]), train.labels[-_SCORED:].astype(np.int64)
    some = slice(_ATTACKED)
    attacked = pgd(
        classifier, images[some], Untargeted(labels[some]),
        epsilon=EPSILON, step_size=EPSILON / 8, iterations=20,
    )  # fmt: skip
    return {
        "clean": float((classifier.predict(images) == labels).mean()),
        "certified": float(certified(classifier, images, labels, EPSILON).mean()),
        "PGD-20": attacked.standing.value,
    }

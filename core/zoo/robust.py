"""How the shipped robust models are trained, with breaks, and what is measured of them."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from core.arrays import BoolArray, IntArray, to_float
from core.attacks.ensemble import worst_case
from core.attacks.goals import Untargeted
from core.attacks.gradient import pgd
from core.certification.interval_bounds import certified
from core.data.dataset import Split
from core.data.mnist import load_mnist
from core.network.architecture import Architecture
from core.network.card import INTERVAL_BOUNDS, PGD, WORST_CASE, Alarm, Robustness
from core.network.classifier import Classifier
from core.network.model import Weights, assign_weights, build_model
from core.network.side_by_side import side_by_side, widened
from core.studies.masking import MaskingStudy
from core.training.robust.settings import STRIDED, RobustSettings
from core.training.robust.trainer import RobustTrainer

EPSILON = 0.3
_RECORD = 39  # steps between two lines of the log
_SCORED_EPOCHS = 2
_SCORED, _ATTACKED = 1_000, 300  # held-back images
ATTACKED_TEST_IMAGES = 1_000
ALARM_IMAGES = 200


def train(
    settings: RobustSettings, checkpoint: Path, *, architecture: Architecture = STRIDED
) -> tuple[Classifier, float]:
    """The trained classifier and the processor seconds that it took; prints a log.

    architecture: of each member. Goes on from the files `checkpoint` with a member's seed in their
    names if there are any, and writes them after every epoch.
    """
    members, seconds = [], 0.0
    for number in range(settings.members):
        own = settings.of_member(number)
        file = checkpoint.with_suffix(f".{own.seed}{checkpoint.suffix}")
        trainer, spent = _train_member(own, file, architecture)
        members.append(trainer.folded())
        seconds += spent
    return _classifier(widened(architecture, settings.members), side_by_side(members)), seconds


def _train_member(
    settings: RobustSettings, checkpoint: Path, architecture: Architecture
) -> tuple[RobustTrainer, float]:
    trainer = RobustTrainer(architecture, settings)
    spent = trainer.restore(checkpoint) if checkpoint.exists() else 0.0
    started = time.process_time()
    images, schedule = load_mnist().train, settings.schedule()
    for rows in _batches(settings, trainer.step):
        now = schedule[trainer.step : trainer.step + len(rows)]
        losses = trainer.run(images.images[rows], images.labels[rows], now)
        seconds = spent + time.process_time() - started
        epoch, rest = divmod(trainer.step, settings.steps_per_epoch)
        print(
            f"seed {settings.seed}"
            f"  epoch {trainer.step / settings.steps_per_epoch:6.2f} of {settings.epochs}"
            f"  {seconds:7.0f} s  attacked: loss {losses[0]:.3f}, right {losses[2]:.3f}"
            f"  bounds: loss {losses[1]:.3f}",
            flush=True,
        )
        if rest == 0:
            trainer.save(checkpoint, seconds)
            if epoch % _SCORED_EPOCHS == 0:
                scores = held_back_scores(_classifier(architecture, trainer.folded()))
                print(f"  held back: {scores}", flush=True)
    return trainer, spent + time.process_time() - started


def held_back_scores(classifier: Classifier) -> dict[str, float]:
    """Accuracy on the last training images, which no step has seen: clean, certified, attacked.

    Choices are made by these, so that the test images stay a test.
    """
    train = load_mnist().train
    last = Split(train.images[-_SCORED:], train.labels[-_SCORED:])
    images, labels = to_float(last.images), last.labels.astype(np.int64)
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


def measure(classifier: Classifier, test: Split) -> tuple[Robustness, ...]:
    """At ε = 0.3: certified on all of `test`, PGD and the worst case on the first 1,000.

    An image with a certificate is not attacked in the worst case: no attack can succeed on it.
    """
    images, labels = to_float(test.images), test.labels.astype(np.int64)
    proven = certified(classifier, images, labels, EPSILON)
    first = slice(ATTACKED_TEST_IMAGES)
    images, labels = images[first], labels[first]
    steps = pgd(
        classifier, images, Untargeted(labels), epsilon=EPSILON, step_size=0.01, iterations=100
    )
    rows = np.flatnonzero(~proven[first])
    worst = worst_case(
        classifier, images[rows], Untargeted(labels[rows]),
        epsilon=EPSILON, iterations=100, queries=5_000,
    )  # fmt: skip
    standing = proven[first].copy()
    standing[rows] = ~worst.succeeded
    fallen = {f"fell to {member}": count for member, count in worst.broken.items()}
    return (
        _robustness(INTERVAL_BOUNDS, proven, {}),
        _robustness(PGD, ~steps.succeeded, steps.parameters),
        _robustness(WORST_CASE, standing, {**worst.parameters, **fallen}),
    )


def alarms(classifier: Classifier, source: Classifier, test: Split) -> tuple[Alarm, ...]:
    """Every check for masked gradients at ε = 0.3, on the first 200 images of `test`.

    source: the classifier on which the transferred attack is made.
    """
    first = test.first(ALARM_IMAGES)
    study = MaskingStudy(classifier, ALARM_IMAGES, EPSILON, source=source)
    for _ in study.work(to_float(first.images), first.labels.astype(np.int64)):
        pass
    for found in study.findings:
        print(f"  {found.title}: {found.verdict}", flush=True)
    return tuple(Alarm(found.title, found.state, found.verdict) for found in study.findings)


def _robustness(attack: str, standing: BoolArray, settings: Mapping[str, Any]) -> Robustness:
    return Robustness.of(attack, EPSILON, "linf", standing, settings)


def _classifier(architecture: Architecture, weights: Weights) -> Classifier:
    """A new one each time, since compiled functions keep weights."""
    model = build_model(architecture)
    assign_weights(model, weights)
    return Classifier(model, name="in training")


def _batches(settings: RobustSettings, step: int) -> Iterator[IntArray]:
    """Rows [k, batch] of the training images, in a new order every epoch, from `step` on."""
    while step < settings.epochs * settings.steps_per_epoch:
        epoch, done = divmod(step, settings.steps_per_epoch)
        order = np.random.default_rng((settings.seed, epoch)).permutation(settings.training_images)
        count = min(_RECORD, settings.steps_per_epoch - done)
        rows = order[done * settings.batch_size :][: count * settings.batch_size]
        yield rows.reshape(count, -1)
        step += count

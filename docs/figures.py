"""Print the figures of docs/RESULTS.md that no card holds: `python -m docs.figures [name …]`.

Each is of the shipped models and the first test images, with the defaults of its page.
"""

import sys
from collections.abc import Iterator

import numpy as np

from core.arrays import FloatArray, to_float
from core.attacks.generated import additive_noise, generate_from_noise, move_toward
from core.attacks.goals import Targeted, Untargeted
from core.attacks.gradient import fgsm
from core.attacks.noise_control import noise_of_norm
from core.attacks.universal_noise import carry
from core.data.mnist import load_mnist
from core.data.spec import MNIST
from core.defenses.adaptive import adaptive
from core.defenses.defended import DefendedClassifier, defense_of
from core.defenses.detection import DETECTORS
from core.report.claims import noise_claims, source_claims
from core.report.settings import E8_SOURCE_CLASS, E9_SOURCE_CLASS
from core.statistics.rate import Rate
from core.studies.detection_study import ADAPTIVE, DetectionStudy
from core.zoo import models as zoo

_TEST = load_mnist().test
_LABELS = _TEST.labels.astype(np.int64)
_SHOWN = 200  # images of a table
_SCORED = 1_000  # images of E9


def images(rows: "slice | np.ndarray") -> FloatArray:
    """Test images as a network takes them."""
    return to_float(_TEST.images[rows])


def words(rate: Rate) -> str:
    """The rate, its interval and its count."""
    low, high = rate.interval
    share = f"{100 * rate.value:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"
    return f"{share}, {rate.successes:,} of {rate.total:,}"


def from_noise() -> Iterator[str]:
    """E7, and E8 beside it."""
    model, other = zoo.load("model-1"), zoo.load("model-2")
    classes = np.arange(len(MNIST.classes))
    noise = generate_from_noise(model, classes)
    claims = noise_claims(noise, classes, other.probabilities(noise.result), "Model 2")
    targets = np.array([3, 6, 8])
    source = images(np.flatnonzero(_LABELS == E8_SOURCE_CLASS)[:1])
    moved = move_toward(model, source.repeat(len(targets), axis=0), Targeted(targets))
    reached = int((moved.predicted[-1] == targets).sum())
    claims += source_claims(reached, moved.result, noise.result[targets], source)
    yield from (f"{claim.words}: {claim.measured}" for claim in claims)
    lengths = np.sqrt(((moved.result - source) ** 2).sum(axis=(1, 2, 3)))
    yield f"L2 {lengths.min():.2f} to {lengths.max():.2f}"


def one_noise() -> Iterator[str]:
    """E9, toward 4 and 5, and a noise fitted to ten images, doubled; beside Gaussian noise."""
    model = zoo.load("model-1")
    source = np.flatnonzero(_LABELS == E9_SOURCE_CLASS)[:1]
    first_of = 5_000 + np.array([np.flatnonzero(_LABELS[5_000:] == c)[0] for c in range(10)])
    fits = {(target, 1): source for target in (4, 5)}
    fits[4, 2] = np.append(source, first_of[[1, 2, 3, 5, 6, 7, 8, 9, 0]])
    for (target, scale), rows in fits.items():
        goal = Targeted(np.full(len(rows), target))
        fitted = additive_noise(model, images(rows), goal).noise
        assert fitted is not None
        kept = np.setdiff1d(np.arange(_SCORED), rows)
        apart = {E9_SOURCE_CLASS} if len(rows) == 1 else set()
        others = set(range(len(MNIST.classes))) - {target} - apart
        found = carry(model, fitted[-1], images(kept), _LABELS[kept], target=target, scale=scale)
        noisy = noise_of_norm(images(kept), found.l2)
        right = found.right_before & np.isin(_LABELS[kept], sorted(others))
        wrong = model.predict(noisy) != _LABELS[kept]
        control = Rate(int((right & wrong).sum()), int(right.sum()))
        misread = words(found.misclassified(others))
        yield f"{len(rows)} images toward {target}, × {scale}: misread {misread}"
        yield f"  Gaussian noise as long: {words(control)}"


def filters() -> Iterator[str]:
    """E12: what an attacker who knows a filter leaves."""
    budgets = {"L∞ 0.3": (0.3, "linf"), "L∞ 0.55": (0.55, "linf"), "L2 4": (4, "l2")}
    budgets["40 pixels"] = (40, "l0")
    rows = slice(_SHOWN)
    for key in ("blur-1", "median-3", "threshold-0.5"):
        defended = DefendedClassifier(zoo.load("model-1"), defense_of(key))
        for name, (epsilon, norm) in budgets.items():
            attacked = adaptive(
                defended, images(rows), Untargeted(_LABELS[rows]), epsilon=epsilon, norm=norm
            ).adversarial
            right = defended.predict(attacked) == _LABELS[rows]
            yield f"{key}, {name}: {words(Rate(int(right.sum()), len(right)))} stand"


def detectors() -> Iterator[str]:
    """Images misread and not detected, by PGD and by an attack with the detector in its loss."""
    model = zoo.load("model-1")
    for name in DETECTORS:
        study = DetectionStudy(_SHOWN, name, 0.3)
        for _ in study.work(model, _TEST):
            pass
        threshold = study.found.threshold(0.05)
        attacks = {each.name: each for each in study.found.attacks}
        past = ", ".join(f"{a} {words(attacks[a].through(threshold))}" for a in ("PGD", ADAPTIVE))
        yield f"{name}: {past}"


def one_step() -> Iterator[str]:
    """FGSM over the first 500 images, of those that were read right."""
    rows = slice(500)
    for name in ("model-1", "model-2"):
        model = zoo.load(name)
        right = model.predict(images(rows)) == _LABELS[rows]
        for epsilon in (0.1, 0.2, 0.3):
            result = fgsm(model, images(rows), Untargeted(_LABELS[rows]), epsilon=epsilon)
            fallen = Rate(int((result.succeeded & right).sum()), int(right.sum()))
            yield f"{name}, ε {epsilon}: {words(fallen)} fall"


FIGURES = {each.__name__: each for each in (from_noise, one_noise, filters, detectors, one_step)}

if __name__ == "__main__":
    for name in sys.argv[1:] or FIGURES:
        print(f"\n{FIGURES[name].__doc__}")
        for line in FIGURES[name]():
            print(line, flush=True)

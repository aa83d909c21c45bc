"""Is a robustness only a hidden gradient? Alarms, each with its evidence and its criterion.

After Athalye, Carlini and Wagner (2018), arXiv:1802.00420, and Carlini et al. (2019),
arXiv:1902.06705.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from core.arrays import BoolArray, FloatArray, IntArray, check_classes, check_images
from core.attacks.loss_surface import Surfaces
from core.checks import as_written, check_range, check_seed, check_whole
from core.defenses.adaptive import is_random
from core.network.classifier import Classifier
from core.statistics.rate import Rate
from core.studies.masking_looks import NOISE_DRAWS, Look, Seen, Suspect, looked
from core.studies.masking_verdicts import (
    ALARM,
    SILENT,
    UNCLEAR,
    Finding,
    compared,
    conclusion,
    gap,
    more_still_helps,
    none_of,
    not_monotone,
    reaches_zero,
    share_below,
)
from core.studies.study import chunks
from core.work.chunks import HERE, AnyWorkers, Chunk, work_on

__all__ = ["ALARM", "SILENT", "UNCLEAR", "Finding", "MaskingStudy"]

MAX_IMAGES = 500
ITERATIONS = 40
SHOWN = 24  # images whose surface is kept
_CHUNK = 50  # images
_LARGE = 0.5
_COSINE = 0.5
_COUNTS = (10, 20, ITERATIONS, 2 * ITERATIONS)
_RUNS = 4
_ZERO, _COSINES, _UPHILL, _SURFACE = map(Look, ("zero", "cosine", "uphill", "surface"))
_ONE_STEP, _NOISE, _BLACK_BOX = map(Look, ("one step", "noise", "black box"))


@dataclass(eq=False)
class MaskingStudy:
    """The checks of one classifier on its first `total` images; grows while `work` goes on.

    The white box is PGD with a random start, 40 steps of ε / 16 up the cross-entropy, by the
    classifier's own gradient; it does not look for another stand-in, because that is what the
    alarms are about. A random defense is attacked, searched and judged with draws of the
    attacker's own, three kinds of them, so that no attack wins by the luck of a draw. source: where
    the transferred attack is made; without one it is not checked. epsilon 0.01 to 0.5, L∞. queries:
    of Square. left: of the images counted, those that no attack of the checks within epsilon
    breaks; None before the first attack.
    """

    classifier: Classifier
    total: int = 200
    epsilon: float = 0.3
    queries: int = 1_000
    source: Classifier | None = None
    seed: int = 0
    findings: tuple[Finding, ...] = ()
    counted: int = 0
    left: Rate | None = None
    surface: Surfaces | None = field(default=None, repr=False)
    shown: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    _parts: dict[tuple[Look, int], Seen] = field(default_factory=dict, repr=False)
    _seen: dict[Look, Seen] = field(default_factory=dict, repr=False)
    _fallen: BoolArray = field(default_factory=lambda: np.zeros(0, bool), repr=False)

    def __post_init__(self) -> None:
        check_whole("The number of images", self.total, 1, MAX_IMAGES)
        check_range("Epsilon", self.epsilon, 0.01, _LARGE)
        check_seed(self.seed)
        self.epsilon = as_written(self.epsilon)
        check_whole("The number of queries", self.queries, 1, 10_000)

    @property
    def count(self) -> int:
        """How many checks have a verdict."""
        return len(self.findings)

    @property
    def planned(self) -> int:
        """How many checks there are: without a source the transfer is left out."""
        return len(self._checks())

    @property
    def conclusion(self) -> tuple[str, str]:
        """What they say together, which begins with what stands: a state and a sentence."""
        return conclusion(self.left, self.findings, self.planned)

    def work(
        self, images: FloatArray, labels: IntArray, *, workers: AnyWorkers = HERE
    ) -> Generator[float]:
        """Check on images [total, h, w, c] of classes int [total]; yields the share done.

        Only images that are read right count. Raises ValueError if there are none.
        """
        spec = self.classifier.spec
        check_images(images, spec.shape)
        labels = check_classes(labels, len(images), len(spec.classes))
        right = np.flatnonzero(self.classifier.predict(images) == labels)
        if not len(right):
            raise ValueError(f"All {len(images)} images are misread: there is nothing to attack.")
        if not self.counted:
            self.counted, self.shown = len(right), right[:SHOWN]
            self._fallen = np.zeros(len(right), bool)
        self._labels = labels[right]
        yield from work_on(self._chunks(images[right], labels[right]), self, workers)

    def _chunks(self, images: FloatArray, labels: IntArray) -> Iterator[Chunk]:
        at = Suspect(self.classifier, self.source, self.epsilon, self.queries, self.seed)
        looks = dict.fromkeys(look for check in self._checks() for look in check.looks(self))
        for look in looks:
            cost = max(look.iterations, self.queries / 3 if look == _BLACK_BOX else 10)
            for number, rows in enumerate(self._rows(look)):
                given = look, at, images[rows], labels[rows]
                yield Chunk((look, number), looked, given, cost * (rows.stop - rows.start))

    def _rows(self, look: Look) -> list[slice]:
        """Surfaces are looked at of the images that are shown alone."""
        return list(chunks(len(self.shown) if look == _SURFACE else self.counted, _CHUNK))

    def has(self, key: Any) -> bool:
        """Whether a look, with the number of a part of the images, is done."""
        return key in self._parts or key[0] in self._seen

    def take(self, key: Any, result: Seen) -> None:
        """Take in a look at a part; a check has its verdict when all it looks at is seen."""
        look, _ = key
        self._parts[key] = result
        keys = [(look, number) for number in range(len(self._rows(look)))]
        if all(each in self._parts for each in keys):
            parts = [self._parts.pop(each) for each in keys]
            self._seen[look] = {
                name: np.concatenate([part[name] for part in parts]) for name in parts[0]
            }
        for check in self._checks()[self.count :]:
            if not all(each in self._seen for each in check.looks(self)):
                return
            self.findings = (*self.findings, check.say(self))

    def _checks(self) -> "list[_Check]":
        return [check for check in _CHECKS if self.source is not None or check is not _TRANSFERRED]

    def white(self, epsilon: float = 0.0, *, iterations: int = ITERATIONS, run: int = 0) -> Look:
        """The white box; without an epsilon at that of the study."""
        return Look("white", epsilon or self.epsilon, iterations, run)

    @property
    def transfer(self) -> Look:
        """The same made on the source."""
        return Look("transfer", self.epsilon, ITERATIONS)

    @property
    def radii(self) -> list[float]:
        """Where the white box is made to see whether more is more."""
        parts = {as_written(self.epsilon * part / 3) for part in (1, 2, 3)}
        return sorted(parts | {0.4, _LARGE})

    @property
    def most(self) -> int:
        """The images of the commonest class that count."""
        return int(np.bincount(self._labels).max())

    def seen(self, look: Look, what: str) -> Any:
        """An array of what was seen, one row for each image that counts."""
        return self._seen[look][what]

    def broken(self, *looks: Look) -> BoolArray:
        """Which images break under the best of some attempts: bool [n].

        The best is chosen as an attacker can, who does not know how the judge draws.
        """
        best = np.argmax([self.seen(look, "ahead") for look in looks], axis=0)

        def of_best(what: str) -> BoolArray:
            of_all = np.array([self.seen(look, what) for look in looks])
            chosen: BoolArray = of_all[best, np.arange(self.counted)]
            return chosen

        broken = of_best("broken")
        self._fallen = self._fallen | (broken & of_best("within"))
        self.left = Rate.of(~self._fallen)
        return broken


class _Check(NamedTuple):
    """What a check looks at, and what it says of that."""

    looks: Callable[[MaskingStudy], list[Look]]
    say: Callable[[MaskingStudy], Finding]


def _one_step(study: MaskingStudy) -> Finding:
    return compared(
        "one-step", "One step beats many", "one step (FGSM)", study.broken(_ONE_STEP),
        f"{ITERATIONS} steps (PGD)", study.broken(study.white()),
    )  # fmt: skip


def _overfitted(study: MaskingStudy) -> Finding:
    return gap(study.broken(_ONE_STEP), study.broken(study.white()), ITERATIONS)


def _black_box(study: MaskingStudy) -> Finding:
    return compared(
        "black-box", "A black box beats the gradient", f"Square, {study.queries:,} queries",
        study.broken(_BLACK_BOX), "the gradient (PGD)", study.broken(study.white()),
    )  # fmt: skip


def _transfer(study: MaskingStudy) -> Finding:
    assert study.source is not None
    return compared(
        "transfer", "A transferred attack beats the gradient",
        f"an attack made on {study.source.name}",
        study.broken(study.transfer), "the gradient (PGD)", study.broken(study.white()),
    )  # fmt: skip


def _noise(study: MaskingStudy) -> Finding:
    return compared(
        "noise", "Noise succeeds where the gradient fails", f"the best of {NOISE_DRAWS} noises",
        study.broken(_NOISE), "the gradient (PGD)", study.broken(study.white()),
    )  # fmt: skip


def _monotone(study: MaskingStudy) -> Finding:
    radii = study.radii
    return not_monotone(radii, np.stack([study.broken(study.white(each)) for each in radii]))


def _large(study: MaskingStudy) -> Finding:
    return reaches_zero(_LARGE, study.broken(study.white(_LARGE)), study.most)


def _zero_gradients(study: MaskingStudy) -> Finding:
    zero = study.seen(_ZERO, "zero")
    rates = {
        "no pixel has a gradient: cross-entropy": Rate.of(zero[:, 0]),
        "no pixel has a gradient: margin": Rate.of(zero[:, 1]),
    }
    return none_of(
        "zero", "Gradients are exactly zero", rates,
        "the cross-entropy has an input gradient of exactly 0 in every pixel",
    )  # fmt: skip


def _differences(study: MaskingStudy) -> Finding:
    cosines = study.seen(_COSINES, "cosine")
    rates = {f"cosine at least {_COSINE:g}": Rate.of(cosines >= _COSINE)}
    found = share_below(
        "differences", "The gradient is not that of the loss", rates, 0.5,
        f"gradient and finite differences agree (cosine at least {_COSINE:g})",
        values=cosines,
    )  # fmt: skip
    if not is_random(study.classifier):
        return found
    reason = "Both ends of a difference meet draws of their own, so that it says nothing here."
    return replace(found, state=UNCLEAR, verdict=f"{found.verdict} {reason}")


def _iterations(study: MaskingStudy) -> Finding:
    broken = [study.broken(study.white(iterations=count)) for count in _COUNTS]
    return more_still_helps(
        "iterations", "More iterations still help", "iterations", _COUNTS, np.stack(broken)
    )


def _restarts(study: MaskingStudy) -> Finding:
    runs = [study.white(run=number) for number in range(_RUNS)]
    broken = np.stack([study.broken(*runs[: count + 1]) for count in range(_RUNS)])
    return more_still_helps(
        "restarts", "More restarts still help", "runs", [1, 2, _RUNS], broken[[0, 1, _RUNS - 1]]
    )


def _surface(study: MaskingStudy) -> Finding:
    study.surface = Surfaces(study.seen(_SURFACE, "along"), study.seen(_SURFACE, "rise"))
    rates = {"steeper along the gradient": Rate.of(study.seen(_UPHILL, "uphill"))}
    return share_below(
        "surface", "The gradient does not lead uphill", rates, 0.5,
        "the margin rises more along the gradient than along random signs",
        values=study.surface.roughness,
    )  # fmt: skip


_TRANSFERRED = _Check(lambda study: [study.transfer, study.white()], _transfer)
_CHECKS: Sequence[_Check] = (
    _Check(lambda _: [_ZERO], _zero_gradients),
    _Check(lambda _: [_COSINES], _differences),
    _Check(lambda _: [_UPHILL, _SURFACE], _surface),
    _Check(lambda study: [_ONE_STEP, study.white()], _one_step),
    _Check(lambda study: [_ONE_STEP, study.white()], _overfitted),
    _Check(lambda study: [_NOISE, study.white()], _noise),
    _TRANSFERRED,
    _Check(lambda study: [study.white(iterations=count) for count in _COUNTS], _iterations),
    _Check(lambda study: [study.white(run=number) for number in range(_RUNS)], _restarts),
    _Check(lambda study: [study.white(radius) for radius in study.radii], _monotone),
    _Check(lambda study: [study.white(_LARGE)], _large),
    _Check(lambda study: [_BLACK_BOX, study.white()], _black_box),
)

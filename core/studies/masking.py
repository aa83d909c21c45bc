"""Is a robustness only a hidden gradient? Alarms, each with its evidence and its criterion.

After Athalye, Carlini and Wagner (2018), arXiv:1802.00420, and Carlini et al. (2019),
arXiv:1902.06705.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from core.arrays import BoolArray, FloatArray, IntArray, check_classes, check_images
from core.attacks.black_box import square
from core.attacks.goals import Untargeted
from core.attacks.gradient import fgsm, pgd
from core.attacks.loss_surface import (
    Surfaces,
    difference_cosines,
    input_gradients,
    rises,
    runner_up,
    surfaces,
)
from core.attacks.noise_control import noise_at_edge
from core.checks import as_written, check_range, check_seed, check_whole
from core.defenses.adaptive import (
    JUDGE,
    SEARCH,
    SEARCH_DRAWS,
    VIEW,
    is_random,
    lasting,
    other_draws,
)
from core.keyed_noise import other_seed
from core.network.classifier import Classifier
from core.statistics.rate import Rate
from core.studies.grid import inside
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

__all__ = ["ALARM", "SILENT", "UNCLEAR", "Finding", "MaskingStudy"]

MAX_IMAGES = 500
ITERATIONS = 40
NOISE_DRAWS = 20
SHOWN = 24  # images whose surface is kept
_LARGE = 0.5
_COSINE = 0.5
_STEP = 2.5  # radii that an attack may go altogether, as Madry et al. (2017) choose it


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

    def work(self, images: FloatArray, labels: IntArray) -> Generator[float]:
        """Check on images [total, h, w, c] of classes int [total]; yields the share done.

        Only images that are read right count. Raises ValueError if there are none.
        """
        spec = self.classifier.spec
        check_images(images, spec.shape)
        labels = check_classes(labels, len(images), len(spec.classes))
        right = np.flatnonzero(self.classifier.predict(images) == labels)
        if not len(right):
            raise ValueError(f"All {len(images)} images are misread: there is nothing to attack.")
        self.counted, self.shown = len(right), right[:SHOWN]
        bench = _Bench(self, images[right], labels[right])
        for done, check in enumerate(self._checks(), 1):
            self.findings = (*self.findings, check(bench))
            yield done / self.planned

    def _checks(self) -> "list[Callable[[_Bench], Finding]]":
        return [check for check in _CHECKS if self.source is not None or check is not _transfer]


class _Bench:
    """What the checks share: the images, the attacker's view, and attacks that were run already."""

    def __init__(self, study: MaskingStudy, images: FloatArray, labels: IntArray) -> None:
        self.study, self.images, self.labels = study, images, labels
        self.epsilon, self.seed, self.source = study.epsilon, study.seed, study.source
        self.classifier = study.classifier
        self.gradient = other_draws(self.classifier, VIEW)  # whose gradient is followed
        self.judge = other_draws(self.classifier, JUDGE)
        self.goal = lasting(self.classifier, Untargeted(labels))
        self._made: dict[tuple[float, int, int], FloatArray] = {}
        self._fallen = np.zeros(len(labels), bool)

    def white(self, epsilon: float, *, iterations: int = ITERATIONS) -> BoolArray:
        """Which images the white box breaks: bool [n]."""
        return self.broken(self.made(epsilon, iterations, self.seed))

    def made(self, epsilon: float, iterations: int, seed: int) -> FloatArray:
        """What the white box makes of the images."""
        key = epsilon, iterations, seed
        if key not in self._made:
            self._made[key] = self.ascend(self.gradient, *key)
        return self._made[key]

    def best_so_far(self, attempts: Iterable[FloatArray]) -> Iterator[FloatArray]:
        """Behind each attempt the best until then, chosen as an attacker can: before judgment."""
        best, ahead = self.images, np.full(len(self.labels), -np.inf)
        for attempt in attempts:
            margin = self.goal.margin(self.gradient.logits(attempt))
            best = np.where((margin > ahead)[:, None, None, None], attempt, best)
            ahead = np.maximum(ahead, margin)
            yield best

    def ascend(
        self, classifier: Classifier, epsilon: float, iterations: int, seed: int
    ) -> FloatArray:
        """The white box made on any classifier."""
        step = min(1.0, _STEP / iterations) * epsilon
        return pgd(
            classifier, self.images, self.goal, epsilon=epsilon, step_size=step,
            iterations=iterations, seed=seed,
        ).adversarial  # fmt: skip

    def one_step(self) -> FloatArray:
        """FGSM by the same gradient."""
        made = fgsm(self.gradient, self.images, self.goal, epsilon=self.epsilon)
        return made.adversarial

    def broken(self, images: FloatArray) -> BoolArray:
        """Whether they are misread, by a random defense on the judge's mean of draws: bool [n]."""
        broken: BoolArray = self.judge.predict(images) != self.labels
        self._fallen |= broken & inside(images, self.images, self.epsilon, "linf")
        self.study.left = Rate.of(~self._fallen)
        return broken


def _one_step(bench: _Bench) -> Finding:
    return compared(
        "one-step", "One step beats many", "one step (FGSM)", bench.broken(bench.one_step()),
        f"{ITERATIONS} steps (PGD)", bench.white(bench.epsilon),
    )  # fmt: skip


def _overfitted(bench: _Bench) -> Finding:
    return gap(bench.broken(bench.one_step()), bench.white(bench.epsilon), ITERATIONS)


def _black_box(bench: _Bench) -> Finding:
    white = bench.white(bench.epsilon)
    found = square(
        other_draws(bench.classifier, SEARCH, draws=SEARCH_DRAWS), bench.images, bench.goal,
        epsilon=bench.epsilon, queries=bench.study.queries, seed=bench.seed,
    )  # fmt: skip
    return compared(
        "black-box", "A black box beats the gradient", f"Square, {bench.study.queries:,} queries",
        bench.broken(found.adversarial), "the gradient (PGD)", white,
    )  # fmt: skip


def _transfer(bench: _Bench) -> Finding:
    assert bench.source is not None
    made = bench.ascend(bench.source, bench.epsilon, ITERATIONS, bench.seed)
    return compared(
        "transfer", "A transferred attack beats the gradient",
        f"an attack made on {bench.source.name}",
        bench.broken(made), "the gradient (PGD)", bench.white(bench.epsilon),
    )  # fmt: skip


def _noise(bench: _Bench) -> Finding:
    seeds = (other_seed(bench.seed, "noise", number) for number in range(NOISE_DRAWS))
    noises = (noise_at_edge(bench.images, bench.epsilon, "linf", seed=seed) for seed in seeds)
    *_, best = bench.best_so_far(noises)
    return compared(
        "noise", "Noise succeeds where the gradient fails", f"the best of {NOISE_DRAWS} noises",
        bench.broken(best), "the gradient (PGD)", bench.white(bench.epsilon),
    )  # fmt: skip


def _monotone(bench: _Bench) -> Finding:
    radii = sorted({as_written(bench.epsilon * part / 3) for part in (1, 2, 3)} | {0.4, _LARGE})
    return not_monotone(radii, np.stack([bench.white(radius) for radius in radii]))


def _large(bench: _Bench) -> Finding:
    most = int(np.bincount(bench.labels).max())
    return reaches_zero(_LARGE, bench.white(_LARGE), most)


def _zero_gradients(bench: _Bench) -> Finding:
    others = runner_up(bench.gradient, bench.images, bench.labels)
    both = input_gradients(bench.gradient, bench.images, bench.labels, others)
    zero = [~np.any(each, axis=(1, 2, 3)) for each in both]
    rates = {
        "no pixel has a gradient: cross-entropy": Rate.of(zero[0]),
        "no pixel has a gradient: margin": Rate.of(zero[1]),
    }
    return none_of(
        "zero", "Gradients are exactly zero", rates,
        "the cross-entropy has an input gradient of exactly 0 in every pixel",
    )  # fmt: skip


def _differences(bench: _Bench) -> Finding:
    cosines = difference_cosines(
        bench.judge, bench.images, bench.labels, seed=bench.seed, source=bench.gradient
    )
    rates = {f"cosine at least {_COSINE:g}": Rate.of(cosines >= _COSINE)}
    found = share_below(
        "differences", "The gradient is not that of the loss", rates, 0.5,
        f"gradient and finite differences agree (cosine at least {_COSINE:g})",
        values=cosines,
    )  # fmt: skip
    if not is_random(bench.classifier):
        return found
    reason = "Both ends of a difference meet draws of their own, so that it says nothing here."
    return replace(found, state=UNCLEAR, verdict=f"{found.verdict} {reason}")


def _iterations(bench: _Bench) -> Finding:
    counts = [10, 20, ITERATIONS, 2 * ITERATIONS]
    broken = [bench.white(bench.epsilon, iterations=count) for count in counts]
    return more_still_helps(
        "iterations", "More iterations still help", "iterations", counts, np.stack(broken)
    )


def _restarts(bench: _Bench) -> Finding:
    seeds = (other_seed(bench.seed, "run", number) for number in range(4))
    runs = (bench.made(bench.epsilon, ITERATIONS, seed) for seed in seeds)
    broken = np.stack([bench.broken(best) for best in bench.best_so_far(runs)])
    return more_still_helps(
        "restarts", "More restarts still help", "runs", [1, 2, 4], broken[[0, 1, 3]]
    )


def _surface(bench: _Bench) -> Finding:
    seed, source = bench.seed, bench.gradient
    bench.study.surface = surfaces(
        bench.judge, bench.images[:SHOWN], bench.labels[:SHOWN], bench.epsilon,
        seed=seed, source=source,
    )  # fmt: skip
    along, beside = rises(
        bench.judge, bench.images, bench.labels, bench.epsilon, seed=seed, source=source
    )
    rates = {"steeper along the gradient": Rate.of(along > beside)}
    return share_below(
        "surface", "The gradient does not lead uphill", rates, 0.5,
        "the margin rises more along the gradient than along random signs",
        values=bench.study.surface.roughness,
    )  # fmt: skip


_CHECKS: Sequence[Callable[[_Bench], Finding]] = (
    _zero_gradients, _differences, _surface, _one_step, _overfitted, _noise, _transfer,
    _iterations, _restarts, _monotone, _large, _black_box,
)  # fmt: skip

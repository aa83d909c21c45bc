"""Accuracy against ε: of several classifiers, under an attack that grows with the radius."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from core.arrays import BoolArray, FloatArray, IntArray, check_classes, check_images
from core.attacks.geometry import NORMS, Ball, largest, random_start
from core.attacks.goals import Untargeted
from core.attacks.growing_ball import LOSSES, Climb, push
from core.attacks.loss_surface import LOOKED_AT, without_gradient
from core.attacks.noise_control import noise_at_edge
from core.certification.interval_bounds import certified
from core.checks import check_choice, check_range, check_seed, check_whole
from core.defenses.adaptive import JUDGE, is_random, other_draws, views
from core.network.classifier import Classifier
from core.statistics.rate import Rate
from core.studies.study import chunks, joined
from core.work.chunks import HERE, AnyWorkers, Chunk, work_on

MAX_IMAGES = 1_000
_CHUNK = 25  # images, which climb from radius to radius


@dataclass(frozen=True, eq=False)
class Point:
    """What is left of n images at one radius: bool [n] each.

    standing: read right under attack; noise: read right after random noise of that norm;
    certified: proven to stand, None where the network has no interval bounds or the norm is L2.
    """

    epsilon: float
    standing: BoolArray
    noise: BoolArray
    certified: BoolArray | None

    @property
    def accuracy(self) -> Rate:
        """Under attack."""
        return Rate.of(self.standing)

    @property
    def noise_control(self) -> Rate:
        """After noise of equal norm."""
        return Rate.of(self.noise)

    @property
    def proven(self) -> Rate | None:
        """The certified lower bound of `accuracy`."""
        return None if self.certified is None else Rate.of(self.certified)


@dataclass(frozen=True, eq=False)
class Curve:
    """The points of one classifier on the images so far, by growing ε.

    adversarial float32 [n, h, w, c]: of each image the one that broke it first, or the last
    that was tried. flat bool [m]: of the first images, those without a gradient through any
    stand-in.
    """

    name: str
    points: tuple[Point, ...] = ()
    adversarial: FloatArray | None = field(default=None, repr=False)
    flat: BoolArray | None = field(default=None, repr=False)

    @property
    def epsilons(self) -> list[float]:
        """Where it was measured."""
        return [point.epsilon for point in self.points]

    @property
    def area(self) -> float:
        """Under the curve by trapezoids, in the unit of ε: how much ε an image survives on average.

        It ends at the largest ε, so that it is never above it.
        """
        return float(np.trapezoid([p.accuracy.value for p in self.points], self.epsilons))

    @property
    def half(self) -> float:
        """The ε at which the accuracy falls to 50 %, on the line between two measured radii.

        0 if it begins below, infinite if it never falls so low.
        """
        return falls_to(0.5, self.epsilons, [point.accuracy.value for point in self.points])


def falls_to(level: float, epsilons: Sequence[float], accuracies: Sequence[float]) -> float:
    """Where a curve of points, joined by lines, is first at or below `level`; ∞ if nowhere.

    `epsilons` grow; a curve that begins below gives the first of them.
    """
    below = np.flatnonzero(np.asarray(accuracies) <= level)
    if not len(below):
        return float("inf")
    after = int(below[0])
    if after == 0:
        return float(epsilons[0])
    high, low = accuracies[after - 1], accuracies[after]
    share = (high - level) / (high - low)
    return float(epsilons[after - 1] + share * (epsilons[after] - epsilons[after - 1]))


@dataclass(eq=False)
class CurveStudy:
    """Curves of several classifiers; their images grow in number while `work` goes on.

    epsilons grow from 0, in the unit of `norm`, to what changes a whole image. At each radius only
    images that have stood so far are attacked, from where they stood: an image broken at a smaller
    ε stays broken, so the curve falls. iterations: of each of the two runs at each radius, up
    the margin from there and up the cross-entropy from a random point of the ball. Every stand-in
    of a defense is tried. A random defense is attacked and judged with the attacker's own draws:
    all images, up the margin to the end, because its one draw reads many again that a mean of
    draws barely misreads. What was found is scored once at each radius on the classifier itself,
    so that such a curve may rise by the luck of a draw. All curves are of the same images at any
    time.
    """

    classifiers: Mapping[str, Classifier]
    norm: str
    epsilons: Sequence[float]
    total: int
    iterations: int = 20
    seed: int = 0
    curves: tuple[Curve, ...] = ()
    _joined: int = field(default=0, repr=False)
    _ahead: dict[tuple[int, str], Curve] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        check_choice("The norm", self.norm, NORMS)
        check_whole("The number of classifiers", len(self.classifiers), 1, 6)
        check_whole("The number of images", self.total, 1, MAX_IMAGES)
        check_whole("The number of iterations", self.iterations, 1, 500)
        check_seed(self.seed)
        most = largest(self.norm, next(iter(self.classifiers.values())).spec.shape)
        check_range("The largest ε", max(self.epsilons), 0, most)
        if list(self.epsilons) != sorted(set(self.epsilons)) or self.epsilons[0] != 0:
            raise ValueError("The radii do not grow from 0: sort them, each once, 0 first.")
        self.curves = tuple(Curve(name) for name in self.classifiers)

    @property
    def count(self) -> int:
        """On how many images all classifiers are measured."""
        points = self.curves[0].points
        return len(points[0].standing) if points else 0

    def work(
        self, images: FloatArray, labels: IntArray, *, workers: AnyWorkers = HERE
    ) -> Generator[float]:
        """Measure images [total, …] of classes int [total]; yields the share done."""
        for each in self.classifiers.values():
            check_images(images, each.spec.shape)
            labels = check_classes(labels, len(images), len(each.spec.classes))
        how = self.norm, tuple(self.epsilons), self.iterations, self.seed
        parts = (
            Chunk(
                (number, name),
                measured,
                (name, classifier, how, images[rows], labels[rows], LOOKED_AT - rows.start),
                classifier.looks,
            )
            for number, rows in enumerate(chunks(self.total, _CHUNK))
            for name, classifier in self.classifiers.items()
        )
        yield from work_on(parts, self, workers)

    def has(self, key: Any) -> bool:
        """Whether the images of that number are done for that classifier."""
        return key in self._ahead or key[0] < self._joined

    def take(self, key: Any, result: Curve) -> None:
        """Take in a classifier's curve on some images; they show when all classifiers have them."""
        self._ahead[key] = result
        while all((self._joined, name) in self._ahead for name in self.classifiers):
            parts = [self._ahead.pop((self._joined, name)) for name in self.classifiers]
            if self.count:
                parts = [_with(*both) for both in zip(self.curves, parts, strict=True)]
            self.curves, self._joined = tuple(parts), self._joined + 1


def _with(curve: Curve, part: Curve) -> Curve:
    """A curve on further images."""
    points = zip(curve.points, part.points, strict=True)
    whole: Curve = joined(curve, part)
    return replace(whole, points=tuple(joined(*both) for both in points))


def measured(
    name: str,
    classifier: Classifier,
    how: tuple[str, Sequence[float], int, int],
    images: FloatArray,
    labels: IntArray,
    looked: int,
) -> Curve:
    """The whole curve of a classifier on images float32 [n, h, w, c] of classes int [n].

    how: norm, radii from 0 up, iterations and seed, as of `CurveStudy`. looked: of how many the
    gradient is looked at, none where it is below 0.
    """
    norm, epsilons, iterations, seed = how
    run = _Run(classifier, images, labels, norm, iterations, seed)
    points = tuple(run.at(epsilon) for epsilon in epsilons)
    some = slice(max(0, looked))
    flat = without_gradient(list(views(classifier)), images[some], labels[some])
    return Curve(name, points, run.found, flat)


class _Run:
    """One classifier on its way from ε = 0 up."""

    def __init__(
        self,
        classifier: Classifier,
        images: FloatArray,
        labels: IntArray,
        norm: str,
        iterations: int,
        seed: int,
    ) -> None:
        self._classifier, self._attackers = classifier, list(views(classifier))
        self._judge = other_draws(classifier, JUDGE)
        self._random = is_random(classifier)
        self._images, self._labels = images, labels
        self._norm, self._iterations, self._seed = norm, iterations, seed
        self._standing = classifier.predict(images) == labels
        bounded = norm == "linf" and _has_interval_rules(classifier, images[:1], labels[:1])
        self._proven: BoolArray | None = self._standing.copy() if bounded else None
        self.found, self._goal = images, Untargeted(labels)
        self._closest = self._goal.margin(self._judge.logits(images))

    def at(self, epsilon: float) -> Point:
        """The point at a radius above the last one."""
        if epsilon:
            self._attack(epsilon)
        noisy = noise_at_edge(self._images, epsilon, self._norm, seed=self._seed)
        return Point(
            epsilon,
            self._standing.copy(),
            self._classifier.predict(noisy) == self._labels,
            self._certify(epsilon),
        )

    def _attack(self, epsilon: float) -> None:
        """Both losses with each attacker's gradient, on those that the judge still reads right."""
        found, ball = self.found.copy(), Ball(epsilon, self._norm)
        for attacker in self._attackers:
            for loss in LOSSES:
                rows = np.flatnonzero(self._standing | self._random)
                if not len(rows):
                    break
                begin = found[rows]
                if loss == "cross_entropy":
                    begin = random_start(self._images[rows], ball, seed=self._seed)
                moved = push(
                    attacker, self._images[rows], begin, self._labels[rows], ball,
                    Climb(loss, self._iterations, to_the_end=self._random),
                )  # fmt: skip
                keep = self._kept(rows, moved, loss)
                found[rows[keep]] = moved[keep]
        self.found = found
        if self._random:
            self._standing = self._classifier.predict(found) == self._labels

    def _kept(self, rows: IntArray, moved: FloatArray, loss: str) -> BoolArray:
        """Which of the images that an attack has moved go on in place of those before: bool."""
        logits, goal = self._judge.logits(moved), self._goal.take(rows)
        if self._random:
            margin = goal.margin(logits)
            closer: BoolArray = margin > self._closest[rows]
            self._closest[rows[closer]] = margin[closer]
            return closer
        wrong = goal.reached(logits)
        self._standing[rows[wrong]] = False
        return wrong if loss == "cross_entropy" else np.ones(len(rows), bool)

    def _certify(self, epsilon: float) -> BoolArray | None:
        """What is proven at a smaller radius only is not proven here, so it alone is looked at."""
        if self._proven is None:
            return None
        rows = np.flatnonzero(self._proven)
        proven = np.zeros(len(self._labels), bool)
        proven[rows] = certified(self._classifier, self._images[rows], self._labels[rows], epsilon)
        self._proven = proven
        return proven.copy()


def _has_interval_rules(classifier: Classifier, images: FloatArray, labels: IntArray) -> bool:
    try:
        certified(classifier, images, labels, 0.0)
    except ValueError:  # a layer without a rule: a filter, or another defense
        return False
    return True

"""The report's three ways to make adversarial images: from noise, toward a source, by one noise."""

import numpy as np

from core.arrays import FloatArray, IntArray, check_classes, check_images
from core.attacks.goals import Goal, Targeted
from core.checks import check_choice, check_range, check_seed, check_whole
from core.data.spec import MNIST
from core.keyed_noise import Draws, of_images, of_numbers
from core.network.classifier import Classifier
from core.optimization.engine import Trajectory, optimize_images
from core.optimization.objectives import Objective, cross_entropy, logit, squared_distance

OBJECTIVES = ("logit", "cross-entropy")
STARTS = ("source", "noise")


def objective_of(goal: Goal, objective: str) -> Objective:
    """What an attack maximizes to reach the goal: the target's logit up, or the true one's down.

    objective: "logit", or "cross-entropy", whose gradient vanishes as the probability nears 1.
    Raises ValueError on another.
    """
    check_choice("The objective", objective, OBJECTIVES)
    if objective == "logit":
        return -goal.sign * logit(goal.classes)
    return goal.sign * cross_entropy(goal.classes)


def noise_images(
    classes: IntArray,
    *,
    mean: float,
    stddev: float,
    seed: int,
    first: int = 0,
    shape: tuple[int, ...] = MNIST.shape,
) -> FloatArray:
    """A start for each of classes int [n]: normal noise, clipped, float32 [n, *shape] in [0, 1].

    It follows from `seed`, the class, and the number of the start: those of a class count from
    `first`. mean and stddev in 0 to 1. Raises ValueError on other values.
    """
    seed, first = check_seed(seed), check_whole("The first start", first, 0, 1_000_000)
    classes = check_classes(classes, np.size(classes))
    before = np.tril(classes[:, np.newaxis] == classes, -1).sum(axis=1)
    return _noise(of_numbers(classes, seed, "starts").at(first + before), mean, stddev, shape)


def _noise(draws: Draws, mean: float, stddev: float, shape: tuple[int, ...]) -> FloatArray:
    check_range("The mean", mean, 0, 1)
    check_range("The standard deviation", stddev, 0, 1)
    noise: FloatArray = np.clip(mean + stddev * draws.normal(*shape), 0, 1)
    return noise.astype(np.float32)


def generate_from_noise(
    classifier: Classifier,
    classes: IntArray,
    *,
    learning_rate: float = 5e-4,
    iterations: int = 200,
    mean: float = 0.5,
    stddev: float = 0.05,
    objective: str = "logit",
    optimizer: str = "adam",
    keep_every: int = 1,
    seed: int = 0,
) -> Trajectory:
    """Noise turned into an image of a class, for each of classes int [n]: the report's E7.

    The start is `noise_images`; the objective and errors are those of `objective_of` and
    `optimize_images`.
    """
    seed = check_seed(seed)
    classes = check_classes(classes, np.size(classes))
    return optimize_images(
        classifier,
        noise_images(classes, mean=mean, stddev=stddev, seed=seed, shape=classifier.spec.shape),
        objective_of(Targeted(classes), objective),
        learning_rate=learning_rate,
        iterations=iterations,
        optimizer=optimizer,
        keep_every=keep_every,
    )


def move_toward(
    classifier: Classifier,
    sources: FloatArray,
    goal: Goal,
    *,
    beta: float = 1.0,
    learning_rate: float = 1e-3,
    iterations: int = 400,
    start: str = "source",
    mean: float = 0.5,
    stddev: float = 0.05,
    objective: str = "logit",
    optimizer: str = "adam",
    keep_every: int = 1,
    seed: int = 0,
) -> Trajectory:
    """Images that look like their source and are read as the goal has it: the report's E8.

    Maximizes the objective minus β ‖x − source‖², from the sources [n, h, w, c] in [0, 1]
    themselves or from noise, which follows from `seed` and the source. β is at least 0. Raises
    ValueError on other values.
    """
    seed = check_seed(seed)
    check_choice("The start", start, STARTS)
    check_range("Beta", beta, 0, 1_000)
    check_range("The mean", mean, 0, 1)
    check_range("The standard deviation", stddev, 0, 1)
    check_images(sources, classifier.spec.shape)
    begin = sources
    if start == "noise":
        begin = _noise(of_images(sources, seed, "starts"), mean, stddev, sources.shape[1:])
    return optimize_images(
        classifier,
        begin,
        objective_of(goal, objective) - beta * squared_distance(sources),
        learning_rate=learning_rate,
        iterations=iterations,
        optimizer=optimizer,
        keep_every=keep_every,
    )


def additive_noise(
    classifier: Classifier,
    sources: FloatArray,
    goal: Goal,
    *,
    learning_rate: float = 5e-4,
    iterations: int = 400,
    objective: str = "logit",
    keep_every: int = 1,
) -> Trajectory:
    """One noise for all sources [n, h, w, c] in [0, 1] together: the report's E9.

    Maximizes the sum over the sources of the objective at clip(source + noise); the noise begins
    at 0. `trajectory.noise` [frames, 1, h, w, c] in [−1, 1] is the noise itself. With many
    sources it is close to a universal perturbation (Moosavi-Dezfooli et al. 2016,
    arXiv:1610.08401). Raises ValueError on other values.
    """
    return optimize_images(
        classifier,
        np.zeros((1, *classifier.spec.shape), np.float32),
        objective_of(goal, objective),
        learning_rate=learning_rate,
        iterations=iterations,
        keep_every=keep_every,
        added_to=sources,
    )

"""Attacks that follow the gradient of the cross-entropy inside a ball: one step, many, momentum."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.arrays import FloatArray, Tensor
from core.attacks.ascent import Best, ascend, seen_at
from core.attacks.geometry import FARTHEST, Ball, project, random_start, steepest
from core.attacks.goals import Goal
from core.attacks.result import AttackResult, check_attack, result_of
from core.backend import compiled, keras, tf
from core.checks import check_range, check_seed, check_switch, check_whole
from core.network.classifier import Classifier, Climbed, image_type, in_batches
from core.network.forward import forward

_BATCH = 64


@dataclass(frozen=True)
class Steps:
    """How an ascent goes on: so many steps of `size`, each followed by the projection.

    decay in [0, 1]: the weight of past gradients in the direction. keep_best: whether the best
    iterate counts, and not the last. record: whether every iterate is wanted. Raises ValueError on
    other values.
    """

    size: float
    iterations: int
    decay: float = 0.0
    keep_best: bool = True
    record: bool = False

    def __post_init__(self) -> None:
        check_range("The step size", self.size, 0, FARTHEST)
        iterations = check_whole("The number of iterations", self.iterations, 1, 2_000)
        object.__setattr__(self, "iterations", iterations)
        check_range("The decay", self.decay, 0, 1)


@dataclass(frozen=True)
class Runs:
    """Where the runs begin, and how many there are: each goes on with the images that stand."""

    from_random: bool = False
    restarts: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        check_switch("The random start", self.from_random)
        restarts = check_whole("The number of restarts", self.restarts, 1, 50)
        object.__setattr__(self, "restarts", restarts)
        object.__setattr__(self, "seed", check_seed(self.seed))


def fgsm(
    classifier: Classifier,
    images: FloatArray,
    goal: Goal,
    *,
    epsilon: float = 0.3,
    norm: str = "linf",
    record: bool = False,
) -> AttackResult:
    """One step to the edge of the ball, along the gradient (with "l2") or its sign ("linf").

    The step is taken even where it lowers the loss; an image that is at the goal already stays.
    images float32 [n, h, w, c] in [0, 1]; epsilon in the norm's unit, where a full pixel is 1;
    record: whether the result has a trajectory. Raises ValueError on others. Goodfellow, Shlens
    and Szegedy (2014), arXiv:1412.6572.
    """
    check_attack(classifier, images, goal, epsilon)
    ball = Ball(epsilon, norm)
    found = images.copy()
    rows = np.flatnonzero(~goal.reached(classifier.logits(images)))
    step = Steps(epsilon, 1, keep_best=False)
    found[rows], _ = _ascend(classifier, images[rows], images[rows], goal.take(rows), ball, step)
    return result_of(
        classifier, "FGSM", images, found, goal,
        frames=found[None] if record else None, epsilon=epsilon, norm=norm,
    )  # fmt: skip


def pgd(
    classifier: Classifier,
    images: FloatArray,
    goal: Goal,
    *,
    epsilon: float = 0.3,
    norm: str = "linf",
    step_size: float = 0.01,
    iterations: int = 40,
    random_start: bool = True,
    restarts: int = 1,
    seed: int = 0,
    record: bool = False,
) -> AttackResult:
    """Steps of `step_size`, each followed by the projection on the ball; the best iterate stays.

    Begins at a random point of the ball, or at the image itself (then it is BIM). `restarts`
    (1 to 50) go on with the images that still stand; the trajectory is that of an image's last
    one. Arguments and errors as of `fgsm`. Madry et al. (2017), arXiv:1706.06083; Kurakin et al.
    (2016), arXiv:1607.02533.
    """
    _check(classifier, images, goal, epsilon, step_size)
    runs = Runs(random_start, restarts, seed)
    steps = Steps(step_size, iterations, record=record)
    found, frames = _many_steps(classifier, images, goal, Ball(epsilon, norm), steps, runs)
    return result_of(
        classifier, "PGD" if random_start else "BIM", images, found, goal, frames=frames,
        epsilon=epsilon, norm=norm, step_size=step_size, iterations=iterations, restarts=restarts,
        seed=runs.seed,
    )  # fmt: skip


def momentum(
    classifier: Classifier,
    images: FloatArray,
    goal: Goal,
    *,
    epsilon: float = 0.3,
    norm: str = "linf",
    step_size: float = 0.03,
    iterations: int = 10,
    decay: float = 1.0,
    record: bool = False,
) -> AttackResult:
    """PGD from the image along an average of past gradients, each of length 1 in L1.

    `decay` in [0, 1] is the weight of the past. Arguments and errors as of `fgsm`. Dong et al.
    (2017), arXiv:1710.06081.
    """
    _check(classifier, images, goal, epsilon, step_size)
    steps = Steps(step_size, iterations, decay, record=record)
    found, frames = _many_steps(classifier, images, goal, Ball(epsilon, norm), steps, Runs())
    return result_of(
        classifier, "Momentum", images, found, goal, frames=frames,
        epsilon=epsilon, norm=norm, step_size=step_size, iterations=iterations, decay=decay,
    )  # fmt: skip


def ascend_within(
    classifier: Classifier,
    images: FloatArray,
    goal: Goal,
    radii: FloatArray,
    *,
    norm: str = "linf",
    iterations: int = 20,
) -> FloatArray:
    """BIM in a ball of its own around each image: float32 [n, h, w, c], the best iterates.

    radii float [n] from 0, in the norm's unit. A step is 2.5 / iterations of the radius, but
    never longer than that; with one iteration it is FGSM. Other arguments and errors as of `fgsm`.
    """
    check_attack(classifier, images, goal)
    for radius in (np.min(radii, initial=0), np.max(radii, initial=0)):
        check_range("The radius of a ball", float(radius), 0, classifier.spec.largest_l2)
    iterations = check_whole("The number of iterations", iterations, 1, 2_000)
    one, steps = Ball(1.0, norm), Steps(min(1.0, 2.5 / iterations), iterations)
    found, _ = _ascend(classifier, images, images, goal, one, steps, radii)
    return found


def _check(
    classifier: Classifier, images: FloatArray, goal: Goal, epsilon: float, step_size: float
) -> None:
    check_attack(classifier, images, goal, epsilon)
    check_range("The step size", step_size, 0, classifier.spec.largest_l2)


def _many_steps(
    classifier: Classifier, images: FloatArray, goal: Goal, ball: Ball, steps: Steps, runs: Runs
) -> tuple[FloatArray, FloatArray | None]:
    """Adversarial images, and all iterates if wanted; a restart goes on with those that stand.

    An image that is at the goal from the start stays as it is.
    """
    found = images.copy()
    frames = np.repeat(images[None], steps.iterations, axis=0) if steps.record else None
    standing = np.flatnonzero(~goal.reached(classifier.logits(images)))
    for restart in range(runs.restarts):
        if not len(standing):
            break
        rows = standing
        begin = images[rows]
        if runs.from_random:
            begin = random_start(begin, ball, seed=runs.seed, restart=restart)
        found[rows], path = _ascend(classifier, images[rows], begin, goal.take(rows), ball, steps)
        if frames is not None:
            frames[:, rows] = path
        standing = rows[~goal.take(rows).reached(classifier.logits(found[rows]))]
    return found, frames


def _ascend(
    classifier: Classifier,
    images: FloatArray,
    begin: FloatArray,
    goal: Goal,
    ball: Ball,
    steps: Steps,
    scale: FloatArray | float = 1.0,
) -> tuple[FloatArray, FloatArray]:
    """The best iterate of each image: one at the goal before any other, then the highest loss.

    Or the last, if `steps` say so. Behind it, if wanted, every iterate [iterations, n, …]. scale:
    of ball and step, float [n] for each image.
    """
    norm, record = ball.norm, steps.record
    name = f"ascend/{norm}" + ("/recorded" if record else "")
    compiled = classifier.compiled(
        name, lambda model: _compile(model, classifier.climbed, norm, record)
    )
    if not len(images):
        return images, images
    numbers = [tf.constant(value, tf.float32) for value in (goal.sign, steps.decay)]
    numbers += [tf.constant(steps.iterations), tf.constant(steps.keep_best)]
    radii, sizes = (
        np.broadcast_to(np.asarray(each * scale, np.float32), len(images))[:, None, None, None]
        for each in (ball.epsilon, steps.size)
    )
    rows: FloatArray = in_batches(
        lambda *batch: compiled(*batch, *numbers),
        images, begin, goal.classes, radii, sizes, batch=_BATCH,
    )  # fmt: skip
    return rows[:, 0], np.moveaxis(rows[:, 1:], 1, 0)


def _compile(model: keras.Model, climbed: Climbed, norm: str, record: bool) -> Any:
    """The whole ascent as one graph; everything that a slider changes comes as a tensor."""
    logits_of = forward(model)

    def ascent(
        images: Tensor,
        begin: Tensor,
        classes: Tensor,
        epsilon: Tensor,
        step_size: Tensor,
        sign: Tensor,
        decay: Tensor,
        iterations: Tensor,
        keep_best: Tensor,
    ) -> Tensor:
        def move(
            step: Tensor, x: Tensor, gradient: Tensor, _: Best, average: Tensor, frames: Tensor
        ) -> Any:
            size = tf.reduce_sum(tf.abs(gradient), axis=(1, 2, 3), keepdims=True)
            average = decay * average + tf.math.divide_no_nan(gradient, size)
            x = project(x + step_size * steepest(average, norm), images, epsilon, norm)
            return x, average, frames.write(step, x) if record else frames

        look = seen_at(logits_of, lambda logits: sign * climbed(logits, classes), classes, sign)
        frames = tf.TensorArray(tf.float32, iterations if record else 1, element_shape=images.shape)
        memory = tf.zeros_like(images), frames
        x, best, (_, frames) = ascend(look, begin, move, lambda step, _: step < iterations, memory)
        found = tf.where(keep_best, best.x, x)[:, None]
        if not record:
            return found
        return tf.concat([found, tf.transpose(frames.stack(), [1, 0, 2, 3, 4])], axis=1)

    number = tf.TensorSpec([], tf.float32)
    classes = tf.TensorSpec([None], tf.int64)
    each = tf.TensorSpec([None, 1, 1, 1], tf.float32)
    images = image_type(model)
    types = [images, images, classes, each, each, number, number, tf.TensorSpec([], tf.int32)]
    types.append(tf.TensorSpec([], tf.bool))
    return compiled(ascent, *types)

"""Attacks that follow the gradient of the cross-entropy inside a ball: one step, many, momentum."""

from typing import Any

import numpy as np

from core.arrays import FloatArray
from core.attacks import geometry
from core.attacks.best import Best, better, nothing_yet
from core.attacks.geometry import NORMS, project, steepest
from core.attacks.goals import Goal
from core.attacks.result import AttackResult, check_attack, result_of
from core.backend import compiled, keras, tf
from core.checks import check_choice, check_range, check_seed, check_switch, check_whole
from core.network.classifier import IMAGES, Classifier, Climbed, in_batches
from core.network.forward import forward, in_loop

_BATCH = 64


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
    images float32 [n, 28, 28, 1] in [0, 1]; epsilon in the norm's unit, where a full pixel is 1;
    record: whether the result has a trajectory. Raises ValueError on others. Goodfellow, Shlens
    and Szegedy (2014), arXiv:1412.6572.
    """
    check_attack(images, goal, epsilon)
    check_choice("The norm", norm, NORMS)
    found = images.copy()
    rows = np.flatnonzero(~goal.reached(classifier.logits(images)))
    found[rows], _ = _ascend(
        classifier, images[rows], images[rows], goal.take(rows), epsilon, norm, epsilon, 1, 0.0,
        keep_best=False,
    )  # fmt: skip
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
    seed = check_seed(seed)
    check_switch("The random start", random_start)
    found, frames = _many_steps(
        classifier, images, goal, epsilon, norm, step_size, iterations, random_start, restarts,
        seed, 0.0, record,
    )  # fmt: skip
    return result_of(
        classifier, "PGD" if random_start else "BIM", images, found, goal, frames=frames,
        epsilon=epsilon, norm=norm, step_size=step_size, iterations=iterations, restarts=restarts,
        seed=seed,
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
    check_range("The decay", decay, 0, 1)
    found, frames = _many_steps(
        classifier, images, goal, epsilon, norm, step_size, iterations, False, 1, 0, decay, record
    )
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
    """BIM in a ball of its own around each image: float32 [n, 28, 28, 1], the best iterates.

    radii float [n] from 0 to 28, in the norm's unit. A step is 2.5 / iterations of the radius, but
    never longer than that; with one iteration it is FGSM. Other arguments and errors as of `fgsm`.
    """
    check_attack(images, goal, float(np.max(radii, initial=0)))
    check_choice("The norm", norm, NORMS)
    check_range("The smallest radius", float(np.min(radii, initial=0)), 0, 28)
    iterations = check_whole("The number of iterations", iterations, 1, 2_000)
    steps = min(1.0, 2.5 / iterations) * radii
    found, _ = _ascend(classifier, images, images, goal, radii, norm, steps, iterations, 0.0)
    return found


def _many_steps(
    classifier: Classifier,
    images: FloatArray,
    goal: Goal,
    epsilon: float,
    norm: str,
    step_size: float,
    iterations: int,
    from_random: bool,
    restarts: int,
    seed: int,
    decay: float,
    record: bool,
) -> tuple[FloatArray, FloatArray | None]:
    """Adversarial images, and all iterates if `record`; a restart goes on with those that stand.

    An image that is at the goal from the start stays as it is.
    """
    check_attack(images, goal, epsilon)
    check_choice("The norm", norm, NORMS)
    check_range("The step size", step_size, 0, 28)
    iterations = check_whole("The number of iterations", iterations, 1, 2_000)
    restarts = check_whole("The number of restarts", restarts, 1, 50)
    found = images.copy()
    frames = np.repeat(images[None], iterations, axis=0) if record else None
    standing = np.flatnonzero(~goal.reached(classifier.logits(images)))
    for restart in range(restarts):
        if not len(standing):
            break
        rows = standing
        begin = images[rows]
        if from_random:
            begin = geometry.random_start(begin, epsilon, norm, seed=seed, restart=restart)
        found[rows], steps = _ascend(
            classifier, images[rows], begin, goal.take(rows), epsilon, norm, step_size,
            iterations, decay, record=record,
        )  # fmt: skip
        if frames is not None:
            frames[:, rows] = steps
        standing = rows[~goal.take(rows).reached(classifier.logits(found[rows]))]
    return found, frames


def _ascend(
    classifier: Classifier,
    images: FloatArray,
    begin: FloatArray,
    goal: Goal,
    epsilon: float | FloatArray,
    norm: str,
    step_size: float | FloatArray,
    iterations: int,
    decay: float,
    *,
    keep_best: bool = True,
    record: bool = False,
) -> tuple[FloatArray, FloatArray]:
    """The best iterate of each image: one at the goal before any other, then the highest loss.

    Or, without `keep_best`, the last. Behind it, if `record`, every iterate [iterations, n, …].
    epsilon and step_size: one for all images, or one for each.
    """
    name = f"ascend/{norm}" + ("/recorded" if record else "")
    compiled = classifier.compiled(
        name, lambda model: _compile(model, classifier.climbed, norm, record)
    )
    numbers = [tf.constant(value, tf.float32) for value in (goal.sign, decay)]
    if not len(images):
        return images, images
    radii, steps = (
        np.broadcast_to(np.asarray(each, np.float32), len(images))[:, None, None, None]
        for each in (epsilon, step_size)
    )
    rows: FloatArray = in_batches(
        lambda *batch: compiled(*batch, *numbers, tf.constant(iterations), tf.constant(keep_best)),
        images, begin, goal.classes, radii, steps, batch=_BATCH,
    )  # fmt: skip
    return rows[:, 0], np.moveaxis(rows[:, 1:], 1, 0)


def _compile(model: keras.Model, climbed: Climbed, norm: str, record: bool) -> Any:
    """The whole ascent as one graph; everything that a slider changes comes as a tensor."""
    logits_of = forward(model)

    @in_loop
    def look(x: Any, classes: Any, sign: Any) -> Any:
        logits = logits_of(x)
        value = sign * climbed(logits, classes)
        is_class = tf.argmax(logits, axis=1) == classes
        return value, tf.equal(is_class, sign < 0), tf.gradients(value, x)[0]

    def ascend(
        images: Any, begin: Any, classes: Any, epsilon: Any, step_size: Any, sign: Any,
        decay: Any, iterations: Any, keep_best: Any,
    ) -> Any:  # fmt: skip
        def one_step(step: Any, x: Any, average: Any, best: Best, frames: Any) -> Any:
            *seen, gradient = look(x, classes, sign)
            best = better(best, x, *seen)
            size = tf.reduce_sum(tf.abs(gradient), axis=(1, 2, 3), keepdims=True)
            average = decay * average + tf.math.divide_no_nan(gradient, size)
            x = project(x + step_size * steepest(average, norm), images, epsilon, norm)
            frames = frames.write(step, x) if record else frames
            return step + 1, x, average, best, frames

        frames = tf.TensorArray(tf.float32, iterations if record else 1, element_shape=IMAGES.shape)
        _, x, _, best, frames = tf.while_loop(
            lambda step, *_: step < iterations,
            one_step,
            (tf.constant(0), begin, tf.zeros_like(images), nothing_yet(begin), frames),
        )
        *seen, _ = look(x, classes, sign)
        found = tf.where(keep_best, better(best, x, *seen).x, x)[:, None]
        if not record:
            return found
        return tf.concat([found, tf.transpose(frames.stack(), [1, 0, 2, 3, 4])], axis=1)

    number = tf.TensorSpec([], tf.float32)
    classes = tf.TensorSpec([None], tf.int64)
    each = tf.TensorSpec([None, 1, 1, 1], tf.float32)
    types = [IMAGES, IMAGES, classes, each, each, number, number, tf.TensorSpec([], tf.int32)]
    types.append(tf.TensorSpec([], tf.bool))
    return compiled(ascend, *types)

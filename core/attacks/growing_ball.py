"""An attack for growing radii: each image goes on from where it stood in the smaller ball."""

from typing import Any

from core.arrays import FloatArray, IntArray, check_classes, check_images
from core.attacks.best import Best, better, nothing_yet
from core.attacks.geometry import NORMS, project, steepest
from core.backend import compiled, keras, tf
from core.checks import check_choice, check_range, check_whole
from core.network.classifier import IMAGES, Classifier, in_batches
from core.network.forward import forward, in_loop
from core.network.margins import log_odds_against, margin

LOSSES = ("margin", "cross_entropy")
_BATCH = 64
_FIRST, _LAST = 0.4, 0.015  # the step, in units of the radius


def push(
    classifier: Classifier,
    images: FloatArray,
    begin: FloatArray,
    labels: IntArray,
    epsilon: float,
    *,
    norm: str = "linf",
    loss: str = "margin",
    iterations: int = 20,
    to_the_end: bool = False,
) -> FloatArray:
    """From `begin` up the loss inside the ball around `images`: the best iterates [n, 28, 28, 1].

    A misread iterate is better than any other, then the higher loss is. images and begin float32
    [n, 28, 28, 1] in [0, 1]; epsilon 0 to 28 in the norm's unit; iterations 1 to 2,000, with steps
    that shrink from 0.4 ε to 0.015 ε. loss: "margin", the highest other logit minus the label's,
    or "cross_entropy". An image that is misread rests, whatever becomes of the others, unless it
    goes `to_the_end`. Raises ValueError on other values. Projected gradient ascent of Madry et
    al. (2017), arXiv:1706.06083.
    """
    check_images(images)
    check_images(begin)
    labels = check_classes(labels, len(images))
    check_range("Epsilon", epsilon, 0, 28)
    check_choice("The norm", norm, NORMS)
    check_choice("The loss", loss, LOSSES)
    iterations = check_whole("The number of iterations", iterations, 1, 2_000)
    if not len(images):
        return images.copy()
    compiled = classifier.compiled(f"push/{norm}/{loss}", lambda model: _compile(model, norm, loss))
    numbers = tf.constant(epsilon, tf.float32), tf.constant(iterations), tf.constant(to_the_end)
    found: FloatArray = in_batches(
        lambda *batch: compiled(*batch, *numbers), images, begin, labels, batch=_BATCH
    )
    return found


def _compile(model: keras.Model, norm: str, loss: str) -> Any:
    """The whole ascent as one graph; everything that a slider changes comes as a tensor."""
    logits_of = forward(model)

    def value_of(logits: Any, labels: Any) -> Any:
        if loss == "margin":
            return margin(logits, labels, 1.0)
        return log_odds_against(logits, labels)

    @in_loop
    def look(x: Any, labels: Any) -> Any:
        logits = logits_of(x)
        value = value_of(logits, labels)
        return value, tf.argmax(logits, axis=1) != labels, tf.gradients(value, x)[0]

    def ascend(
        images: Any, begin: Any, labels: Any, epsilon: Any, iterations: Any, to_the_end: Any
    ) -> Any:
        def one_step(step: Any, x: Any, best: Best) -> Any:
            *seen, gradient = look(x, labels)
            best = better(best, x, *seen)
            done = tf.cast(step, tf.float32) / tf.cast(iterations, tf.float32)
            stride = epsilon * _FIRST * (_LAST / _FIRST) ** done
            moved = project(x + stride * steepest(gradient, norm), images, epsilon, norm)
            rests = best.reached & ~to_the_end
            return step + 1, tf.where(rests[:, None, None, None], x, moved), best

        def going(step: Any, _: Any, best: Best) -> Any:
            return (step < iterations) & (to_the_end | ~tf.reduce_all(best.reached))

        start = project(begin, images, epsilon, norm)
        _, x, best = tf.while_loop(going, one_step, (tf.constant(0), start, nothing_yet(start)))
        *seen, _ = look(x, labels)
        return better(best, x, *seen).x

    types = [IMAGES, IMAGES, tf.TensorSpec([None], tf.int64), tf.TensorSpec([], tf.float32)]
    types += [tf.TensorSpec([], tf.int32), tf.TensorSpec([], tf.bool)]
    return compiled(ascend, *types)

"""One engine that changes images until a network says what is asked of it."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.arrays import FloatArray, IntArray, Tensor, check_images
from core.backend import compiled, keras, tf
from core.checks import check_choice, check_range, check_seed, check_whole
from core.network.classifier import BATCH, Classifier, image_type, softmax
from core.network.forward import in_loop, layer_outputs
from core.network.margins import log_odds_against, log_share
from core.network.stages.stage import Step
from core.optimization.objectives import (
    Objective,
    arguments,
    check_objective,
    layers_of,
    signature,
    term_names,
    values_of,
)

OPTIMIZERS = ("adam", "sgd")
MAX_ITERATIONS = 2_000
MAX_FRAMES = 40_000  # recorded images of one trajectory: 125 MB
_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-7  # Kingma & Ba (2014), arXiv:1412.6980
_MOMENTUM = 0.9
_SCALARS = ("learning_rate", "jitter", "blur")


@dataclass(frozen=True, eq=False)
class Trajectory:
    """The recorded iterates of an optimization; the last frame is its result.

    images float32 [frames, n, h, w, c] in [0, 1], steps int64 [frames] from 0 to the number of
    iterations, logits float32 [frames, n, classes], terms: each term's name to float32
    [frames, n], without its weight. Logits and terms are those of the images as recorded.
    noise float32 [frames, m, h, w, c] in [−1, 1]: what was added to the images, where a noise
    was optimized and not the images themselves.
    """

    images: FloatArray
    steps: IntArray
    logits: FloatArray
    terms: dict[str, FloatArray]
    noise: FloatArray | None = None

    @property
    def result(self) -> FloatArray:
        """The last images: float32 [n, h, w, c]."""
        last: FloatArray = self.images[-1]
        return last

    @property
    def probabilities(self) -> FloatArray:
        """Float32 [frames, n, classes]."""
        return softmax(self.logits)

    @property
    def predicted(self) -> IntArray:
        """The most probable class: int64 [frames, n]."""
        classes: IntArray = np.argmax(self.logits, axis=-1)
        return classes

    @property
    def change(self) -> FloatArray:
        """What has been added to the first image: float32 [frames, n, h, w, c] in [−1, 1]."""
        change: FloatArray = self.images - self.images[0]
        return change


def optimize_images(
    classifier: Classifier,
    start: FloatArray,
    objective: Objective,
    *,
    learning_rate: float,
    iterations: int,
    optimizer: str = "adam",
    keep_every: int = 1,
    jitter: int = 0,
    blur: float = 0.0,
    seed: int = 0,
    added_to: FloatArray | None = None,
) -> Trajectory:
    """Gradient ascent on the pixels of `start` float32 [n, h, w, c] in [0, 1].

    Every step ends in the box [0, 1]. optimizer: "adam", or "sgd" with momentum 0.9. Every
    `keep_every`-th image is recorded, and the last always. jitter: before each gradient the image
    is shifted at random by up to so many pixels (0 to 8) around its borders; blur: behind each
    step it is blurred by a Gaussian of so many pixels (0 to 3).

    added_to float32 [n, h, w, c] in [0, 1]: then `start` [m, h, w, c] in [−1, 1] is a noise,
    one for all images (m = 1) or one for each (m = n), and the images are clip(added_to + noise)
    to [0, 1]. Raises ValueError on other values.
    """
    seed = check_seed(seed)
    _check_start(classifier, start, added_to)
    check_choice("The optimizer", optimizer, OPTIMIZERS)
    check_whole("The distance of recorded steps", keep_every, 1, MAX_ITERATIONS)
    check_ascent(learning_rate, iterations, jitter, blur)
    count = len(start) if added_to is None else len(added_to)
    check_objective(objective, classifier.model, count)
    steps = np.unique(np.append(np.arange(0, iterations, keep_every), iterations)).astype(np.int64)
    check_whole("The number of recorded images", len(steps) * count, 0, MAX_FRAMES)
    if not count:
        return _of_none(classifier, objective, steps, None if added_to is None else start)
    kinds = "+".join(term_names(objective))
    added = added_to is not None
    alone = _alone(objective) if optimizer == "adam" else None
    place = "" if alone is None else f"/{alone}"
    climb = classifier.compiled(
        f"optimize{' noise' if added else ''}/{optimizer}/{kinds}{place}",
        lambda model: _compile(model, objective, optimizer, alone, added=added),
    )
    below = added_to if added else np.zeros_like(start[:1])
    scalars = {"learning_rate": learning_rate, "jitter": jitter, "blur": blur}
    frames, rows = climb(
        tf.constant(start),
        tf.constant(below),
        tf.constant(steps, tf.int32),
        tf.constant([term.weight for term in objective.terms], tf.float32),
        tf.constant(seed, tf.int32),
        {name: tf.constant(scalars[name], tf.float32) for name in _SCALARS},
        *arguments(objective),
    )
    pixels = frames.numpy()
    images = np.clip(added_to + pixels, 0, 1) if added else pixels
    found = _trajectory(objective, steps, images, rows.numpy())
    return replace(found, noise=pixels) if added else found


def _check_start(classifier: Classifier, start: FloatArray, added_to: FloatArray | None) -> None:
    if added_to is None:
        check_images(start, classifier.spec.shape)
    else:
        check_images(added_to, classifier.spec.shape)
        check_images(np.abs(start), classifier.spec.shape)
        if len(start) not in (1, len(added_to)):
            raise ValueError(
                f"There are {len(start)} noises for {len(added_to)} images: give one, or one for "
                "each."
            )


def check_ascent(learning_rate: float, iterations: int, jitter: int, blur: float) -> None:
    """Raise ValueError unless the engine takes these numbers of `optimize_images`."""
    check_range("The learning rate", learning_rate, 0, 10)
    check_whole("The number of iterations", iterations, 1, MAX_ITERATIONS)
    check_whole("The jitter", jitter, 0, 8)
    check_range("The blur", blur, 0, 3)


def _of_none(
    classifier: Classifier, objective: Objective, steps: IntArray, noise: FloatArray | None
) -> Trajectory:
    """The trajectory of no image, with the noise that it begins with, if there is one."""
    frames = len(steps)
    return Trajectory(
        images=np.zeros((frames, 0, *classifier.spec.shape), np.float32),
        steps=steps,
        logits=np.zeros((frames, 0, classifier.model.output.shape[1]), np.float32),
        terms={name: np.zeros((frames, 0), np.float32) for name in term_names(objective)},
        noise=None if noise is None else np.repeat(noise[None], frames, axis=0),
    )


def trajectory_of(
    classifier: Classifier, objective: Objective, steps: IntArray, images: FloatArray
) -> Trajectory:
    """The trajectory of recorded images float32 [frames, n, h, w, c], with logits and terms."""
    if not images.shape[1]:
        return _of_none(classifier, objective, steps, None)
    together = max(1, BATCH // images.shape[1])
    parts = [images[start : start + together] for start in range(0, len(images), together)]
    rows = np.concatenate([_measure(classifier, objective, part) for part in parts])
    return _trajectory(objective, steps, images, rows)


def _trajectory(
    objective: Objective, steps: IntArray, images: FloatArray, rows: FloatArray
) -> Trajectory:
    """With each frame's rows, one an image: rows [frames, n, terms + classes]."""
    names = term_names(objective)
    return Trajectory(
        images=images,
        steps=steps,
        logits=rows[..., len(names) :],
        terms={name: rows[..., column] for column, name in enumerate(names)},
    )


def _measure(classifier: Classifier, objective: Objective, images: FloatArray) -> FloatArray:
    """Each term's value and the logits behind them, [frames, n, terms + classes]."""
    frames, count = images.shape[:2]
    compiled = classifier.compiled(
        f"measure/{'+'.join(term_names(objective))}",
        lambda model: _compile_measure(model, objective),
    )
    given = arguments(objective, copies=frames)
    rows: FloatArray = compiled(tf.constant(images.reshape(-1, *images.shape[2:])), *given).numpy()
    return rows.reshape(frames, count, -1)


def _compile_measure(model: keras.Model, objective: Objective) -> Any:
    measured, images = _measured(model, objective), image_type(model)
    return compiled(
        lambda images, *given: _row(*measured(images, given)), images, *signature(objective, images)
    )


def _measured(model: keras.Model, objective: Objective) -> Any:
    """For graphs: images and `arguments` to the values of each term, and the logits."""
    outputs_of = layer_outputs(model, [*layers_of(objective), "logits"])

    def measured(images: Tensor, given: Any) -> tuple[list[Tensor], Tensor]:
        outputs = outputs_of(images)
        return values_of(objective, images, outputs, given), outputs["logits"]

    return measured


def _row(terms: list[Tensor], logits: Tensor) -> Tensor:
    return tf.concat([tf.stack(terms, axis=1), logits], axis=1)


def _alone(objective: Objective) -> int | None:
    """The place of the cross-entropy, if nothing that has a weight is weighed against it."""
    weighed = [place for place, term in enumerate(objective.terms) if term.weight]
    kinds = [objective.terms[place].kind for place in weighed]
    return weighed[0] if kinds == ["cross-entropy"] else None


def _compile(
    model: keras.Model, objective: Objective, optimizer: str, alone: int | None, *, added: bool
) -> Any:
    """The whole ascent as one graph; everything that a slider changes comes as a tensor.

    alone: the place of the cross-entropy that is followed by its log odds, beside terms that are
    shown and not followed; None where all terms are followed.
    """
    measured = _measured(model, objective)
    update = {"adam": _adam, "sgd": _sgd}[optimizer]

    def climb(
        start: Tensor,
        below: Tensor,
        steps: Tensor,
        weights: Tensor,
        seed: Tensor,
        scalars: Any,
        *given: Any,
    ) -> Tensor:
        jitter, blur = scalars["jitter"], scalars["blur"]
        blur_weights = _blur_weights(blur, start.shape[1])

        def ascent(*, regularized: bool) -> Any:
            @in_loop
            def measured_gradient(pixels: Tensor, step: Tensor, unit: Tensor) -> Any:
                with tf.GradientTape() as tape:
                    tape.watch(pixels)
                    images = tf.clip_by_value(below + pixels, 0.0, 1.0) if added else pixels
                    seen = _shifted(images, step, seed, jitter) if regularized else images
                    terms, logits = measured(seen, given)
                    followed, rises, unit = _followed(terms, logits, given, weights, alone, unit)
                row = _row(terms, logits)
                if regularized:
                    shifted = (jitter > 0) & tf.reduce_any(steps == step)
                    row = tf.cond(shifted, lambda: _row(*measured(images, given)), lambda: row)
                return tape.gradient(followed, pixels, rises), row, unit

            def one_step(
                step: Tensor, pixels: Tensor, first: Tensor, second: Tensor, unit: Tensor
            ) -> tuple[Tensor, ...]:
                gradient, row, unit = measured_gradient(pixels, step, unit)
                change, first, second = update(gradient, step, first, second)
                pixels += scalars["learning_rate"] * change
                if regularized:
                    pixels = _blurred(pixels, blur_weights)
                pixels = tf.clip_by_value(pixels, -1.0 if added else 0.0, 1.0)
                return pixels, first, second, unit, row

            return _recorded(one_step, start, steps)

        return tf.cond(
            jitter + blur > 0, lambda: ascent(regularized=True), lambda: ascent(regularized=False)
        )

    types = [
        image_type(model),
        image_type(model),
        tf.TensorSpec([None], tf.int32),
        tf.TensorSpec([len(objective.terms)], tf.float32),
        tf.TensorSpec([], tf.int32),
        {name: tf.TensorSpec([], tf.float32) for name in _SCALARS},
        *signature(objective, image_type(model)),
    ]
    return compiled(climb, *types)


def _followed(
    terms: list[Tensor],
    logits: Tensor,
    given: Any,
    weights: Tensor,
    alone: int | None,
    unit: Tensor,
) -> tuple[list[Tensor], list[Tensor], Tensor]:
    """In graphs: what the gradient is taken of, its factors [n], and the next unit."""
    if alone is None:
        each = zip(terms, tf.unstack(weights), strict=True)
        return terms, [tf.fill(tf.shape(term), weight) for term, weight in each], unit
    log_odds = log_odds_against(logits, given[alone])
    shares, unit = _in_unit(log_odds, unit)
    return [log_odds], [weights[alone] * shares], unit


def _recorded(one_step: Step, start: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:
    """In graphs: the iterates at `steps` from `start` on, and what is measured of them.

    one_step: step, pixels, the optimizer's two memories and `_in_unit`'s one to the next four, and
    a row for the pixels it was given. Each iterate takes the place of the next recorded step; the
    recorded one is the last to do so.
    """
    places = tf.searchsorted(steps, tf.range(steps[-1] + 1))

    def body(step: Tensor, state: Any, frames: Tensor, rows: Tensor) -> tuple[Tensor, ...]:
        frames = frames.write(places[step], state[0])
        *state, row = one_step(step, *state)
        return step + 1, tuple(state), frames, rows.write(places[step], row)

    zeros, unit = tf.zeros_like(start), tf.fill(tf.shape(start)[:1], -np.inf)
    frames = tf.TensorArray(tf.float32, tf.size(steps), element_shape=start.shape)
    rows = tf.TensorArray(tf.float32, tf.size(steps), element_shape=[None, None])
    *_, frames, rows = tf.while_loop(
        lambda step, *_: step <= steps[-1], body, (0, (start, zeros, zeros, unit), frames, rows)
    )
    return frames.stack(), rows.stack()


def _in_unit(log_odds: Tensor, unit: Tensor) -> tuple[Tensor, Tensor]:
    """In graphs: each image's factor in the gradient of the cross-entropy, and the next unit.

    The factors σ(S) [n] of a sure network are below all that float32 holds. Adam goes as far in any
    unit, so that they are measured, in logarithms, by the largest so far for the same pixels,
    unit [m], as soon as that is below 1/e.
    """
    logs = log_share(log_odds)
    largest = tf.reduce_max(tf.reshape(logs, [tf.size(unit), -1]), axis=1)
    unit = tf.maximum(unit, largest)
    return tf.exp(logs - tf.minimum(unit + 1, 0)), unit


def _adam(gradient: Tensor, step: Tensor, mean: Tensor, square: Tensor) -> Any:
    time = tf.cast(step + 1, tf.float32)
    mean = _BETA_1 * mean + (1 - _BETA_1) * gradient
    square = _BETA_2 * square + (1 - _BETA_2) * gradient**2
    corrected = tf.sqrt(1 - _BETA_2**time) / (1 - _BETA_1**time)
    return corrected * mean / (tf.sqrt(square) + _EPSILON), mean, square


def _sgd(gradient: Tensor, _: Tensor, velocity: Tensor, unused: Tensor) -> Any:
    velocity = _MOMENTUM * velocity + gradient
    return velocity, velocity, unused


def _shifted(images: Tensor, step: Tensor, seed: Tensor, jitter: Tensor) -> Tensor:
    """The images shifted by whole pixels, at random by seed and step, around the borders."""
    draw = tf.random.stateless_uniform([2], tf.stack([seed, step]), -1.0, 1.0)
    return tf.roll(images, tf.cast(tf.round(draw * jitter), tf.int32), axis=[1, 2])


def _blur_weights(blur: Tensor, side: int) -> Tensor:
    """[side, side]: what each pixel of a row adds to each; a Gaussian, its sum in the image 1."""
    place = tf.range(side, dtype=tf.float32)
    distance = place[:, None] - place[None]
    weights = tf.exp(-(distance**2) / (2 * tf.maximum(blur, 1e-3) ** 2))
    return weights / tf.reduce_sum(weights, axis=1, keepdims=True)


def _blurred(images: Tensor, weights: Tensor) -> Tensor:
    rows = tf.einsum("ij,njkc->nikc", weights, images)
    return tf.einsum("lk,nikc->nilc", weights, rows)

"""Attacks on few pixels: the saliency map of Papernot et al., and one pixel by evolution."""

import math
from typing import Any

import numpy as np

from core.arrays import BoolArray, FloatArray, IntArray, Tensor
from core.attacks.goals import Goal
from core.attacks.result import AttackResult, check_attack, result_of
from core.backend import compiled, keras, tf
from core.checks import check_range, check_seed, check_whole
from core.keyed_noise import DoubleArray, Draws, of_images
from core.network.classifier import Classifier, image_type, in_batches
from core.network.forward import forward

_BATCH = 64
_NEVER = -1e9  # below any sum of two derivatives
_SCALE = 0.5  # of the difference that differential evolution adds
_AT_ONCE = 5_000  # candidate images in memory


def saliency_map(
    classifier: Classifier,
    images: FloatArray,
    goal: Goal,
    *,
    theta: float = 1.0,
    pixels: int = 114,
    record: bool = False,
) -> AttackResult:
    """JSMA: again and again the pair of pixels that best lifts a logit and lowers all others.

    Toward a class, or away from the true one with the signs exchanged. theta in [−1, 1]: what is
    added to both; a pixel that has no room for it is left out. pixels (from 2): the most that
    change, two in a step, of colors each channel by itself; the report of Papernot et al. stops at
    14.5 %, which is 114 of MNIST's. An image
    without such a pair stays as it is. images float32 [n, h, w, c] in [0, 1]; record: whether
    the result has a trajectory. Raises ValueError on other values. Papernot et al. (2015),
    arXiv:1511.07528.
    """
    check_attack(classifier, images, goal)
    check_range("Theta", theta, -1, 1)
    pixels = check_whole("The number of pixels", pixels, 2, math.prod(classifier.spec.shape))
    found, frames = images.copy(), []
    standing = np.flatnonzero(~goal.reached(classifier.logits(images)))
    for _ in range(pixels // 2):
        rows = standing
        if len(rows):
            lift, drop = np.sign(theta) * _slopes(classifier, found[rows], goal.take(rows))
            room = _flat(found[rows])
            full = room >= 1 if theta > 0 else room <= 0
            pairs, useful = best_pairs(np.where(full, _NEVER, lift), np.where(full, _NEVER, drop))
            rows, pairs = rows[useful], pairs[useful]
            found[rows] = _added(found[rows], pairs, theta)
            standing = rows[~goal.take(rows).reached(classifier.logits(found[rows]))]
        if record:
            frames.append(found.copy())
    return result_of(
        classifier, "JSMA", images, found, goal,
        frames=np.stack(frames) if record else None, theta=theta, pixels=pixels,
    )  # fmt: skip


def best_pairs(lift: DoubleArray, drop: DoubleArray) -> tuple[IntArray, BoolArray]:
    """Of each row the two columns with the largest (lift + lift) · (drop + drop), both above 0.

    lift and drop [n, pixels]. int64 [n, 2], and whether there are such columns: bool [n]. Exact,
    without all pairs: a pixel for which two others are as good in both cannot be needed.
    """
    candidates = _hardly_beaten(lift, drop)
    lifts, drops = (_sums(np.take_along_axis(each, candidates, 1)) for each in (lift, drop))
    width = candidates.shape[1]
    allowed = (lifts > 0) & (drops > 0) & ~np.eye(width, dtype=bool)
    flat = np.where(allowed, lifts * drops, 0).reshape(len(lifts), -1)
    places = np.stack(np.divmod(flat.argmax(axis=1), width), axis=1)
    return np.take_along_axis(candidates, places, 1), flat.max(axis=1) > 0


def _hardly_beaten(lift: DoubleArray, drop: DoubleArray) -> IntArray:
    """Columns of each row, among them all for which less than two others are as good in both."""
    order = np.argsort(-lift, axis=1)
    drop = np.take_along_axis(drop, order, 1)
    highest = np.maximum.accumulate(drop, axis=1)
    second = np.full(drop.shape, -np.inf)  # highest drop but one among those with more lift
    second[:, 2:] = np.maximum.accumulate(np.minimum(drop[:, 1:], highest[:, :-1]), axis=1)[:, :-1]
    kept = drop > second
    first = np.argsort(~kept, axis=1, kind="stable")[:, : kept.sum(axis=1).max()]
    columns: IntArray = np.take_along_axis(order, first, 1)
    return columns


def _sums(values: DoubleArray) -> DoubleArray:
    sums: DoubleArray = values[:, :, np.newaxis] + values[:, np.newaxis]
    return sums


def _added(images: FloatArray, pairs: IntArray, theta: float) -> FloatArray:
    moved = _flat(images).copy()
    rows = np.arange(len(moved))[:, np.newaxis]
    moved[rows, pairs] = np.clip(moved[rows, pairs] + np.float32(theta), 0, 1)
    return moved.reshape(images.shape)


def _flat(images: FloatArray) -> FloatArray:
    return images.reshape(len(images), math.prod(images.shape[1:]))


def _slopes(classifier: Classifier, images: FloatArray, goal: Goal) -> DoubleArray:
    """What a pixel's ink adds to the goal's class, and takes from the sum of the others.

    [2, n, values]; for an untargeted goal both with the opposite sign.
    """
    compiled = classifier.compiled("slopes", _compile_slopes)
    slopes = in_batches(compiled, images, goal.classes, batch=_BATCH).astype(np.float64)
    toward: DoubleArray = -goal.sign * np.moveaxis(slopes, 1, 0) * np.array([1, -1])[:, None, None]
    return toward


def _compile_slopes(model: keras.Model) -> Any:
    logits_of = forward(model)

    def slopes(images: Tensor, classes: Tensor) -> Tensor:
        logits = logits_of(images)
        own = tf.gather(logits, classes, batch_dims=1)
        others = tf.reduce_sum(logits, axis=1) - own
        both = [tf.gradients(each, images)[0] for each in (own, others)]
        return tf.reshape(tf.stack(both, axis=1), [-1, 2, math.prod(images.shape[1:])])

    types = [image_type(model), tf.TensorSpec([None], tf.int64)]
    return compiled(slopes, *types)


def one_pixel(
    classifier: Classifier,
    images: FloatArray,
    goal: Goal,
    *,
    pixels: int = 1,
    population: int = 100,
    generations: int = 30,
    seed: int = 0,
    record: bool = False,
) -> AttackResult:
    """Places and values of `pixels` pixels (1 to 5), found by differential evolution.

    A child is one parent plus half the difference of two others, and takes the place of the one
    it was made for if its margin is better; the paper compares probabilities, which saturate. An
    image that has reached the goal asks no more. population 4 to 400 candidates, generations 0 to
    200 behind the first. images float32 [n, h, w, c] in [0, 1]; record: whether the result has
    a trajectory, of each generation's best. Raises ValueError on other values. Su, Vargas and
    Sakurai (2017), arXiv:1710.08864.
    """
    seed = check_seed(seed)
    check_attack(classifier, images, goal)
    pixels = check_whole("The number of pixels", pixels, 1, 5)
    population = check_whole("The population", population, 4, 400)
    generations = check_whole("The number of generations", generations, 0, 200)
    found, frames = images.copy(), []
    channels = images.shape[3]
    people = np.zeros((len(images), population, pixels, 2 + channels))  # row, column, values
    margin = np.full(people.shape[:2], -np.inf)
    standing = np.flatnonzero(~goal.reached(classifier.logits(images)))
    draws = of_images(images, seed, "one pixel")
    for generation in range(generations + 1):
        rows = standing
        if len(rows):
            make = _first if generation == 0 else _children
            children = make(draws.take(rows).at(generation), people[rows])
            margins = _margins(classifier, images[rows], goal.take(rows), children)
            better = margins > margin[rows]
            people[rows] = np.where(better[..., np.newaxis, np.newaxis], children, people[rows])
            margin[rows] = np.where(better, margins, margin[rows])
            best = people[rows, margin[rows].argmax(axis=1)]
            found[rows] = _drawn(images[rows], best[:, np.newaxis])
            standing = rows[~goal.take(rows).reached(classifier.logits(found[rows]))]
        if record:
            frames.append(found.copy())
    return result_of(
        classifier, "One pixel", images, found, goal, frames=np.stack(frames) if record else None,
        pixels=pixels, population=population, generations=generations, seed=seed,
    )  # fmt: skip


def _first(draws: Draws, people: DoubleArray) -> DoubleArray:
    """Places from anywhere; half of the values are black or white, the others between."""
    first = draws.uniform(*people.shape[1:])
    first[..., 2:] = np.clip(2 * first[..., 2:] - 0.5, 0, 1)
    return first


def _children(draws: Draws, people: DoubleArray) -> DoubleArray:
    """Of three neighbors each, in a random order of an image's candidates.

    A place that has left the image is drawn anew: at the border it would seldom be of use.
    """
    _, size, pixels, _ = people.shape
    drawn = draws.uniform(size, 1 + 2 * pixels)
    order = np.argsort(drawn[..., 0], axis=1)[..., np.newaxis, np.newaxis]
    one, two, three = (np.take_along_axis(people, np.roll(order, k, axis=1), 1) for k in range(3))
    children = one + _SCALE * (two - three)
    places = children[..., :2]
    outside = (places < 0) | (places > 1)
    places[outside] = drawn[..., 1:].reshape(places.shape)[outside]
    return np.clip(children, 0, 1)


def _margins(
    classifier: Classifier, images: FloatArray, goal: Goal, people: DoubleArray
) -> DoubleArray:
    """The goal's margin of each candidate: [n, population]."""
    size = people.shape[1]
    parts = []
    for start in range(0, len(images), max(_AT_ONCE // size, 1)):
        rows = np.arange(start, min(start + max(_AT_ONCE // size, 1), len(images)))
        logits = classifier.logits(_drawn(images[rows], people[rows]))
        parts.append(goal.take(np.repeat(rows, size)).margin(logits).reshape(-1, size))
    return np.concatenate(parts).astype(np.float64)


def _drawn(images: FloatArray, people: DoubleArray) -> FloatArray:
    """Each image with each of its candidates' pixels: float32 [n · population, …]."""
    count, size = people.shape[:2]
    side = images.shape[1]
    copies = np.repeat(images[:, np.newaxis], size, axis=1)
    places = np.minimum(people[..., :2] * side, side - 1).astype(np.int64)
    image, person = np.ogrid[:count, :size]
    copies[image[..., np.newaxis], person[..., np.newaxis], places[..., 0], places[..., 1]] = (
        people[..., 2:]
    )
    return copies.reshape(-1, *images.shape[1:])

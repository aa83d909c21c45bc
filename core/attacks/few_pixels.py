"""Random search over which few pixels become 0 or 1; it asks for logits only."""

import numpy as np

from core.arrays import FloatArray, IntArray
from core.attacks.goals import Goal
from core.attacks.result import AttackResult, check_attack, result_of
from core.checks import check_seed, check_whole
from core.keyed_noise import DoubleArray, of_images
from core.network.classifier import Classifier

_FIRST_SHARE = 0.3  # of the pixels that the first proposals exchange


def random_pixels(
    classifier: Classifier,
    images: FloatArray,
    goal: Goal,
    *,
    pixels: int = 40,
    queries: int = 300,
    seed: int = 0,
) -> AttackResult:
    """Some of an image's chosen pixels exchanged for others, kept where the goal's margin grows.

    The share that is exchanged falls linearly down to one pixel. An image that has reached the
    goal asks no more; its draws follow from `seed`, its pixels and the query. images float32
    [n, h, w, c] in [0, 1]; pixels 1 to half of them; queries 1 to 10,000 for each image. Raises
    ValueError on other values. Croce et al. (2020), arXiv:2006.12834.
    """
    seed = check_seed(seed)
    check_attack(classifier, images, goal)
    side, _, channels = images.shape[1:]
    size = side**2
    pixels = check_whole("The number of pixels", pixels, 1, size // 2)
    queries = check_whole("The number of queries", queries, 1, 10_000)
    found = images.reshape(len(images), size, channels).copy()
    logits = classifier.logits(images)
    margin = goal.margin(logits)
    standing = np.flatnonzero(~goal.reached(logits))
    draws, first = (of_images(images, seed, f"few pixels, {what}") for what in ("steps", "start"))
    places = first.at(0).order(size)
    values = (first.at(1).signs(pixels, channels) > 0).astype(np.float32)
    for query in range(queries):
        rows = standing
        if not len(rows):
            break
        share = _FIRST_SHARE * (1 - query / queries)
        drawn = draws.take(rows).at(query).uniform(size)
        asked, inked = _exchanged(places[rows], values[rows], drawn, max(1, round(share * pixels)))
        proposal = images[rows].reshape(-1, size, channels).copy()
        np.put_along_axis(proposal, asked[:, :pixels, None], inked, axis=1)
        logits = classifier.logits(proposal.reshape(-1, *images.shape[1:]))
        reached, ahead = goal.take(rows).reached(logits), goal.take(rows).margin(logits)
        better = reached | (ahead > margin[rows])
        keep = rows[better]
        places[keep], values[keep], found[keep] = asked[better], inked[better], proposal[better]
        margin[keep] = ahead[better]
        standing = rows[~reached]
    return result_of(
        classifier, "Random pixels", images, found.reshape(images.shape), goal,
        pixels=pixels, queries=queries, seed=seed,
    )  # fmt: skip


def _exchanged(
    places: IntArray, values: FloatArray, draws: DoubleArray, count: int
) -> tuple[IntArray, FloatArray]:
    """`count` of the chosen places, which come first, swapped with others, and inked at random."""
    pixels = values.shape[1]
    asked, inked = places.copy(), values.copy()
    leave = draws[:, :pixels].argsort(axis=1)[:, :count]
    come = pixels + draws[:, pixels:].argsort(axis=1)[:, :count]
    for first, second in ((leave, come), (come, leave)):
        np.put_along_axis(asked, first, np.take_along_axis(places, second, 1), axis=1)
    digits = 1e6 * 10.0 ** np.arange(values.shape[2])  # of a draw, one for each channel
    bits = np.take_along_axis(draws, leave, 1)[..., None] * digits % 1 < 0.5
    np.put_along_axis(inked, leave[..., None], bits.astype(np.float32), axis=1)
    return asked, inked

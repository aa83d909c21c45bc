"""Square: an attack that only asks for the network's logits, one square of pixels at a time."""

import math

import numpy as np

from core.arrays import FloatArray, IntArray
from core.attacks.geometry import NORMS
from core.attacks.goals import Goal
from core.attacks.result import AttackResult, check_attack, result_of
from core.checks import check_choice, check_seed, check_whole
from core.keyed_noise import DoubleArray, of_images
from core.network.classifier import Classifier

_SHARE = 0.8  # of the image, that the first squares cover
_HALVED_AT = np.array([10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000]) / 10_000
_FRAMES = 100  # recorded at most
_TILES = 5
_SAME = 1e-7  # a difference that is none


def square(
    classifier: Classifier,
    images: FloatArray,
    goal: Goal,
    *,
    epsilon: float = 0.3,
    norm: str = "linf",
    queries: int = 1_000,
    seed: int = 0,
    record: bool = False,
) -> AttackResult:
    """Random squares, each kept if the goal's margin grows; no gradient is asked for.

    The first is kept whatever it does, so that a failure may be farther from the goal than before.
    Begins with stripes ("linf") or tiles ("l2") at the edge of the ball; the squares shrink. An
    image that has reached the goal asks no more. images float32 [n, h, w, c] in [0, 1]; epsilon
    in the norm's unit, where a full pixel is 1; queries 1 to 10,000 for each image; record:
    whether the result has a trajectory, of at most 101 images. An image's draws follow from
    `seed`, its pixels and the query. Raises ValueError on other values. Andriushchenko et al.
    (2019), arXiv:1912.00049.
    """
    seed = check_seed(seed)
    check_attack(classifier, images, goal, epsilon)
    check_choice("The norm", norm, NORMS)
    queries = check_whole("The number of queries", queries, 1, 10_000)
    found, frames = images.copy(), []
    steps = np.unique(np.linspace(1, queries, min(queries, _FRAMES)).astype(np.int64))
    logits = classifier.logits(images)
    standing = np.flatnonzero(~goal.reached(logits))
    margin = np.full(len(images), -np.inf, np.float32)
    draws = of_images(images, seed, "Square")
    width, channels = max(images.shape[1], _TILES**2), images.shape[3]
    for query in range(queries):
        rows = standing
        if len(rows):
            drawn = draws.take(rows).at(query).uniform(width, channels)
            proposal = _proposal(found[rows], images[rows], drawn, epsilon, norm, query / queries)
            logits = classifier.logits(proposal)
            reached, ahead = goal.take(rows).reached(logits), goal.take(rows).margin(logits)
            better = reached | (ahead > margin[rows])
            found[rows[better]], margin[rows[better]] = proposal[better], ahead[better]
            standing = rows[~reached]
        if record and query + 1 in steps:
            frames.append(found.copy())
    return result_of(
        classifier, "Square", images, found, goal,
        frames=np.stack(frames) if record else None, steps=steps,
        epsilon=epsilon, norm=norm, queries=queries, seed=seed,
    )  # fmt: skip


def _proposal(
    x: FloatArray, images: FloatArray, draws: DoubleArray, epsilon: float, norm: str, done: float
) -> FloatArray:
    """What to ask about when the share `done` of all queries is done: float32 as the images.

    draws [n, …, channels]: places are taken from the first channel's.
    """
    change = (x - images).astype(np.float64)
    if done == 0:
        change = _BEGIN[norm](draws, images.shape[1], epsilon)
    else:
        share = _SHARE / 2 ** np.searchsorted(_HALVED_AT, done)
        change = _GO_ON[norm](change, images, draws, share, epsilon)
    proposal: FloatArray = np.clip(images + change, 0, 1).astype(np.float32)
    return proposal


def _stripes(draws: DoubleArray, side: int, epsilon: float) -> DoubleArray:
    """Columns of +ε or −ε, in each channel."""
    return np.repeat(epsilon * _signs(draws[:, :side])[:, np.newaxis], side, axis=1)


def _recolored(
    change: DoubleArray, center: FloatArray, draws: DoubleArray, share: float, epsilon: float
) -> DoubleArray:
    """A square of +ε or −ε in each channel, of the other signs if the image would stay as it is."""
    side = change.shape[1]
    window = _window(draws[:, :2, 0], max(round(math.sqrt(share) * side), 1), side)
    sign = _signs(draws[:, 2])[:, np.newaxis, np.newaxis]
    there = center[window] + change[window]
    moved = np.abs(np.clip(center[window] + sign * epsilon, 0, 1) - there).max(axis=(1, 2, 3))
    change[window] = epsilon * np.where(_as_pixels(moved) > _SAME, sign, -sign)
    return change


def _tiles(draws: DoubleArray, side: int, epsilon: float) -> DoubleArray:
    """Five by five hills or valleys in each channel, together of length ε."""
    small = side // _TILES
    signs = _signs(draws[:, : _TILES**2]).reshape(-1, _TILES, _TILES, draws.shape[2])
    tiles = np.kron(signs, _hill_and_valley(small)[np.newaxis, :, :, np.newaxis])
    left = (side - _TILES * small) // 2
    change = np.zeros((len(draws), side, side, draws.shape[2]))
    change[:, left : left + _TILES * small, left : left + _TILES * small] = tiles
    return epsilon * _unit(change)


def _redrawn(
    change: DoubleArray, _: FloatArray, draws: DoubleArray, share: float, epsilon: float
) -> DoubleArray:
    """One window wiped, and its part of ε, with what was unused, spent on a hill in another."""
    whole = change.shape[1]
    side = max(round(math.sqrt(share) * whole), 3) // 2 * 2 + 1
    window, wiped = (_window(draws[:, k : k + 2, 0], side, whole) for k in (0, 2))
    bump = _hill_and_valley(side)
    bump = np.where((draws[:, 4, 0] < 0.5)[:, np.newaxis, np.newaxis], bump, bump.T)
    signs = _signs(draws[:, 5])[:, np.newaxis, np.newaxis]
    drawn = signs * bump[..., np.newaxis] + _unit(change[window])
    change[window] = change[wiped] = 0
    left = np.sqrt(np.maximum(epsilon**2 - (change**2).sum(axis=(1, 2, 3), keepdims=True), 0))
    change[window] = left * _unit(drawn)
    return change


def _hill_and_valley(side: int) -> DoubleArray:
    """A hill in the upper half of a square and a valley in the lower, together of length 1."""
    upper = side // 2
    return _of_length_1(np.concatenate([_hill(upper, side), -_hill(side - upper, side)]))


def _hill(rows: int, columns: int) -> DoubleArray:
    """Nested rectangles, each added with one over its number squared, of length 1."""
    far = np.maximum.outer(
        np.abs(np.arange(rows) - rows // 2), np.abs(np.arange(columns) - columns // 2)
    )
    steps = 1 / np.arange(1, max(rows, columns) // 2 + 2) ** 2.0
    return _of_length_1(np.cumsum(steps[::-1])[::-1][far])


def _window(corners: DoubleArray, side: int, whole: int) -> tuple[IntArray, IntArray, IntArray]:
    """Indices of one square in each image; corners [n, 2] in (0, 1) of where it fits."""
    corner = np.floor(corners * (whole - side + 1)).astype(np.int64)[..., np.newaxis, np.newaxis]
    along = np.arange(side)
    image = np.arange(len(corners))[:, np.newaxis, np.newaxis]
    return image, corner[:, 0] + along[:, np.newaxis], corner[:, 1] + along


def _as_pixels(each: DoubleArray) -> DoubleArray:
    return each[:, np.newaxis, np.newaxis, np.newaxis]


def _of_length_1(bump: DoubleArray) -> DoubleArray:
    """A bump [rows, columns]; one that is 0 stays."""
    return _unit(bump[np.newaxis, ..., np.newaxis])[0, ..., 0]


def _signs(draws: DoubleArray) -> DoubleArray:
    return np.where(draws < 0.5, -1.0, 1.0)


def _unit(change: DoubleArray) -> DoubleArray:
    """Each change [n, rows, columns, channels] at length 1; one that is 0 stays."""
    length = np.sqrt((change**2).sum(axis=(1, 2, 3), keepdims=True))
    unit: DoubleArray = change / np.maximum(length, _SAME)
    return unit


_BEGIN = {"linf": _stripes, "l2": _tiles}
_GO_ON = {"linf": _recolored, "l2": _redrawn}

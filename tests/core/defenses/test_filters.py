"""Filters against libraries that have them, and their gradients against differences."""

import io

import numpy as np
import pytest
import scipy.ndimage
from PIL import Image

from core.arrays import FloatArray, to_float
from core.backend import tf
from core.data.mnist import Dataset
from core.defenses.filters import (
    AVERAGED,
    EXACT,
    KINDS,
    STAND_INS,
    STRAIGHT_THROUGH,
    Filter,
    Mode,
    filter_of,
)
from core.keyed_noise import normal, uniform

DEFAULTS = [Filter(kind.name, kind.default) for kind in KINDS.values()]
ENDS = [Filter(kind.name, end) for kind in KINDS.values() for end in (kind.low, kind.high)]


@pytest.fixture(scope="module")
def images(mnist: Dataset) -> FloatArray:
    return to_float(mnist.test.images[:20])


def gradient(part: Filter, images: FloatArray, weights: FloatArray, mode: Mode) -> FloatArray:
    """Of the sum of `weights` × filtered pixels, to the pixels."""
    x, layer = tf.constant(images), part.layer(mode)
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(layer(x) * weights)
    found: FloatArray = tape.gradient(total, x).numpy()
    return found


@pytest.mark.parametrize("part", [*DEFAULTS, *ENDS], ids=lambda part: part.key)
def test_every_filter_keeps_shape_box_type_and_its_word(part: Filter, images: FloatArray) -> None:
    before = images.copy()
    once, again = part(images), part(images)
    assert once.shape == images.shape
    assert once.dtype == np.float32
    assert once.min() >= 0
    assert once.max() <= 1
    assert np.array_equal(once, again)
    assert np.array_equal(images, before)
    assert not np.array_equal(once, images)
    assert len(part(images[:0])) == 0
    assert np.allclose(part(images[3:5]), once[3:5], atol=1e-6)  # whatever the batch
    assert filter_of(part.key) == part


@pytest.mark.parametrize("sigma", [0.5, 1.0, 3.0])
def test_blur_is_scipys(sigma: float, images: FloatArray) -> None:
    expected = scipy.ndimage.gaussian_filter(images[..., 0], (0, sigma, sigma), mode="constant")
    assert np.abs(Filter("blur", sigma)(images)[..., 0] - expected).max() < 1e-5


@pytest.mark.parametrize("size", [3, 5, 7])
def test_median_is_scipys(size: int, images: FloatArray) -> None:
    expected = scipy.ndimage.median_filter(images[..., 0], (1, size, size), mode="constant")
    assert np.array_equal(Filter("median", size)(images)[..., 0], expected)


def test_threshold_and_bit_depth_are_a_comparison_and_a_rounding(images: FloatArray) -> None:
    assert np.array_equal(Filter("threshold", 0.3)(images), (images > 0.3).astype(np.float32))
    assert np.array_equal(np.unique(Filter("bits", 2)(images)), np.float32([0, 1 / 3, 2 / 3, 1]))
    assert np.abs(Filter("bits", 7)(images) - images).max() <= 0.5 / 127 + 1e-6


@pytest.mark.parametrize("quality", [5, 30, 50, 75, 95])
def test_jpeg_is_that_of_files(quality: int, images: FloatArray) -> None:
    decoded = []
    for image in np.round(images[..., 0] * 255).astype(np.uint8):
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=quality)
        decoded.append(np.asarray(Image.open(file)) / 255)
    apart = 255 * np.abs(Filter("jpeg", quality)(images)[..., 0] - decoded)
    assert apart.mean() < 0.2  # gray levels
    assert (apart > 2.5).mean() < 0.02  # where a wave lies between two multiples


def test_noise_has_its_deviation_and_draws_anew_for_every_seed_and_image(
    images: FloatArray,
) -> None:
    gray = np.full_like(images, 0.5)
    gray[:, 0, 0, 0] = np.linspace(0, 1, len(gray))
    added = Filter("noise", 0.1)(gray) - gray
    assert abs(added.std() - 0.1) < 0.003
    assert abs(added.mean()) < 0.003
    flat = added.reshape(len(added), -1)
    assert np.abs(np.corrcoef(flat) - np.eye(len(flat))).max() < 0.2
    assert not np.array_equal(Filter("noise", 0.1)(gray, seed=1), gray + added)


def test_a_resized_digit_has_less_ink_and_stays_in_the_picture(images: FloatArray) -> None:
    smaller = Filter("resize", 8)(images)
    share = smaller.sum(axis=(1, 2, 3)) / images.sum(axis=(1, 2, 3))
    assert share.min() > (20 / 28) ** 2 - 0.08
    assert share.max() < 1.05
    assert share.std() > 0.05


def test_draws_are_uniform_and_normal_and_differ_among_copies(images: FloatArray) -> None:
    same = np.repeat(images[:1], 6, axis=0)
    even = uniform(tf.constant(same), 2_000, 0, 6).numpy()
    assert abs(even.mean() - 0.5) < 0.01
    assert abs(even.var() - 1 / 12) < 0.003
    assert even.min() > 0
    assert even.max() < 1
    bell = normal(tf.constant(same), 2_000, 0, 3).numpy()
    assert abs(bell.mean()) < 0.03
    assert abs(bell.std() - 1) < 0.03
    assert np.array_equal(bell[:3], bell[3:])  # the same draws of the same image
    assert np.abs(np.corrcoef(np.concatenate([even, bell[:3]])) - np.eye(9)).max() < 0.12


@pytest.mark.parametrize(
    "part", [each for each in DEFAULTS if each.gradient == EXACT], ids=lambda part: part.key
)
def test_an_exact_gradient_is_that_of_differences(
    part: Filter, images: FloatArray, random: np.random.Generator
) -> None:
    shaken = np.clip(images[:2] * 0.8 + random.uniform(0.02, 0.1, images[:2].shape), 0, 1)
    check_differences(part, shaken.astype(np.float32), random)


@pytest.mark.parametrize(
    "part", [each for each in DEFAULTS if each.gradient == AVERAGED], ids=lambda part: part.key
)
def test_a_draws_gradient_is_that_of_the_draw(
    part: Filter, images: FloatArray, random: np.random.Generator
) -> None:
    """The draws change with the image, so the difference is taken with the draws held fixed."""
    gray = np.full((2, 28, 28, 1), 0.5, np.float32)
    weights = random.normal(size=gray.shape).astype(np.float32)
    found = gradient(part, gray, weights, Mode())
    if part.kind == "noise":
        noisy = part(gray)
        assert np.array_equal(found, np.where((noisy > 0) & (noisy < 1), weights, 0))
    else:  # linear in the image: the gradient's product with it is the weighted sum itself
        total = (part(gray) * weights).sum()
        assert np.isclose((found * gray).sum(), total, rtol=1e-3, atol=1e-2)


def check_differences(part: Filter, images: FloatArray, random: np.random.Generator) -> None:
    weights = random.normal(size=images.shape).astype(np.float32)
    direction = random.normal(size=images.shape).astype(np.float32)
    step = 1e-5 if part.kind == "median" else 1e-3  # the order of a window must not change
    ahead = part((images + step * direction).astype(np.float32))
    behind = part((images - step * direction).astype(np.float32))
    slope = ((ahead.astype(np.float64) - behind) * weights).sum() / (2 * step)
    found = (gradient(part, images, weights, Mode()) * direction).sum()
    assert np.isclose(found, slope, rtol=5e-2, atol=2e-2)


@pytest.mark.parametrize(
    "part",
    [each for each in DEFAULTS if each.gradient == STRAIGHT_THROUGH],
    ids=lambda part: part.key,
)
def test_a_stand_in_changes_the_gradient_only(
    part: Filter, images: FloatArray, random: np.random.Generator
) -> None:
    weights = random.normal(size=images.shape).astype(np.float32)
    found = {name: gradient(part, images, weights, Mode(name)) for name in STAND_INS}
    values = [part.layer(Mode(name))(tf.constant(images)).numpy() for name in STAND_INS]
    assert all(np.array_equal(value, values[0]) for value in values)
    assert not found["none"].any()
    assert found["smooth"].any()
    assert not np.array_equal(found["smooth"], found["identity"])
    if part.kind != "jpeg":
        assert np.allclose(found["identity"], weights, atol=1e-6)


def test_the_smooth_stand_in_of_a_threshold_is_the_slope_of_a_sigmoid() -> None:
    values = np.linspace(0, 1, 784, dtype=np.float32).reshape(1, 28, 28, 1)
    found = gradient(Filter("threshold", 0.5), values, np.ones_like(values), Mode("smooth")).ravel()
    share = 1 / (1 + np.exp(-(values.ravel() - 0.5) / 0.1))
    assert np.allclose(found, share * (1 - share) / 0.1, atol=1e-5)


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("sharpen-1", "There is no filter 'sharpen-1'"),
        ("blur", "There is no filter 'blur'"),
        ("blur-much", "There is no filter 'blur-much'"),
        ("blur-9", "The strength of Gaussian blur is 9, outside 0.4 to 3"),
        ("blur-nan", "There is no filter|The strength of Gaussian blur is nan"),
        ("median-4", "The strength of Median is 4: take 3 and steps of 2 from there"),
    ],
)
def test_a_bad_key_gets_one_sentence(key: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        filter_of(key)


def test_draws_overlook_rounding_and_nothing_more(images: FloatArray) -> None:
    shades = np.round(images[:4] * 255) / 255 * 0.9
    gray = np.round(shades * 8192) / 8192
    before = uniform(tf.constant(gray.astype(np.float32)), 9, 0).numpy()
    rounded = uniform(tf.constant((gray + 1e-7).astype(np.float32)), 9, 0).numpy()
    np.testing.assert_array_equal(before, rounded)
    gray[:, 3, 4, 0] += 2e-4
    assert (uniform(tf.constant(gray.astype(np.float32)), 9, 0).numpy() != before).all()

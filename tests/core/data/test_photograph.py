"""Photographs are read whatever they look like; where nothing can be read, a sentence says so."""

import numpy as np
import pytest
from PIL import Image

from core.arrays import BoolArray, ByteArray, FloatArray, to_float
from core.data.centering import center
from core.data.mnist import Dataset
from core.data.photograph import read_photograph
from core.data.pictures import _unpacked as unpacked
from core.data.pictures import decode
from core.network.classifier import Classifier
from tests.photographs import looked_at, on_phone, photograph, saved, shaded

SEVEN = 0  # the first test image is a 7
SHAPE = (640, 540)


def _centered(gray: FloatArray) -> ByteArray:
    return center(read_photograph(gray).digit(0)).centered


def _read(model: Classifier, gray: FloatArray) -> int:
    return int(model.predict(to_float(_centered(gray)[np.newaxis]))[0])


def test_photographs_are_read_like_the_digits_on_them(mnist: Dataset, model_1: Classifier) -> None:
    """Half of them written with bright ink."""
    test = mnist.test.first(200)
    centered = np.stack(
        [
            _centered(unpacked(decode(data)).gray)
            for data in (
                on_phone(image, seed=seed, bright_ink=seed % 2 == 1, shape=(320, 256))
                for seed, image in enumerate(test.images)
            )
        ]
    )
    clean = (model_1.predict(to_float(test.images)) == test.labels).mean()
    assert (model_1.predict(to_float(centered)) == test.labels).mean() >= clean - 0.03


@pytest.fixture(scope="module")
def photographs(mnist: Dataset) -> list[tuple[int, ByteArray]]:
    """Ten digits, each with its picture."""
    ten = mnist.test.first(10)
    return [
        (int(label), photograph(image, seed=seed, shape=SHAPE))
        for seed, (image, label) in enumerate(zip(ten.images, ten.labels, strict=True))
    ]


def _edges() -> dict[str, BoolArray]:
    """Where the shadow lies."""
    y, x = np.indices(SHAPE)
    columns = {f"right of {at}": x >= at for at in (30, 142, 222, 262, 342, 502)}
    rows = {f"below {at}": y >= at for at in (140, 300, 460)}
    return columns | rows | {
        "left of 262": x < 262,
        "one side of a diagonal": x - y > -60,
        "the other": x + y < 560,
        "inside a circle": (y - 200) ** 2 + (x - 400) ** 2 < 180**2,
        "outside a circle": (y - 320) ** 2 + (x - 270) ** 2 > 180**2,
        "right of a wave": x > 270 + 40 * np.sin(y / 60),
        "a broad band": (y > 200) & (y < 400),
    }  # fmt: skip


@pytest.mark.parametrize("where", _edges())
def test_the_edge_of_a_shadow_may_fall_anywhere(
    photographs: list[tuple[int, ByteArray]], model_1: Classifier, where: str
) -> None:
    edge, right, sure = _edges()[where], 0, 0
    for number, (label, picture) in enumerate(photographs):
        seen = looked_at(shaded(picture, edge, (0.5, 0.65, 0.8)[number % 3]))
        try:
            p = model_1.probabilities(to_float(_centered(seen)[np.newaxis]))[0]
        except ValueError:
            continue
        right += p.argmax() == label
        sure += p.argmax() != label and p.max() > 0.9
    assert right >= 8
    assert sure <= 1


@pytest.mark.parametrize("radius", [120, 180, 240])
def test_a_patch_of_light_in_a_deep_shadow_is_none_of_the_ink(
    photographs: list[tuple[int, ByteArray]], model_1: Classifier, radius: int
) -> None:
    y, x = np.indices(SHAPE)
    dark = (y - 320) ** 2 + (x - 270) ** 2 > radius**2
    wrong = 0
    for label, picture in photographs:
        try:
            seen = read_photograph(looked_at(shaded(picture, dark, 0.3)))
        except ValueError:
            continue  # refused, which is true, too
        centered = center(seen.digit(0)).centered
        wrong += model_1.predict(to_float(centered[np.newaxis]))[0] != label
        assert seen.uneven, "and the page says that an edge of the shadow may pass for ink"
    assert wrong <= 1


@pytest.mark.parametrize("bright_ink", [False, True])
def test_even_light_is_called_even(mnist: Dataset, bright_ink: bool) -> None:
    for seed, image in enumerate(mnist.test.images[:20]):
        picture = photograph(image, seed=seed, shape=(320, 256), bright_ink=bright_ink)
        assert not read_photograph(looked_at(picture)).uneven


def test_the_edge_of_a_deep_shadow_is_none_of_the_ink(mnist: Dataset, model_1: Classifier) -> None:
    columns = np.indices(SHAPE)[1]
    for seed, at in enumerate((142, 262, 342)):
        picture = photograph(mnist.test.images[seed], seed=seed, shape=SHAPE)
        seen = looked_at(shaded(picture, columns >= at, 0.3))
        assert _read(model_1, seen) == mnist.test.labels[seed]


def test_a_band_of_shadow_as_wide_as_a_stroke_is_refused_or_read(
    mnist: Dataset, model_1: Classifier
) -> None:
    band = np.zeros(SHAPE, bool)
    band[:, 240:290] = True
    picture = shaded(photograph(mnist.test.images[SEVEN], shape=SHAPE), band, 0.5)
    with pytest.raises(ValueError, match="from border to border"):
        read_photograph(looked_at(picture))


def _kinds(picture: ByteArray) -> dict[str, bytes]:
    image = Image.fromarray(picture)
    color = image.convert("RGB")
    ink = Image.fromarray(255 - picture)
    black_on_nothing, white_on_nothing = (
        Image.new("RGBA", image.size, c) for c in ("#000", "#fff")
    )
    clear = ink.point(lambda value: 0 if value < 120 else value)
    black_on_nothing.putalpha(clear)
    white_on_nothing.putalpha(clear)
    turned = Image.Exif()
    turned[0x0112] = 6  # hold it a quarter turn clockwise to see it upright
    quarter = color.transpose(Image.Transpose.ROTATE_90)
    sixteen = picture.astype(np.uint16)
    return {
        "gray": saved(image),
        "color": saved(color),
        "palette": saved(color.quantize(16)),
        "two colors": saved(image.point(lambda value: 255 * (value > 120)).convert("1")),
        "16 bits": saved(Image.fromarray(sixteen * 257)),
        "12 of 16 bits": saved(Image.fromarray(sixteen * 16)),
        "8 of 16 bits": saved(Image.fromarray(sixteen)),
        "the middle of 16 bits": saved(Image.fromarray(sixteen + 30_000)),
        "nearly black": saved(picture // 16),
        "faint": saved(((picture.astype(int) + 15 * 220) // 16).astype(np.uint8)),
        "black on nothing": saved(black_on_nothing),
        "white on nothing": saved(white_on_nothing),
        "gray and transparent": saved(image.convert("LA")),
        "four inks": saved(color.convert("CMYK"), "JPEG"),
        "progressive": saved(color, "JPEG", progressive=True),
        "turned JPEG": saved(quarter, "JPEG", exif=turned),
        "two in one": saved(color, "MPO", save_all=True, append_images=[color]),
    }


@pytest.fixture(scope="module")
def sevens(mnist: Dataset) -> dict[str, bytes]:
    return _kinds(photograph(mnist.test.images[SEVEN], shape=(400, 300)))


@pytest.mark.parametrize("kind", _kinds(np.zeros((28, 28), np.uint8)))
def test_every_kind_of_file_is_read(
    sevens: dict[str, bytes], model_1: Classifier, kind: str
) -> None:
    gray = unpacked(decode(sevens[kind])).gray
    if kind == "the middle of 16 bits":  # a contrast of half a percent
        with pytest.raises(ValueError, match="No digit stands out"):
            read_photograph(gray)
    else:
        assert _read(model_1, gray) == 7


def test_a_test_image_is_read_as_a_photograph_too(mnist: Dataset, model_1: Classifier) -> None:
    image = mnist.test.images[SEVEN].astype(np.float32)
    assert _read(model_1, image) == 7
    assert _read(model_1, 255 - image) == 7


def test_polarity_and_paper_are_told(mnist: Dataset) -> None:
    for bright_ink in (False, True):
        picture = photograph(mnist.test.images[SEVEN], shape=(400, 300), bright_ink=bright_ink)
        seen = read_photograph(looked_at(picture))
        assert seen.bright == bright_ink
        low, high = seen.paper
        assert (0 < low < high < 110) if bright_ink else (145 < low < high < 255)


def test_table_and_specks_are_left_out(mnist: Dataset, model_1: Classifier) -> None:
    picture = photograph(mnist.test.images[SEVEN], seed=3)
    alone = read_photograph(looked_at(picture)).digit(0)
    picture[:, :40] = 30  # the table beside the paper
    picture[700:706, 600:606] = 20  # a crumb
    seen = read_photograph(looked_at(picture))
    assert len(seen.sheet.left_out) == 1  # the table is no ink: it is as wide as paper
    read = seen.digit(0)
    assert not read[:, :20].any()
    assert np.abs(read.astype(int) - alone).mean() < 2
    assert _read(model_1, looked_at(picture)) == 7


def test_several_digits_are_read_one_by_one(mnist: Dataset, model_1: Classifier) -> None:
    test, page = mnist.test, np.full((400, 500), 230, np.uint8)
    for number in range(6):
        top, left = 20 + 190 * (number // 3), 20 + 160 * (number % 3)
        large = np.asarray(Image.fromarray(test.images[number]).resize((140, 140)), float)
        page[top : top + 140, left : left + 140] = 230 - 0.7 * large
    seen = read_photograph(page.astype(np.float32))
    assert len(seen.sheet.digits) == 6
    centered = np.stack([center(seen.digit(number)).centered for number in range(6)])
    assert list(model_1.predict(to_float(centered))) == list(test.labels[:6])


def test_both_pieces_of_a_digit_are_read_and_the_next_digit_is_not() -> None:
    page = np.full((300, 400), 230, np.float32)
    page[40:60, 60:160] = 40  # the bar of a 5, apart from
    page[90:260, 60:80] = page[90:110, 60:150] = 40  # its body
    page[80:250, 260:280] = 40  # another digit to the right
    seen = read_photograph(page)
    first = seen.digit(0)
    assert first[50, 100] == first[200, 70] == 255
    assert not first[:, 230:].any()
    assert seen.digit(None)[100, 270] == 255


def _nothing() -> dict[str, ByteArray]:
    random = np.random.default_rng(0)
    shadow = np.full((300, 300), 220.0)
    shadow[:, 130:] *= 0.5
    return {
        "black": np.zeros((300, 300)),
        "white": np.full((300, 300), 255),
        "empty page": random.normal(200, 10, (300, 300)).clip(0, 255),
        "empty dark page": random.normal(3, 2, (300, 300)).clip(0, 255),
        "empty page in half shadow": (shadow + random.normal(0, 4, (300, 300))).clip(0, 255),
        "noise": random.integers(0, 256, (300, 300)),
    }  # type: ignore[return-value]


@pytest.mark.parametrize("name", _nothing())
def test_where_no_digit_stands_out_a_sentence_says_so(name: str) -> None:
    with pytest.raises(ValueError, match="No digit stands out"):
        read_photograph(_nothing()[name].astype(np.uint8).astype(np.float32))

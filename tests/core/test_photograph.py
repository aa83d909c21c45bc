"""Photographs are read whatever they look like; what is none gets one sentence."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from core import photograph as module
from core.centering import center
from core.classifier import Classifier
from core.data import ByteArray, Dataset, to_float
from core.photograph import MAX_BYTES, read_photograph
from tests.photographs import on_phone, photograph, saved

SEVEN = 0  # the first test image is a 7


def _read(model: Classifier, data: bytes) -> int:
    centered = center(read_photograph(data).ink).centered
    return int(model.predict(to_float(centered[np.newaxis]))[0])


@pytest.mark.parametrize("bright_ink", [False, True])
def test_photographs_are_read_like_the_digits_on_them(
    mnist: Dataset, model_1: Classifier, bright_ink: bool
) -> None:
    test = mnist.test.first(200)
    centered = np.stack(
        [
            center(read_photograph(data).ink).centered
            for data in (
                on_phone(image, seed=seed, bright_ink=bright_ink, shape=(320, 256))
                for seed, image in enumerate(test.images)
            )
        ]
    )
    clean = (model_1.predict(to_float(test.images)) == test.labels).mean()
    assert (model_1.predict(to_float(centered)) == test.labels).mean() >= clean - 0.03


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
    return {
        "gray": saved(image),
        "color": saved(color),
        "palette": saved(color.quantize(16)),
        "two colors": saved(image.point(lambda value: 255 * (value > 120)).convert("1")),
        "16 bits": saved(Image.fromarray(picture.astype(np.uint16) * 257)),
        "black on nothing": saved(black_on_nothing),
        "white on nothing": saved(white_on_nothing),
        "gray and transparent": saved(image.convert("LA")),
        "four inks": saved(color.convert("CMYK"), "JPEG"),
        "progressive": saved(color, "JPEG", progressive=True),
        "turned JPEG": saved(quarter, "JPEG", exif=turned),
        "turned PNG": saved(quarter, exif=turned),
        "two in one": saved(color, "MPO", save_all=True, append_images=[color]),
    }


@pytest.mark.parametrize("kind", _kinds(np.zeros((28, 28), np.uint8)))
def test_every_kind_of_file_is_read(mnist: Dataset, model_1: Classifier, kind: str) -> None:
    data = _kinds(photograph(mnist.test.images[SEVEN], shape=(400, 300)))[kind]
    assert _read(model_1, data) == 7


def test_a_test_image_saved_as_it_is_comes_back(mnist: Dataset, model_1: Classifier) -> None:
    assert _read(model_1, saved(mnist.test.images[SEVEN])) == 7
    assert _read(model_1, saved(255 - mnist.test.images[SEVEN])) == 7


def test_table_and_specks_are_left_out(mnist: Dataset, model_1: Classifier) -> None:
    picture = photograph(mnist.test.images[SEVEN], seed=3)
    alone = read_photograph(saved(picture)).ink
    picture[:, :40] = 30  # the table beside the paper
    picture[700:706, 600:606] = 20  # a crumb
    read = read_photograph(saved(picture)).ink
    assert not read[:, :20].any()
    assert np.abs(read.astype(int) - alone).mean() < 2
    assert _read(model_1, saved(picture)) == 7


def test_of_two_digits_one_is_read_and_of_one_both_pieces() -> None:
    page = np.full((300, 400), 230, np.uint8)
    page[40:60, 60:160] = 40  # the bar of a 5, apart from
    page[90:260, 60:150] = 40  # its body
    one = read_photograph(saved(page)).ink
    assert one[50, 100] == one[200, 100] == 255
    page[80:250, 260:300] = 40  # another digit to the right
    two = read_photograph(saved(page)).ink
    assert two[50, 100] == two[200, 100] == 255
    assert not two[:, 230:].any()


def test_large_pictures_are_looked_at_small(mnist: Dataset) -> None:
    read = read_photograph(on_phone(mnist.test.images[SEVEN], shape=(3000, 2000)))
    assert read.gray.shape == read.ink.shape == (512, 341)


def _png(width: int, height: int, *, data: bytes = b"", extra: bytes = b"") -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    image = chunk(b"IDAT", data or zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + image + chunk(b"IEND", b"")


def _hostile() -> dict[str, tuple[bytes, str]]:
    random = np.random.default_rng(0)
    digit = np.zeros((300, 300), np.uint8)
    digit[50:250, 140:160] = 255
    png, jpeg = saved(digit), saved(digit, "JPEG")
    noise = random.normal(200, 10, (300, 300)).clip(0, 255).astype(np.uint8)
    return {
        "empty": (b"", "file is empty"),
        "too many bytes": (bytes(MAX_BYTES + 1), "more than 10: make the picture smaller"),
        "text": (b"hello", "neither a PNG nor a JPEG"),
        "zeros": (bytes(5000), "neither a PNG nor a JPEG"),
        "GIF": (saved(digit, "GIF"), "neither a PNG nor a JPEG"),
        "TIFF": (saved(digit, "TIFF"), "neither a PNG nor a JPEG"),
        "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "neither a PNG nor a JPEG"),
        "PNG, cut off": (png[: len(png) // 2], "damaged or cut off"),
        "JPEG, cut off": (jpeg[: len(jpeg) // 2], "damaged or cut off"),
        "PNG, its beginning": (png[:8], "PNG"),
        "PNG, flipped bits": (png[:60] + bytes(b ^ 255 for b in png[60:80]) + png[80:], "damaged"),
        "PNG, no picture": (_png(300, 300, data=b"nonsense"), "damaged"),
        "1 × 1": (saved(digit[:1, :1]), "1 × 1 pixels, too few"),
        "a thread": (saved(np.zeros((20, 9000), np.uint8)), "too few or too narrow"),
        "a bomb": (_png(60_000, 60_000), "make it smaller"),
        "half a bomb": (_png(10_000, 10_000), "make it smaller"),
        "a small bomb": (_png(5_001, 5_000), "make it smaller"),
        "no width": (_png(0, 300), "damaged|neither"),
        "black": (saved(np.zeros((300, 300), np.uint8)), "No digit stands out"),
        "white": (saved(np.full((300, 300), 255, np.uint8)), "No digit stands out"),
        "empty page": (saved(noise), "No digit stands out"),
        "noise": (saved(random.integers(0, 256, (300, 300), np.uint8)), "No digit stands out"),
    }


@pytest.mark.parametrize("name", _hostile())
def test_hostile_files_get_one_sentence(name: str) -> None:
    data, sentence = _hostile()[name]
    with pytest.raises(ValueError, match=sentence) as caught:
        read_photograph(data)
    message = str(caught.value)
    assert message.endswith(".")
    assert ": " in message  # what to do about it
    assert "\n" not in message


def test_a_labyrinth_ends() -> None:
    cells = np.zeros((32, 32), bool)
    cells[::2] = True
    cells[1::4, -1] = cells[3::4, 0] = True
    assert module._pieces(cells).max() == module._pieces(cells)[cells].min()

"""Files are read whatever picture they hold; what is none gets one sentence."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from core.arrays import ByteArray
from core.data import pictures
from core.data.mnist import Dataset
from core.data.pictures import MAX_BYTES, Picture, read_picture
from tests.photographs import on_phone, photograph, saved


def _decoded(data: bytes) -> Picture:
    """As `read_picture`, but here."""
    pictures._check_file(data)
    return pictures._unpacked(pictures.decode(data))


def _digit() -> ByteArray:
    digit = np.zeros((28, 28), np.uint8)
    digit[4:24, 12:16] = np.arange(80).reshape(20, 4) * 3 + 1
    return digit


def _kinds(digit: ByteArray) -> dict[str, Image.Image]:
    image = Image.fromarray(digit)
    return {
        "gray": image,
        "color": image.convert("RGB"),
        "color, opaque": image.convert("RGBA"),
        "gray, opaque": image.convert("LA"),
        "palette": image.convert("P"),
        "16 bits": Image.fromarray(digit.astype(np.uint16) * 257),
    }


@pytest.mark.parametrize("kind", _kinds(_digit()))
@pytest.mark.parametrize("dark_ink", [False, True])
def test_what_the_network_takes_comes_back_to_the_last_level(kind: str, dark_ink: bool) -> None:
    digit = 255 - _digit() if dark_ink else _digit()
    picture = _decoded(saved(_kinds(digit)[kind]))
    assert picture.exact is not None
    np.testing.assert_array_equal(picture.exact, digit)
    np.testing.assert_array_equal(picture.gray, digit)
    assert picture.notes == ()


def test_every_level_of_two_colors_and_of_test_images_comes_back(mnist: Dataset) -> None:
    two = mnist.test.images[0] > 127
    exact = _decoded(saved(Image.fromarray(two))).exact
    np.testing.assert_array_equal(exact, 255 * two)
    for image in mnist.test.images[:50]:
        np.testing.assert_array_equal(_decoded(saved(image)).exact, image)


def test_what_has_color_or_another_size_is_no_such_picture() -> None:
    color = np.stack([_digit()] * 3, axis=2)
    color[5, 13, 0] ^= 1
    assert _decoded(saved(Image.fromarray(color))).exact is None
    assert _decoded(saved(np.zeros((28, 29), np.uint8))).exact is None
    assert _decoded(saved(np.zeros((280, 280), np.uint8))).exact is None


def test_transparency_is_told() -> None:
    ink = Image.fromarray(_digit())
    for color, paper in (("#000", "white"), ("#fff", "black")):
        image = Image.new("RGBA", (28, 28), color)
        image.putalpha(ink)
        picture = _decoded(saved(image))
        assert picture.notes == (f"The picture is transparent in places: it lies on {paper} here.",)
        levels = _digit() if color == "#fff" else 255 - _digit()
        np.testing.assert_array_equal(picture.exact, levels)


def test_of_several_pictures_in_one_file_the_first_is_told() -> None:
    first, second = Image.fromarray(_digit()), Image.fromarray(255 - _digit())
    animated = _decoded(saved(first, save_all=True, append_images=[second]))
    np.testing.assert_array_equal(animated.exact, _digit())
    large = Image.fromarray(photograph(_digit(), shape=(400, 300))).convert("RGB")
    two_in_one = _decoded(saved(large, "MPO", save_all=True, append_images=[large]))
    for picture in (animated, two_in_one):
        assert picture.notes == ("The file holds 2 pictures: this is the first.",)


def test_the_fractions_of_16_bits_are_kept() -> None:
    twelve = (np.arange(90_000).reshape(300, 300) % 4096).astype(np.uint16)
    gray = _decoded(saved(Image.fromarray(twelve))).gray
    assert len(np.unique(gray)) == 4096
    assert gray.max() == pytest.approx(4095 / 257)


def test_rounded_levels_are_told() -> None:
    sixteen = _digit().astype(np.uint16) * 257
    sixteen[10, 13] += 1
    picture = _decoded(saved(Image.fromarray(sixteen)))
    np.testing.assert_array_equal(picture.exact, _digit())
    assert picture.notes == ("Its 16-bit levels are rounded to 256 here.",)


@pytest.mark.parametrize("side", [28, 280])
def test_eight_bits_in_a_wider_type_are_read_as_they_are(side: int) -> None:
    digit = np.kron(_digit(), np.ones((side // 28, side // 28), np.uint8))
    picture = _decoded(saved(Image.fromarray(digit.astype(np.uint16))))
    np.testing.assert_array_equal(picture.gray, digit)
    assert (picture.exact is None) == (side > 28)
    assert [note.split(":")[0] for note in picture.notes] == [
        "Its 16-bit levels are no larger than 255"
    ]


def test_transparent_paper_of_16_bits_is_laid_on_white_like_that_of_8() -> None:
    digit = np.where(_digit() > 0, 40, 0).astype(np.uint8)
    eight = _decoded(saved(Image.fromarray(digit), transparency=0))
    wide = Image.fromarray(digit.astype(np.uint16) * 257)
    sixteen = _decoded(saved(wide, transparency=0))
    assert eight.notes == sixteen.notes
    assert "transparent in places: it lies on white" in sixteen.notes[0]
    np.testing.assert_array_equal(sixteen.exact, eight.exact)
    np.testing.assert_array_equal(sixteen.gray, eight.gray)


def test_a_turned_picture_is_upright() -> None:
    turned = Image.Exif()
    turned[0x0112] = 6  # hold it a quarter turn clockwise to see it upright
    quarter = Image.fromarray(_digit()).transpose(Image.Transpose.ROTATE_90)
    np.testing.assert_array_equal(_decoded(saved(quarter, exif=turned)).exact, _digit())


def test_large_pictures_are_looked_at_small() -> None:
    gray = read_picture(on_phone(_digit(), shape=(3000, 2000))).gray
    assert gray.shape == (512, 341)
    assert gray.dtype == np.float32


def _png(width: int, height: int, *, data: bytes = b"") -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    image = chunk(b"IDAT", data or zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + image + chunk(b"IEND", b"")


def _hostile() -> dict[str, tuple[bytes, str]]:
    digit = np.zeros((300, 300), np.uint8)
    digit[50:250, 140:160] = 255
    png, jpeg = saved(digit), saved(digit, "JPEG")
    return {
        "empty": (b"", "file is empty"),
        "too many bytes": (bytes(MAX_BYTES + 1), "more than 10: make the picture smaller"),
        "text": (b"hello", "^The file is a text file, neither a PNG nor a JPEG"),
        "zeros": (bytes(5000), "^The file is neither a PNG nor a JPEG"),
        "GIF": (saved(digit, "GIF"), r"is a picture \(GIF\), neither a PNG nor a JPEG"),
        "TIFF": (saved(digit, "TIFF"), r"is a picture \(TIFF\), neither"),
        "TIFF, float": (
            saved(Image.fromarray(digit.astype(np.float32)), "TIFF"),
            r"\(TIFF\), neither",
        ),
        "BMP": (saved(digit, "BMP"), r"is a picture \(BMP\), neither"),
        "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "neither a PNG nor a JPEG"),
        "WebP": (b"RIFF\1\2\3\4WEBPVP8 ", r"is a picture \(WebP\), neither"),
        "WAV": (b"RIFF\1\2\3\4WAVEfmt ", r"is a sound \(WAV\), neither"),
        "AVI": (b"RIFF\1\2\3\4AVI LIST", r"is a film \(AVI\), neither"),
        "MP4": (b"\0\0\0\x20ftypisom", r"is a film \(MP4\), neither"),
        "HEIC": (b"\0\0\0\x20ftypheic", r"is a picture \(HEIC\), neither"),
        "AVIF": (b"\0\0\0\x20ftypavif", r"is a picture \(AVIF\), neither"),
        "JP2": (b"\0\0\0\x0cjP  \r\n\x87\n", r"is a picture \(JPEG 2000\), neither"),
        "IDX": (b"\0\0\x08\3\0\0\x27\x10", "is an IDX file of images, as MNIST comes in, "),
        "a text on a car": (b"BMW is a car", "is a text file, neither"),
        "PNG, cut off": (png[: len(png) // 2], "damaged or cut off"),
        "JPEG, cut off": (jpeg[: len(jpeg) // 2], "damaged or cut off"),
        "PNG, its beginning": (png[:8], "damaged or cut off"),
        "JPEG, its beginning": (jpeg[:4], "damaged or cut off"),
        "PNG, flipped bits": (png[:60] + bytes(b ^ 255 for b in png[60:80]) + png[80:], "damaged"),
        "PNG, no picture": (_png(300, 300, data=b"nonsense"), "damaged"),
        "1 × 1": (saved(digit[:1, :1]), "1 × 1 pixels, too few"),
        "a thread": (saved(np.zeros((20, 9000), np.uint8)), "too few or too narrow"),
        "a bomb": (_png(60_000, 60_000), "make it smaller"),
        "half a bomb": (_png(10_000, 10_000), "make it smaller"),
        "a small bomb": (_png(5_001, 5_000), "make it smaller"),
        "no width": (_png(0, 300), "damaged"),
    }


@pytest.mark.parametrize("name", _hostile())
def test_hostile_files_get_one_sentence(name: str) -> None:
    data, sentence = _hostile()[name]
    with pytest.raises(ValueError, match=sentence) as caught:
        _decoded(data)
    message = str(caught.value)
    assert message.endswith(".")
    assert ": " in message  # what to do about it
    assert "\n" not in message


def test_apart_it_is_the_same() -> None:
    here, there = _decoded(saved(_digit())), read_picture(saved(_digit()))
    np.testing.assert_array_equal(here.exact, there.exact)
    np.testing.assert_array_equal(here.gray, there.gray)
    for name in ("PNG, cut off", "a bomb"):
        data, sentence = _hostile()[name]
        with pytest.raises(ValueError, match=sentence):
            read_picture(data)

"""What is sent and drawn of images in color with named classes, which no network need have read."""

import io
import json
import zlib

import numpy as np
import pytest
from PIL import Image

from core.data.spec import MNIST
from core.optimization.engine import Trajectory
from tests.shapes import SHAPES, shapes
from ui.components import described
from ui.components.player import files
from ui.components.player.mount import pack
from ui.components.player.track import Track
from ui.figures import charts, tiles
from ui.figures.palette import LIGHT

FRAMES = 3


@pytest.fixture(scope="module")
def track() -> Track:
    """An image that goes from one test image to the next, read as oval, ring, ring."""
    first, last = shapes().test.images[:2] / np.float32(255)
    images = np.stack([first, (first + last) / 2, last])[:, None]
    logits = np.eye(len(SHAPES.classes), dtype=np.float32)[[0, 1, 1]][:, None]
    return Track("On its way", Trajectory(images, np.arange(FRAMES), logits, {}), spec=SHAPES)


def test_the_browser_is_told_side_channels_and_names(track: Track) -> None:
    raw = zlib.decompress(pack([track], {}))
    length = int.from_bytes(raw[:4], "little")
    head = json.loads(raw[4 : 4 + length])
    assert head["images"] == described(SHAPES)
    assert head["images"]["classCount"] == "Seven"
    assert [mark["text"] for mark in head["tracks"][0]["marks"]] == ["answer flips at 1"]
    pixels = np.frombuffer(raw, np.uint8)[-FRAMES * 12 * 12 * 3 :].reshape(FRAMES, 12, 12, 3)
    assert np.array_equal(pixels.cumsum(axis=0, dtype=np.uint8)[-1], shapes().test.images[1])


def test_frames_of_another_data_set_are_refused(track: Track) -> None:
    with pytest.raises(ValueError, match=r"not .* as those of MNIST"):
        Track("", track.trajectory, spec=MNIST)


def test_a_pixel_counts_once_whatever_its_colors(track: Track) -> None:
    assert track.norms["L0"][-1] <= SHAPES.side**2
    assert track.norms["L0"][0] == 0


def test_files_have_the_colors_and_the_names(track: Track) -> None:
    arrays = np.load(io.BytesIO(files.archive([track])))
    assert arrays["images"].shape == (FRAMES, 12, 12, 3)
    table = files.table([track])
    assert list(table["predicted"]) == ["oval", "ring", "ring"]
    assert "p_grating" in table.columns
    picture = Image.open(io.BytesIO(files.animation([track], LIGHT))).convert("RGB")
    middle = np.asarray(picture, int)[4::8, 4::8]
    assert abs(middle - shapes().test.images[0].astype(int)).mean() < 4  # 256 colors are kept


def test_tiles_are_painted_in_their_colors() -> None:
    pixels = shapes().test.images[:4]
    assert np.array_equal(tiles.image(pixels[0] / 255, 6, LIGHT), pixels[0])
    sheet = tiles.mosaic(tiles.colored(pixels / 255, LIGHT), LIGHT, columns=2, scale=1, gap=0)
    assert np.array_equal(sheet[12:, 12:], pixels[3])


def test_of_colors_the_largest_change_is_shown() -> None:
    change = np.array([[[0.1, -0.6, 0.5], [0, 0.2, 0]]])
    assert tiles.strongest(change).tolist() == [[-0.6, 0.2]]


def test_axes_carry_the_names() -> None:
    counts = np.diag(np.arange(7))
    matrix = charts.confusion(counts, SHAPES.classes, LIGHT)
    axis = matrix.specification["layer"][0]["encoding"]["x"]["axis"]
    assert axis["labelExpr"] == f"{json.dumps(list(SHAPES.classes))}[datum.value]"
    assert set(matrix.table["true_name"]) == set(SHAPES.classes)
    bars = charts.class_bars(np.full(7, 1 / 7), SHAPES.classes, LIGHT)
    assert tuple(bars.table["label"]) == SHAPES.classes

"""What the trajectory player sends and what it gives away, against the trajectory itself."""

import io
import json
import zlib
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageSequence
from streamlit.testing.v1 import AppTest

from core.arrays import to_float
from core.data.mnist import Dataset
from core.network.classifier import Classifier
from core.optimization.engine import Trajectory, optimize_images
from core.optimization.objectives import logit, squared_distance
from tests.sizes import SIDE
from ui.components.player import files as player_files
from ui.components.player.mount import MAX_FRAMES, MAX_TRACKS, kept_frames, pack
from ui.components.player.track import Track
from ui.figures import tiles
from ui.figures.palette import DARK, LIGHT


@pytest.fixture(scope="module")
def toward(model_1: Classifier, mnist: Dataset) -> Trajectory:
    """A real 2 and a real 1 on their ways to 3 and 4, every second step recorded."""
    sources = to_float(mnist.test.images[1:3])
    objective = logit(np.array([3, 4])) - squared_distance(sources)
    return optimize_images(
        model_1, sources, objective, learning_rate=0.02, iterations=60, keep_every=2
    )


def _made(answers: list[int], *, steps: NDArray[Any] | None = None) -> Trajectory:
    """A trajectory of one image with the given answers; frame k has k pixels at 0.5."""
    count = len(answers)
    images = np.zeros((count, 1, SIDE, SIDE, 1), np.float32)
    for frame in range(count):
        images[frame, 0].reshape(-1)[:frame] = 0.5
    logits = np.eye(10, dtype=np.float32)[answers][:, None] * 5
    return Trajectory(images, np.arange(count) if steps is None else steps, logits, {})


def _unpacked(package: bytes) -> tuple[dict[str, Any], list[dict[str, NDArray[Any]]]]:
    """What the browser reads, in the order that package.js reads it."""
    raw = zlib.decompress(package)
    length = int.from_bytes(raw[:4], "little")
    head = json.loads(raw[4 : 4 + length])
    place = 4 + length

    def take(count: int, dtype: type) -> NDArray[Any]:
        nonlocal place
        array = np.frombuffer(raw, dtype, count, place)
        place += array.nbytes
        return array

    tracks = []
    for track in head["tracks"]:
        frames = track["frames"]
        tracks.append(
            {
                "steps": take(frames, np.float32),
                "logits": take(frames * 10, np.float32).reshape(frames, 10),
                "probabilities": take(frames * 10, np.float32).reshape(frames, 10),
                **{name: take(frames, np.float32) for name in track["terms"] + track["norms"]},
                "pixels": take(frames * SIDE**2, np.uint8).reshape(frames, SIDE, SIDE),
            }
        )
    assert place == len(raw)
    return head, tracks


def test_the_browser_gets_the_trajectory(toward: Trajectory) -> None:
    own = [Track("a 2", toward, 0, true=2, target=3), Track("a 1", toward, 1, true=1, target=4)]
    head, tracks = _unpacked(pack(own, {"ink": "#000000"}))
    assert head["colors"] == {"ink": "#000000"}
    assert [(t["title"], t["true"], t["target"]) for t in head["tracks"]] == [
        ("a 2", 2, 3),
        ("a 1", 1, 4),
    ]
    for index, sent in enumerate(tracks):
        assert np.array_equal(sent["steps"], toward.steps)
        assert np.array_equal(sent["logits"], toward.logits[:, index])
        assert np.array_equal(sent["probabilities"], toward.probabilities[:, index])
        assert head["tracks"][index]["terms"] == ["logit", "distance"]
        for name in ("logit", "distance"):
            assert np.array_equal(sent[name], toward.terms[name][:, index])
        change = toward.change[:, index].astype(np.float64).reshape(len(toward.steps), -1)
        assert np.allclose(sent["L2"], np.linalg.norm(change, axis=1), rtol=1e-5)
        assert np.allclose(sent["L2"] ** 2, sent["distance"], rtol=1e-4, atol=1e-6)
        assert np.array_equal(sent["L∞"], np.abs(toward.change[:, index]).max(axis=(1, 2, 3)))
        pixels = np.cumsum(sent["pixels"], axis=0, dtype=np.uint8)
        assert np.array_equal(pixels, np.rint(toward.images[:, index, :, :, 0] * 255))


def test_norms_of_a_known_change() -> None:
    norms = Track("", _made([0] * 5)).norms
    assert norms["L0"].tolist() == [0, 1, 2, 3, 4]
    assert np.allclose(norms["L2"], 0.5 * np.sqrt(np.arange(5)))
    assert norms["L∞"].tolist() == [0, 0.5, 0.5, 0.5, 0.5]


@pytest.mark.parametrize("learning_rate", [5e-4, 0.05])
def test_a_hundred_steps_take_at_most_150_kilobytes(
    model_1: Classifier, random: np.random.Generator, learning_rate: float
) -> None:
    start = np.clip(random.normal(0.5, 0.05, (3, SIDE, SIDE, 1)), 0, 1).astype(np.float32)
    run = optimize_images(
        model_1, start, logit(np.arange(3)), learning_rate=learning_rate, iterations=100
    )
    tracks = [Track(str(index), run, index) for index in range(3)]
    assert max(len(pack([track], {})) for track in tracks) <= 50_000  # measured: 21,000 and 41,000
    assert len(pack(tracks, {})) <= 3 * 50_000


def test_frames_that_cannot_be_compressed_stay_below_the_bound(random: np.random.Generator) -> None:
    count = 101
    noise = random.random((count, 1, SIDE, SIDE, 1), np.float32)
    logits = random.normal(size=(count, 1, 10)).astype(np.float32)
    terms = {
        name: random.normal(size=(count, 1)).astype(np.float32) for name in ("a", "b", "c", "d")
    }
    package = pack([Track("", Trajectory(noise, np.arange(count), logits, terms))], {})
    assert 70_000 < len(package) <= 150_000


def test_the_same_trajectories_are_known_again(toward: Trajectory) -> None:
    def version(track: Track, **paints: object) -> int:
        return int(_unpacked(pack([track], paints))[0]["version"])

    first = version(Track("a", toward, target=3), ink="#111A29")
    assert version(Track("a", toward, target=3), ink="#E6EAF2") == first  # the other theme
    assert version(Track("a", toward, target=4), ink="#111A29") != first
    assert version(Track("a", toward, 1, target=3), ink="#111A29") != first


def test_flips_are_marked_in_words() -> None:
    def marks(*answers: int, every: int = 1) -> list[tuple[int, str]]:
        made = _made(list(answers), steps=np.arange(len(answers)) * every)
        head, _ = _unpacked(pack([Track("", made)], {}))
        return [(mark["step"], mark["text"]) for mark in head["tracks"][0]["marks"]]

    assert marks(2) == []
    assert marks(2, 2, 2) == []
    assert marks(2, 2, 3, 3) == [(2, "answer flips at 2")]
    assert marks(2, 2, 3, 3, every=10) == [(20, "answer flips by 20")]
    assert marks(2, 8, 2, 2, 3, 3) == [(1, "answer flips at 1"), (4, "says 3 for good at 4")]


def test_thinning_keeps_the_flips_and_the_ends() -> None:
    answers = [2] * 1_301 + [7] * 5 + [3] * 695
    track = Track("", _made(answers))
    assert track.flips == (1_301, 1_306)
    kept = kept_frames(track, 100)
    assert len(kept) <= 100
    assert {0, 1_300, 1_301, 1_305, 1_306, 2_000} <= set(kept.tolist())
    assert np.diff(kept).min() > 0
    assert np.diff(kept).max() <= 22
    assert kept_frames(track, 2_001).tolist() == list(range(2_001))


def test_many_tracks_stay_below_the_bound_of_all() -> None:
    run = _made([2] * 300 + [3] * 301)
    head, tracks = _unpacked(pack([Track("", run)] * MAX_TRACKS, {}))
    sent = sum(track["frames"] for track in head["tracks"])
    assert 0.9 * MAX_FRAMES < sent <= MAX_FRAMES
    for own, arrays in zip(head["tracks"], tracks, strict=True):
        assert own["recorded"] == 601
        assert arrays["steps"][-1] == 600
        assert {299, 300} <= set(arrays["steps"].tolist())
        pixels = np.cumsum(arrays["pixels"], axis=0, dtype=np.uint8)
        assert np.count_nonzero(pixels[-1]) == 600
        assert arrays["L0"][-1] == 600


@pytest.mark.parametrize("count", [0, MAX_TRACKS + 1])
def test_a_wrong_number_of_tracks_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match=f"The number of tracks is {count}"):
        pack([Track("", _made([0, 1]))] * count, {})


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_the_animation_shows_every_frame_exactly(toward: Trajectory, palette: Any) -> None:
    gif = Image.open(io.BytesIO(player_files.animation([Track("", toward)], palette)))
    frames = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(gif)]
    assert gif.info["loop"] == 0
    assert len(frames) == len(toward.steps)
    for number in (0, 10, len(frames) - 1):
        image = np.rint(toward.images[number, 0, :, :, 0] * 255) / 255
        assert np.array_equal(frames[number], tiles.enlarge(tiles.ink(image, palette), 8))


def test_the_animation_holds_a_shorter_track_and_skips_of_a_long_one() -> None:
    long, short = Track("", _made([2] * 600)), Track("", _made([2] * 3))
    gif = Image.open(io.BytesIO(player_files.animation([long, short], LIGHT)))
    frames = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(gif)]
    assert len(frames) <= player_files.GIF_FRAMES
    inked = (frames[-1][::3, ::3] != frames[0][0, -1]).any(axis=-1)
    assert (inked[:, :SIDE].sum(), inked[:, SIDE:].sum()) == (599, 2)


def test_the_archive_holds_all_that_was_recorded(toward: Trajectory) -> None:
    with np.load(
        io.BytesIO(player_files.archive([Track("one", toward, 1, true=1, target=4)]))
    ) as one:
        assert np.array_equal(one["images"], toward.images[:, 1, :, :, 0])
        assert np.array_equal(one["steps"], toward.steps)
        assert np.array_equal(one["logits"], toward.logits[:, 1])
        assert np.array_equal(one["probabilities"], toward.probabilities[:, 1])
        assert np.array_equal(one["term_distance"], toward.terms["distance"][:, 1])
        assert {"L0", "L2", "Linf", "term_logit"} <= set(one.files)
        assert (str(one["title"]), int(one["true"]), int(one["target"])) == ("one", 1, 4)
    both = player_files.archive([Track("a", toward, 0), Track("b", toward, 1)])
    with np.load(io.BytesIO(both)) as two:
        assert np.array_equal(two["images_1"], toward.images[:, 1, :, :, 0])
        assert str(two["title_0"]) == "a"
        assert "true_0" not in two.files


def test_the_table_has_a_row_for_each_recorded_step(toward: Trajectory) -> None:
    text = player_files.table([Track("a", toward, 0), Track("b", toward, 1)]).to_csv(index=False)
    table = pd.read_csv(io.StringIO(text))
    assert len(table) == 2 * len(toward.steps)
    second = table[table.track == "b"]
    assert second.step.tolist() == toward.steps.tolist()
    assert second.predicted.tolist() == toward.predicted[:, 1].tolist()
    columns = [f"logit_{label}" for label in range(10)]
    assert np.allclose(second[columns], toward.logits[:, 1], rtol=1e-6)
    assert np.allclose(second.p_4, toward.probabilities[:, 1, 4], rtol=1e-6)
    assert np.allclose(second.term_distance, toward.terms["distance"][:, 1], rtol=1e-6)
    assert second.Linf.iloc[-1] == pytest.approx(np.abs(toward.change[-1, 1]).max())


def test_terms_of_other_tracks_stay_empty(toward: Trajectory) -> None:
    table = player_files.table([Track("a", toward), Track("b", _made([2, 3]))])
    assert table[table.track == "b"].term_logit.isna().all()


def _page() -> None:
    import numpy as np

    from core.optimization.engine import Trajectory
    from ui.components.player import mount as player
    from ui.components.player.track import Track
    from ui.controls import downloads

    run = Trajectory(
        np.zeros((1, 1, 28, 28, 1), np.float32), np.zeros(1, int), np.zeros((1, 1, 10)), {}
    )
    player.show([Track("", run)], key="player")
    downloads.trajectories([Track("", run)], key="files", name="toward-3")


def test_one_frame_can_be_shown_and_taken() -> None:
    app = AppTest.from_function(_page, default_timeout=60).run()
    assert not app.exception
    assert [button.proto.label for button in app.get("download_button")] == ["GIF", "NPZ", "CSV"]

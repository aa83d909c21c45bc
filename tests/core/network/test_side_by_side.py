import numpy as np
import pytest

from core.arrays import to_float
from core.certification.interval_bounds import margin_bounds
from core.data.mnist import Dataset
from core.network.architecture import Architecture, ConvBlock
from core.network.classifier import Classifier
from core.network.model import Weights, assign_weights, build_model, named_weights
from core.network.side_by_side import side_by_side, widened

ARCHITECTURES = (
    Architecture((ConvBlock(4, 4, 2, 1), ConvBlock(6, 3, 1, 2)), hidden_units=(16, 8)),
    Architecture((ConvBlock(4, 4, 2, 2),), hidden_units=()),
)


def _random_weights(architecture: Architecture, seed: int) -> Weights:
    weights = named_weights(build_model(architecture, seed=seed))
    random = np.random.default_rng(seed)
    return {
        name: value if value.ndim > 1 else random.normal(0, 0.3, value.shape).astype(np.float32)
        for name, value in weights.items()
    }


def _classifier(architecture: Architecture, weights: Weights) -> Classifier:
    model = build_model(architecture)
    assign_weights(model, weights)
    return Classifier(model, name="member")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_it_answers_and_is_bounded_as_its_members_on_average(
    architecture: Architecture, mnist: Dataset
) -> None:
    members = [_random_weights(architecture, seed) for seed in (1, 2, 3)]
    images, labels = to_float(mnist.test.images[:20]), mnist.test.labels[:20].astype(np.int64)
    apart = [_classifier(architecture, weights) for weights in members]
    together = _classifier(widened(architecture, 3), side_by_side(members))
    logits = np.mean([each.logits(images) for each in apart], axis=0)
    assert together.logits(images) == pytest.approx(logits, abs=1e-5)
    margins = np.mean([margin_bounds(each, images, labels, 0.1) for each in apart], axis=0)
    assert margin_bounds(together, images, labels, 0.1) == pytest.approx(margins, abs=1e-4)


def test_one_alone_is_itself() -> None:
    weights = _random_weights(ARCHITECTURES[0], 1)
    alone = side_by_side([weights])
    assert alone.keys() == weights.keys()
    for name, value in weights.items():
        assert (alone[name] == value).all(), name

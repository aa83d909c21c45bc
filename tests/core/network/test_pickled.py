"""A classifier that travels to another process answers there as here, to the last bit."""

import pickle
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from core.arrays import FloatArray
from core.attacks.usual_gradient import WithUsualGradient
from core.data.spec import MNIST
from core.defenses.autoencoder import autoencoder
from core.defenses.defended import DefendedClassifier, defense_of
from core.network.architecture import MODEL_1, MODEL_2, Architecture, ConvBlock
from core.network.classifier import Classifier
from core.network.model import build_model, named_variables, weights_digest
from core.zoo import models as zoo
from tests.shapes import SHAPES


def _classifier(architecture: Architecture, **names: object) -> Classifier:
    return Classifier(build_model(architecture, seed=5), name="it", **names)  # type: ignore[arg-type]


def _with_statistics() -> Classifier:
    """Batch normalization whose kept numbers are not those of the start."""
    model = build_model(MODEL_2, seed=5)
    random = np.random.default_rng(2)
    for name, variable in named_variables(model).items():
        if "moving" in name:
            variable.assign(random.uniform(0.5, 1.5, variable.shape))
    return Classifier(model, name="it")


MADE: dict[str, Callable[[], Classifier]] = {
    "Model 1": lambda: _classifier(MODEL_1),
    "normalized": _with_statistics,
    "residual, dropout": lambda: _classifier(
        Architecture((ConvBlock(6, 3, 2, kind="residual"), ConvBlock(4, 5, pooling=1)), (9,),
                     batch_normalization=True, dropout=0.4)
    ),
    "averaged": lambda: _classifier(
        Architecture((ConvBlock(6, pooling_kind="average"),), (), ending="average")
    ),
    "in color": lambda: _classifier(
        Architecture((ConvBlock(6),), (), classes=7, input_shape=SHAPES.shape), spec=SHAPES
    ),
    "the usual gradient": lambda: WithUsualGradient(_classifier(MODEL_1)),
    "robust": lambda: zoo.load("robust"),
    "defended": lambda: DefendedClassifier(
        _classifier(MODEL_1), defense_of("median-3+threshold-0.5"), stand_in="smooth"
    ),
    "random": lambda: DefendedClassifier(
        _classifier(MODEL_1), defense_of("noise-0.25+resize-4"), draws=3, seed=7
    ),
    "purified": lambda: DefendedClassifier(_classifier(MODEL_1), [autoencoder()]),
}  # fmt: skip


def _images(shape: tuple[int, ...]) -> FloatArray:
    return np.random.default_rng(1).random((5, *shape), np.float32)


@pytest.mark.parametrize("name", MADE)
def test_digest_and_logits_are_equal_to_the_last_bit(name: str) -> None:
    classifier = MADE[name]()
    unused = pickle.loads(pickle.dumps(classifier))
    images = _images(classifier.spec.shape)
    answers = classifier.logits(images)
    used = pickle.loads(pickle.dumps(classifier))
    assert used is unused, "built once"
    assert used is not classifier
    assert type(used) is type(classifier)
    assert (used.version, used.name, used.spec) == (
        classifier.version, classifier.name, classifier.spec,
    )  # fmt: skip
    for digested in (used, used.bare):
        assert weights_digest(digested.bare.model, used.spec) == weights_digest(
            classifier.bare.model, used.spec
        )
    np.testing.assert_array_equal(used.logits(images), answers)
    assert used.looks == classifier.looks


def test_weights_that_a_training_has_changed_are_those_that_travel() -> None:
    classifier, images = _classifier(MODEL_1), _images(MNIST.shape)
    before = pickle.loads(pickle.dumps(classifier)).logits(images)
    variable = named_variables(classifier.model)["logits/bias"]
    variable.assign(variable + 1.0)
    np.testing.assert_allclose(
        pickle.loads(pickle.dumps(classifier)).logits(images), before + 1, atol=1e-5
    )


def test_a_defense_that_is_another_here_is_refused() -> None:
    defended = DefendedClassifier(_classifier(MODEL_1), defense_of("blur-1"))
    defended.version = "0" * 16
    with pytest.raises(ValueError, match="Gaussian blur 1 is another one on this machine"):
        pickle.loads(pickle.dumps(defended))


def test_another_process_gives_the_same_bits(model_1: Classifier) -> None:
    defended = DefendedClassifier(model_1, defense_of("noise-0.25"), seed=3)
    images = _images(MNIST.shape)
    there = subprocess.run(
        [sys.executable, "-c", "import pickle, sys\n"
         "classifier, images = pickle.load(sys.stdin.buffer)\n"
         "pickle.dump(classifier.logits(images), sys.stdout.buffer)"],
        input=pickle.dumps((defended, images)), capture_output=True, check=True,
    )  # fmt: skip
    np.testing.assert_array_equal(pickle.loads(there.stdout), defended.logits(images))

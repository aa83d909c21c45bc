"""The gradient that is usually followed, beside the exact one."""

import numpy as np

from core.arrays import to_float
from core.attacks.apgd import apgd
from core.attacks.catalog import attack
from core.attacks.goals import Untargeted
from core.attacks.gradient import fgsm, momentum, pgd
from core.attacks.usual_gradient import WithUsualGradient, with_usual_gradient
from core.data.mnist import Dataset
from core.network.classifier import Classifier
from tests.core.linear import gray_images, scaled


def test_before_a_sure_network_it_stands_still(linear: Classifier) -> None:
    sure, images = scaled(linear, 1_000), gray_images(5)
    goal, usual = Untargeted(sure.predict(images)), WithUsualGradient(sure)
    for found in (
        fgsm(usual, images, goal),
        pgd(usual, images, goal, random_start=False, iterations=3),
        momentum(usual, images, goal, iterations=3),
    ):
        assert (found.adversarial == images).all()
    assert not apgd(usual, images, goal, iterations=5).succeeded.any()
    assert fgsm(sure, images, goal).succeeded.all(), "the classifier itself is as it was"
    assert (usual.logits(images) == sure.logits(images)).all()
    assert with_usual_gradient(sure) is with_usual_gradient(sure)


def test_more_fall_to_the_exact_one(model_1: Classifier, mnist: Dataset) -> None:
    """As measured in public libraries, where 381 of 492 fall at ε 0.3."""
    images = to_float(mnist.test.images[:200])
    goal = Untargeted(mnist.test.labels[:200].astype(np.int64))
    exact, usual = (
        fgsm(each, images, goal).success for each in (model_1, WithUsualGradient(model_1))
    )
    assert exact.successes >= usual.successes + 20


def test_which_attacks_follow_it() -> None:
    assert all(attack(name).follows_cross_entropy({}) for name in ("FGSM", "PGD", "Momentum"))
    assert attack("APGD").follows_cross_entropy({"loss": "cross_entropy"})
    assert not attack("APGD").follows_cross_entropy({"loss": "dlr"})
    assert not attack("DDN").follows_cross_entropy({})

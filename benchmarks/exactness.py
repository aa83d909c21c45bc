"""Do sure networks fall as often? Attacks at logits × 1 to × 100, in float32 and in float64.

    python -m benchmarks exactness [MODEL …] [ATTACK …]     both models and all, if none is named

What an image does cannot depend on a factor before its logits, for its class does not. float64:
the whole network, to the logits and back to the pixels, in double precision; what is left there
of a difference between factors is the method's, and not a matter of rounding.
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from core.arrays import FloatArray, IntArray, Tensor, to_float
from core.attacks.apgd import apgd
from core.attacks.goals import Goal, Untargeted
from core.attacks.gradient import fgsm, momentum, pgd
from core.attacks.result import AttackResult
from core.attacks.smallest import bisect
from core.backend import keras, tf
from core.data.mnist import load_mnist
from core.network.classifier import Classifier
from core.statistics.rate import Rate
from core.zoo import models as zoo

_IMAGES, _FEWER = 500, 200  # the first; fewer for attacks of many steps
_EPSILONS, _SCALES = (0.15, 0.3), (1, 10, 30, 100)
_STEPS: Mapping[str, Any] = {"iterations": 20, "step_size": 0.02}
Made = Iterable[FloatArray]  # attacked images, for one ε after the other
Attack = Callable[[Classifier, FloatArray, Goal], Made]


def _in_balls(attack: Callable[..., AttackResult], **settings: Any) -> Attack:
    return lambda *given: (
        attack(*given, epsilon=epsilon, **settings).adversarial for epsilon in _EPSILONS
    )


def _smallest(classifier: Classifier, images: FloatArray, goal: Goal) -> Made:
    found = bisect(classifier, images, goal, iterations=10)
    for epsilon in _EPSILONS:
        near = (found.radius <= epsilon)[:, None, None, None]
        yield np.where(near, found.adversarial, images)


ATTACKS: dict[str, Attack] = {
    "FGSM": _in_balls(fgsm),
    "BIM-20": _in_balls(pgd, **_STEPS, random_start=False),
    "PGD-20": _in_balls(pgd, **_STEPS),
    "Momentum-20": _in_balls(momentum, **_STEPS),
    "APGD-CE-20": _in_balls(apgd, iterations=20),
    "smallest-10": _smallest,
}


class _Doubled(keras.layers.Layer):  # type: ignore[misc]
    """A whole network in float64, between images and logits in float32."""

    def __init__(self, model: keras.Model) -> None:
        super().__init__(name="logits")
        self._model = keras.models.clone_model(
            model,
            clone_function=lambda layer: type(layer).from_config(
                layer.get_config() | {"dtype": "float64"}
            ),
        )
        self._model.set_weights(model.get_weights())

    def call(self, images: Tensor) -> Tensor:
        """Logits [n, classes] of images [n, h, w, c]."""
        return tf.cast(self._model(tf.cast(images, tf.float64), training=False), tf.float32)


def scaled(classifier: Classifier, factor: float, *, double: bool) -> Classifier:
    """The same decisions with all logits multiplied; in float64 if `double`."""
    model = keras.models.clone_model(classifier.model)
    model.set_weights(classifier.model.get_weights())
    model.layers[-1].set_weights([factor * each for each in model.layers[-1].get_weights()])
    version = f"{classifier.version} × {factor:g}{' in float64' if double else ''}"
    if double:
        inputs = keras.Input(model.input_shape[1:], name="image")
        model = keras.Model(inputs, _Doubled(model)(inputs))
    return Classifier(model, name=version, version=version, spec=classifier.spec)


def fallen(
    classifier: Classifier, images: FloatArray, labels: IntArray, attack: Attack
) -> list[Rate]:
    """Of the images that were read right those that are misread, for one ε after the other."""
    right = classifier.predict(images) == labels
    made = attack(classifier, images, Untargeted(labels))
    return [Rate.of((classifier.predict(each) != labels)[right]) for each in made]


def main() -> None:
    """Print a table for each model, in Markdown: how many fall in float32, and in float64."""
    test = load_mnist().test.first(_IMAGES)
    images, labels = to_float(test.images), test.labels.astype(np.int64)
    asked = sys.argv[2:]
    for model in [name for name in asked if name not in ATTACKS] or ["model-1", "model-2"]:
        shipped = zoo.load_once(model)
        networks = [scaled(shipped, k, double=double) for k in _SCALES for double in (False, True)]
        print(f"| {shipped.name} | ε | of", *(f"× {k}, float64" for k in _SCALES), sep=" | ")
        print("| ---" * (3 + len(_SCALES)), flush=True)
        for name in [name for name in ATTACKS if name in asked] or ATTACKS:
            few = slice(_IMAGES if name in ("FGSM", "smallest-10") else _FEWER)
            found = [fallen(each, images[few], labels[few], ATTACKS[name]) for each in networks]
            for epsilon, rates in zip(_EPSILONS, zip(*found, strict=True), strict=True):
                fell = [each.successes for each in rates]
                cells = (
                    f"{single}, {double}"
                    for single, double in zip(fell[::2], fell[1::2], strict=True)
                )
                print(f"| {name} | {epsilon:g} | {rates[0].total}", *cells, sep=" | ", flush=True)

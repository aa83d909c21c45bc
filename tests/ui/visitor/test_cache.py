import numpy as np

from core.defenses.defended import DefendedClassifier, defense_of
from core.network.classifier import Classifier
from ui.visitor.cache import cached
from ui.visitor.images import ChosenImage


def test_a_result_is_kept_under_network_image_and_settings(model_1: Classifier) -> None:
    computed = []

    @cached(10)
    def answer(classifier: Classifier, image: ChosenImage, scale: float) -> int:
        computed.append((classifier.name, image.key, scale))
        return len(computed)

    blurred, sharp = (DefendedClassifier(model_1, defense_of(key)) for key in ("blur-1", "blur-2"))
    asked = [
        (classifier, ChosenImage(number), scale)
        for classifier in (model_1, blurred, sharp)
        for number in (1, 2)
        for scale in (0.5, 1.0)
    ]
    answers = [answer(*each) for each in asked]
    again = DefendedClassifier(model_1, defense_of("blur-1"))
    assert answers == list(range(1, 13))
    assert answer(again, ChosenImage(1), 0.5) == answers[4]
    assert [answer(*each) for each in asked[8:]] == answers[8:]


def test_what_comes_back_is_no_copy(model_1: Classifier) -> None:
    @cached(2)
    def logits(classifier: Classifier, image: ChosenImage) -> list[np.ndarray]:
        return [classifier.logits(np.zeros((1, 28, 28, 1), np.float32))]

    assert logits(model_1, ChosenImage(3)) is logits(model_1, ChosenImage(3))

import numpy as np
import pytest

from core.arrays import to_float
from core.data.mnist import Dataset
from core.network.classifier import Classifier, softmax
from core.network.evaluation import Evaluation, evaluate


def test_by_hand() -> None:
    logits = np.log(np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.4, 0.1], [0.2, 0.2, 0.6]]))
    evaluation = Evaluation(logits.astype(np.float32), np.array([0, 2, 1, 2], np.uint8))
    assert evaluation.predicted.tolist() == [0, 1, 0, 2]
    assert (evaluation.accuracy.successes, evaluation.accuracy.total) == (2, 4)
    assert evaluation.confusion.tolist() == [[1, 0, 0], [1, 0, 0], [0, 1, 1]]
    assert evaluation.mistakes().tolist() == [1, 2]  # p(true) 0.3 before 0.4
    expected = -np.log([0.7, 0.3, 0.4, 0.6])
    assert evaluation.losses == pytest.approx(expected, abs=1e-6)
    assert evaluation.loss == pytest.approx(expected.mean(), abs=1e-6)
    assert evaluation.confidence == pytest.approx([0.7, 0.6, 0.5, 0.6], abs=1e-6)
    assert evaluation.class_accuracy(2).value == 0.5


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="2 images have 3 labels"):
        Evaluation(np.zeros((2, 10), np.float32), np.zeros(3, np.uint8))


def test_softmax_does_not_overflow() -> None:
    probabilities = softmax(np.array([[1000.0, 999.0], [-1000.0, 0.0]], np.float32))
    assert probabilities[0] == pytest.approx([0.7311, 0.2689], abs=1e-4)
    assert probabilities.sum(axis=1) == pytest.approx([1, 1])


def test_counts_agree_on_real_images(model_1: Classifier, mnist: Dataset) -> None:
    test = mnist.test.first(1_000)
    evaluation = evaluate(model_1, to_float(test.images), test.labels)
    assert evaluation.confusion.sum() == 1_000
    assert np.trace(evaluation.confusion) == evaluation.accuracy.successes
    assert len(evaluation.mistakes()) == 1_000 - evaluation.accuracy.successes


@pytest.mark.parametrize("label", [1.5, 255, -1])
def test_a_label_is_a_class(linear: Classifier, label: float) -> None:
    images = np.zeros((1, 28, 28, 1), np.float32)
    with pytest.raises(ValueError, match=r"images have classes|outside 0 to 9"):
        evaluate(linear, images, np.array([label]))

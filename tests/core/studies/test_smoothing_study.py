"""Certificates over many images, and what counts as wrong."""

import numpy as np
import pytest

from core.arrays import to_float
from core.certification.smoothing import ABSTAIN, largest_radius
from core.data.mnist import Dataset
from core.network.classifier import Classifier
from core.studies.smoothing_study import SmoothingStudy


def test_a_study_counts_abstentions_as_wrong(model_1: Classifier, mnist: Dataset) -> None:
    images, labels = to_float(mnist.test.images[:12]), mnist.test.labels[:12].astype(np.int64)
    study = SmoothingStudy(12)
    with pytest.raises(ValueError, match="work first"):
        _ = study.found
    shares = list(study.work(model_1, images, labels, sigma=0.6, copies=100))
    assert shares[-1] == 1
    found = study.found
    assert found.clean.successes == (model_1.predict(images) == labels).sum()
    abstained = found.predicted == ABSTAIN
    assert (found.radius[abstained] == 0).all()
    assert found.abstained.successes == abstained.sum() > 0
    right = (found.predicted == labels).sum()
    assert found.certified(0.0).successes == right <= 12 - abstained.sum()
    assert found.certified(largest_radius(0.6, 100) * 1.01).successes == 0

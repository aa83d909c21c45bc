"""Linear classifiers, of which attacks know in closed form what they can reach."""

import numpy as np

from core.arrays import FloatArray
from core.backend import keras
from core.network.classifier import Classifier
from tests.sizes import SIDE


def gray_images(count: int) -> FloatArray:
    """Images around 0.5, so that small changes do not meet the box."""
    random = np.random.default_rng(5)
    gray = 0.5 + 0.001 * random.standard_normal((count, SIDE, SIDE, 1))
    return gray.astype(np.float32)


def scaled(linear: Classifier, factor: float) -> Classifier:
    """The same decisions with all logits multiplied."""
    model = keras.models.clone_model(linear.model)
    model.layers[-1].set_weights([factor * each for each in linear.model.layers[-1].get_weights()])
    return Classifier(model, name="scaled")


def needed_radius(linear: Classifier, images: FloatArray, norm: str) -> FloatArray:
    """How far the nearest other class is: the margin over the dual norm of its slope, [n]."""
    weights, _ = linear.model.layers[-1].get_weights()
    logits, rows = linear.logits(images), np.arange(len(images))
    labels = logits.argmax(axis=1)
    slopes = weights.T[np.newaxis] - weights.T[labels][:, np.newaxis]
    dual = np.linalg.norm(slopes, ord=1 if norm == "linf" else 2, axis=2)
    dual[rows, labels] = 1
    distances = (logits[rows, labels][:, np.newaxis] - logits) / dual
    distances[rows, labels] = np.inf
    nearest: FloatArray = distances.min(axis=1)
    return nearest

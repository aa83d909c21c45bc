"""Generative defenses (E14): which there are, and MagNet's detectors.

MagNet (Meng & Chen 2017, arXiv:1705.09064) sends an image through an autoencoder, Defense-GAN
(Samangouei et al. 2018, arXiv:1805.06605) through the range of a generator. Both were trained by
this project: python -m core.zoo autoencoder | generator.
"""

import numpy as np
from numpy.typing import NDArray

from core.checks import check_range
from core.classifier import Classifier, softmax
from core.data import FloatArray
from core.defenses.autoencoder import Autoencoder, autoencoder
from core.defenses.generator import generator
from core.defenses.projection import Projection, projection_of

PREFIXES = (Autoencoder.key, "projection")  # what the keys of these parts begin with
TEMPERATURE = 10.0
QUICK = Projection(20, 2)  # on held-back images as good as 60 × 4, for a sixth of the time

_Rows = NDArray[np.float64]


def purifier_of(key: str) -> Autoencoder | Projection:
    """The part that autoencoder or projection-60x4 names.

    Raises ValueError with one sentence on another text and where its network cannot be read.
    """
    if key == Autoencoder.key:
        return autoencoder()
    part = projection_of(key)
    generator()
    return part


def purifiers() -> tuple[list[Autoencoder | Projection], list[str]]:
    """The parts whose networks can be read, and a sentence for each that cannot."""
    found: list[Autoencoder | Projection] = []
    problems: list[str] = []
    for key in (Autoencoder.key, QUICK.key):
        try:
            found.append(purifier_of(key))
        except ValueError as error:
            problems.append(str(error))
    return found, problems


def reconstruct(images: FloatArray) -> FloatArray:
    """The images float32 [n, 28, 28, 1] as the autoencoder gives them back, in [0, 1]."""
    return autoencoder()(images)


def reconstruction_error(images: FloatArray) -> FloatArray:
    """The mean squared difference of a pixel to what comes back: float32 [n]; MagNet's detector."""
    return autoencoder().reconstruction_error(images)


def answer_divergence(
    classifier: Classifier, images: FloatArray, *, temperature: float = TEMPERATURE
) -> FloatArray:
    """How much the answer changes with the reconstruction: Jensen–Shannon, float32 [n] in nats.

    0 where both answers are the same, at most ln 2. MagNet's second detector, which divides the
    logits by a temperature (0.1 to 1000), since probabilities of 1 and 0 hide what lies below.
    """
    check_range("The temperature", temperature, 0.1, 1000)
    if not len(images):
        return np.zeros(0, np.float32)
    logits = classifier.logits(images), classifier.logits(reconstruct(images))
    p, q = (softmax(each / np.float32(temperature)).astype(np.float64) for each in logits)
    middle = (p + q) / 2
    nats = (_divergence(p, middle) + _divergence(q, middle)) / 2
    divergence: FloatArray = np.maximum(nats, 0).astype(np.float32)
    return divergence


def _divergence(p: _Rows, q: _Rows) -> _Rows:
    """Kullback and Leibler's, where 0 · log 0 is 0."""
    terms = np.where(p > 0, p * np.log(np.where(p > 0, p, 1) / np.where(q > 0, q, 1)), 0)
    sums: _Rows = terms.sum(axis=1)
    return sums

"""Generative defenses (E14): which there are.

MagNet (Meng & Chen 2017, arXiv:1705.09064) sends an image through an autoencoder, Defense-GAN
(Samangouei et al. 2018, arXiv:1805.06605) through the range of a generator. Both were trained by
this project: python -m core.zoo autoencoder | generator.
"""

from core.defenses.autoencoder import Autoencoder, autoencoder
from core.defenses.generator import generator
from core.defenses.projection import Projection, projection_of

PREFIXES = (Autoencoder.key, "projection")  # what the keys of these parts begin with
QUICK = Projection(20, 2)  # on held-back images as good as 60 × 4, for a sixth of the time


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

"""What a network reads on a plane through an image, an adversarial one and a noise."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.arrays import FloatArray, IntArray, check_image
from core.attacks.noise_control import noise_of_norm
from core.checks import check_seed, check_whole
from core.network.classifier import Classifier

DoubleArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Plane:
    """What the network reads on a plane through an image.

    The image is at (0, 0). along, across float64 [m]: L2 from it in the direction of the attack
    and in a random one at right angles. read int64 [m, m]: the class at across[row],
    along[column]; ends: at the image itself and at the adversarial one, whose distance is length.
    clipped float64 [m, m]: how far the point lies outside the box, L2, before it is
    clipped. path float64 [k, 2]: the attack's steps, along and across; off_plane: how far the
    farthest of them lies beside the plane.
    """

    along: DoubleArray
    across: DoubleArray
    read: IntArray
    ends: tuple[int, int]
    length: float
    clipped: DoubleArray
    path: DoubleArray
    off_plane: float


def plane(
    classifier: Classifier,
    image: FloatArray,
    adversarial: FloatArray,
    *,
    path: FloatArray | None = None,
    points: int = 41,
    seed: int = 0,
) -> Plane:
    """The plane through an image, an adversarial one and a noise of the same length.

    image, adversarial float32 [1, h, w, c] in [0, 1]. The noise is drawn in the box, so that the
    triangle between the three is in it too; the random axis is what of the noise is at right
    angles to the attack. Shown are 2.4 lengths of the change each way, at points × points (2 to
    101), each clipped to the box. path float32 [k, h, w, c]: the attack's steps. Raises
    ValueError on other values, and where nothing was changed.
    """
    seed = check_seed(seed)
    check_image(image, classifier.spec.shape)
    check_image(adversarial, classifier.spec.shape)
    points = check_whole("The number of points", points, 2, 101)
    change = (adversarial - image).ravel().astype(np.float64)
    length = float(np.linalg.norm(change))
    if not length:
        raise ValueError("The image is not changed: there is no direction to show.")
    attack = change / length
    noise = (noise_of_norm(image, np.array([length]), seed=seed) - image).ravel()
    noise = noise - (noise @ attack) * attack
    axes = np.stack([attack, noise / np.linalg.norm(noise)])
    along, across = (np.linspace(low, low + 2.4, points) * length for low in (-0.7, -1.2))
    coordinates = np.stack(np.meshgrid(along, across), axis=-1)
    flat = image.ravel() + coordinates.reshape(-1, 2) @ axes
    inside = np.clip(flat, 0, 1)
    read = classifier.predict(inside.reshape(-1, *image.shape[1:]).astype(np.float32))
    steps = ((image[:0] if path is None else path) - image).reshape(-1, image.size)
    steps = steps.astype(np.float64)
    projected = steps @ axes.T
    beside = np.linalg.norm(steps - projected @ axes, axis=1)
    return Plane(
        along=along,
        across=across,
        read=read.reshape(points, points),
        ends=(int(classifier.predict(image)[0]), int(classifier.predict(adversarial)[0])),
        length=length,
        clipped=np.linalg.norm(flat - inside, axis=1).reshape(points, points),
        path=projected,
        off_plane=float(beside.max(initial=0)),
    )

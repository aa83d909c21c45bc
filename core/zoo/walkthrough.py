"""One image all the way through a network: what every layer makes of it.

python -m core.zoo.walkthrough     write assets/walkthrough.npz, what the first page shows at once
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.arrays import ByteArray, FloatArray, to_float
from core.data.archive import read_npz
from core.data.mnist import ASSETS, load_mnist
from core.data.spec import MNIST

if TYPE_CHECKING:
    from core.network.classifier import Classifier

SHIPPED_FILE = ASSETS / "walkthrough.npz"
SHIPPED_MODEL = "model-1"
SHIPPED_IMAGE = 1
_MOST_BYTES = 2_000_000  # unpacked


@dataclass(frozen=True, eq=False)
class Walkthrough:
    """An image uint8 [28, 28] in a model of `version`.

    stages: by layer name, in order, float32 [h, w, channels] or [units], after ReLU where there
    is one; probabilities: float32 [classes].
    """

    version: str
    image: ByteArray
    stages: dict[str, FloatArray]
    probabilities: FloatArray


def walk_through(classifier: "Classifier", image: ByteArray) -> Walkthrough:
    """The image uint8 [28, 28] through `classifier`."""
    floats = to_float(image[np.newaxis])
    names = [name for name in classifier.layer_names if name.endswith("_relu") or "pool" in name]
    return Walkthrough(
        version=classifier.version,
        image=image,
        stages={name: classifier.activations(floats, name)[0] for name in names},
        probabilities=classifier.probabilities(floats)[0],
    )


def save(walkthrough: Walkthrough, path: Path) -> None:
    """Write it as an .npz file."""
    stages = {f"stage/{name}": values for name, values in walkthrough.stages.items()}
    np.savez_compressed(
        path,
        version=np.array(walkthrough.version),
        image=walkthrough.image,
        probabilities=walkthrough.probabilities,
        **stages,  # type: ignore[arg-type]
    )


def read(path: Path) -> Walkthrough:
    """The inverse of `save`. Raises ValueError with one sentence if the file is unusable."""
    try:
        arrays = read_npz(path, most_bytes=_MOST_BYTES)
        shapes = arrays["image"].shape, arrays["probabilities"].shape
        if shapes != (MNIST.byte_shape, (len(MNIST.classes),)):
            raise ValueError
        return Walkthrough(
            version=str(arrays["version"]),
            image=arrays["image"],
            stages={
                key.removeprefix("stage/"): values
                for key, values in arrays.items()
                if key.startswith("stage/")
            },
            probabilities=arrays["probabilities"],
        )
    except (OSError, ValueError, KeyError):
        raise ValueError(
            f"{path.name} is missing or damaged: restore it from the repository."
        ) from None


if __name__ == "__main__":
    from core.zoo import models as zoo

    shown = load_mnist().test.images[SHIPPED_IMAGE]
    save(walk_through(zoo.load(SHIPPED_MODEL), shown), SHIPPED_FILE)

"""One image all the way through a network: what every layer makes of it.

python -m core.walkthrough     write assets/walkthrough.npz, what the first page shows at once
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.data import ASSETS, ByteArray, FloatArray

if TYPE_CHECKING:
    from core.classifier import Classifier

SHIPPED_FILE = ASSETS / "walkthrough.npz"
SHIPPED_MODEL = "model-1"
SHIPPED_IMAGE = 1


@dataclass(frozen=True, eq=False)
class Walkthrough:
    """Test image `index` in a model of `version`.

    stages: by layer name, in order, float32 [h, w, channels] or [units], after ReLU where there
    is one; probabilities: float32 [classes].
    """

    version: str
    index: int
    label: int
    image: ByteArray
    stages: dict[str, FloatArray]
    probabilities: FloatArray


def walk_through(classifier: "Classifier", index: int) -> Walkthrough:
    """Test image `index` through `classifier`."""
    from core.data import load_mnist, to_float

    test = load_mnist().test
    image = to_float(test.images[index : index + 1])
    names = [name for name in classifier.layer_names if name.endswith("_relu") or "pool" in name]
    return Walkthrough(
        version=classifier.version,
        index=index,
        label=int(test.labels[index]),
        image=test.images[index],
        stages={name: classifier.activations(image, name)[0] for name in names},
        probabilities=classifier.probabilities(image)[0],
    )


def save(walkthrough: Walkthrough, path: Path) -> None:
    """Write it as an .npz file."""
    stages = {f"stage/{name}": values for name, values in walkthrough.stages.items()}
    np.savez_compressed(
        path,
        version=np.array(walkthrough.version),
        index=np.array(walkthrough.index),
        label=np.array(walkthrough.label),
        image=walkthrough.image,
        probabilities=walkthrough.probabilities,
        **stages,  # type: ignore[arg-type]
    )


def read(path: Path) -> Walkthrough:
    """The inverse of `save`. Raises ValueError with one sentence if the file is unusable."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return Walkthrough(
                version=str(archive["version"]),
                index=int(archive["index"]),
                label=int(archive["label"]),
                image=archive["image"],
                stages={
                    key.removeprefix("stage/"): archive[key]
                    for key in archive.files
                    if key.startswith("stage/")
                },
                probabilities=archive["probabilities"],
            )
    except (OSError, ValueError, KeyError, EOFError):
        raise ValueError(
            f"{path.name} is missing or damaged: restore it from the repository."
        ) from None


if __name__ == "__main__":
    from core import zoo

    save(walk_through(zoo.load(SHIPPED_MODEL), SHIPPED_IMAGE), SHIPPED_FILE)

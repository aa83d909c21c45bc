"""The files of the generative defenses' networks: safetensors with a card of their own."""

import hashlib
import io
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from core.checks import finding
from core.data.mnist import ASSETS
from core.data.spec import MNIST
from core.fields import Fields
from core.network.tensor_file import read_arrays, read_header

FOLDER = ASSETS / "defenses"
MAX_FILE_BYTES = 2_000_000
_PURPOSES = {
    "autoencoder": "the denoising autoencoder",
    "generator": "the generator of digits",
}

Weights = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class NetworkCard:
    """What a network is, how it was trained, and how well it gives images back.

    settings: of the training, plain values. seconds: processor time. error: the mean squared
    difference of a pixel in [0, 1] over `test_images` test images, without noise. version: digest
    of the weights; data_digest: of the data. kl: of a generator the nats that each latent number
    says of an image, mean over held-back training images, the largest first.
    """

    name: str
    settings: dict[str, Any]
    seconds: float
    error: float
    test_images: int
    version: str
    data_digest: str
    kl: tuple[float, ...] = ()


def path_of(name: str) -> Path:
    """The file of the network `name`, autoencoder or generator."""
    return FOLDER / f"{name}.safetensors"


def digest_of(weights: Weights) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of all weights."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(f"{name} {weights[name].shape}".encode())
        digest.update(weights[name].tobytes())
    return digest.hexdigest()[:16]


def save(path: Path, weights: Weights, card: NetworkCard) -> None:
    """Write the weights with their card."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(safetensors.numpy.save(weights, metadata={"card": json.dumps(asdict(card))}))


def read(path: Path, shapes: dict[str, tuple[int, ...]]) -> tuple[Weights, NetworkCard]:
    """Weights of the given names and shapes, and the card.

    Raises ValueError with one sentence if the file is missing, damaged, or holds other weights.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ValueError(f"it has more than {MAX_FILE_BYTES / 1e6:.0f} MB")
        data = path.read_bytes()
        weights = read_arrays(data)
        card = _card(read_header(io.BytesIO(data)).metadata.get("card", ""))
        _check(weights, shapes, card)
    except FileNotFoundError:
        reason = "is missing"
    except OSError as error:
        reason = f"cannot be read ({error.strerror})"
    except ValueError as error:
        reason = f"is damaged ({finding(error)})"
    else:
        return weights, card
    purpose = _PURPOSES.get(path.stem, path.stem)
    raise ValueError(
        f"{path.name} {reason}, so {purpose} is not offered: restore it from the repository."
    )


def _card(text: str) -> NetworkCard:
    try:
        card = Fields(json.loads(text), "the card")
    except (ValueError, RecursionError):
        raise ValueError("it has no card") from None
    return NetworkCard(
        name=card.text("name", 60, least=1),
        settings=card.plain("settings"),
        seconds=card.number("seconds", 0, 1e9),
        error=card.number("error", 0, 1),
        test_images=card.whole("test_images", 1, MNIST.test_images),
        version=card.text("version", 64),
        data_digest=card.text("data_digest", 64),
        kl=card.numbers("kl", 1_000, 0, 1e9),
    )


def _check(weights: Weights, shapes: dict[str, tuple[int, ...]], card: NetworkCard) -> None:
    if found := sorted(weights.keys() ^ shapes.keys()):
        raise ValueError(f"{found[0]} is on one side only")
    for name, array in weights.items():
        if array.shape != shapes[name] or array.dtype != np.float32:
            raise ValueError(f"{name} is {array.dtype} {list(array.shape)}")
        if not np.isfinite(array).all():
            raise ValueError(f"{name} is not finite")
    if digest_of(weights) != card.version:
        raise ValueError("the card belongs to other weights")

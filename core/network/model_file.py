"""A file of weights with its card: what it says of itself, or one sentence on why it is refused."""

import hashlib
from collections.abc import Mapping
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from core.data.file_kind import kind_of
from core.network.card import ModelCard
from core.network.tensor_file import Header, NotTensorsError, read_arrays, read_header
from core.plain import one_line

MAX_FILE_BYTES = 64_000_000
_ADVICE = "upload weights that this dashboard saved"
_AS_SAVED = "upload the file as it was saved"


def read_card(file: BinaryIO) -> ModelCard:
    """The card in an open file of weights; its numbers are left alone.

    Raises ValueError with one sentence that says what the file is instead, or what is wrong.
    """
    try:
        header = read_header(file)
    except NotTensorsError as error:
        file.seek(0)
        kind = kind_of(file.read(MAX_FILE_BYTES))
        what = f"{kind}, not a safetensors file" if kind else f"not a safetensors file ({error})"
        raise ValueError(f"This is {what}: {_ADVICE}.") from None
    except ValueError as error:
        raise ValueError(f"This safetensors file cannot be read ({error}): {_ADVICE}.") from None
    if "card" not in header.metadata:
        raise ValueError(f"The file names no architecture ({_contents(header)}): {_ADVICE}.")
    card = header.metadata["card"]
    if header.metadata.get("card_digest", digest := _digest(card)) != digest:
        raise ValueError(f"The card has changed since it was saved: {_AS_SAVED}.")
    return ModelCard.from_json(card)


def metadata_of(card: ModelCard) -> dict[str, str]:
    """What stands beside the weights: the card, and a digest by which a changed one shows."""
    text = card.to_json()
    return {"card": text, "card_digest": _digest(text)}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def read_weights(
    data: bytes, shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, NDArray[np.float32]]:
    """The finite float32 arrays of a file, of the given names and shapes.

    Raises ValueError with one sentence on any others.
    """
    try:
        arrays = read_arrays(data)
    except ValueError as error:
        raise ValueError(f"The weights cannot be read ({error}): {_AS_SAVED}.") from None
    if difference := _difference(arrays, shapes):
        raise ValueError(
            f"The weights do not fit the architecture they name ({difference}): {_AS_SAVED}."
        )
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f"The weights {name} are not all finite: upload a model that learned.")
    return arrays


def _contents(header: Header) -> str:
    """What a file without a card holds, and what it should."""
    if not header.arrays:
        return "it has no card and no arrays"
    types = sorted({stored.type for stored in header.arrays.values()})
    return (
        f"it has no card; it holds {', '.join(types)} by names such as "
        f"{one_line(next(iter(header.arrays)), 60)}, not float32 by names such as conv1/kernel"
    )


def _difference(
    arrays: Mapping[str, NDArray[np.float32]], shapes: Mapping[str, tuple[int, ...]]
) -> str:
    if missing := sorted(shapes.keys() - arrays.keys()):
        others = sorted(arrays.keys() - shapes.keys())
        instead = f", and it holds {one_line(others[0], 60)}" if others else ""
        return f"{missing[0]} is missing{instead}"
    if others := sorted(arrays.keys() - shapes.keys()):
        return f"{one_line(others[0], 60)} has no place in it"
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            return f"{name} is {list(arrays[name].shape)}, not {list(shape)}"
    return ""

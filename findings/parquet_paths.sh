#!/usr/bin/env bash
# Hugging Face datasets 5.2.0: the Parquet file of a folder of pictures holds no pictures.
#
# Library versions: datasets 5.2.0, Pillow 13.0.0, NumPy 2.4.6, pandas 3.1.1. Python 3.11.
# Behavior: load_dataset("imagefolder") of pictures on this machine, then to_parquet: each row is a
#   struct of bytes and path, and bytes is null. The file is complete in every other respect, opens
#   everywhere, and shows pictures on the machine that wrote it, because its paths lead to them there.
#   The classes are numbered in the order of their letters: the folder 10 is class 0, the folder 2 is
#   class 1; their names stand in the schema under "huggingface", which pandas drops when it saves the
#   table again. An array of float32 in 0 to 1 becomes a TIFF of floats, which Pillow's convert("L")
#   turns black: its pixels are 0 and 1 of 255.
# What is right: to look for null bytes before a set is believed, to embed the pictures before saving
#   (datasets.table.embed_table_storage), to take names from the schema, and to scale floats.
# Output seen:
#   bytes None, path on this machine True
#   label 0 is '10', label 1 is '2'
#   schema keys after pandas: ['pandas']
#   an array of floats comes as mode F of a TIFF; convert("L") leaves levels [0, 1]
#
# It writes six pictures in a temporary folder, saves them as Parquet, and fails if they are in it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet datasets==5.2.0 pillow==13.0.0 numpy==2.4.6 pandas==3.1.1
cd "$folder"
export HF_HOME="$folder/home" HF_HUB_OFFLINE=1 HF_DATASETS_OFFLINE=1 HF_DATASETS_DISABLE_PROGRESS_BARS=1
venv/bin/python - <<'PYTHON'
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from datasets import Dataset, Features, Image, load_dataset
from PIL import Image as Pictures

for name in ("10", "2"):
    Path("pictures/train", name).mkdir(parents=True)
    for level in range(3):
        picture = Pictures.fromarray(np.full((8, 8), level * 50, np.uint8))
        picture.save(f"pictures/train/{name}/{level}.png")
held = load_dataset("imagefolder", data_dir="pictures", split="train")
held.to_parquet("set.parquet")
table = pq.read_table("set.parquet")
first = table["image"][0].as_py()
print(f"bytes {first['bytes']}, path on this machine {Path(first['path']).exists()}")
zero, one = held.features["label"].names
print(f"label 0 is {zero!r}, label 1 is {one!r}")
pd.read_parquet("set.parquet").to_parquet("again.parquet")
keys = [key.decode() for key in pq.read_table("again.parquet").schema.metadata]
print(f"schema keys after pandas: {keys}")
floats = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
picture = Dataset.from_dict({"image": [floats]}, features=Features({"image": Image()}))[0]["image"]
levels = sorted(set(np.asarray(picture.convert("L")).ravel().tolist()))
print(f"an array of floats comes as mode {picture.mode} of a {picture.format}; ", end="")
print(f'convert("L") leaves levels {levels}')
assert first["bytes"] is None and (zero, one) == ("10", "2") and keys == ["pandas"]
assert (picture.mode, picture.format, levels) == ("F", "TIFF", [0, 1])
PYTHON

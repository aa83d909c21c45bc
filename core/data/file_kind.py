"""What a file is, by its bytes and never by its name; nothing is unpacked, unpickled or run."""

import codecs
import re
from collections.abc import Callable
from typing import TypeVar

_ENDS = 65_536  # bytes at either end of an archive in which its members' names are looked for
_TEXT = 4_096

_BEGINNINGS = {
    rb"\x89HDF\r\n\x1a\n": "an HDF5 file, such as a Keras model (.h5)",
    rb"MATLAB \d\.\d MAT-file": "a MATLAB file (.mat)",
    rb"\x80[\x02-\x05]\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19": "a PyTorch file (.pt or .pth)",
    rb"\x80[\x02-\x05]": "a Python pickle, which can run any program when it is opened",
    rb".{4}TFL3": "a TensorFlow Lite model (.tflite)",
    rb"\x08\x01\x12": "a TensorFlow SavedModel (.pb)",
    rb"\x08[\x02-\x20][\x12\x1a\x22\x28\x3a\x42]": "an ONNX model (.onnx)",
    rb"GGUF": "a language model (.gguf)",
    rb"\x93NUMPY": "a NumPy array (.npy)",
    rb"\x00\x00\x08\x01": "an IDX file of labels, as MNIST comes in",
    rb"\x00\x00\x08\x03": "an IDX file of images, as MNIST comes in",
    rb"PAR1": "a Parquet table",
    rb"ARROW1": "an Arrow table",
    rb"SQLite format 3\x00": "an SQLite database",
    rb"version https://git-lfs\.github\.com/spec/": "a Git LFS pointer, which only says where the "
    "file itself is kept",
    rb"%PDF-": "a PDF document",
    rb"\x89PNG\r\n\x1a\n": "a picture (PNG)",
    rb"\xff\xd8\xff": "a picture (JPEG)",
    rb"GIF8": "a picture (GIF)",
    rb"BM.{4}\x00{4}": "a picture (BMP)",
    rb"II\*\x00|MM\x00\*": "a picture (TIFF)",
    rb"RIFF.{4}WEBP": "a picture (WebP)",
    rb"RIFF.{4}WAVE": "a sound (WAV)",
    rb"RIFF.{4}AVI ": "a film (AVI)",
    rb"\x00\x00\x00\x0cjP  ": "a picture (JPEG 2000)",
    rb".{4}ftyp(?:hei|hev|mif1|msf1)": "a picture (HEIC)",
    rb".{4}ftypavi[fs]": "a picture (AVIF)",
    rb".{4}ftyp": "a film (MP4)",
    rb"\x1f\x8b": "a gzip archive",
    rb"BZh[1-9]": "a bzip2 archive",
    rb"\xfd7zXZ\x00": "an xz archive",
    rb"\x28\xb5\x2f\xfd": "a Zstandard archive",
    rb"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    rb"Rar!\x1a\x07": "a RAR archive",
    rb".{257}ustar": "a tar archive",
    rb"\x7fELF|MZ.{62}": "a program",
}
_MEMBERS = {  # of a zip archive
    rb"model\.weights\.h5": "a Keras model (.keras)",
    rb"data\.pkl": "a PyTorch file (.pt or .pth)",
    rb"saved_model\.pb": "a zip archive with a TensorFlow SavedModel",
    rb"\.npy": "a NumPy archive (.npz)",
    rb"\[Content_Types\]\.xml": "an Office document",
}
_WORDS = {  # of a text
    r"<(!doctype html|html|head|body)\b": "a web page (HTML), perhaps saved in place of a file",
    r"<": "an XML file",
    r"[\[{]": "a JSON file",
}

_Mark = TypeVar("_Mark", bytes, str)


def kind_of(data: bytes) -> str:
    """What the bytes are, such as “a Keras model (.keras)”; “” if nothing in them tells."""
    if not data:
        return "an empty file"
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        names = data[:_ENDS] + data[-_ENDS:]
        return _first(_MEMBERS, lambda name: re.search(name, names)) or "a zip archive"
    beginning = _first(_BEGINNINGS, lambda mark: re.match(mark, data, re.DOTALL))
    return beginning or _kind_of_text(data[:_TEXT])


def _kind_of_text(data: bytes) -> str:
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(data)  # may end within a letter
    except UnicodeDecodeError:
        return ""
    if not all(character.isprintable() or character in "\t\r\n" for character in text):
        return ""
    start = re.sub(r"^\s*(<!--.*?-->\s*|<\?xml.*?\?>\s*)*", "", text, flags=re.DOTALL).lower()
    return _first(_WORDS, lambda word: re.match(word, start)) or "a text file"


def _first(kinds: dict[_Mark, str], matches: Callable[[_Mark], object]) -> str:
    return next((kind for mark, kind in kinds.items() if matches(mark)), "")

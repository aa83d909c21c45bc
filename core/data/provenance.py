"""What a PNG of Convscope says of itself: a text chunk, written and read back.

The chunk is PNG's iTXt, uncompressed, under the keyword “Convscope”, and holds one JSON object of
plain values. The player writes the same in the browser, for the frame that is shown there.
"""

import io
import json
from collections.abc import Mapping

from PIL import Image, PngImagePlugin

from core.arrays import ByteArray

KEYWORD = "Convscope"
MAX_CHARACTERS = 4_000
MAX_FIELDS = 32
_MAX_VALUE = 200  # characters

About = Mapping[str, object]


def png(pixels: ByteArray, about: About) -> bytes:
    """Pixels uint8 [h, w] or RGB [h, w, 3] as a PNG file that says what it is."""
    text = PngImagePlugin.PngInfo()
    text.add_itxt(KEYWORD, json.dumps(dict(about), ensure_ascii=False))
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", pnginfo=text)
    return file.getvalue()


def read(texts: Mapping[str, str]) -> dict[str, str]:
    """What a stranger's file says of itself, name → value; nothing where it cannot be read.

    texts: the text chunks of a PNG by keyword. Anyone can write them: what comes back is short
    text without line breaks and control characters, no more.
    """
    text = texts.get(KEYWORD, "")
    if not 0 < len(text) <= MAX_CHARACTERS:
        return {}
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(told, dict):
        return {}
    fields = list(told.items())[:MAX_FIELDS]
    return {_line(name): _line(value) for name, value in fields if _is_plain(value)}


def _is_plain(value: object) -> bool:
    return isinstance(value, (str, int, float))


def _line(value: object) -> str:
    return "".join(letter for letter in str(value) if letter.isprintable())[:_MAX_VALUE]

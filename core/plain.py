"""Words that came in a file or a link, as they can be shown on one line."""

import unicodedata

_BLANK = "\u115f\u1160\u2800\u3164\uffa0"  # letters and signs that show nothing
_MARKS = 2  # more accents on one letter run over the lines above and below


def one_line(words: str, limit: int) -> str:
    """`words` on one line of at most `limit` characters, the last one “…” if it was longer.

    What cannot be shown becomes a space: control characters, line breaks, halves of surrogate
    pairs, private and unassigned characters, and all that turn or hide what stands beside them.
    """
    shown, marks = [], 0
    for character in unicodedata.normalize("NFC", words):
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if marks <= _MARKS:
            printable = character.isprintable() and character not in _BLANK
            shown.append(character if printable else " ")
    line = " ".join("".join(shown).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"

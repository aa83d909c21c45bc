"""What was understood of a file, and why: shown before the images are used."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DataFinding:
    """topic: what it is about, in a word or two; sentence: what was found and what shows it.

    doubt: whether a person should look, because another answer is possible.
    """

    topic: str
    sentence: str
    doubt: bool = False

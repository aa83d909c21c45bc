"""The card of a trained model: what it is, how it was made, and what was measured of it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from core.architecture import Architecture
from core.data import BoolArray
from core.rate import Rate

INTERVAL_BOUNDS, PGD, WORST_CASE = "Interval bounds", "PGD", "Worst case"  # what `robustness` holds
_MOST_BITS = 2_500  # digits: 10,000 images


@dataclass(frozen=True)
class CurvePoint:
    """One test score during training: loss is the training loss, accuracy that on test images."""

    step: float
    seconds: float
    loss: float
    accuracy: float


@dataclass(frozen=True)
class Robustness:
    """How many images stay right within `epsilon` of the norm: against `attack`, or as proven.

    settings: of the attack or the proof, and which images; plain values. bits: which of the first
    test images stand, eight to a byte, in hex, so that two of them can be compared image by image;
    "" if that is not kept.
    """

    attack: str
    epsilon: float
    norm: str
    standing: Rate
    settings: dict[str, Any]
    bits: str = ""

    def __post_init__(self) -> None:
        digits = 2 * -(-self.standing.total // 8)
        if self.bits and (len(self.bits) != digits or Rate.of(self.right) != self.standing):
            raise ValueError(
                f"The card counts {self.standing.successes:,} of {self.standing.total:,} images "
                f"under {self.attack!r}, and names others: restore it."
            )

    @property
    def right(self) -> BoolArray:
        """Which of the first test images stand: bool [n]; empty if that is not kept."""
        packed = np.frombuffer(bytes.fromhex(self.bits), np.uint8)
        return np.unpackbits(packed).astype(bool)[: self.standing.total]

    @classmethod
    def of(
        cls, attack: str, epsilon: float, norm: str, right: BoolArray, settings: Mapping[str, Any]
    ) -> "Robustness":
        """Of which of the first test images stand: bool [n]."""
        bits = np.packbits(right).tobytes().hex()
        return cls(attack, epsilon, norm, Rate.of(right), dict(settings), bits)


@dataclass(frozen=True)
class Alarm:
    """What a check for masked gradients said: `state` and `verdict` as in `masking_verdicts`."""

    check: str
    state: str
    verdict: str


@dataclass(frozen=True)
class ModelCard:
    """`settings` are the training settings as plain values; `seconds` the time of training.

    `test` is the accuracy on the test images, `version` the digest of the weights, and
    `data_digest` that of the data it was trained and tested on. `curve` is its training.
    `robustness` is what stands under attack; `alarms` are there for the models that were trained
    to resist.
    """

    name: str
    title: str
    description: str
    architecture: Architecture
    settings: dict[str, Any]
    steps: int
    seconds: float
    test: Rate
    parameters: int
    version: str
    data_digest: str
    curve: tuple[CurvePoint, ...] = ()
    robustness: tuple[Robustness, ...] = ()
    alarms: tuple[Alarm, ...] = ()

    def measured(self, attack: str) -> Robustness | None:
        """What was measured under `attack`, or proven; None if nothing was."""
        return next((each for each in self.robustness if each.attack == attack), None)

    def to_json(self) -> str:
        """The card as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "ModelCard":
        """The inverse of `to_json`. Raises ValueError with one sentence on anything else."""
        try:
            values = json.loads(text)
            return cls(
                name=str(values["name"])[:60],
                title=str(values["title"])[:60],
                description=str(values["description"])[:200],
                architecture=Architecture.from_dict(values["architecture"]),
                settings=dict(values["settings"]),
                steps=int(values["steps"]),
                seconds=float(values["seconds"]),
                test=_rate(values["test"]),
                parameters=int(values["parameters"]),
                version=str(values["version"])[:64],
                data_digest=str(values["data_digest"])[:64],
                curve=tuple(
                    CurvePoint(*map(float, point.values())) for point in values.get("curve", ())
                ),
                robustness=tuple(map(_robustness, values.get("robustness", ()))),
                alarms=tuple(map(_alarm, values.get("alarms", ()))),
            )
        except (
            KeyError,
            TypeError,
            AttributeError,
            OverflowError,
            RecursionError,
            json.JSONDecodeError,
        ) as error:
            raise ValueError(f"The model's card cannot be read ({error}).") from None


def _rate(values: dict[str, Any]) -> Rate:
    return Rate(int(values["successes"]), int(values["total"]))


def _robustness(values: dict[str, Any]) -> Robustness:
    return Robustness(
        attack=str(values["attack"])[:60],
        epsilon=float(values["epsilon"]),
        norm=str(values["norm"])[:60],
        standing=_rate(values["standing"]),
        settings=dict(values["settings"]),
        bits=str(values.get("bits", ""))[:_MOST_BITS],
    )


def _alarm(values: dict[str, Any]) -> Alarm:
    return Alarm(
        check=str(values["check"])[:60],
        state=str(values["state"])[:20],
        verdict=str(values["verdict"])[:300],
    )

"""The card of a trained model: what it is, how it was made, and what was measured of it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from core.arrays import BoolArray
from core.data.spec import MNIST, DatasetSpec
from core.fields import Fields
from core.network.architecture import Architecture
from core.statistics.rate import Rate

INTERVAL_BOUNDS, PGD, WORST_CASE = "Interval bounds", "PGD", "Worst case"  # what `robustness` holds
_NAME, _MOST = 60, 1_000_000_000


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
    bits: str = field(default="", repr=False)

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
    to resist. `spec` is the data set that the network reads.
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
    spec: DatasetSpec = MNIST

    def measured(self, attack: str) -> Robustness | None:
        """What was measured under `attack`, or proven; None if nothing was."""
        return next((each for each in self.robustness if each.attack == attack), None)

    def to_json(self) -> str:
        """The card as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "ModelCard":
        """The inverse of `to_json`; texts come on one line, too long ones are cut.

        Raises ValueError with one sentence on anything else, and on a field that is not what it
        must be.
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError):
            raise ValueError(
                "The model's card cannot be read (it is not JSON): upload the file as it was saved."
            ) from None
        card = Fields(values, "The card")
        spec = DatasetSpec.of(card.record("spec")) if "spec" in card else MNIST
        return cls(
            name=card.text("name", _NAME, least=1),
            title=card.text("title", _NAME, least=1),
            description=card.text("description", 200),
            architecture=_architecture(card, spec),
            settings=card.plain("settings"),
            steps=card.whole("steps", 0, _MOST),
            seconds=card.number("seconds", 0, _MOST),
            test=_rate(card.record("test")),
            parameters=card.whole("parameters", 0, _MOST),
            version=card.text("version", 64),
            data_digest=card.text("data_digest", 64),
            curve=tuple(map(_point, _records(card, "curve", 10_000))),
            robustness=tuple(_robustness(each, spec) for each in _records(card, "robustness", 100)),
            alarms=tuple(map(_alarm, _records(card, "alarms", 100))),
            spec=spec,
        )


def _architecture(card: Fields, spec: DatasetSpec) -> Architecture:
    """The field, checked against the images and classes of the set that the network reads."""
    architecture = Architecture.from_dict(card.plain("architecture"))
    shape, classes = list(spec.shape), len(spec.classes)
    if (list(architecture.input_shape), architecture.classes) != (shape, classes):
        raise ValueError(
            f"The network turns {list(architecture.input_shape)} into {architecture.classes} "
            f"classes, not {shape} into the {classes} of {spec.name}: upload weights that this "
            "dashboard saved."
        )
    return architecture


def _records(card: Fields, key: str, limit: int) -> Iterable[Fields]:
    return card.records(key, limit) if key in card else ()


def _rate(counts: Fields) -> Rate:
    total = counts.whole("total", 1, _MOST)
    return Rate(counts.whole("successes", 0, total), total)


def _point(point: Fields) -> CurvePoint:
    return CurvePoint(
        step=point.number("step", 0, _MOST),
        seconds=point.number("seconds", 0, _MOST),
        loss=point.number("loss", -1, 1e38),
        accuracy=point.number("accuracy", 0, 1),
    )


def _robustness(measured: Fields, spec: DatasetSpec) -> Robustness:
    digits = 2 * -(-spec.test_images // 8)
    return Robustness(
        attack=measured.text("attack", _NAME, least=1),
        epsilon=measured.number("epsilon", 0, spec.largest_l2),
        norm=measured.text("norm", _NAME, least=1),
        standing=_rate(measured.record("standing")),
        settings=measured.plain("settings"),
        bits=measured.digits("bits", digits) if "bits" in measured else "",
    )


def _alarm(alarm: Fields) -> Alarm:
    return Alarm(
        check=alarm.text("check", _NAME, least=1),
        state=alarm.text("state", 20, least=1),
        verdict=alarm.text("verdict", 300),
    )

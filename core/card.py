"""The card of a trained model: what it is, how it was made, and what was measured of it."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from core.architecture import Architecture
from core.rate import Rate


@dataclass(frozen=True)
class CurvePoint:
    """One test score during training: loss is the training loss, accuracy that on test images."""

    step: float
    seconds: float
    loss: float
    accuracy: float


@dataclass(frozen=True)
class ModelCard:
    """`settings` are the training settings as plain values; `seconds` the time of training.

    `test` is the accuracy on the test images, `version` the digest of the weights, and
    `data_digest` that of the data it was trained and tested on. `curve` is its training.
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
                test=Rate(int(values["test"]["successes"]), int(values["test"]["total"])),
                parameters=int(values["parameters"]),
                version=str(values["version"])[:64],
                data_digest=str(values["data_digest"])[:64],
                curve=tuple(
                    CurvePoint(*map(float, point.values())) for point in values.get("curve", ())
                ),
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

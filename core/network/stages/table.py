"""All kinds of layer: a new one is a file beside this one and a row here."""

from collections.abc import Sequence
from typing import Any, TypeVar

from core.network.stages.average_pooling import AveragePooling, GlobalAverage
from core.network.stages.batch_normalization import BatchNormalization
from core.network.stages.convolution import Conv2D
from core.network.stages.dense import Dense
from core.network.stages.max_pooling import MaxPooling
from core.network.stages.passing import Dropout, Flatten, Input
from core.network.stages.relu import ReLU
from core.network.stages.residual import Residual
from core.network.stages.roles import Block, Ending, Pooling
from core.network.stages.stage import Stage

_KINDS: Sequence[type[Stage]] = (
    Input,
    Conv2D,
    Residual,
    BatchNormalization,
    ReLU,
    MaxPooling,
    AveragePooling,
    Flatten,
    GlobalAverage,
    Dense,
    Dropout,
)
_Chosen = TypeVar("_Chosen", Block, Pooling, Ending)


def _choices(role: type[_Chosen]) -> dict[str, type[_Chosen]]:
    return {kind.key: kind for kind in _KINDS if issubclass(kind, role)}


BLOCKS, POOLINGS, ENDINGS = _choices(Block), _choices(Pooling), _choices(Ending)
_BY_KIND = {stage.kind: stage for stage in _KINDS}


def stage_of(layer: Any) -> Stage:
    """What is known of a Keras layer; of a kind that is not in the table, what holds of any."""
    return _BY_KIND.get(type(layer).__name__, Stage)(layer)


def stages_of(model: Any) -> list[Stage]:
    """The layers of a model, one behind the other."""
    return [stage_of(layer) for layer in model.layers]

"""What the class images page is asked for: a target, a start, and what keeps the image simple."""

from dataclasses import dataclass, replace

import numpy as np

from core.data.spec import MNIST, DatasetSpec
from core.inspection.class_images import ImageSettings
from core.inspection.responses import HiddenLayer
from ui import text
from ui.visitor.images import ChosenImage

CLASS, CHANNEL, UNIT = "Class", "Channel", "Unit"
SEEDS = 4


@dataclass(frozen=True)
class Wanted:
    """What is excited: the logits of classes of `spec`, a channel of a layer, or one unit of it."""

    kind: str
    numbers: tuple[int, ...]
    layer: HiddenLayer | None = None
    spec: DatasetSpec = MNIST

    @property
    def quantity(self) -> str:
        """What the value is."""
        return {CLASS: "logit", CHANNEL: "mean", UNIT: "value"}[self.kind]

    @property
    def measure(self) -> str:
        """What the sum of an image's pixels is called."""
        return "ink" if self.spec == MNIST else "pixel sum"

    def title(self, number: int) -> str:
        """“Digit 3”, “conv2 channel 5”, “dense1 unit 7”, “conv2 channel 5 at (3, 4)”."""
        if self.layer is None:
            return f"{self.spec.noun.capitalize()} {self.spec.classes[number]}"
        if self.kind == CHANNEL:
            return f"{self.layer.name} channel {number}"
        if len(self.layer.shape) == 1:
            return f"{self.layer.name} unit {number}"
        row, column, channel = np.unravel_index(number, self.layer.shape)
        return f"{self.layer.name} channel {channel} at ({row}, {column})"


@dataclass(frozen=True)
class Start:
    """Where the image begins: "zero", "noise" (by the settings' seed) or the header's image."""

    kind: str
    image: ChosenImage | None = None

    @property
    def words(self) -> str:
        """For captions."""
        if self.image is not None:
            return f"from {self.image.title.lower()}, {text.literal(self.image.kind)}"
        return {"zero": "from a zero image", "noise": "from noise N(0.5, 0.05²)"}[self.kind]


@dataclass(frozen=True)
class ImagesAsked:
    """Everything that the controls say."""

    wanted: Wanted
    start: Start
    settings: ImageSettings

    @property
    def seeds(self) -> tuple[ImageSettings, ...]:
        """Four seeds of one class, channel or unit; one of all, or where chance has no part."""
        if len(self.wanted.numbers) > 1 or not (self.start.kind == "noise" or self.settings.jitter):
            return (self.settings,)
        first = self.settings.seed
        return tuple(replace(self.settings, seed=first + more) for more in range(SEEDS))

    @property
    def words(self) -> str:
        """Start, regularizers that are on, and steps, for captions."""
        settings = self.settings
        parts = [self.start.words]
        parts += [
            f"{each.title} {each.write(settings)}" for each in REGULARIZERS if each.on(settings)
        ]
        rate = text.learning_rate(settings.learning_rate)
        return ", ".join([*parts, f"Adam {rate}, {settings.iterations:,} iterations"])


@dataclass(frozen=True)
class Regularizer:
    """One of the four: its field in the settings, and how strong it is when it is tried out."""

    title: str
    field: str
    tried: float
    unit: str = ""

    def on(self, settings: ImageSettings) -> bool:
        """Whether it has any strength."""
        return float(getattr(settings, self.field)) > 0

    def write(self, settings: ImageSettings) -> str:
        """Its strength."""
        return f"{getattr(settings, self.field):g}{self.unit}"

    def with_it(self, settings: ImageSettings) -> ImageSettings:
        """The settings with it: at its strength, or where it is off at the one tried out."""
        if self.on(settings):
            return settings
        return replace(settings, **{self.field: self.tried})  # type: ignore[arg-type]

    def without(self, settings: ImageSettings) -> ImageSettings:
        """The settings with this one off and all else the same."""
        return replace(settings, **{self.field: type(self.tried)(0)})  # type: ignore[arg-type]


REGULARIZERS = (
    Regularizer("L2 penalty λ", "penalty", 0.1),
    Regularizer("total variation", "variation", 0.05),
    Regularizer("jitter", "jitter", 2, " px"),
    Regularizer("blur", "blur", 0.5, " px"),
)

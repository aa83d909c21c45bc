"""What a visitor looks at: the model, the image, and what the models are called."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.data.spec import DatasetSpec
from ui import text
from ui.visitor import compute, state
from ui.visitor.images import ChosenImage

if TYPE_CHECKING:
    from core.network.classifier import Classifier

_MADE = {"run": "That run", "upload": "That uploaded network", "edited": "That edited network"}


@dataclass(frozen=True)
class Choice:
    """What the header says: the model's key, the image, and the others beside it."""

    model: str
    image: ChosenImage
    more: tuple[ChosenImage, ...] = ()

    def classifier(self) -> "Classifier":
        """The chosen model, loaded; one sentence and the end of the run if it cannot be."""
        return compute.classifier(self.model)

    @property
    def spec(self) -> DatasetSpec:
        """The data set that the model reads, and the images are of."""
        return self.image.spec

    @property
    def images(self) -> tuple[ChosenImage, ...]:
        """All chosen images, the one that the page is about first."""
        return (self.image, *self.more)


def model_titles() -> dict[str, str]:
    """What the picker offers: key → title with test accuracy, shipped models first."""
    titles = {
        key: f"{card.title} · {text.percent(card.test)}"
        for key, card in compute.shipped_cards().items()
    }
    for run in state.runs():
        if run.trained:
            titles[state.run_key(run)] = f"{run.name} · step {run.checkpoints.steps[-1]:,}"
    for key, upload in state.uploads().items():
        titles[key] = f"{upload.card.title} · step {upload.card.steps:,}, {key}"
    for key, kept in state.kept().items():
        titles[key] = f"{kept.card.title} · {text.percent(kept.card.test)}"
    return titles | {
        key: title for key, title in state.defended().items() if bare_key(key) in titles
    }


def short_titles() -> dict[str, str]:
    """The titles of the picker without accuracy or step; with the key where two would be one.

    A shipped model keeps its name alone.
    """
    short = {key: title.split(" · ")[0] for key, title in model_titles().items()}
    taken = list(short.values())
    return {
        key: name if taken.count(name) == 1 or key in compute.shipped_cards() else f"{name}, {key}"
        for key, name in short.items()
    }


def peers(model: str) -> dict[str, str]:
    """The short titles of all models that read the data set that `model` reads, by their keys."""
    own = compute.spec(model)
    return {key: title for key, title in short_titles().items() if compute.spec(key) == own}


def bare_key(model: str) -> str:
    """The key of the network itself, for a model that may stand behind a defense."""
    return model.partition(state.BEHIND)[0]


def admit(model: str) -> str:
    """Let the picker offer a model; its one key. Raises ValueError with one sentence.

    A model behind a defense is made a choice of the picker.
    """
    bare, behind, defense = model.partition(state.BEHIND)
    if bare not in model_titles():
        raise ValueError(gone(bare))
    return _admit_defended(bare, defense) if behind else bare


def _admit_defended(bare: str, defense: str) -> str:
    from core.defenses.defended import defense_of, key_of, title_of

    parts = defense_of(defense)
    model = f"{bare}{state.BEHIND}{key_of(parts)}"
    known = state.defended()
    known[model] = f"{short_titles()[bare]}, {title_of(parts)} · defended"
    while len(known) > state.MAX_DEFENDED:
        known.pop(next(key for key in known if key != model))
    return model


def gone(bare: str) -> str:
    """Why the picker does not offer a model."""
    kind = _MADE.get(bare.rpartition("-")[0])
    if kind is None:
        return "There is no such model: choose one in the list above."
    return f"{kind} lives in the session that it was made in, and is not in this one."

"""The trained models that ship with the project, each a safetensors file with its card.

    python -m core.zoo train model-1     train it in full, write assets/models/model-1.safetensors
    python -m core.zoo robust            the same for the model that is trained on attacked images
    python -m core.zoo certified         and for the one that is trained on interval bounds, too
    python -m core.zoo autoencoder       train the denoising autoencoder in assets/defenses
    python -m core.zoo generator         and the generator of digits beside it
    python -m core.zoo measure robust    measure a shipped model anew, and write its card
    python -m core.zoo list              the cards

The robust two take long: each epoch is written to <name>.training.<seed>.npz beside the model, or
to the file named behind the command (its seed before the suffix), and an interrupted training goes
on from there. Listing the cards reads file headers only; TensorFlow is loaded when a model is.
"""

import functools
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core import model_file
from core.architecture import MODEL_1, MODEL_2, Architecture
from core.arrays import SIDE
from core.card import PGD, WORST_CASE, CurvePoint, ModelCard
from core.checks import finding
from core.data import ASSETS
from core.defenses.settings import SHIPPED, STRIDED
from core.defenses.side_by_side import widened
from core.fields import Fields

if TYPE_CHECKING:
    from core.classifier import Classifier

MODELS = ASSETS / "models"
_TOLD = {PGD: ("iterations",), WORST_CASE: ("iterations", "queries", "fell to Square")}


@dataclass(frozen=True)
class Recipe:
    """What a shipped model is; trained with the report's settings, or with those in SHIPPED."""

    title: str
    description: str
    architecture: Architecture


RECIPES = {
    "model-1": Recipe("Model 1", "Two convolutions, as in the report", MODEL_1),
    "model-2": Recipe("Model 2", "The same with batch normalization", MODEL_2),
    "robust": Recipe("Robust", "Strides, trained on attacked images (PGD)", STRIDED),
    "certified": Recipe(
        "Certified", "Two networks side by side, trained on attacks and interval bounds",
        widened(STRIDED, SHIPPED["certified"].members),
    ),
}  # fmt: skip


def path_of(name: str) -> Path:
    """The file of a shipped model."""
    return MODELS / f"{name}.safetensors"


def available_models() -> list[ModelCard]:
    """The cards of the shipped models whose file can be read, in the order of the recipes."""
    return [card for card in _cards().values() if isinstance(card, ModelCard)]


def left_out() -> list[str]:
    """One sentence for each shipped model whose file is missing or damaged."""
    return [card for card in _cards().values() if isinstance(card, str)]


def _cards() -> dict[str, ModelCard | str]:
    """By name the card of each shipped model, or why there is none."""
    cards: dict[str, ModelCard | str] = {}
    for name in RECIPES:
        try:
            cards[name] = read_card(path_of(name))
        except ValueError as error:
            cards[name] = str(error)
    return cards


def read_card(path: Path) -> ModelCard:
    """The card in a shipped file, without its weights. ValueError with one sentence if unusable."""
    try:
        with path.open("rb") as file:
            card = model_file.read_card(file)
        _check_told(card, path.stem)
    except (OSError, ValueError) as error:
        raise _damaged(path, error) from None
    return card


def _check_told(card: ModelCard, name: str) -> None:
    """Raise ValueError unless the card says what the pages tell of the shipped model `name`."""
    if card.name != name:
        raise ValueError(f"it holds {card.name}")
    training = Fields(card.settings, "its training")
    training.whole("epochs", 1, 1_000)
    if "members" in training:
        training.whole("members", 1, 8)
    for attack, counts in _TOLD.items():
        if measured := card.measured(attack):
            settings = Fields(measured.settings, attack)
            for count in counts:
                settings.whole(count, 0, 1_000_000)
    if measured := card.measured(PGD):
        Fields(measured.settings, PGD).number("step_size", 0, SIDE)


def load(name: str) -> "Classifier":
    """The shipped classifier `name`. ValueError with one sentence if there is no such file."""
    from core.classifier import Classifier
    from core.model import load_model

    if name not in RECIPES:
        raise ValueError(f"There is no model {name!r}: choose of {', '.join(RECIPES)}.")
    try:
        model, card = load_model(path_of(name))
    except (OSError, ValueError) as error:
        raise _damaged(path_of(name), error) from None
    return Classifier(model, name=card.title)


def _damaged(path: Path, error: OSError | ValueError) -> ValueError:
    found = error.strerror if isinstance(error, OSError) else finding(error)
    return ValueError(f"{path.name} cannot be read ({found}): restore it from the repository.")


@functools.lru_cache
def load_once(name: str) -> "Classifier":
    """The shipped classifier `name`, one for the whole process."""
    return load(name)


def train_and_save(name: str) -> ModelCard:
    """Train the recipe `name` with the report's settings and write its file; prints a log."""
    from core.classifier import Classifier
    from core.data import load_mnist
    from core.model import assign_weights, build_model
    from core.training import TrainingSettings, train

    recipe, settings = RECIPES[name], TrainingSettings()
    curve = []
    for progress in train(recipe.architecture, load_mnist(), settings):
        if progress.test:
            if progress.gradient_norms:
                accuracy = progress.test.accuracy.value
                point = CurvePoint(progress.step, progress.seconds, progress.loss, accuracy)
                curve.append(point)
            print(
                f"{name} step {progress.step:5d} of {progress.total_steps}"
                f"  {progress.seconds:6.1f} s"
                f"  loss {progress.loss:.4f}  test accuracy {progress.test.accuracy.value:.4f} "
                f"of {progress.test.accuracy.total:,}",
                flush=True,
            )
    assert progress.weights is not None
    model = build_model(recipe.architecture)
    assign_weights(model, progress.weights)
    classifier = Classifier(model, name=recipe.title)
    return _measure_and_save(
        name, classifier, settings.to_dict(),
        steps=progress.step, seconds=progress.seconds, curve=tuple(curve),
    )  # fmt: skip


def train_robust_and_save(name: str, checkpoint: Path) -> ModelCard:
    """Train the recipe `name` of SHIPPED, measure it and write its file; prints a log.

    Goes on from the files of `checkpoint` if they exist. Its card counts processor seconds.
    """
    from core.data import load_mnist
    from core.defenses.shipped import alarms, train

    settings = SHIPPED[name]
    classifier, seconds = train(settings, checkpoint)
    return _measure_and_save(
        name, classifier, settings.to_dict(),
        steps=settings.members * settings.epochs * settings.steps_per_epoch, seconds=seconds,
        alarms=alarms(classifier, load("model-1"), load_mnist().test),
    )  # fmt: skip


def measure_and_save(name: str) -> ModelCard:
    """Measure the shipped model `name` anew, clean, attacked and checked, and write its card."""
    from core.arrays import to_float
    from core.data import load_mnist
    from core.defenses.shipped import alarms, measure
    from core.evaluation import evaluate
    from core.model import save_model

    classifier, test = load(name), load_mnist().test
    card = replace(
        read_card(path_of(name)),
        test=evaluate(classifier, to_float(test.images), test.labels).accuracy,
        robustness=measure(classifier, test),
        alarms=alarms(classifier, load("model-1"), test) if name in SHIPPED else (),
    )
    save_model(path_of(name), classifier.model, card)
    print(replace(card, curve=()))
    return card


def _measure_and_save(
    name: str,
    classifier: "Classifier",
    settings: dict[str, Any],
    *,
    steps: int,
    seconds: float,
    **more: Any,
) -> ModelCard:
    """Write the file of the recipe `name`, with what is measured of it clean and attacked."""
    from core.arrays import to_float
    from core.data import load_mnist
    from core.defenses.shipped import measure
    from core.evaluation import evaluate
    from core.model import save_model

    recipe, dataset = RECIPES[name], load_mnist()
    test = evaluate(classifier, to_float(dataset.test.images), dataset.test.labels)
    card = ModelCard(
        name=name,
        title=recipe.title,
        description=recipe.description,
        architecture=recipe.architecture,
        settings=settings,
        steps=steps,
        seconds=round(seconds, 1),
        test=test.accuracy,
        parameters=classifier.model.count_params(),
        version=classifier.version,
        data_digest=dataset.digest,
        robustness=measure(classifier, dataset.test),
        **more,
    )
    MODELS.mkdir(exist_ok=True)
    save_model(path_of(name), classifier.model, card)
    print(replace(card, curve=()))
    return card


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["train", name] if name in RECIPES and name not in SHIPPED:
            train_and_save(name)
        case ["measure", name] if name in RECIPES:
            measure_and_save(name)
        case [name, *files] if name in SHIPPED and len(files) < 2:
            train_robust_and_save(name, Path(*files) if files else MODELS / f"{name}.training.npz")
        case ["autoencoder" | "generator" as name]:
            from core.defenses.generative_training import train_and_save as train_purifier

            train_purifier(name)
        case ["list"]:
            for card in available_models():
                print(replace(card, curve=()))
        case _:
            plain = "|".join(name for name in RECIPES if name not in SHIPPED)
            sys.exit(
                f"Usage: python -m core.zoo list | measure {'|'.join(RECIPES)} | train {plain} | "
                f"{'|'.join(SHIPPED)} [checkpoint] | autoencoder | generator"
            )

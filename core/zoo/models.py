"""The trained models that ship with the project, each a safetensors file with its card.

Listing the cards reads file headers only; TensorFlow is loaded when a model is.
"""

import functools
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.checks import finding
from core.data.mnist import ASSETS
from core.fields import Fields
from core.network import model_file
from core.network.architecture import MODEL_1, MODEL_2, Architecture
from core.network.card import PGD, WORST_CASE, CurvePoint, ModelCard
from core.network.side_by_side import widened
from core.training.robust.settings import SHIPPED, STRIDED

if TYPE_CHECKING:
    from core.network.classifier import Classifier

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
        Fields(measured.settings, PGD).number("step_size", 0, card.spec.largest_l2)


def load(name: str) -> "Classifier":
    """The shipped classifier `name`. ValueError with one sentence if there is no such file."""
    from core.network.classifier import Classifier
    from core.network.model import load_model

    if name not in RECIPES:
        raise ValueError(f"There is no model {name!r}: choose of {', '.join(RECIPES)}.")
    try:
        model, card = load_model(path_of(name))
    except (OSError, ValueError) as error:
        raise _damaged(path_of(name), error) from None
    return Classifier(model, name=card.title, spec=card.spec)


def _damaged(path: Path, error: OSError | ValueError) -> ValueError:
    found = error.strerror if isinstance(error, OSError) else finding(error)
    return ValueError(f"{path.name} cannot be read ({found}): restore it from the repository.")


@functools.lru_cache
def load_once(name: str) -> "Classifier":
    """The shipped classifier `name`, one for the whole process."""
    return load(name)


def train_and_save(name: str) -> ModelCard:
    """Train the recipe `name` with the report's settings and write its file; prints a log."""
    from core.data.mnist import load_mnist
    from core.network.classifier import Classifier
    from core.network.model import assign_weights, build_model
    from core.training.loop import TrainingSettings, train

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
    from core.data.mnist import load_mnist
    from core.zoo.robust import alarms, train

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
    from core.data.mnist import load_mnist
    from core.network.evaluation import evaluate
    from core.network.model import save_model
    from core.zoo.robust import alarms, measure

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
    from core.data.mnist import load_mnist
    from core.network.evaluation import evaluate
    from core.network.model import save_model
    from core.zoo.robust import measure

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

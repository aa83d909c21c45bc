"""The parts of the page on defenses: one view a tab."""

from collections.abc import Callable

from core.network.classifier import Classifier
from ui.controls import bound
from ui.views.defenses import (
    certified,
    curve,
    detection,
    filters,
    generative,
    grid,
    masking,
    robust_models,
)
from ui.visitor.choice import Choice

_VIEWS: dict[str, Callable[[Choice, Classifier], None]] = {
    "Defense × attack": grid.show,
    "Filters": filters.show,
    "Robust models": robust_models.show,
    "Generative": generative.show,
    "Detection": detection.show,
    "Certified": certified.show,
    "Accuracy against ε": curve.show,
    "Is it masked?": masking.show,
}


def show(choice: Choice, classifier: Classifier) -> None:
    """The views as tabs."""
    bound.tabs(_VIEWS, choice, classifier, key="defense_view")

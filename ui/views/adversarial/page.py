"""The parts of the adversarial page: one view a tab."""

from collections.abc import Callable

from core.network.classifier import Classifier
from ui.controls import bound
from ui.views.adversarial import from_noise, scoreboard, smallest, standard, toward_source
from ui.visitor.choice import Choice

_VIEWS: dict[str, Callable[[Choice, Classifier], None]] = {
    "From noise": from_noise.show,
    "Toward a source": toward_source.show,
    "Standard attacks": standard.show,
    "Scoreboard": scoreboard.show,
    "Smallest perturbation": smallest.show,
}


def show(choice: Choice, classifier: Classifier) -> None:
    """The views as tabs."""
    bound.tabs(_VIEWS, choice, classifier, key="view")

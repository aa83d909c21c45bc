"""What can be proven of an image: interval bounds in L∞, and randomized smoothing in L2."""

import numpy as np
import streamlit as st

from core.arrays import FloatArray
from core.certification.growth import Growth, Looseness, certified_radius, growth, looseness
from core.network.classifier import Classifier
from ui import text, theme
from ui.controls import bound, shared
from ui.controls.columns import result_and_settings
from ui.figures import certified_charts
from ui.show import draw, error_box
from ui.views.defenses import smoothing
from ui.views.defenses.certified_accuracy import ACCURACY
from ui.visitor import compute, state
from ui.visitor.cache import cached
from ui.visitor.choice import Choice, peers
from ui.visitor.images import ChosenImage

EPSILONS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5)
COUNTS = (50, 100, 200, 500, 1_000)
_POINTS = 25  # of ε at which bounds are drawn
_CERTIFIED = "certified"  # the shipped network that was trained on its bounds
_LOOSE = 10.0  # a ratio from which bounds need an explanation
_WORK = 4_000  # images × iterations of driving units, roughly


@st.fragment
def show(choice: Choice, classifier: Classifier) -> None:
    """Bounds of the image, their looseness, accuracy against ε; then the smoothed network."""
    result, side = result_and_settings()
    with side, st.container(border=True, key="settings"):
        epsilon, count = _settings(choice)
    image, label, own = choice.image, *_label(classifier, choice.image)
    with result, st.container(border=True, height="stretch", key="result"):
        try:
            with st.skeleton(height=420):
                radius, grown = _bounds(label, epsilon, classifier, image.floats)
        except ValueError as error:
            st.markdown("**There are no interval bounds for this network**")
            st.info(text.literal(error), icon=":material/info:")
            proven = False
        else:
            _result(image, label, own, epsilon, radius, grown)
            proven = True
    if proven:
        with st.container(border=True, key="cert-layers"):
            _layers(classifier, image, label, epsilon)
        with st.container(border=True, key="cert-accuracy-card"):
            settings = {"images": count, "epsilon": epsilon}
            ACCURACY.draw(classifier, choice, settings, "up to a minute for 200 images")
    smoothing.show(choice, classifier)


def _settings(choice: Choice) -> tuple[float, int]:
    st.markdown("**Interval bounds** :gray[· L∞]")
    epsilon: float = bound.select_slider(
        "ε",
        EPSILONS,
        0.3,
        format_func="{:g}".format,
        key="cert_epsilon",
        help="Every pixel may change by up to so much, where a full pixel is 1. The charts run "
        "from 0 to this value.",
    )
    count = shared.count_slider(
        choice.spec,
        COUNTS,
        key="cert_images",
        help=f"The first of the {choice.spec.test_images:,}, for the accuracy against ε.",
    )
    if choice.model != _CERTIFIED and _CERTIFIED in peers(choice.model):
        chosen = st.button(
            "The certified model",
            key="cert-model",
            icon=":material/deployed_code:",
            type="tertiary",
            on_click=st.session_state.update,
            args=[{state.MODEL: _CERTIFIED}],
            help="Chooses the shipped network that was trained to keep these bounds narrow.",
        )
        if chosen:
            st.rerun()  # the header stands outside this fragment
    st.caption("Interval bound propagation, Gowal et al. (2018), arXiv:1810.12715.")
    return epsilon, count


def _label(classifier: Classifier, image: ChosenImage) -> tuple[int, bool]:
    """The class to be proven, and whether it is the true one; of an own digit what is read."""
    if image.label is not None:
        return image.label, True
    return int(classifier.predict(image.floats)[0]), False


@cached
def _bounds(
    label: int, epsilon: float, classifier: Classifier, image: FloatArray
) -> tuple[float, Growth]:
    grid = np.linspace(0, epsilon, _POINTS)
    return certified_radius(classifier, image, label), growth(classifier, image, label, grid)


@cached
def _looseness(epsilon: float, classifier: Classifier, image: FloatArray) -> list[Looseness]:
    with compute.inline("Driving the units", _WORK, classifier):
        return looseness(classifier, image, epsilon)


def _result(
    image: ChosenImage, label: int, own: bool, epsilon: float, radius: float, grown: Growth
) -> None:
    st.markdown(f"**{_finding(image, label, epsilon, radius, grown)}** :gray[· {image.title}; "
                "interval bounds in L∞]")  # fmt: skip
    names = image.spec.classes
    bands, least = st.columns(2, gap="medium")
    with bands:
        draw(
            certified_charts.logit_bands(grown, label, names, theme.palette()),
            key="cert-bands",
            alt=f"Bounds of all logits against ε up to {epsilon:g}; {names[label]} in green",
        )
        st.caption(
            f"No image within ε leaves a band: green is the logit of {text.literal(names[label])}, "
            f"gray those of the other {text.in_words(len(names) - 1)} classes."
        )
    with least:
        draw(
            certified_charts.margins(grown, theme.palette()),
            key="cert-margins",
            alt=f"The least margin of {names[label]} over another class against ε",
        )
        st.caption(
            "The least lead over another class. Above 0 it is a proof. Elided: the weights of two "
            "classes are subtracted before they are bounded."
        )
    if not own:
        st.caption(f"{image.title} has no label: what is proven is that its reading stays.")


def _finding(image: ChosenImage, label: int, epsilon: float, radius: float, grown: Growth) -> str:
    named, name = (text.literal(each) for each in (image.named, image.spec.classes[label]))
    kind = f"{named[0].upper()}{named[1:]}"
    if grown.elided[0] <= 0:
        return f"{kind} is misread as it is: there is nothing to prove"
    if radius >= epsilon:
        return (
            f"{kind} stays {text.a(name)} within ε = {epsilon:g}, whatever an attack does; the "
            "proof "
            f"reaches to {radius:.4f}"
        )
    return (
        f"At ε = {epsilon:g} nothing is proven of this {name}, which does not mean that it falls: "
        f"its proof ends at {radius:.4f}"
    )


def _layers(classifier: Classifier, image: ChosenImage, label: int, epsilon: float) -> None:
    try:
        with st.skeleton(height=300):
            layers = _looseness(epsilon, classifier, image.floats)
            clean = classifier.logits(image.floats)[0]
    except ValueError as error:
        error_box(error)
        return
    logits = layers[-1]
    steps = {each.layer: each.ratio for each in layers}
    growth_of = {
        name: ratio / before
        for (name, ratio), before in zip(steps.items(), [1.0, *steps.values()], strict=False)
    }
    worst = max(growth_of, key=lambda name: growth_of[name])
    st.markdown(
        f"**At the logits the bounds are at most {text.number(logits.ratio, 1)} times as wide as "
        f"what attacks reach; layer {worst} adds most, × {text.number(growth_of[worst], 1)}** "
        f":gray[· {image.title}, ε = {epsilon:g}]"
    )
    chart, ten = st.columns(2, gap="medium")
    with chart:
        draw(
            certified_charts.looseness(layers, theme.palette()),
            key="cert-looseness",
            alt="For each layer, how many times as wide as reached its bounds are",
        )
        st.caption(
            "Of each layer up to 16 units, drawn at random, are driven up and down by 20 signed "
            "gradient steps. × 1 is tight; a better attack could only lower a number."
        )
    with ten:
        draw(
            certified_charts.ranges(logits, clean, label, image.spec.classes, theme.palette()),
            key="cert-ranges",
            alt="Proven and reached ranges of all logits",
        )
        st.caption(
            f"The {text.in_words(len(clean))} logits: pale blue is what is proven, red what "
            "attacks on each logit reached, "
            "the tick the image itself. The truth lies between."
        )
    if logits.ratio > _LOOSE:
        st.markdown(
            "Each layer takes the worse end of all its inputs at once, though no single image has "
            "them all. The excess multiplies from layer to layer, and a network that was not "
            "trained on its bounds does nothing against it: then they are valid, and useless."
        )

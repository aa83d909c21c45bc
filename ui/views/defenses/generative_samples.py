"""What the generator can draw: sliders on its latent numbers, what each does, and samples."""

import numpy as np
import streamlit as st

from core.arrays import FloatArray
from core.data.spec import MNIST
from core.defenses.generator import LATENT, generator, generator_card
from core.network.classifier import Classifier, softmax
from ui import theme
from ui.controls import bound
from ui.controls.columns import result_and_settings
from ui.figures import tiles
from ui.figures.charts import class_bars
from ui.show import draw, picture
from ui.visitor.images import ChosenImage

_SLIDERS = 6
_REACH = 3.0
_DRAWN = 168
_SAMPLES = 60
_KEYS = [f"gen_z{number + 1}" for number in range(_SLIDERS)]


@st.fragment
def show(image: ChosenImage, classifier: Classifier) -> None:
    """The card of latent sliders, and the sheets below."""
    result, side = result_and_settings()
    with side, st.container(border=True, key="gen-latent-settings"):
        start, seed = _start(image)
        moved = np.array([_slider(number) for number in range(_SLIDERS)], np.float32)
        st.button(
            "Back to the start",
            key="gen-reset",
            type="tertiary",
            icon=":material/undo:",
            on_click=_reset,
            help="All moves to 0.",
        )
    latent = start.copy()
    latent[0, :_SLIDERS] += moved
    with result, st.container(border=True, height="stretch", key="gen-latent"):
        _drawn(classifier, latent)
        _directions(latent)
    with st.container(border=True, key="gen-samples"):
        _sheet(classifier, seed)


def _start(image: ChosenImage) -> tuple[FloatArray, int]:
    """Latent numbers [1, 16] to move away from, and the seed of random ones."""
    st.markdown("**Latent numbers**")
    kind = bound.segmented_control(
        "Start",
        ("This image", "Random"),
        default="This image",
        required=True,
        key="gen_start",
        width="stretch",
        help="What the encoder says of the chosen image, or normal draws.",
    )
    seed = bound.number_input(
        "Seed of the samples", 0, 9_999, 0, 1, key="gen_seed", help="Another number, other draws.",
    )  # fmt: skip
    if kind == "This image":
        return generator().encode(image.floats), seed
    draws = np.random.default_rng(seed).standard_normal((1, LATENT))
    return draws.astype(np.float32), seed


def _slider(number: int) -> float:
    nats = generator_card().kl[number]
    moved: float = bound.slider(
        f"Move z{number + 1}",
        -_REACH,
        _REACH,
        0.0,
        0.25,
        key=_KEYS[number],
        help=f"Added to the start. This number says {nats:.2f} nats of a digit on average, "
        "measured on held-back training images; the sliders are ordered by that.",
    )
    return moved


def _reset() -> None:
    for key in _KEYS:
        st.session_state[key] = 0.0


def _drawn(classifier: Classifier, latent: FloatArray) -> None:
    palette = theme.palette()
    drawn = generator().images(latent)
    probabilities = softmax(classifier.logits(drawn))[0]
    read = int(probabilities.argmax())
    st.markdown(
        f"**The generator draws what the network reads as a {read}, "
        f"p = {probabilities[read]:.3f}** :gray[· {LATENT} latent numbers of length "
        f"{np.linalg.norm(latent):.2f}; a normal draw has about {np.sqrt(LATENT):.0f}]"
    )
    left, right = st.columns([1, 1.4], gap="medium")
    with left:
        picture(
            tiles.image(drawn[0], _DRAWN, palette),
            width=_DRAWN,
            alt=f"What the generator draws; read as {read}",
        )
    with right:
        draw(
            class_bars(probabilities, MNIST.classes, palette),
            key="gen-latent-bars",
            alt=f"Read as {read}",
        )


def _directions(latent: FloatArray) -> None:
    """A row for each slider: the same digit with that number moved over the slider's range."""
    palette = theme.palette()
    offsets = np.linspace(-_REACH, _REACH, 9, dtype=np.float32)
    moved = np.repeat(latent, _SLIDERS * len(offsets), axis=0)
    rows = np.arange(_SLIDERS).repeat(len(offsets))
    moved[np.arange(len(moved)), rows] += np.tile(offsets, _SLIDERS)
    inks = tiles.ink(generator().images(moved)[..., 0], palette)
    sheet = tiles.mosaic(inks, palette, columns=len(offsets), scale=2)
    picture(sheet, width="stretch", alt="Each row moves one latent number from −3 to +3")
    st.caption(
        "A row for each slider, from the top: the digit above with z1, z2, … moved from −3 (left) "
        "to +3 (right). The middle column is the digit itself."
    )


def _sheet(classifier: Classifier, seed: int) -> None:
    palette = theme.palette()
    samples = generator().sample(_SAMPLES, seed=seed)
    sure = int((softmax(classifier.logits(samples)).max(axis=1) >= 0.9).sum())
    card = generator_card()
    st.markdown(
        f"**The network is at least 90 % sure of {sure} of {_SAMPLES} samples** :gray[· normal "
        f"draws of all {LATENT} latent numbers, seed {seed}]"
    )
    inks = tiles.ink(samples[..., 0], palette)
    sheet = tiles.mosaic(inks, palette, columns=15, scale=2)
    picture(sheet, width="stretch", alt=f"{_SAMPLES} samples of the generator")
    st.caption(
        "Nothing but the generator decides what these look like. It gives test images back with "
        f"a mean squared error of {card.error:.4f} a pixel (n = {card.test_images:,})."
    )

"""The parts of the class images page (experiments E10 and E11)."""

import json
from dataclasses import asdict

import numpy as np
import streamlit as st

from core.coach.situation import Situation
from core.data.spec import MNIST
from core.network.classifier import Classifier, softmax
from core.optimization.engine import Trajectory
from ui import text
from ui.components.player import mount as player
from ui.components.player.track import Track
from ui.controls import coach, downloads, shared
from ui.controls.columns import result_and_settings
from ui.controls.downloads import download
from ui.controls.exported import exported
from ui.show import error_box
from ui.views.class_images import among, channels, claims, regularizers
from ui.views.class_images.made import ImagesMade, end_of, trajectories
from ui.views.class_images.settings import WEIGHTS, controls
from ui.views.class_images.wanted import CHANNEL, CLASS, ImagesAsked
from ui.visitor.choice import Choice


@st.fragment
def explore(choice: Choice, classifier: Classifier) -> None:
    """Player and settings; real images, each regularizer, all channels, the report's claims."""
    left, right = result_and_settings()
    result = left.container(border=True, height="stretch", key="result")
    with right, st.container(border=True, key="settings"):
        try:
            asked = controls(classifier, choice)
        except ValueError as error:
            result.error(text.literal(error), icon=":material/error:")
            return
    with result:
        try:
            with st.skeleton(height=520):
                ways = trajectories(classifier, asked)
        except ValueError as error:
            error_box(error)
            return
        found = end_of(ways[0])
        _result(classifier, asked, ways, found)
    if classifier.spec == MNIST:  # whose ink it knows
        with right:
            _coach(asked, ways[0])
    with st.container(border=True, key="among"):
        among.show(classifier, asked, found)
    with st.container(border=True, key="regularizers"):
        regularizers.show(classifier, asked, found)
    if asked.wanted.kind == CHANNEL:
        with st.container(border=True, key="channels"):
            channels.show(classifier, asked)
    if classifier.spec == MNIST or asked.wanted.kind != CLASS:
        with st.container(border=True, key="claims"):
            claims.show(classifier, asked, ways[0], found)
    _downloads(choice, asked)


def _coach(asked: ImagesAsked, way: Trajectory) -> None:
    """What to set, by the first image."""
    is_class = asked.wanted.kind == CLASS and not asked.settings.minimize
    now = Situation(
        asdict(asked.settings),
        trajectory=way,
        goal=asked.wanted.numbers[0] if is_class else None,
    )
    keys = {"penalty": "img_l2", "learning_rate": "img_rate", "iterations": "img_steps"}
    nearest = {
        "penalty": coach.among(WEIGHTS),
        "learning_rate": coach.among(shared.LEARNING_RATES),
    }
    coach.show(now, keys, name="img", nearest=nearest)


def _result(
    classifier: Classifier, asked: ImagesAsked, ways: list[Trajectory], found: ImagesMade
) -> None:
    wanted = asked.wanted
    st.markdown(f"**{_finding(asked, ways, found)}** :gray[· {asked.words}]")
    if wanted.kind == CLASS:
        tracks = [
            Track(wanted.title(number), ways[0], place, target=number, spec=wanted.spec)
            for place, number in enumerate(wanted.numbers)
        ]
    else:
        tracks = [Track(wanted.title(wanted.numbers[0]), ways[0], spec=wanted.spec)]
    if len(ways) > 1:
        target = wanted.numbers[0] if wanted.kind == CLASS else None
        tracks = [
            Track(f"Seed {settings.seed}", way, target=target, spec=wanted.spec)
            for settings, way in zip(asked.seeds, ways, strict=True)
        ]
    seeds = asked.seeds if len(ways) > 1 else (asked.settings,) * len(tracks)
    tracks = [
        exported([track], classifier, {"made by": "activation maximization", **asdict(settings)})[0]
        for track, settings in zip(tracks, seeds, strict=True)
    ]
    player.show(tracks, key="img-player")
    downloads.trajectories(tracks, key="img-take", name="class-images")
    for sentence in _notes(classifier, asked, found):
        st.caption(sentence)


def _finding(asked: ImagesAsked, ways: list[Trajectory], found: ImagesMade) -> str:
    wanted, total = asked.wanted, found.pixel_sum
    if len(wanted.numbers) > 1:
        read = int((found.logits.argmax(axis=1) == np.array(wanted.numbers)).sum())
        return (
            f"{read} of {len(wanted.numbers)} images are read as their class; logits "
            f"{_span(found.values)}, {wanted.measure} {_span(total, 0)}"
        )
    ends = np.array([end_of(way).values[0] for way in ways])
    digits = 1 if wanted.kind == CLASS else 2
    seeds = f" by {len(ways)} seeds" if len(ways) > 1 else ""
    title = text.literal(wanted.title(wanted.numbers[0]))
    return (
        f"The {wanted.quantity} of {_lower(title)} goes from "
        f"{text.number(float(found.first_values[0]), digits)} to {_span(ends, digits)}{seeds}, "
        f"{wanted.measure} {total[0]:.0f}"
    )


def _lower(title: str) -> str:
    return title[0].lower() + title[1:]


def _span(values: "np.typing.NDArray[np.floating]", digits: int = 1) -> str:
    low, high = text.number(float(values.min()), digits), text.number(float(values.max()), digits)
    return low if low == high else f"{low} … {high}"


def _notes(classifier: Classifier, asked: ImagesAsked, found: ImagesMade) -> list[str]:
    """Why there is one seed, why nothing moves, and what is silent."""
    wanted, notes = asked.wanted, []
    if wanted.kind == CLASS and (saturated := _saturated(asked, found)):
        notes.append(saturated)
    if len(wanted.numbers) == 1 and len(asked.seeds) == 1:
        notes.append(
            "Chance has no part in it: four seeds give one image. Start from noise, or add jitter, "
            "to see four."
        )
    if (found.moved == 0).all():
        notes.append(
            "Nothing moves: the gradient at the start is zero. Start from noise, or choose the "
            "layer before its ReLU."
        )
    return notes + channels.silence(classifier, wanted)


def _saturated(asked: ImagesAsked, found: ImagesMade) -> str:
    """Where the probability is 1.000 it tells nothing apart."""
    classes = np.array(asked.wanted.numbers)
    p = softmax(found.logits)[np.arange(len(classes)), classes]
    full = int((p >= 0.9995).sum())
    if not full:
        return ""
    return (
        f"The probability is 1.000 for {full} of {len(classes)} and tells them apart no more: "
        f"look at logit and {asked.wanted.measure}."
    )


def told(model: str, asked: ImagesAsked) -> dict[str, object]:
    """Everything that is set, for a file."""
    layer, image = asked.wanted.layer, asked.start.image
    experiment = "E10" if asked.wanted.kind == CLASS else "E11"
    return {
        **({"experiment": experiment} if asked.wanted.spec == MNIST else {}),
        "model": model,
        "excite": asked.wanted.kind,
        "layer": layer.name if layer else "logits",
        "numbers": list(asked.wanted.numbers),
        "start": asked.start.kind,
        "image": image.key if image else None,
        **asdict(asked.settings),
    }


def _downloads(choice: Choice, asked: ImagesAsked) -> None:
    with st.container(horizontal=True, horizontal_alignment="right"):
        download(
            "Settings",
            lambda: json.dumps(told(choice.model, asked), indent=1),
            "class-images.json",
            key="img-settings",
            help="Model, start and every setting, as JSON.",
        )

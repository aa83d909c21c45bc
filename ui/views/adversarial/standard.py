"""Every attack of the catalog on the chosen image, step by step, beside noise of its length."""

import numpy as np
import streamlit as st

from core.attacks.catalog import attack
from core.attacks.ensemble import WorstCase
from core.attacks.result import AttackResult
from core.coach.situation import Situation
from core.network.classifier import Classifier, softmax
from ui import text
from ui.components.player import mount as player
from ui.components.player.track import Track
from ui.controls import coach, downloads, no_gradient, shared
from ui.controls.columns import result_and_settings
from ui.controls.exported import exported
from ui.header.row import one_of_each_class
from ui.show import error_box
from ui.views.adversarial import usual
from ui.views.adversarial.standard_settings import (
    DRAWS,
    AttackAsked,
    AttackMade,
    another,
    attacked,
    attacked_others,
    controls,
    keys,
    nearest,
    true_class,
)
from ui.visitor import compute
from ui.visitor.choice import Choice
from ui.visitor.images import ChosenImage


@st.fragment
def show(choice: Choice, classifier: Classifier) -> None:
    """Player and control, the settings with the coach, and the same attack on other images."""
    result, side = result_and_settings()
    with side, st.container(border=True, key="settings"):
        asked = controls(choice.spec)
        advice = st.container()
    image = choice.image
    with result, st.container(border=True, height="stretch", key="result"):
        try:
            with st.skeleton(height=520):
                made = attacked(classifier, image, asked)
        except ValueError as error:
            error_box(error)
            return
        _result(classifier, image, made, asked)
    with advice:
        chosen = attack(asked.attack)
        now = _situation(classifier, image, made, asked)
        coach.show(now, keys(chosen), name="a", nearest=nearest(chosen))
    with st.container(border=True, key="a-others"):
        _others(classifier, choice, asked)
    if usual.applies(asked):
        with st.container(border=True, key="a-usual"):
            usual.show(classifier, asked)


def _result(
    classifier: Classifier, image: ChosenImage, made: AttackMade, asked: AttackAsked
) -> None:
    st.markdown(
        f"**{_finding(classifier, image, made.result, asked)}** "
        f":gray[· {image.title}; {asked.words}]"
    )
    trajectory = made.result.trajectory
    assert trajectory is not None
    track = Track(
        asked.attack, trajectory, true=image.label, target=asked.target, original=image.number,
        spec=image.spec,
    )  # fmt: skip
    tracks = exported([track], classifier, {"attack": asked.attack, **dict(asked.settings)})
    player.show(tracks, key="a-player")
    notes = []
    if image.label is None and asked.target is None:
        notes.append(
            f"{image.title} has no label: the goal is any other class than the one read now."
        )
    if isinstance(made.result, WorstCase) and made.result.broken_by[0]:
        notes.append(f"What reached the goal: {made.result.broken_by[0]}.")
    if made.noise_control is not None:
        notes.append(
            f"Control: noise of the same L2, {DRAWS} draws, changes the answer in "
            f"{text.full_rate(made.noise_control)}."
        )
    if notes:
        st.caption(" ".join(notes))
    if attack(asked.attack).follows_a_gradient:
        no_gradient.note(classifier, image.floats, asked.goal([image], classifier).classes)
    downloads.trajectories(tracks, key="a-take", name="attack")


def _finding(
    classifier: Classifier, image: ChosenImage, result: AttackResult, asked: AttackAsked
) -> str:
    logits = classifier.logits(np.concatenate([result.originals, result.adversarial]))
    names, named = text.literals(image.spec.classes), text.literal(image.named)
    before, after = (text.a(names[read]) for read in logits.argmax(axis=1))
    kind = named if image.label is not None else f"{named}, read as {before},"
    if not result.right_before[0]:
        return (
            f"{kind[0].upper()}{kind[1:].rstrip(',')} is read as {before} as it is: nothing to do"
        )
    wanted = another(image.spec, asked.target)
    if not result.succeeded[0]:
        rest = f"stays {before}" if after == before else f"is now {after}"
        return f"{asked.attack} does not turn {kind} into {wanted}: it {rest}"
    p = softmax(logits[1]).max()
    misread = (
        "" if image.label is None or text.literal(image.kind) == before else f", read as {before},"
    )
    pixels = int(result.l0[0])
    return (
        f"{asked.attack} turns {kind}{misread} into {after}, p = {p:.3f}, "
        f"L2 {result.l2[0]:.2f}, L∞ {result.linf[0]:.2f}, {pixels} "
        f"{'pixel' if pixels == 1 else 'pixels'}"
    )


def _situation(
    classifier: Classifier, image: ChosenImage, made: AttackMade, asked: AttackAsked
) -> Situation:
    nearest = None
    if asked.target not in (None, image.label):
        nearest = float(compute.nearest_real(image.spec, image.key, image.floats)[asked.target])
    return Situation(
        dict(asked.settings),
        attack=asked.attack,
        trajectory=made.result.trajectory,
        goal=asked.target,
        true=true_class(image, classifier) if asked.target is None else None,
        read=int(classifier.predict(image.floats)[0]),
        nearest_real=nearest,
        classes=len(image.spec.classes),
    )


def _others(classifier: Classifier, choice: Choice, asked: AttackAsked) -> None:
    """The same attack on the images that the header has beside the chosen one."""
    if not choice.more:
        st.markdown(
            "**And other images?** :gray[· none is chosen beside this one in the header’s picker]"
        )
        if st.button(
            "Attack one of each class",
            key="a-each",
            icon=":material/playlist_add:",
            on_click=one_of_each_class,
        ):
            st.rerun()  # the header has to show them
        return
    try:
        with st.skeleton(height=150):
            result = attacked_others(classifier, choice.more, asked)
    except ValueError as error:
        error_box(error)
        return
    read = classifier.predict(result.adversarial)
    if attack(asked.attack).follows_a_gradient:
        no_gradient.note(classifier, result.originals, result.goal.classes)
    st.markdown(
        f"**And other images? {text.full_rate(result.success)} reach the goal** :gray[· the images "
        "beside this one in the header, the same settings]"
    )
    captions = [
        f"**{_arrow(image, label)}**  \n{_fate(bool(right), bool(hit))}  \nL2 {length:.2f}"
        for image, label, right, hit, length in zip(
            choice.more, read, result.right_before, result.succeeded, result.l2, strict=True
        )
    ]
    shared.pairs(
        result.originals,
        result.adversarial,
        captions,
        [f"{image.title}: original, adversarial, change" for image in choice.more],
    )
    st.caption(
        "Original, adversarial, signed change from −1 to +1. Counted are images that did not have "
        "the goal’s answer before."
    )


def _arrow(image: ChosenImage, read: int) -> str:
    """“7 → 3”: the true class and what is read."""
    names = text.literals(image.spec.classes)
    return f"{None if image.label is None else names[image.label]} → {names[read]}"


def _fate(right_before: bool, succeeded: bool) -> str:
    if not right_before:
        return "at the goal before"
    return "reached" if succeeded else "not reached"

"""Noise made into an image of each class (experiment E7)."""

from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import streamlit as st

from core.coach.situation import Situation
from core.data.spec import MNIST, DatasetSpec
from core.network.classifier import Classifier
from core.optimization.engine import Trajectory
from core.report.claims import noise_claims
from core.report.settings import E7
from ui import text, theme
from ui.components.player import mount as player
from ui.components.player.track import Track
from ui.controls import coach, downloads, shared
from ui.controls.columns import result_and_settings
from ui.controls.exported import exported
from ui.figures import charts
from ui.show import draw, error_box
from ui.views.adversarial.noise_luck import NOISE_LUCK, seconds
from ui.views.adversarial.noise_settings import REPORTED, NoiseSettings, controls, trajectory_of
from ui.visitor.choice import Choice

_COACHED = {"learning_rate": "noise_rate", "iterations": "noise_steps", "objective": "noise_cost"}


@st.fragment
def show(choice: Choice, classifier: Classifier) -> None:
    """Player, all classes, their curves, the report's claims, and 200 starts."""
    result, side = result_and_settings()
    with side, st.container(border=True, key="settings"):
        shown, settings = controls(choice.spec)
    with result, st.container(border=True, height="stretch", key="result"):
        try:
            with st.skeleton(height=520):
                trajectory = trajectory_of(classifier, settings)
        except ValueError as error:
            error_box(error)
            return
        spec = classifier.spec
        tracks = [
            Track(f"Toward {spec.classes[k]}", trajectory, k, target=k, spec=spec) for k in shown
        ]
        st.markdown(_finding(spec, trajectory, settings))
        if tracks:
            tracks = exported(tracks, classifier, {"attack": "From noise", **asdict(settings)})
            player.show(tracks, key="noise-player")
            downloads.trajectories(tracks, key="noise-take", name="from-noise")
        else:
            st.info("No class is shown: choose one or more in the settings.")
    with side:
        _coach(trajectory, shown, settings)
    with st.container(border=True):
        _all_classes(classifier, trajectory)
    if shown:
        with st.container(border=True):
            _curves(classifier.spec, trajectory, shown, settings)
    if classifier.spec == MNIST:
        with st.container(border=True):
            _claims(classifier, trajectory, settings)
    with st.container(border=True, key="noise-luck-card"):
        again = {**asdict(settings), "classes": tuple(shown or _first(classifier.spec))}
        NOISE_LUCK.draw(classifier, choice, again, seconds(again))
    reported = {"experiment": "E7"} if classifier.spec == MNIST else {}
    told = {**reported, "model": choice.model, **asdict(settings)}
    shared.settings_download(told, trajectory.result, "from-noise")


def _first(spec: DatasetSpec) -> list[int]:
    """The classes of E7, as far as there are so many."""
    return [label for label in E7.classes if label < len(spec.classes)]


def _coach(trajectory: Trajectory, shown: list[int], settings: NoiseSettings) -> None:
    """What to set, by the first class shown that was not reached, or the first of all."""
    failed = [k for k in shown if trajectory.predicted[-1, k] != k]
    for k in [*failed, *shown][:1]:
        now = Situation(asdict(settings), trajectory=trajectory, index=k, goal=k)
        nearest = {"learning_rate": coach.among(shared.LEARNING_RATES)}
        coach.show(now, _COACHED, name="noise", nearest=nearest)


def _finding(spec: DatasetSpec, trajectory: Trajectory, settings: NoiseSettings) -> str:
    names, every = text.literals(spec.classes), np.arange(len(spec.classes))
    count = text.in_words(len(names))
    read = trajectory.predicted[-1]
    confidence = trajectory.probabilities[-1, every, every]
    failed = np.flatnonzero(read != every)
    if len(failed) == 0:
        finding = f"All {count} starts become their class, p = {confidence.min():.3f} or more"
    elif len(failed) == len(names):
        finding = "No start becomes its class"
    else:
        listed = ", ".join(f"{names[k]} is read as {names[read[k]]}" for k in failed[:4])
        rest = f" and {len(failed) - 4} more" if len(failed) > 4 else ""
        finding = f"{len(names) - len(failed)} of {count} starts become their class; {listed}{rest}"
    return f"**{finding}** :gray[· {settings.words}]"


def _all_classes(classifier: Classifier, trajectory: Trajectory) -> None:
    images, names = trajectory.result, text.literals(classifier.spec.classes)
    count, name = text.in_words(len(names)), text.literal(classifier.name)
    probabilities = trajectory.probabilities[-1]
    logits, read = trajectory.logits[-1], trajectory.predicted[-1]
    captions = [
        f"**{names[k]}** {'reached' if read[k] == k else f'is {text.a(names[read[k]])}'}  \n"
        f"p {probabilities[k, k]:.3f}  \nlogit {text.number(float(logits[k, k]), 1)}"
        for k in range(len(names))
    ]
    answer = ""
    if (second := shared.other_network(classifier)) is None:
        st.markdown(f"**All {count} classes** :gray[· made with {name}]")
    else:
        agreed, other = second.predict(images), text.literal(second.name)
        st.markdown(
            f"**{other} takes {int((agreed == np.arange(len(names))).sum())} of the {count} for "
            f"their class** :gray[· another network, asked about the images made with {name}]"
        )
        answer = ", and the other network’s answer"
        captions = [
            f"{caption}  \n{other}: {names[label]}"
            for caption, label in zip(captions, agreed, strict=True)
        ]
    told = [f"Noise made into {text.a(each)}" for each in classifier.spec.classes]
    shared.tile_row(images, captions, told)
    counts = np.bincount(trajectory.predicted[0], minlength=len(names))
    starts = ", ".join(f"{count} as {names[label]}" for label, count in enumerate(counts) if count)
    st.caption(
        f"Below each: the class wanted, whether it is reached, its probability and logit{answer}. "
        f"Before anything is done, {name} reads the {count} starts: {starts}."
    )


def _curves(
    spec: DatasetSpec, trajectory: Trajectory, shown: list[int], settings: NoiseSettings
) -> None:
    """Cost and confidence of the shown classes against the iterations."""
    is_logit = settings.objective == "logit"
    sign, name = (-1, "−logit") if is_logit else (1, "cross-entropy")
    costs = sign * trajectory.terms[settings.objective]
    rises = int((np.diff(costs[:, shown], axis=0) > 0).sum())
    falls = "falls at every recorded step" if not rises else f"rises at {rises:,} recorded steps"
    st.markdown(
        f"**The cost {falls}** :gray[· of {len(shown)} "
        f"{'class' if len(shown) == 1 else 'classes'}; cost: {name} of the class]"
    )
    columns = st.columns(2, gap="medium")
    every = np.arange(len(spec.classes))
    confidence = trajectory.probabilities[:, every, every]
    for column, title, values in zip(
        columns, (f"Cost: {name}", "Confidence: p of the class"), (costs, confidence), strict=True
    ):
        rows = [
            {"x": int(step), "y": float(values[frame, k]), "name": spec.classes[k]}
            for k in shown
            for frame, step in enumerate(trajectory.steps)
        ]
        chart = charts.curves(
            pd.DataFrame(rows),
            theme.palette(),
            names=[spec.classes[k] for k in shown],
            x_title="iteration",
            legend=True,
            height=220,
        )
        with column:
            st.markdown(f":gray[{title}]")
            draw(chart, key=f"noise-{title[:4]}", alt=f"{title} against iterations")


def _claims(classifier: Classifier, trajectory: Trajectory, settings: NoiseSettings) -> None:
    second = shared.other_network(classifier)
    if second is None:
        return
    seen = second.probabilities(trajectory.result)
    where = (
        "at the report’s settings"
        if replace(settings, seed=REPORTED.seed) == REPORTED
        else "at the settings above, which are not the report’s"
    )
    st.markdown(f"**Does the report’s claim hold?** :gray[· E7, all ten classes, {where}]")
    shared.claims(
        noise_claims(trajectory, np.arange(seen.shape[1]), seen, text.literal(second.name))
    )

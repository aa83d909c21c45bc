"""Noise made into an image of each class (experiment E7)."""

from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import streamlit as st

from core.arrays import CLASSES
from core.coach.situation import Situation
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
from ui.views.adversarial.noise_settings import REPORTED, Settings, controls, trajectory_of
from ui.visitor.choice import Choice

_ALL = np.arange(CLASSES)
_COACHED = {"learning_rate": "noise_rate", "iterations": "noise_steps", "objective": "noise_cost"}


@st.fragment
def show(choice: Choice, classifier: Classifier) -> None:
    """Player, all ten classes, their curves, the report's claims, and 200 starts."""
    result, side = result_and_settings()
    with side, st.container(border=True, key="settings"):
        shown, settings = controls()
    with result, st.container(border=True, height="stretch", key="result"):
        try:
            with st.skeleton(height=520):
                trajectory = trajectory_of(classifier, settings)
        except ValueError as error:
            error_box(error)
            return
        tracks = [Track(f"Toward {k}", trajectory, k, target=k) for k in shown]
        st.markdown(_finding(trajectory, settings))
        if tracks:
            tracks = exported(tracks, classifier, {"attack": "From noise", **asdict(settings)})
            player.show(tracks, key="noise-player")
            downloads.trajectories(tracks, key="noise-take", name="from-noise")
        else:
            st.info("No class is shown: choose one or more in the settings.")
    with side:
        _coach(trajectory, shown, settings)
    with st.container(border=True):
        _ten_classes(classifier, trajectory)
    if shown:
        with st.container(border=True):
            _curves(trajectory, shown, settings)
    with st.container(border=True):
        _claims(classifier, trajectory, settings)
    with st.container(border=True, key="noise-luck-card"):
        again = {**asdict(settings), "classes": tuple(shown or E7.classes)}
        NOISE_LUCK.draw(classifier, choice, again, seconds(again))
    told = {"experiment": "E7", "model": choice.model, **asdict(settings)}
    shared.settings_download(told, trajectory.result, "from-noise")


def _coach(trajectory: Trajectory, shown: list[int], settings: Settings) -> None:
    """What to set, by the first class shown that was not reached, or the first of all."""
    failed = [k for k in shown if trajectory.predicted[-1, k] != k]
    for k in [*failed, *shown][:1]:
        now = Situation(asdict(settings), trajectory=trajectory, index=k, goal=k)
        nearest = {"learning_rate": coach.among(shared.LEARNING_RATES)}
        coach.show(now, _COACHED, name="noise", nearest=nearest)


def _finding(trajectory: Trajectory, settings: Settings) -> str:
    read = trajectory.predicted[-1]
    confidence = trajectory.probabilities[-1, _ALL, _ALL]
    failed = np.flatnonzero(read != _ALL)
    if len(failed) == 0:
        finding = f"All ten starts become their class, p = {confidence.min():.3f} or more"
    elif len(failed) == CLASSES:
        finding = "No start becomes its class"
    else:
        listed = ", ".join(f"{k} is read as {read[k]}" for k in failed[:4])
        rest = f" and {len(failed) - 4} more" if len(failed) > 4 else ""
        finding = f"{CLASSES - len(failed)} of ten starts become their class; {listed}{rest}"
    return f"**{finding}** :gray[· {settings.words}]"


def _ten_classes(classifier: Classifier, trajectory: Trajectory) -> None:
    images = trajectory.result
    probabilities = trajectory.probabilities[-1]
    logits, read = trajectory.logits[-1], trajectory.predicted[-1]
    second = shared.other_network(classifier)
    agreed = second.predict(images)
    st.markdown(
        f"**{text.literal(second.name)} takes {int((agreed == _ALL).sum())} of the ten for their "
        f"class** "
        f":gray[· another network, asked about the images made with "
        f"{text.literal(classifier.name)}]"
    )
    captions = [
        f"**{k}** {'reached' if read[k] == k else f'is a {read[k]}'}  \n"
        f"p {probabilities[k, k]:.3f}  \nlogit {text.number(float(logits[k, k]), 1)}  \n"
        f"{text.literal(second.name)}: {agreed[k]}"
        for k in _ALL
    ]
    shared.tile_row(images, captions, [f"Noise made into a {k}" for k in _ALL])
    counts = np.bincount(trajectory.predicted[0], minlength=CLASSES)
    starts = ", ".join(f"{count} as {label}" for label, count in enumerate(counts) if count)
    st.caption(
        "Below each: the class wanted, whether it is reached, its probability and logit, and the "
        f"other network’s answer. Before anything is done, {text.literal(classifier.name)} reads "
        f"the ten starts: "
        f"{starts}."
    )


def _curves(trajectory: Trajectory, shown: list[int], settings: Settings) -> None:
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
    confidence = trajectory.probabilities[:, _ALL, _ALL]
    for column, title, values in zip(
        columns, (f"Cost: {name}", "Confidence: p of the class"), (costs, confidence), strict=True
    ):
        rows = [
            {"x": int(step), "y": float(values[frame, k]), "name": str(k)}
            for k in shown
            for frame, step in enumerate(trajectory.steps)
        ]
        chart = charts.curves(
            pd.DataFrame(rows),
            theme.palette(),
            names=[str(k) for k in shown],
            x_title="iteration",
            legend=True,
            height=220,
        )
        with column:
            st.markdown(f":gray[{title}]")
            draw(chart, key=f"noise-{title[:4]}", alt=f"{title} against iterations")


def _claims(classifier: Classifier, trajectory: Trajectory, settings: Settings) -> None:
    second = shared.other_network(classifier)
    seen = second.probabilities(trajectory.result)
    where = (
        "at the report’s settings"
        if replace(settings, seed=REPORTED.seed) == REPORTED
        else "at the settings above, which are not the report’s"
    )
    st.markdown(f"**Does the report’s claim hold?** :gray[· E7, all ten classes, {where}]")
    shared.claims(noise_claims(trajectory, _ALL, seen, text.literal(second.name)))

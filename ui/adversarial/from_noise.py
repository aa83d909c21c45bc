"""Noise made into an image of each class (experiment E7)."""

from collections.abc import Generator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.attacks.generated import OBJECTIVES, generate_from_noise
from core.attacks.repeated import NoiseStudy
from core.classifier import Classifier
from core.data import CLASSES
from core.experiments import E7, noise_claims
from core.optimization import OPTIMIZERS, Trajectory
from ui import compute, player, text, theme
from ui.adversarial import shared
from ui.adversarial.luck import TOTAL, Luck, Record
from ui.figures import attack_charts, charts
from ui.header import Choice
from ui.player import Track
from ui.show import draw

_ALL = np.arange(CLASSES)
_REPORT = {
    "noise_show": list(E7.classes),
    "noise_mean": E7.settings["mean"],
    "noise_std": E7.settings["stddev"],
    "noise_rate": E7.settings["learning_rate"],
    "noise_steps": E7.settings["iterations"],
    "noise_cost": E7.settings["objective"],
    "noise_by": OPTIMIZERS[0],
    "noise_seed": 0,
}
_FAILURES = 12


@dataclass(frozen=True)
class Settings:
    """What the controls say, as `generate_from_noise` takes it."""

    mean: float
    stddev: float
    learning_rate: float
    iterations: int
    objective: str
    optimizer: str
    seed: int

    @property
    def words(self) -> str:
        """Start, objective and steps, for captions."""
        return (
            f"start N({self.mean:g}, {self.stddev:g}²), {self.objective}, {shared.OPTIMIZER_NAMES[self.optimizer]} "
            f"{text.learning_rate(self.learning_rate)}, {self.iterations:,} iterations"
        )


@st.fragment
def show(choice: Choice, classifier: Classifier) -> None:
    """Player, all ten classes, their curves, the report's claims, and 200 starts."""
    result, controls = st.columns([3.5, 1], gap="medium")
    with controls, st.container(border=True, key="settings"):
        shown, settings = _settings()
    with result, st.container(border=True, height="stretch", key="result"):
        try:
            with st.skeleton(height=520):
                trajectory = _trajectory(classifier, settings)
        except ValueError as error:
            st.error(str(error), icon=":material/error:")
            return
        tracks = [Track(f"Toward {k}", trajectory, k, target=k) for k in shown]
        st.markdown(_finding(trajectory, settings))
        if tracks:
            player.show(tracks, key="noise-player")
            player.downloads(tracks, key="noise-take", name="from-noise")
        else:
            st.info("No class is shown: choose one or more in the settings.")
    with st.container(border=True):
        _ten_classes(classifier, trajectory)
    if shown:
        with st.container(border=True):
            _curves(trajectory, shown, settings)
    with st.container(border=True):
        _claims(classifier, trajectory, settings)
    with st.container(border=True, key="noise-luck-card"):
        again = {**asdict(settings), "classes": tuple(shown or E7.classes)}
        _LUCK.card(classifier, choice, again, _seconds(again))
    told = {"experiment": "E7", "model": choice.model, **asdict(settings)}
    shared.settings_download(told, trajectory.result, "from-noise")


def _settings() -> tuple[list[int], Settings]:
    st.markdown("**Settings**")
    keep = {"bind": "query-params"}
    shown: list[int] = st.pills(
        "Classes to show",
        range(CLASSES),
        selection_mode="multi",
        default=E7.classes,
        key="noise_show",
        help="All ten are computed together; these are played and drawn.",
        **keep,
    )
    mean = st.slider(
        "Mean of the start", 0.0, 1.0, E7.settings["mean"], 0.05, key="noise_mean", **keep
    )
    stddev = st.slider(
        "Its standard deviation",
        0.0,
        0.5,
        E7.settings["stddev"],
        0.01,
        key="noise_std",
        **keep,
    )
    learning_rate = shared.learning_rate_slider("noise_rate", E7.settings["learning_rate"])
    iterations = shared.iterations_slider("noise_steps", E7.settings["iterations"])
    objective = st.segmented_control(
        "Objective",
        OBJECTIVES,
        default=E7.settings["objective"],
        format_func={"logit": "Logit", "cross-entropy": "Cross-entropy"}.__getitem__,
        required=True,
        key="noise_cost",
        width="stretch",
        help="The logit goes on rising when the probability is 1; the gradient of the "
        "cross-entropy vanishes there.",
        **keep,
    )
    with st.popover("More", icon=":material/tune:", width="stretch"):
        optimizer = shared.optimizer_select("noise_by")
        seed = shared.seed_input("noise_seed")
    shared.report_button(
        "noise-as-reported",
        lambda: st.session_state.update(_REPORT),
        "E7: N(0.5, 0.05²), the logit, 5e-4, 200 iterations; classes 9, 0 and 5.",
    )
    return shown, Settings(mean, stddev, learning_rate, iterations, objective, optimizer, seed)


def _trajectory(classifier: Classifier, settings: Settings) -> Trajectory:
    return _computed(classifier.version, settings, classifier)


@st.cache_resource(max_entries=4, show_spinner=False)
def _computed(version: str, settings: Settings, _classifier: Classifier) -> Trajectory:
    with compute.inline("The images of ten classes", CLASSES * settings.iterations):
        return generate_from_noise(
            _classifier,
            _ALL,
            keep_every=shared.keep_every(settings.iterations),
            **asdict(settings),
        )


def report_trajectory(classifier: Classifier) -> Trajectory:
    """E7 for all ten classes, as in the report."""
    return _trajectory(classifier, Settings(**E7.settings, optimizer=OPTIMIZERS[0], seed=0))


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
        f"**{second.name} takes {int((agreed == _ALL).sum())} of the ten for their class** "
        f":gray[· it was trained apart, and is asked about the images made with "
        f"{classifier.name}]"
    )
    captions = [
        f"**{k}** {'reached' if read[k] == k else f'is a {read[k]}'}  \n"
        f"p {probabilities[k, k]:.3f}  \nlogit {text.number(float(logits[k, k]), 1)}  \n"
        f"{second.name}: {agreed[k]}"
        for k in _ALL
    ]
    shared.tile_row(images, captions, [f"Noise made into a {k}" for k in _ALL])
    counts = np.bincount(trajectory.predicted[0], minlength=CLASSES)
    starts = ", ".join(f"{count} as {label}" for label, count in enumerate(counts) if count)
    st.caption(
        "Below each: the class wanted, whether it is reached, its probability and logit, and the "
        f"other network’s answer. Before anything is done, {classifier.name} reads the ten starts: "
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
        if settings == Settings(**E7.settings, optimizer=OPTIMIZERS[0], seed=settings.seed)
        else "at the settings above, which are not the report’s"
    )
    st.markdown(f"**Does the report’s claim hold?** :gray[· E7, all ten classes, {where}]")
    shared.claims(noise_claims(trajectory, _ALL, seen, second.name))


def _begin(
    classifier: Classifier, settings: Mapping[str, Any]
) -> tuple[NoiseStudy, Generator[float]]:
    rest = dict(settings)
    study = NoiseStudy(rest.pop("classes"), TOTAL)
    return study, study.work(classifier, **rest)


def _seconds(settings: Mapping[str, Any]) -> str:
    work = TOTAL * len(settings["classes"]) * settings["iterations"]
    return f"{work:,} gradients of one image each, {text.duration(work / 4_000)} or more"


def _show_luck(record: Record[NoiseStudy]) -> None:
    study, made = (
        record.study,
        Settings(**{k: v for k, v in record.settings.items() if k != "classes"}),
    )
    ends = list(study.ends.values())
    arrived = sum(each.arrived.successes for each in ends)
    total = sum(each.arrived.total for each in ends)
    st.markdown(
        f"**Was that the start’s luck? {arrived:,} of {total:,} starts end as their class** "
        f":gray[· {record.model}, {study.count} random starts for each; {made.words}]"
    )
    rates = {}
    for each in ends:
        rates[f"Made into {each.label}"] = each.arrived
        rates[f"{attack_charts.CONTROL}read as {each.label} as it starts"] = study.read_before(
            each.label
        )
    draw(
        attack_charts.attack_rates(rates, theme.palette()),
        key="noise-luck-rates",
        alt="How many starts end as each class, and how many are read as it before",
    )
    failed = [
        (each.images[row], f"**{each.label}** is a {each.read[row]}")
        for each in ends
        for row in np.flatnonzero(each.read != each.label)
    ][:_FAILURES]
    if failed:
        images, captions = zip(*failed, strict=True)
        shared.tile_row(np.stack(images), captions, ["A start that did not arrive"] * len(failed))
        st.caption("Starts that did not end as their class, the first of them.")
    else:
        st.caption("No start failed. Brackets: 95 % Wilson intervals.")


_LUCK = Luck(
    name="noise_luck",
    title=f"E7 from {TOTAL} starts",
    what="starts",
    question=f"**Was that the start’s luck?** :gray[· not measured yet: {TOTAL} random starts "
    "for each class shown, and what they are read as before anything is done]",
    begin=_begin,
    show=_show_luck,
)

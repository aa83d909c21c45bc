"""An image that looks like its source and is read as something else (experiment E8)."""

from collections.abc import Generator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import streamlit as st

from core.attacks.control import noise_of_norm
from core.attacks.generated import OBJECTIVES, STARTS, move_toward
from core.attacks.goals import Targeted
from core.attacks.repeated import SourceStudy
from core.classifier import Classifier, softmax
from core.data import CLASSES, SIDE, FloatArray, IntArray, to_float
from core.experiments import E8, E8_SOURCE_CLASS, source_claims
from core.optimization import OPTIMIZERS, Trajectory
from core.rate import Rate
from ui import compute, images, player, state, text, theme
from ui.adversarial import shared
from ui.adversarial.from_noise import report_trajectory
from ui.adversarial.luck import TOTAL, Luck, Record
from ui.figures import attack_charts
from ui.header import Choice
from ui.images import ChosenImage
from ui.player import Track
from ui.show import draw

_STEPS = tuple(float(f"{digit}e{power}") for power in range(-2, 2) for digit in (1, 2, 5))
BETAS = (0.0, *_STEPS, 100.0)
_ROW = _STEPS[2:]
_ALL = np.arange(CLASSES)
_DRAWS = 100
_REPORT = {
    "to": list(E8.classes),
    "to_beta": E8.settings["beta"],
    "to_start": STARTS[0],
    "to_rate": E8.settings["learning_rate"],
    "to_steps": E8.settings["iterations"],
    "to_cost": OBJECTIVES[0],
    "to_by": OPTIMIZERS[0],
    "to_mean": 0.5,
    "to_std": 0.05,
    "to_seed": 0,
}
_SHOWN = 6


@dataclass(frozen=True)
class Settings:
    """What the controls say, as `move_toward` takes it."""

    beta: float
    start: str
    learning_rate: float
    iterations: int
    objective: str
    optimizer: str
    mean: float
    stddev: float
    seed: int

    @property
    def words(self) -> str:
        """β, start and steps, for captions."""
        return (
            f"β = {self.beta:g}, from {'the source' if self.start == 'source' else 'noise'}, "
            f"{self.objective}, {shared.OPTIMIZER_NAMES[self.optimizer]} {text.learning_rate(self.learning_rate)}, "
            f"{self.iterations:,} iterations"
        )


@dataclass(frozen=True, eq=False)
class Ends:
    """Last images float32 [n, 28, 28, 1] with their logits [n, 10] and L2 from the source [n]."""

    images: FloatArray
    logits: FloatArray
    l2: FloatArray


@st.fragment
def show(choice: Choice, classifier: Classifier) -> None:
    """Player, all ten targets, what β does, the report's claims, and 200 images."""
    if images.chosen() != choice.image:
        st.rerun()  # the preset has chosen the report's source, which the header has to show
    result, controls = st.columns([3.5, 1], gap="medium")
    with controls, st.container(border=True, key="settings"):
        targets, settings = _settings()
    source = choice.image
    with result, st.container(border=True, height="stretch", key="result"):
        try:
            with st.skeleton(height=520):
                trajectory = _trajectory(classifier, source, settings)
        except ValueError as error:
            st.error(str(error), icon=":material/error:")
            return
        _result(classifier, source, trajectory, targets, settings)
    with st.container(border=True):
        _ten_targets(source, trajectory)
    if targets:
        with st.container(border=True):
            _beta_row(classifier, source, targets, settings)
        with st.container(border=True):
            _claims(classifier, source, trajectory, targets, settings)
    with st.container(border=True, key="to-luck-card"):
        _LUCK.card(classifier, choice, asdict(settings), _seconds(settings))
    told = {
        "experiment": "E8",
        "model": choice.model,
        "source": source.key,
        "targets": targets,
        **asdict(settings),
    }
    shared.settings_download(told, trajectory.result, "toward-source")


def _settings() -> tuple[list[int], Settings]:
    st.markdown("**Settings**")
    keep = {"bind": "query-params"}
    targets: list[int] = st.pills(
        "Targets",
        range(CLASSES),
        selection_mode="multi",
        default=E8.classes,
        key="to",
        help="The source is the image in the header. All ten targets are computed together; "
        "these are played.",
        **keep,
    )
    beta = st.select_slider(
        "β: stay near the source",
        BETAS,
        E8.settings["beta"],
        format_func=lambda value: f"{value:g}",
        key="to_beta",
        help="What is maximized is the target's logit − β · ‖x − source‖².",
        **keep,
    )
    start = st.segmented_control(
        "Start from",
        STARTS,
        default=STARTS[0],
        format_func=str.capitalize,
        required=True,
        key="to_start",
        width="stretch",
        **keep,
    )
    learning_rate = shared.learning_rate_slider("to_rate", E8.settings["learning_rate"])
    iterations = shared.iterations_slider("to_steps", E8.settings["iterations"])
    with st.popover("More", icon=":material/tune:", width="stretch"):
        optimizer = shared.optimizer_select("to_by")
        objective = st.selectbox("Objective", OBJECTIVES, key="to_cost", **keep)
        mean = st.slider("Mean of the noise", 0.0, 1.0, 0.5, 0.05, key="to_mean", **keep)
        stddev = st.slider("Its standard deviation", 0.0, 0.5, 0.05, 0.01, key="to_std", **keep)
        seed = shared.seed_input("to_seed")
    shared.report_button(
        "to-as-reported",
        _as_reported,
        "E8: β = 1, 1e-3, 400 iterations; a 2 as the source, targets 3, 6 and 8.",
    )
    return targets, Settings(
        beta, start, learning_rate, iterations, objective, optimizer, mean, stddev, seed
    )


def _as_reported() -> None:
    st.session_state.update(_REPORT)
    if images.chosen().label != E8_SOURCE_CLASS:
        images.choose(state.FIRST_IMAGE)


def _trajectory(classifier: Classifier, source: ChosenImage, settings: Settings) -> Trajectory:
    return _computed(classifier.version, source.key, settings, classifier, source)


@st.cache_resource(max_entries=4, show_spinner=False)
def _computed(
    version: str, key: str, settings: Settings, _classifier: Classifier, _source: ChosenImage
) -> Trajectory:
    with compute.inline("Ten targets", CLASSES * settings.iterations):
        return move_toward(
            _classifier,
            _source.floats.repeat(CLASSES, axis=0),
            Targeted(_ALL),
            keep_every=shared.keep_every(settings.iterations),
            **asdict(settings),
        )


def _lengths(changed: FloatArray, source: ChosenImage) -> FloatArray:
    """L2 of the change from the source: float [n]."""
    length: FloatArray = np.sqrt(((changed - source.floats) ** 2).sum(axis=(1, 2, 3)))
    return length


def _result(
    classifier: Classifier,
    source: ChosenImage,
    trajectory: Trajectory,
    targets: list[int],
    settings: Settings,
) -> None:
    if not targets:
        st.info("No target is chosen: choose one or more in the settings.")
        return
    lengths = _lengths(trajectory.result, source)
    st.markdown(_finding(source, trajectory, targets, lengths, settings))
    tracks = [Track(f"Toward {k}", trajectory, k, true=source.label, target=k) for k in targets]
    player.show(tracks, key="to-player")
    read = int(classifier.predict(source.floats)[0])
    held = _after_noise(classifier, source, lengths[targets]) == read
    rate = text.full_rate(Rate(int(held.sum()), held.size))
    st.caption(
        f"Control: noise of the same L2, {_DRAWS} draws for each target, leaves the source a "
        f"{read} in {rate}."
    )
    player.downloads(tracks, key="to-take", name="toward-source")


def _finding(
    source: ChosenImage,
    trajectory: Trajectory,
    targets: list[int],
    lengths: FloatArray,
    settings: Settings,
) -> str:
    read = trajectory.predicted[-1]
    reached = [k for k in targets if read[k] == k]
    failed = "; ".join(f"toward {k} it is a {read[k]}" for k in targets if read[k] != k)
    kind = "your digit" if source.label is None else f"this {source.label}"
    what = kind.capitalize() if settings.start == "source" else f"Noise moved toward {kind}"
    if reached:
        near, far = (f"{bound:.2f}" for bound in (lengths[reached].min(), lengths[reached].max()))
        size = near if near == far else f"{near} to {far}"
        finding = f"{what} is read as {text.listed(reached)}, L2 {size} from the source"
    else:
        finding = f"{what} reaches no target"
    rest = f"; {failed}" if failed else ""
    return f"**{finding}{rest}** :gray[· {source.title}; {settings.words}]"


def _after_noise(classifier: Classifier, source: ChosenImage, lengths: FloatArray) -> IntArray:
    """What the source is read as after noise of each length: int64 [n · draws]."""
    lengths = lengths.repeat(_DRAWS)
    return classifier.predict(noise_of_norm(source.floats.repeat(len(lengths), axis=0), lengths))


def _ten_targets(source: ChosenImage, trajectory: Trajectory) -> None:
    read, p = trajectory.predicted[-1], trajectory.probabilities[-1]
    lengths = _lengths(trajectory.result, source)
    before = int(trajectory.predicted[0, 0])
    reached = int((read == _ALL).sum())
    st.markdown(
        f"**{reached} of ten targets are reached** :gray[· {source.title}, {source.kind}, "
        f"the same settings for all; L2 from the source]"
    )
    captions = [
        f"**{k}** {'reached' if read[k] == k else f'is a {read[k]}'}  \n"
        f"p {p[k, k]:.3f}  \nL2 {lengths[k]:.2f}"
        for k in _ALL
    ]
    shared.tile_row(trajectory.result, captions, [f"{source.title} toward {k}" for k in _ALL])
    st.caption(
        f"Below each: the target, whether it is reached, its probability, and how far the image is "
        f"from its source. The start is read as {before}."
    )


def _beta_row(
    classifier: Classifier, source: ChosenImage, targets: list[int], settings: Settings
) -> None:
    """The same target with one β after the other."""
    place = st.container()
    target = targets[0]
    if len(targets) > 1:
        target = st.segmented_control(
            "Target of the row", targets, default=targets[0], required=True, key="to_row"
        )
    plain = Settings(**{**asdict(settings), "beta": 0.0})
    try:
        with st.skeleton(height=150):
            ends = _by_beta(classifier.version, source.key, target, plain, classifier, source)
    except ValueError as error:
        st.error(str(error), icon=":material/error:")
        return
    read, p = ends.logits.argmax(axis=1), softmax(ends.logits)[:, target]
    held = [beta for beta, label in zip(_ROW, read, strict=True) if label == target]
    finding = (
        f"{target} is reached up to β = {max(held):g}" if held else f"{target} is reached with no β"
    )
    place.markdown(
        f"**{finding}** :gray[· what β does: L2 falls from {ends.l2[0]:.2f} to {ends.l2[-1]:.2f}; "
        f"{source.title}, all else as set]"
    )
    captions = [
        f"**β {beta:g}**  \n{f'reads {target}' if label == target else f'is a {label}'}  \n"
        f"p {value:.3f}  \nL2 {length:.2f}"
        for beta, label, value, length in zip(_ROW, read, p, ends.l2, strict=True)
    ]
    shared.tile_row(ends.images, captions, [f"Toward {target} with β = {beta:g}" for beta in _ROW])


@st.cache_resource(max_entries=32, show_spinner=False)
def _by_beta(
    version: str,
    key: str,
    target: int,
    settings: Settings,
    _classifier: Classifier,
    _source: ChosenImage,
) -> Ends:
    with compute.inline("The row of β", len(_ROW) * settings.iterations):
        last = np.concatenate(
            [
                move_toward(
                    _classifier,
                    _source.floats,
                    Targeted(np.array([target])),
                    keep_every=settings.iterations,
                    **{**asdict(settings), "beta": beta},
                ).result
                for beta in _ROW
            ]
        )
    return Ends(last, _classifier.logits(last), _lengths(last, _source))


def _claims(
    classifier: Classifier,
    source: ChosenImage,
    trajectory: Trajectory,
    targets: list[int],
    settings: Settings,
) -> None:
    chosen = np.array(targets)
    reached = int((trajectory.predicted[-1, chosen] == chosen).sum())
    with st.skeleton(height=80):
        from_noise = report_trajectory(classifier).result[chosen]
    same = {**_REPORT_SETTINGS, "start": settings.start, "seed": settings.seed} == asdict(settings)
    where = "the report’s settings" if same else "the settings above, which are not the report’s"
    st.markdown(
        f"**Does the report’s claim hold?** :gray[· E8, {len(targets)} "
        f"{'target' if len(targets) == 1 else 'targets'}, {where}; beside E7 at its own]"
    )
    shared.claims(source_claims(reached, trajectory.result[chosen], from_noise, source.floats))


_REPORT_SETTINGS = {
    **E8.settings,
    "objective": OBJECTIVES[0],
    "optimizer": OPTIMIZERS[0],
    "mean": 0.5,
    "stddev": 0.05,
}


def _begin(
    classifier: Classifier, settings: Mapping[str, Any]
) -> tuple[SourceStudy, Generator[float]]:
    test = compute.mnist().test
    study = SourceStudy(TOTAL)
    work = study.work(classifier, to_float(test.images[:TOTAL]), test.labels[:TOTAL], **settings)
    return study, work


def _seconds(settings: Settings) -> str:
    work = TOTAL * settings.iterations
    return f"{work:,} gradients of one image each, {text.duration(work / 4_000)} or more"


def _show_luck(record: Record[SourceStudy]) -> None:
    study = record.study
    result = study.result
    assert result is not None
    st.markdown(
        f"**Was that luck? {result.success.successes} of {result.success.total} images reach their "
        f"target** :gray[· {record.model}, the first {study.count} test images, one random target "
        f"each; {Settings(**record.settings).words}]"
    )
    chart, gallery = st.columns([1.3, 1], gap="medium")
    with chart:
        rates = {
            "Attack: reaches its target": result.success,
            "Attack: any wrong answer": study.misread,
            f"{attack_charts.CONTROL}noise of equal L2": study.misread_control,
        }
        draw(
            attack_charts.attack_rates(rates, theme.palette()),
            key="to-luck-rates",
            alt="Rates of the attack and of noise of equal L2, with 95 % intervals",
        )
    with gallery:
        for hit, words in ((True, "Reached their target."), (False, "Did not, and count so.")):
            rows = np.flatnonzero(result.succeeded == hit)[:_SHOWN]
            if len(rows):
                shared.tile_row(
                    result.adversarial[rows],
                    [
                        f"{study.labels[row]} → **{study.read[1, row]}**"
                        + ("" if hit else f", not {result.goal.classes[row]}")
                        for row in rows
                    ],
                    [words] * len(rows),
                )
                st.caption(words)
    median = float(np.median(result.l2))
    st.caption(
        f"Median L2 {median:.2f}, of {SIDE} that are possible. Wrong answers are counted among "
        "the images that were read right."
    )


_LUCK = Luck(
    name="to_luck",
    title=f"E8 on {TOTAL} images",
    what="test images",
    question=f"**Was that luck?** :gray[· not measured yet: the same attack on {TOTAL} test "
    "images, one random target each, beside noise of equal L2]",
    begin=_begin,
    show=_show_luck,
)

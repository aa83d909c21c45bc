"""An image that looks like its source and is read as something else (experiment E8)."""

from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
import streamlit as st

from core.arrays import FloatArray, IntArray
from core.attacks.noise_control import noise_of_norm
from core.coach.situation import Situation
from core.data.spec import MNIST
from core.network.classifier import Classifier, softmax
from core.optimization.engine import Trajectory
from core.report.claims import source_claims
from core.report.settings import E8_SOURCE_CLASS
from core.statistics.rate import Rate
from ui import text
from ui.components.player import mount as player
from ui.components.player.track import Track
from ui.controls import coach, downloads, no_gradient, shared
from ui.controls.columns import result_and_settings
from ui.controls.exported import exported
from ui.show import error_box
from ui.views.adversarial import noise_settings
from ui.views.adversarial.source_luck import SOURCE_LUCK, seconds
from ui.views.adversarial.source_settings import (
    BETAS,
    REPORTED,
    ROW,
    SourceSettings,
    by_beta,
    controls,
    lengths_from,
    trajectory_of,
)
from ui.visitor import compute, images
from ui.visitor.cache import cached
from ui.visitor.choice import Choice
from ui.visitor.images import ChosenImage

_DRAWS = 100
_COACHED = {
    "beta": "to_beta",
    "learning_rate": "to_rate",
    "iterations": "to_steps",
    "objective": "to_cost",
}


@st.fragment
def show(choice: Choice, classifier: Classifier) -> None:
    """Player, all targets, what β does, the report's claims, and 200 images."""
    if images.chosen() != choice.image:
        st.rerun()  # the preset has chosen the report's source, which the header has to show
    result, side = result_and_settings()
    with side, st.container(border=True, key="settings"):
        targets, settings = controls(choice.spec)
    source = choice.image
    with result, st.container(border=True, height="stretch", key="result"):
        try:
            with st.skeleton(height=520):
                trajectory = trajectory_of(classifier, source, settings)
        except ValueError as error:
            error_box(error)
            return
        _result(classifier, source, trajectory, targets, settings)
    with side:
        _coach(source, trajectory, targets, settings)
    with st.container(border=True):
        _all_targets(source, trajectory)
    if targets:
        with st.container(border=True):
            _beta_row(classifier, source, targets, settings)
    if targets and choice.spec == MNIST:
        with st.container(border=True):
            _claims(classifier, source, trajectory, targets, settings)
    with st.container(border=True, key="to-luck-card"):
        SOURCE_LUCK.draw(classifier, choice, asdict(settings), seconds(settings))
    told = {
        **({"experiment": "E8"} if choice.spec == MNIST else {}),
        "model": choice.model,
        "source": source.key,
        "targets": targets,
        **asdict(settings),
    }
    shared.settings_download(told, trajectory.result, "toward-source")


def _result(
    classifier: Classifier,
    source: ChosenImage,
    trajectory: Trajectory,
    targets: list[int],
    settings: SourceSettings,
) -> None:
    if not targets:
        st.info("No target is chosen: choose one or more in the settings.")
        return
    lengths = lengths_from(trajectory.result, source)
    st.markdown(_finding(source, trajectory, targets, lengths, settings))
    names = source.spec.classes
    tracks = [
        Track(
            f"Toward {names[k]}", trajectory, k, true=source.label, target=k,
            original=source.number, spec=source.spec,
        )
        for k in targets
    ]  # fmt: skip
    tracks = exported(tracks, classifier, {"attack": "Toward a source", **asdict(settings)})
    player.show(tracks, key="to-player")
    read = int(classifier.predict(source.floats)[0])
    asked = tuple(map(float, lengths[targets]))
    held = _after_noise(asked, classifier, source) == read
    rate = text.full_rate(Rate.of(held))
    st.caption(
        f"Control: noise of the same L2, {_DRAWS} draws for each target, leaves the source "
        f"{text.a(text.literal(names[read]))} in {rate}."
    )
    no_gradient.note(classifier, source.floats.repeat(len(targets), axis=0), np.array(targets))
    downloads.trajectories(tracks, key="to-take", name="toward-source")


def _coach(
    source: ChosenImage, trajectory: Trajectory, targets: list[int], settings: SourceSettings
) -> None:
    """What to set, by the first target that was not reached, or the first of all."""
    failed = [k for k in targets if trajectory.predicted[-1, k] != k]
    for k in [*failed, *targets][:1]:
        near = compute.nearest_real(source.spec, source.key, source.floats)[k]
        now = Situation(
            asdict(settings),
            trajectory=trajectory,
            index=k,
            goal=k,
            nearest_real=float(near) if settings.start == "source" else None,
        )
        nearest = {
            "beta": coach.among(BETAS),
            "learning_rate": coach.among(shared.LEARNING_RATES),
        }
        coach.show(now, _COACHED, name="to", nearest=nearest)


def _finding(
    source: ChosenImage,
    trajectory: Trajectory,
    targets: list[int],
    lengths: FloatArray,
    settings: SourceSettings,
) -> str:
    read, names = trajectory.predicted[-1], text.literals(source.spec.classes)
    reached = [k for k in targets if read[k] == k]
    failed = "; ".join(
        f"toward {names[k]} it is {text.a(names[read[k]])}" for k in targets if read[k] != k
    )
    kind = text.literal(source.named)
    moved = f"{kind[0].upper()}{kind[1:]}"
    what = moved if settings.start == "source" else f"Noise moved toward {kind}"
    if reached:
        near, far = (f"{bound:.2f}" for bound in (lengths[reached].min(), lengths[reached].max()))
        listed = text.listed(names[k] for k in reached)
        size = near if near == far else f"{near} to {far}"
        finding = f"{what} is read as {listed}, L2 {size} from the source"
    else:
        finding = f"{what} reaches no target"
    rest = f"; {failed}" if failed else ""
    return f"**{finding}{rest}** :gray[· {source.title}; {settings.words}]"


@cached
def _after_noise(
    lengths: tuple[float, ...], classifier: Classifier, source: ChosenImage
) -> IntArray:
    """What the source is read as after noise of each length: int64 [n · draws]."""
    asked = np.array(lengths).repeat(_DRAWS)
    compute.check_inline("The control", len(asked), classifier)
    copies = source.floats.repeat(len(asked), axis=0)
    return classifier.predict(noise_of_norm(copies, asked, draws=_DRAWS))


def _all_targets(source: ChosenImage, trajectory: Trajectory) -> None:
    names = text.literals(source.spec.classes)
    read, p = trajectory.predicted[-1], trajectory.probabilities[-1]
    lengths = lengths_from(trajectory.result, source)
    before = int(trajectory.predicted[0, 0])
    reached = int((read == np.arange(len(names))).sum())
    st.markdown(
        f"**{reached} of {text.in_words(len(names))} targets are reached** :gray[· {source.title}, "
        f"{text.literal(source.kind)}, "
        f"the same settings for all; L2 from the source]"
    )
    captions = [
        f"**{names[k]}** {'reached' if read[k] == k else f'is {text.a(names[read[k]])}'}  \n"
        f"p {p[k, k]:.3f}  \nL2 {lengths[k]:.2f}"
        for k in range(len(names))
    ]
    shared.tile_row(
        trajectory.result,
        captions,
        [f"{source.title} toward {each}" for each in source.spec.classes],
    )
    st.caption(
        f"Below each: the target, whether it is reached, its probability, and how far the image is "
        f"from its source. The start is read as {names[before]}."
    )


def _beta_row(
    classifier: Classifier, source: ChosenImage, targets: list[int], settings: SourceSettings
) -> None:
    """The same target with one β after the other."""
    place, names = st.container(), text.literals(source.spec.classes)
    target = targets[0]
    if len(targets) > 1:
        target = st.segmented_control(
            "Target of the row", targets, default=targets[0], required=True, key="to_row",
            format_func=names.__getitem__,
        )  # fmt: skip
    with st.skeleton(height=150):
        ends = by_beta(classifier, source, target, settings)
    read, p = ends.logits.argmax(axis=1), softmax(ends.logits)[:, target]
    held = [beta for beta, label in zip(ROW, read, strict=True) if label == target]
    place.markdown(
        f"**{names[target]} is reached {with_beta(held)}** :gray[· what β does: L2 is "
        f"{ends.l2[0]:.2f} at "
        f"β = {ROW[0]:g}, {ends.l2[-1]:.2f} at β = {ROW[-1]:g}; {source.title}, all else as set]"
    )
    captions = [
        f"**β {beta:g}**  \n{_answer(names, label, target)}  \np {value:.3f}  \nL2 {length:.2f}"
        for beta, label, value, length in zip(ROW, read, p, ends.l2, strict=True)
    ]
    shared.tile_row(
        ends.images,
        captions,
        [f"Toward {source.spec.classes[target]} with β = {beta:g}" for beta in ROW],
    )


def _answer(names: Sequence[str], read: int, target: int) -> str:
    return f"reads {names[target]}" if read == target else f"is {text.a(names[read])}"


def with_beta(held: list[float]) -> str:
    """With which β of the row a target is reached: `held`, in the row's order."""
    if not held:
        return "with no β"
    if held == list(ROW[: len(held)]):
        return f"up to β = {held[-1]:g}"
    return f"with β = {text.listed([f'{beta:g}' for beta in held])} only"


def _claims(
    classifier: Classifier,
    source: ChosenImage,
    trajectory: Trajectory,
    targets: list[int],
    settings: SourceSettings,
) -> None:
    chosen = np.array(targets)
    reached = int((trajectory.predicted[-1, chosen] == chosen).sum())
    with st.skeleton(height=80):
        from_noise = noise_settings.trajectory_of(classifier, noise_settings.REPORTED).result
    same = replace(settings, start=REPORTED.start, seed=REPORTED.seed) == REPORTED
    same = same and source.label == E8_SOURCE_CLASS
    where = "the report’s settings" if same else "the settings above, which are not the report’s"
    st.markdown(
        f"**Does the report’s claim hold?** :gray[· E8, {len(targets)} "
        f"{'target' if len(targets) == 1 else 'targets'}, {where}; beside E7 at its own]"
    )
    shared.claims(
        source_claims(reached, trajectory.result[chosen], from_noise[chosen], source.floats)
    )

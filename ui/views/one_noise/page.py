"""The parts of the page One noise, many images (experiment E9)."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.attacks.generated import OBJECTIVES
from core.attacks.universal_noise import Carried
from core.data.spec import MNIST
from core.network.classifier import Classifier
from core.report.settings import E9, E9_SOURCE_CLASS
from ui import text
from ui.components.player import mount as player
from ui.components.player.track import Track
from ui.controls import bound, downloads, no_gradient, shared
from ui.controls.columns import result_and_settings
from ui.controls.exported import exported
from ui.controls.report import as_in_the_report
from ui.controls.whole_set import known, outcome
from ui.show import error_box
from ui.views.one_noise.carried import by_class, gallery, scale_curve
from ui.views.one_noise.claim import claim
from ui.views.one_noise.files import noise_downloads
from ui.views.one_noise.fit import (
    ALL_CLASSES,
    NOISE,
    SAME_CLASS,
    Fit,
    FitSettings,
    fit,
    images_to_fit,
    pool_start,
    report_settings,
    whole_scores,
)
from ui.views.one_noise.models import models
from ui.views.one_noise.result import result
from ui.visitor import images
from ui.visitor.choice import Choice

_LISTED = 12
_CHOSEN = "_one_chosen"
_COUNTS = (1_000, 2_000, 5_000)
_REPORT = {
    "one_target": str(E9.classes[-1]),
    "one_images": 1,
    "one_scale": 1.0,
    "one_rate": E9.settings["learning_rate"],
    "one_steps": E9.settings["iterations"],
    "one_cost": E9.settings["objective"],
}


@dataclass(frozen=True)
class NoiseView:
    """How the fitted noise is looked at: its scale, the images scored, the ends of its colors."""

    scale: float
    count: int
    limit: float


@st.fragment
def explore(choice: Choice, classifier: Classifier) -> None:
    """The noise and the sum, what it does to images it was not fitted to, and its controls."""
    if st.session_state.pop(_CHOSEN, False):
        st.rerun()  # the header stands outside this fragment
    left, right = result_and_settings()
    with right, st.container(border=True, key="settings"):
        settings, view = _settings(choice, classifier)
    with left, st.container(border=True, height="stretch", key="result"):
        try:
            with st.spinner(_waiting(settings), show_time=True):
                fitted = fit(classifier, settings)
                asked = whole_scores(classifier, settings, (view.scale,), view.count)
                known(asked)
        except ValueError as error:
            error_box(error)
            return
        if (measured := outcome(asked)) is None:
            return
        found = measured[0]
        if not found[NOISE].misclassified(found[NOISE].others).total:
            st.info(
                f"{text.literal(classifier.name)} reads none of the first {view.count:,} test "
                f"images of other classes than {text.literal(settings.target_name)} right: "
                "there is nothing to mislead."
            )
            return
        result(classifier, settings, fitted, found, scale=view.scale, limit=view.limit)
        sources = np.concatenate([image.floats for image in settings.images])
        no_gradient.note(classifier, sources, np.full(len(sources), settings.target))
    context = st.container()
    noise_downloads(choice, settings, fitted, found, scale=view.scale)
    with context:
        _context(choice, classifier, settings, fitted, found, view)


def _context(
    choice: Choice,
    classifier: Classifier,
    settings: FitSettings,
    fitted: Fit,
    found: dict[str, Carried],
    view: NoiseView,
) -> None:
    """Everything below, each in its place; what is at hand is drawn before what takes long."""
    classes, shown = (st.container(border=True) for _ in range(2))
    curve, others = (
        column.container(border=True, height="stretch") for column in st.columns(2, gap="small")
    )
    report = st.container(border=True) if choice.spec == MNIST else None
    way = st.container(border=True)
    with classes:
        by_class(found, choice.spec)
    with shown:
        gallery(fitted.noise, settings, found[NOISE], scale=view.scale, count=view.count)
    with way:
        _way(classifier, settings, fitted)
    with curve:
        scale_curve(classifier, settings, now=view.scale)
    with others:
        models(choice, classifier, settings, found, scale=view.scale)
    if report is not None:
        with report:
            claim(classifier, settings, found[NOISE], scale=view.scale, count=view.count)


def _settings(choice: Choice, classifier: Classifier) -> tuple[FitSettings, NoiseView]:
    st.markdown("**Settings**")
    names = choice.spec.classes
    if st.session_state.get("one_target", names[0]) not in names:  # of the data set before
        del st.session_state["one_target"]
    target = names.index(
        bound.selectbox(
            "Target",
            names,
            min(E9.classes[-1], len(names) - 1),
            key="one_target",
            help="The class that all images with the noise shall be read as.",
        )
    )
    start = pool_start(choice.spec)
    scale = bound.slider(
        "Scale",
        0.0,
        4.0,
        1.0,
        0.1,
        key="one_scale",
        format="%.1f ×",
        help="The noise is multiplied by it before it is added; the fit does not change.",
    )
    count = bound.slider(
        "Images it is fitted to",
        1,
        100,
        1,
        key="one_images",
        help="The header’s image, those beside it, then test images from "
        f"{start:,} on, which are never scored below {start:,}.",
    )
    source = bound.segmented_control(
        "The others are of",
        [SAME_CLASS, ALL_CLASSES],
        default=SAME_CLASS,
        required=True,
        key="one_from",
        width="stretch",
        disabled=count == 1,
        help="The class of the header’s image, or all classes in turn but the target.",
    )
    iterations = shared.iterations_slider("one_steps", int(E9.settings["iterations"]))
    counts = [count for count in _COUNTS if count <= start] or [start]
    with st.popover("More", icon=":material/tune:", width="stretch"):
        rate = shared.learning_rate_slider("one_rate", float(E9.settings["learning_rate"]))
        objective = bound.selectbox("Objective", OBJECTIVES, key="one_cost")
        scored = bound.segmented_control(
            "Test images scored",
            counts,
            default=counts[0],
            format_func="{:,}".format,
            required=True,
            key="one_count",
            width="stretch",
        )
        zoom = bound.toggle("Colors of the noise end at ±0.25", key="one_zoom")
    as_in_the_report("one-as-reported", _as_reported, _REPORT_HELP)
    own = choice.image.label
    if own is None:
        own = int(classifier.predict(choice.image.floats)[0])
    chosen = images_to_fit(choice.images, own, count, source, target)
    settings = FitSettings(chosen, target, rate, iterations, objective)
    return settings, NoiseView(scale, scored, 0.25 if zoom else 1.0)


_REPORT_HELP = (
    f"E9: a {E9_SOURCE_CLASS} as the source, 5e-4, 400 iterations; target {E9.classes[-1]}. "
    f"Target {E9.classes[0]} is one choice away, and both are in the last card."
)


def _as_reported() -> None:
    st.session_state.update(_REPORT)
    source = report_settings()[E9.classes[-1]].images[0]
    images.choose(int(source.number or 0))
    st.session_state[_CHOSEN] = True


def _waiting(settings: FitSettings) -> str:
    count = len(settings.images)
    images = "image" if count == 1 else "images"
    return f"One noise for {count} {images}, {settings.iterations:,} iterations …"


def _way(classifier: Classifier, settings: FitSettings, fitted: Fit) -> None:
    """The fitting, scrubbed: up to six of the images."""
    played = settings.images[: fitted.trajectory.images.shape[1]]
    shown = f", the first {len(played)} are played" if len(settings.images) > len(played) else ""
    st.markdown(
        f"**How it was fitted: {fitted.reached.successes} of {fitted.reached.total} "
        f"{'image' if fitted.reached.total == 1 else 'images'} reach "
        f"{text.literal(settings.target_name)}** "
        f":gray[· one noise for all{shown}; {settings.words}]"
    )
    names = settings.spec.classes
    tracks = [
        Track(
            f"{'?' if image.label is None else names[image.label]} → {settings.target_name}",
            fitted.trajectory,
            row,
            true=image.label,
            target=settings.target,
            original=image.number,
            spec=image.spec,
        )
        for row, image in enumerate(played)
    ]
    told = {
        "attack": "One noise for many images",
        "images": len(settings.images),
        "learning_rate": settings.learning_rate,
        "iterations": settings.iterations,
        "objective": settings.objective,
    }
    tracks = exported(tracks, classifier, told)
    player.show(tracks, key="one-player")
    st.caption(f"Fitted to {_listed(settings)}. Each is played with the noise at scale 1.")
    downloads.trajectories(tracks, key="one-take", name="calculated-noise")


def _listed(settings: FitSettings) -> str:
    """Which images: the first of them by name."""
    names = [image.title.replace("T", "t").replace("Y", "y") for image in settings.images]
    shown = [names[0], *(name.removeprefix("test image ") for name in names[1:_LISTED])]
    rest = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(shown) + rest

"""Detectors of attacked images: against attacks that do not know them, and one that does."""

import functools
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.data.spec import DatasetSpec
from core.defenses.detection import DETECTORS
from core.network.classifier import Classifier
from core.statistics.paired import judged
from core.statistics.roc import Area
from core.studies.detection_study import (
    ADAPTIVE,
    NOISE,
    STATIC,
    Detected,
    DetectionStudy,
    Scored,
)
from ui import text, theme
from ui.controls import bound, shared
from ui.controls.columns import result_and_settings
from ui.controls.measure_panel import MeasurePanel, Record
from ui.figures import detection_charts
from ui.show import draw
from ui.visitor import compute
from ui.visitor.choice import Choice

COUNTS = (50, 100, 200, 500)
RATES = (0.01, 0.02, 0.05, 0.1, 0.2)
_RATE = 0.05
_GALLERY = 8
_TICKS = 200  # of the threshold's slider
_ATTACK, _PICKED = "_detect_attack", "_detect_picked"


def show(choice: Choice, classifier: Classifier) -> None:
    """What was measured of a detector, and the settings of the next measurement."""
    result, side = result_and_settings()
    with side, st.container(border=True, key="settings"):
        settings = _settings(choice.spec)
    with result, st.container(border=True, height="stretch", key="result"):
        DETECTION.draw(classifier, choice, settings, "a few minutes for 200 images")


def _settings(spec: DatasetSpec) -> dict[str, Any]:
    st.markdown("**Settings**")
    offered = [name for name, each in DETECTORS.items() if each.trained_on in (None, spec)]
    if st.session_state.get("detector", offered[0]) not in offered:  # of the data set before
        del st.session_state["detector"]
    detector: str = bound.selectbox("Detector", offered, key="detector")
    st.caption(DETECTORS[detector].summary)
    epsilon: float = bound.slider(
        "ε",
        0.05,
        1.0,
        0.3,
        0.05,
        key="detect_epsilon",
        help="The radius of FGSM, PGD and the adaptive attack, in L∞. DeepFool and Carlini–Wagner "
        "look for the smallest change instead.",
    )
    count = shared.count_slider(
        spec,
        COUNTS,
        key="detect_images",
        help="So many test images are attacked, the first; as many others stay clean.",
        label="Images",
    )
    st.caption(
        "Xu et al. (2018), arXiv:1704.01155; MagNet: Meng and Chen (2017), arXiv:1705.09064."
    )
    return {"images": count, "detector": detector, "epsilon": epsilon}


def _begin(
    classifier: Classifier, settings: Mapping[str, Any]
) -> tuple[DetectionStudy, Callable[..., Generator[float]]]:
    study = DetectionStudy(settings["images"], settings["detector"], settings["epsilon"])
    return study, functools.partial(study.work, classifier, compute.test_split(classifier.spec))


def _show(record: Record[DetectionStudy]) -> None:
    found = record.study.found  # once: the job goes on meanwhile
    settings = record.settings
    detector = DETECTORS[settings["detector"]]
    finding = st.container()
    threshold = _threshold(found, detector.top, f"{detector.name}-{record.version}")
    false = found.false_positives(threshold)
    finding.markdown(
        f"**{_finding(found, threshold, ended=record.job.ended)}** "
        f":gray[· {settings['detector']} before {text.literal(record.model)}, "
        f"ε = {settings['epsilon']:g} (L∞), {settings['images']} attacked and as many clean test "
        "images]"
    )
    st.markdown(f"False positives at this threshold: **{text.full_rate(false)}**")
    curves, histogram = st.columns(2, gap="medium")
    some = [each for each in found.attacks if each.fooled.any()]
    with curves:
        draw(
            detection_charts.curves(
                found.clean,
                {each.name: each.scores[each.fooled] for each in some},
                theme.palette(),
                controls=(NOISE,),
                threshold=threshold,
            ),
            key="detect-roc",
            alt="Detected against false positives for each attack; a dot at the threshold",
        )
        st.caption(
            "Every threshold at once; the dots are the chosen one. Only images that fool the "
            "network count. The straight line is chance."
        )
    with histogram:
        chosen = _chosen(some)
        if chosen is not None:
            draw(
                detection_charts.scores(
                    found.clean, chosen.scores[chosen.fooled], threshold, theme.palette()
                ),
                key="detect-scores",
                alt=f"Scores of clean images and of those by {chosen.name}",
            )
            st.caption("Share of the images at each score; what lies right of the line is flagged.")
    _table(found, threshold)
    _beside_static(found, threshold)
    if chosen is not None:
        _missed(found, chosen, threshold, text.literals(record.spec.classes))


def _threshold(found: Detected, top: float, of: str) -> float:
    """The slider, and the row that sets it to a rate of false positives."""
    key, rate_key = f"_detect_threshold-{of}", f"_detect_rate-{of}"
    state = st.session_state

    def follow() -> None:
        if state[rate_key] is not None:
            state[key] = found.threshold(state[rate_key])

    high = min(top, 2 * float(found.calibration.max()) + 1e-6)
    state.setdefault(rate_key, _RATE)
    state.setdefault(key, found.threshold(_RATE))
    rates, slider = st.columns(2, gap="medium")
    with rates:
        st.segmented_control(
            "Threshold for false positives of",
            RATES,
            format_func=lambda rate: f"{100 * rate:g} %",
            key=rate_key,
            persist_state="session",
            on_change=follow,
            help=f"The threshold that this share of {len(found.calibration):,} other "
            "clean test images exceeds.",
        )
    with slider:
        chosen: float = st.slider(
            "Threshold",
            0.0,
            high,
            step=high / _TICKS,
            key=key,
            persist_state="session",
            format="%.4f",
            on_change=state.update,
            args=[{rate_key: None}],
            help="An image with a higher score is called attacked.",
        )
    return chosen


def _finding(found: Detected, threshold: float, *, ended: bool) -> str:
    """How many are found by PGD and by the adaptive attack, of those that fool the network."""
    by_name = {each.name: each for each in found.attacks}
    if "PGD" not in by_name:
        return "PGD was not measured" if ended else "The first attacks are being scored"
    static = by_name["PGD"].detected(threshold)
    written = "PGD fools none of the images"
    if static.total:
        written = f"{text.percent(static)} of PGD’s images are found"
    if ADAPTIVE not in by_name:
        known = "was not tried" if ended else "is still to come"
        return f"{written}; an attack that knows of the detector {known}"
    adaptive = by_name[ADAPTIVE].detected(threshold)
    if not adaptive.total:
        return f"{written}, and the adaptive attack fools none"
    return f"{written}, and {text.percent(adaptive)} of those made to pass both"


def _chosen(some: list[Scored]) -> Scored | None:
    if not some:
        return None
    names, state = [each.name for each in some], st.session_state
    if state.get(_PICKED) not in names:  # until the visitor picks one, the latest
        state[_ATTACK] = names[-1]
    name = st.selectbox(
        "Attack", names, key=_ATTACK, label_visibility="collapsed",
        on_change=lambda: state.update({_PICKED: state[_ATTACK]}),
    )  # fmt: skip
    return next(each for each in some if each.name == name)


def _table(found: Detected, threshold: float) -> None:
    rows = [
        {
            "attack": each.name,
            "misread": "all counted"
            if each.name == NOISE
            else f"{int(each.fooled.sum())} of {int(each.right.sum())}",
            "detected of these": text.full_rate(each.detected(threshold)),
            "misread and not detected": "control"
            if each.name == NOISE
            else text.full_rate(each.through(threshold)),
            "area under the curve": _written(found.area(each)),
        }
        for each in found.attacks
    ]
    st.table(
        pd.DataFrame(rows),
        hide_index=True,
        alt="What each attack does to the network, and how much of it is detected",
    )
    st.caption(
        "Static attacks do not know the detector; the adaptive one has it in its loss. Noise is a "
        "control: it is harmless, and a good detector leaves it alone. 95 % intervals."
    )


def _beside_static(found: Detected, threshold: float) -> None:
    """Whether the attack that knows of the detector gets past it more often than those that do not.

    On the same originals; all static attacks are one family.
    """
    by_name = {each.name: each for each in found.attacks}
    if ADAPTIVE not in by_name:
        return
    verdicts = judged(
        {
            name: by_name[ADAPTIVE].beside(by_name[name], threshold)
            for name in by_name
            if name in STATIC
        }
    )
    st.markdown(
        "The adaptive attack gets past network and detector, beside "
        f"{text.by_winner(verdicts, 'more often', 'less often')} :gray[· McNemar’s exact test on "
        f"the same images, p < 0.05 (Holm, {len(verdicts)} comparisons)]"
    )


def _written(area: Area) -> str:
    if not np.isfinite(area.value):
        return "not measured"
    return f"{area.value:.3f} [{area.low:.3f}, {area.high:.3f}]"


def _missed(found: Detected, chosen: Scored, threshold: float, names: Sequence[str]) -> None:
    rows = chosen.missed(threshold)
    what = (
        "harmless noise that is left alone" if chosen.name == NOISE else "misread and not detected"
    )
    shown = f"the first {_GALLERY} shown" if len(rows) > _GALLERY else "all shown"
    pictures = f" :gray[· {shown}; original, attacked, signed change from −1 to +1]"
    st.markdown(f"**{chosen.name}: {len(rows)} {what}**{pictures if len(rows) else ''}")
    if not len(rows):
        return
    rows = rows[:_GALLERY]
    shared.pairs(
        found.originals[rows],
        chosen.images[rows],
        [
            f"**{names[found.labels[row]]} → {names[chosen.read[row]]}**  \nTest image {row}, "
            "score "
            f"{chosen.scores[row]:.4f}"
            for row in rows
        ],
        [f"Test image {row}: original, attacked, change" for row in rows],
    )


DETECTION = MeasurePanel(
    name="detection",
    title="Detection",
    what="images",
    question="**Can an attack be recognized, and does that stop an attacker who knows?** "
    ":gray[· not measured yet: four attacks, noise as a control, and one attack on the detector]",
    begin=_begin,
    show=_show,
)

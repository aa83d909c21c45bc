"""What the noise does to images it was not fitted to: by class, one by one, by scale."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.arrays import FloatArray, IntArray, to_float
from core.attacks.universal_noise import Carried
from core.data.spec import DatasetSpec
from core.network.classifier import Classifier
from core.statistics.paired import LEVEL, binomial_test, holm
from core.statistics.rate import Rate
from ui import text, theme
from ui.controls import shared
from ui.controls.whole_set import known, outcome
from ui.figures import carried_charts
from ui.figures.attack_charts import CONTROL
from ui.show import draw
from ui.views.one_noise.fit import (
    CURVE_SCALES,
    GAUSSIAN,
    NOISE,
    SHUFFLED,
    FitSettings,
    few,
    scored_images,
    whole_scores,
)
from ui.visitor import compute

_SHOWN = 10
_GAUSSIAN, _SHUFFLED = f"{CONTROL}Gaussian", f"{CONTROL}shuffled"


def by_class(found: dict[str, Carried], spec: DatasetSpec) -> None:
    """Misclassification and target rate for each true class, beside the controls."""
    target, names = found[NOISE].target, spec.classes
    of = {label: found[NOISE].misclassified([label]) for label in range(len(names))}
    counted = [label for label in of if label != target and of[label].total]
    most = max(counted, key=lambda label: of[label].value)
    least = min(counted, key=lambda label: of[label].value)
    st.markdown(
        f"**{text.literal(names[most])}s are misled most often, {text.percent(of[most])}, "
        f"{text.literal(names[least])}s least, "
        f"{text.percent(of[least])}** :gray[· by true class, of those read right before; "
        f"{of[most].total} and {of[least].total} images]"
    )
    left, right = st.columns(2, gap="medium")
    for column, title, reached in (
        (left, "Any wrong answer", False),
        (right, f"Read as {names[target]}", True),
    ):
        rates = {name: _by_class(each, names, reached=reached) for name, each in found.items()}
        with column:
            st.markdown(f":gray[{text.literal(title)}]")
            draw(
                carried_charts.by_class(rates, theme.palette()),
                key=f"one-classes-{reached}",
                alt=f"{title}: the share by true class, with 95 % intervals",
            )
    st.caption(
        f"Red dots: the noise. Below each, open and gray: {GAUSSIAN}, then the same noise with "
        "its pixels shuffled. Whiskers are 95 % Wilson intervals."
    )


def _by_class(each: Carried, names: Sequence[str], *, reached: bool) -> dict[str, Rate]:
    rate = each.reached if reached else each.misclassified
    return {
        f"{name} target" if label == each.target else name: rate([label])
        for label, name in enumerate(names)
    }


def gallery(
    noise: FloatArray, settings: FitSettings, found: Carried, *, scale: float, count: int
) -> None:
    """Images with the noise: the first that it misleads, and the first that it does not."""
    counted = found.right_before & (found.labels != found.target)
    on_target = counted & (found.after == found.target)
    astray = counted & found.misread & ~on_target
    hits = np.append(np.flatnonzero(on_target), np.flatnonzero(astray))
    misses = np.flatnonzero(counted & ~found.misread)
    st.markdown(
        f"**{int(on_target.sum()):,} images are read as {text.literal(settings.target_name)}, "
        f"{int(astray.sum()):,} as "
        f"another wrong class, {len(misses):,} as before** :gray[· with the noise × {scale:g}]"
    )
    rows = scored_images(settings, count)
    for title, chosen in (("Misled", hits[:_SHOWN]), ("Not misled", misses[:_SHOWN])):
        st.markdown(f":gray[{title}]")
        if len(chosen):
            _images(
                noise, settings.spec, scale, rows[chosen], found.labels[chosen], found.after[chosen]
            )
        else:
            st.markdown("None.")
    st.caption("True → **read** with the noise; test images in order, those on target first.")


def _images(
    noise: FloatArray,
    spec: DatasetSpec,
    scale: float,
    numbers: IntArray,
    labels: IntArray,
    read: IntArray,
) -> None:
    originals = to_float(compute.test_split(spec).images[numbers])
    shared.tile_row(
        np.clip(originals + np.float32(scale) * noise, 0, 1),
        [
            f"{text.literal(spec.classes[true])} → **{text.literal(spec.classes[answer])}**"
            for true, answer in zip(labels, read, strict=True)
        ],
        [f"Test image {number} with the noise" for number in numbers],
    )


def scale_curve(classifier: Classifier, settings: FitSettings, *, now: float) -> None:
    """The rates against the scale, which the slider does not change."""
    asked = whole_scores(classifier, settings, CURVE_SCALES, few(settings.spec))
    with st.skeleton(height=330):
        known(asked)
    if (found := outcome(asked)) is None:
        return
    others = found[0][NOISE].others
    rates = {
        "Any wrong answer": [each[NOISE].misclassified(others) for each in found],
        f"Read as {settings.target_name}": [each[NOISE].reached() for each in found],
        _GAUSSIAN: [each[GAUSSIAN].misclassified(others) for each in found],
        _SHUFFLED: [each[SHUFFLED].misclassified(others) for each in found],
    }
    misled = rates["Any wrong answer"]
    st.markdown(
        f"**{half_misled(misled)}** :gray[· {misled[0].total} of the first {few(settings.spec)} "
        "test images]"
    )
    draw(
        carried_charts.against_scale(
            rates, CURVE_SCALES, theme.palette(), now=now, controls=(_GAUSSIAN, _SHUFFLED)
        ),
        key="one-curve",
        alt="Rates of the noise and its controls against the scale",
    )
    st.caption(
        "Bands are 95 % Wilson intervals. The upright line: the scale that is set. More than half: "
        f"exact binomial test, p < 0.05 (Holm, {len(CURVE_SCALES)} scales)."
    )


def half_misled(rates: list[Rate]) -> str:
    """At which scales more than half are shown to be misled; a rate for each, one family."""
    p_values = holm([binomial_test(rate, 0.5) for rate in rates])
    above = [
        scale
        for scale, rate, p_value in zip(CURVE_SCALES, rates, p_values, strict=True)
        if rate.value > 0.5 and p_value < LEVEL
    ]
    if not above:
        most = text.percent(max(rates, key=lambda rate: rate.value))
        return f"At no scale up to {CURVE_SCALES[-1]:g} × is it clearly more than half: {most}"
    if above == list(CURVE_SCALES[-len(above) :]):
        return f"From {above[0]:g} × on more than half are misled"
    return f"At {text.listed([f'{scale:g}' for scale in above])} × more than half are misled"

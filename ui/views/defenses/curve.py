"""Accuracy against ε: what is left of each classifier as the attacker may do more."""

import itertools
import math
from dataclasses import replace

import pandas as pd
import streamlit as st

from core.network.classifier import Classifier
from core.statistics.paired import Verdict, beside, judged, paired
from core.statistics.rate import Rate
from core.studies.robustness_curve import Curve, Point
from ui import text, theme
from ui.controls import no_gradient
from ui.controls.columns import result_and_settings
from ui.controls.downloads import download
from ui.figures import curve_charts
from ui.files import npz
from ui.show import draw, error_box
from ui.views.defenses import curve_runs, curve_settings
from ui.views.defenses.curve_runs import LARGEST, NORMS, CurveRun
from ui.visitor.choice import Choice
from ui.visitor.kept_job import progress


def show(choice: Choice, classifier: Classifier) -> None:
    """The curves with their cursor, and the settings of the next."""
    live = curve_runs.KEPT.live()
    result, side = result_and_settings()
    with side, st.container(border=True, key="settings"):
        curve_settings.show(choice)
    with result, st.container(border=True, height="stretch", key="curve-result"):
        st.fragment(_result, run_every=1.0 if live else None)(live)


def _result(drawn_live: bool) -> None:
    if drawn_live != curve_runs.KEPT.live():
        st.rerun()  # the view begins or ceases to look after the job
    if error := curve_runs.KEPT.problem():
        error_box(error)
    run = curve_runs.KEPT.latest()
    if run is None:
        st.markdown(
            "**How much accuracy is left as the attacker may change more?** :gray[· nothing has "
            "been measured yet: choose classifiers in the settings, and press Measure there]"
        )
        return
    curves = [curve for curve in run.study.curves if curve.points]
    finding = st.empty()
    done, total = run.study.count, run.study.total
    progress(run.job, done, total, "test images", key="curve-stop", hand="those in hand")
    if not curves:
        return
    chart = st.empty()
    cursor = _cursor(run)
    finding.markdown(f"**{_finding(curves, cursor, run)}** :gray[· {run.measured_on}]")
    with chart:
        draw(
            curve_charts.accuracy_against_epsilon(
                curves, theme.palette(), largest=LARGEST[run.asked.norm], cursor=cursor,
                title=f"ε, {NORMS[run.asked.norm]}",
            ),
            key="curve-chart",
            alt="Accuracy under attack of each classifier against ε, with 95 % bands",
        )  # fmt: skip
    _at_the_cursor(curves, cursor, run)
    for curve in curves:
        if curve.flat is not None:
            no_gradient.say(Rate.of(curve.flat), curve.name)
    st.caption(
        "Lines: accuracy under attack; bands: 95 % Wilson intervals. An image broken at a smaller "
        "ε stays broken, and the others go on from where they stood. Rings: noise of equal norm "
        "(control). Triangles: certified, a lower bound. Curves are compared in pairs, on the same "
        "images, by McNemar’s exact test; all pairs at all ε are one family."
    )
    if not run.live:
        _downloads(curves, run)


def _cursor(run: CurveRun) -> float:
    epsilons = run.asked.epsilons
    norm = run.asked.norm
    step = epsilons[1]
    value = st.slider(
        f"ε, {NORMS[norm]}", 0.0, epsilons[-1], epsilons[len(epsilons) // 2], step,
        format="%.3g", key=f"curve_at_{norm}_{run.asked.radii}", label_visibility="collapsed",
        persist_state="session",
        help="The cursor over the chart: the table shows what was measured there.",
    )  # fmt: skip
    return min(epsilons, key=lambda epsilon: abs(epsilon - value))


def _finding(curves: list[Curve], cursor: float, run: CurveRun) -> str:
    """Which classifier keeps most at the cursor, and which the images do not tell from it."""
    there = {curve.name: point for curve in curves if (point := _point(curve, cursor))}
    where = f"At ε = {cursor:g} ({NORMS[run.asked.norm]})"
    if not there:
        return f"{where} nothing is measured yet" if run.live else f"{where} nothing was measured"
    best = max(there, key=lambda name: there[name].accuracy.value)
    rate = there[best].accuracy
    if not rate.successes:
        return f"{where} no image stands"
    if len(there) == 1:
        return f"{where} {text.literal(best)} keeps {text.full_rate(rate)}"
    verdicts = _verdicts(curves)
    at = {(one, two): found for (one, two, at), found in verdicts.items() if at == cursor}
    against = beside(best, [name for name in there if name != best], at)
    tied = [name for name, verdict in against.items() if not verdict.shown]
    closest = max(against, key=lambda name: against[name].p_value)
    name, other = text.literal(best), text.literal(closest)
    said = f"{name} is, beside {other}, {against[closest].words()}"
    if tied:
        return f"{where} no winner among {text.listed(map(text.literal, [best, *tied]))}: {said}"
    return f"{where} {name} keeps most: {text.full_rate(rate)}; {said}"


def _verdicts(curves: list[Curve]) -> dict[tuple[str, str, float], Verdict]:
    """Every curve against every other at every radius above; one family."""
    return judged(
        {
            (first.name, second.name, one.epsilon): paired(one.standing, other.standing)
            for first, second in itertools.combinations(curves, 2)
            for one, other in zip(first.points, second.points, strict=False)
        }
    )


def _point(curve: Curve, cursor: float) -> Point | None:
    return next((point for point in curve.points if point.epsilon == cursor), None)


def _at_the_cursor(curves: list[Curve], cursor: float, run: CurveRun) -> None:
    common = min(curve.epsilons[-1] for curve in curves)
    rows = []
    for curve in curves:
        point = _point(curve, cursor)
        proven = point.proven if point else None
        bounded = curve.points[0].certified is not None
        rows.append(
            {
                "classifier": text.literal(curve.name),
                f"stand at ε = {cursor:g}": _written(point.accuracy if point else None),
                "after noise": _written(point.noise_control if point else None),
                "certified": _written(proven, "not measured" if bounded else "no bound"),
                "ε at 50 %": _half(curve, run),
                f"area to ε = {common:g}": f"{_up_to(common, curve).area:.3f}",
            }
        )
    st.table(
        pd.DataFrame(rows), hide_index=True, alt="What is left of each classifier at the cursor"
    )
    st.caption(
        "ε at 50 %: on the line between two measured radii. Area under the curve, in the unit of "
        "ε: how much an image survives on average, up to where all curves are measured."
    )


def _up_to(epsilon: float, curve: Curve) -> Curve:
    """The curve as if it had ended there, so that areas compare while one is a point ahead."""
    points = tuple(point for point in curve.points if point.epsilon <= epsilon)
    return replace(curve, points=points)


def _written(rate: Rate | None, missing: str = "not measured") -> str:
    return missing if rate is None else text.full_rate(rate)


def _half(curve: Curve, run: CurveRun) -> str:
    if math.isfinite(curve.half):
        return f"{curve.half:.3f}"
    return f"above {curve.epsilons[-1]:g}"


def _downloads(curves: list[Curve], run: CurveRun) -> None:
    with st.container(horizontal=True, horizontal_alignment="right"):
        download(
            "Table",
            lambda: _table(curves, run).to_csv(index=False),
            "accuracy-against-epsilon.csv",
            key="curve-csv",
            help="Every point with its counts and intervals, as CSV.",
        )
        download(
            "Images",
            lambda: _arrays(curves),
            "accuracy-against-epsilon.npz",
            key="curve-npz",
            help="Which image stands at which ε, and of each the one that broke it or came last.",
        )


def _table(curves: list[Curve], run: CurveRun) -> pd.DataFrame:
    rows = []
    for curve in curves:
        for point in curve.points:
            rates = {
                "attack": point.accuracy,
                "noise": point.noise_control,
                "certified": point.proven,
            }
            for kind, rate in rates.items():
                if rate is not None:
                    low, high = rate.interval
                    rows.append(
                        {
                            "classifier": curve.name, "norm": run.asked.norm,
                            "epsilon": point.epsilon, "kind": kind, "stand": rate.successes,
                            "images": rate.total, "rate": rate.value, "low": low, "high": high,
                            "iterations": run.asked.iterations,
                        }
                    )  # fmt: skip
    return pd.DataFrame(rows)


def _arrays(curves: list[Curve]) -> bytes:
    arrays: dict[str, object] = {
        "names": [curve.name for curve in curves], "epsilons": curves[0].epsilons,
    }  # fmt: skip
    for number, curve in enumerate(curves):
        arrays[f"standing_{number}"] = [point.standing for point in curve.points]
        if curve.adversarial is not None:
            arrays[f"adversarial_{number}"] = curve.adversarial
    return npz(arrays)  # type: ignore[arg-type]

"""Is it masked? Checks that tell a robust classifier from one that only hides its gradient."""

import numpy as np
import streamlit as st

from core.jobs import QUEUED
from core.network.classifier import Classifier
from core.studies.masking import ALARM, SILENT, UNCLEAR, Finding
from ui import text, theme
from ui.controls import bound, shared
from ui.controls.columns import result_and_settings
from ui.controls.downloads import download
from ui.figures import attack_charts, masking_charts
from ui.files import npz
from ui.show import draw, error_box
from ui.views.defenses import masking_runs
from ui.views.defenses.masking_runs import CHOSEN, PLANTED, MaskingAsked, MaskRun
from ui.visitor import session
from ui.visitor.choice import Choice
from ui.visitor.kept_job import progress

MARKS = {
    SILENT: ":green[:material/check_circle:]",
    UNCLEAR: ":orange[:material/hourglass_top:]",
    ALARM: ":red[:material/error:]",
}
_SHIELDS = {  # of what all checks say together
    SILENT: ":green[:material/shield:]",
    UNCLEAR: ":orange[:material/gpp_maybe:]",
    ALARM: ":red[:material/gpp_bad:]",
}
_VALUES = {  # of the checks that measure a number for each image: axis, lowest, where the rule is
    "differences": ("cosine of gradient and differences", -1.0, 0.5),
    "surface": ("roughness: variance that no plane explains", 0.0, None),
}


def show(choice: Choice, classifier: Classifier) -> None:
    """The checks, their evidence, and what is checked next."""
    live = masking_runs.KEPT.live()
    result, side = result_and_settings()
    with side, st.container(border=True, key="settings"):
        st.fragment(_settings)(choice, classifier)
    with result, st.container(border=True, height="stretch", key="mask-result"):
        st.fragment(_result, run_every=1.0 if live else None)(live)
    if masking_runs.KEPT.latest() is not None:
        st.fragment(_evidence, run_every=2.0 if live else None)()


def _settings(choice: Choice, classifier: Classifier) -> None:
    st.markdown("**Settings**")
    subject: str = bound.segmented_control(
        "What is checked", (CHOSEN, PLANTED), default=CHOSEN, required=True, key="mask_subject",
        width="stretch",
        help="Chosen: the classifier above, its defense included. Planted: its network behind a "
        "threshold that passes no gradient, masked on purpose, so that the alarms can be heard.",
    )  # fmt: skip
    sources = masking_runs.sources(choice, subject, classifier)
    source: str = bound.selectbox(
        "Transfer from", list(sources), format_func=sources.__getitem__, key="mask_source",
        help="The network on which the transferred attack is made.",
    )  # fmt: skip
    epsilon: float = bound.slider(
        "ε, L∞", 0.05, 0.5, 0.3, 0.05, key="mask_epsilon",
        help="How far every attack may change a pixel.",
    )  # fmt: skip
    images = shared.count_slider(
        choice.spec, (50, 100, 200, 500), key="mask_images",
        help=f"The first of the {choice.spec.test_images:,}; those that are read right count.",
    )  # fmt: skip
    queries: int = bound.select_slider(
        "Queries of Square", (100, 250, 500, 1_000, 2_500, 5_000), 500, key="mask_queries",
        format_func="{:,}".format,
        help="How often the black box may ask about an image. The slowest check where a "
        "classifier stands.",
    )  # fmt: skip
    job = session.current_job()
    busy = job is not None and not job.ended
    asked = MaskingAsked(subject, source, images, epsilon, queries)
    st.button(
        "Check", key="mask-start", type="primary", icon=":material/play_arrow:", width="stretch",
        disabled=busy, on_click=_start, args=[asked, choice, classifier],
        help="One job at a time: stop the one that runs or let it end." if busy
        else "As a job that you can stop; each verdict stands as soon as it is found.",
    )  # fmt: skip
    if masking_runs.KEPT.has_started():
        st.rerun()  # the verdicts stand outside this fragment


def _start(asked: MaskingAsked, choice: Choice, classifier: Classifier) -> None:
    masking_runs.KEPT.start(lambda: masking_runs.begin(asked, choice, classifier))


def _result(drawn_live: bool) -> None:
    if drawn_live != masking_runs.KEPT.live():
        st.rerun()  # the view begins or ceases to look after the job
    if error := masking_runs.KEPT.problem():
        error_box(error)
    run = masking_runs.KEPT.latest()
    if run is None:
        st.markdown(
            "**Is it robust, or does it only hide its gradient?** :gray[· nothing has been checked "
            "yet: choose a classifier, and press Check in the settings]"
        )
        st.caption(
            "An attack that follows the gradient fails where the gradient is wrong or zero, and a "
            "classifier looks robust that is not. Each check looks for a trace of that."
        )
        return
    st.markdown(
        f"**{_finding(run)}** :gray[· {text.literal(run.name)}, {_counted(run)} test images, "
        f"L∞ ε = {run.asked.epsilon:g}]"
    )
    done = run.study.count
    progress(run.job, done, run.checks, "checks", key="mask-stop", hand="the one in hand")
    for finding in run.study.findings:
        st.markdown(
            f"{MARKS[finding.state]} **{finding.title}**: {_word(finding.state)} "
            f":gray[· {finding.verdict}]"
        )
    st.caption(
        "Green: silent, no trace of a hidden gradient, which is not robustness. What stands is "
        "what none of the attacks here breaks within ε. Orange: not clear, the images do not "
        "decide. Red: alarm. The white box is PGD, 40 steps of ε / 16 up the cross-entropy from a "
        "random start, by the classifier’s own gradient."
    )
    if not run.live and run.study.findings:
        _download(run)


def _word(state: str) -> str:
    return {SILENT: "no", UNCLEAR: "not clear", ALARM: "yes"}[state]


def _counted(run: MaskRun) -> str:
    """“the first 200”; behind the first check with how many of them count."""
    total = f"the first {run.asked.images:,}"
    return f"{run.study.counted:,}, read right, of {total}" if run.study.count else total


def _finding(run: MaskRun) -> str:
    """What all verdicts so far say together."""
    study = run.study
    if not study.count:
        if run.job.state == QUEUED:
            return "The job is waiting, and nothing is checked yet"
        return "The first check is under way" if run.live else "No check was finished"
    state, words = study.conclusion
    return f"{_SHIELDS[state]} {words}"


def _evidence() -> None:
    run = masking_runs.KEPT.latest()
    if run is None or not run.study.findings:
        return
    st.subheader("The evidence", anchor=False)
    findings = run.study.findings
    for start in range(0, len(findings), 2):
        columns = st.columns(2, gap="small")
        for column, finding in zip(columns, findings[start : start + 2], strict=False):
            with (
                column,
                st.container(border=True, height="stretch", key=f"mask-{finding.key}"),
            ):
                _card(finding, run)


def _card(finding: Finding, run: MaskRun) -> None:
    st.markdown(f"{MARKS[finding.state]} **{finding.title}: {_word(finding.state)}**")
    palette = theme.palette()
    if finding.line is not None:
        draw(
            masking_charts.standing(*finding.line, palette, title=finding.axis),
            key=f"mask-line-{finding.key}",
            alt=f"{finding.title}: what stands against {finding.axis}, with 95 % bands",
        )
    if finding.key == "surface" and run.study.surface is not None:
        _surface(run)
    if finding.values is not None and np.isfinite(finding.values).any():
        title, low, mark = _VALUES[finding.key]
        draw(
            masking_charts.distribution(finding.values, palette, title=title, low=low, mark=mark),
            key=f"mask-values-{finding.key}",
            alt=f"{finding.title}: {title}, how many images",
        )
    draw(
        attack_charts.attack_rates(finding.rates, palette),
        key=f"mask-rates-{finding.key}",
        alt=f"{finding.title}: the rates behind the verdict, with 95 % intervals",
    )
    st.caption(finding.criterion)


def _surface(run: MaskRun) -> None:
    found = run.study.surface
    assert found is not None
    place: int = st.select_slider(
        "Image", range(len(found.rise)), key="mask_surface", persist_state="session",
        format_func=lambda row: str(run.study.shown[row]),
        help="Test image whose surface is drawn.",
    )  # fmt: skip
    rise, rough = found.rise[place], float(found.roughness[place])
    draw(
        masking_charts.surface(found.along, rise, theme.palette(), epsilon=run.asked.epsilon),
        key="mask-surface-chart",
        alt="The margin around an image, along the gradient and along random signs",
    )
    figure = f"roughness {rough:.3f} (0 is a plane)" if np.isfinite(rough) else "it is flat"
    st.caption(
        f"Test image {run.study.shown[place]}: the runner-up’s logit minus the label’s, against "
        f"the image’s own. Blue: rises; orange: falls; range ±"
        f"{masking_charts.reach_of(rise):g}; {figure}."
    )


def _download(run: MaskRun) -> None:
    with st.container(horizontal=True, horizontal_alignment="right"):
        download(
            "Evidence",
            lambda: _arrays(run),
            "masking.npz",
            key="mask-npz",
            help="Verdicts, counts, lines and surfaces as NumPy arrays.",
        )


def _arrays(run: MaskRun) -> bytes:
    arrays: dict[str, object] = {
        "checks": [finding.key for finding in run.study.findings],
        "states": [finding.state for finding in run.study.findings],
        "verdicts": [finding.verdict for finding in run.study.findings],
        "criteria": [finding.criterion for finding in run.study.findings],
    }
    if run.study.left is not None:
        arrays["left"] = run.study.left.successes, run.study.left.total
    for finding in run.study.findings:
        arrays[f"{finding.key}_names"] = list(finding.rates)
        arrays[f"{finding.key}_counts"] = [
            (rate.successes, rate.total) for rate in finding.rates.values()
        ]
        if finding.line is not None:
            arrays[f"{finding.key}_at"] = finding.line[0]
            arrays[f"{finding.key}_stand"] = [rate.value for rate in finding.line[1]]
        if finding.values is not None:
            arrays[f"{finding.key}_values"] = finding.values
    if run.study.surface is not None:
        arrays["surface_rise"] = run.study.surface.rise
        arrays["surface_along"] = run.study.surface.along
        arrays["surface_images"] = run.study.shown
    return npz(arrays)  # type: ignore[arg-type]

"""The training page's result: the curves of the runs shown, and the claim they bear on."""

import math
from dataclasses import replace

import pandas as pd
import streamlit as st

from core.jobs import PAUSED, QUEUED, RUNNING
from core.statistics.rate import Rate
from core.training.loop import ATTACKED_IMAGES, SCORED_IMAGES, Progress
from core.training.runs import Run, describe_differences
from core.training.trainer import SCORING_STEPS
from ui import text, theme
from ui.controls import bound, no_gradient
from ui.figures import charts
from ui.show import draw, error_box
from ui.views.training import run_controls
from ui.visitor import compute, link, session
from ui.visitor.parameters import OneOf

_POINTS = 240
_BADGE_COLORS = ("blue", "orange", "green", "violet", "red")
_BADGE_DASHES = ("—", "– –", "···", "– ·", "·")
_AXES = {"Steps": "step", "Epochs": "epoch", "Seconds": "seconds"}


def watch() -> None:
    """The curves, twice a second until the job has ended."""
    if error := run_controls.problem():
        error_box(error)
    link.read("axis", OneOf(tuple(_AXES)))  # its control waits for a run
    link.taken_instead("axis", "Steps")
    phase = _phase()
    st.fragment(_watch, run_every=0.5 if phase else None)(phase)


def _phase() -> str:
    """The state of the visitor's job; "" once nothing of it is at work."""
    job = session.current_job()
    return "" if job is None or job.settled else job.state


def _watch(drawn_while: str) -> None:
    """`drawn_while` is the phase in which the whole page was drawn."""
    if drawn_while and _phase() != drawn_while:
        st.rerun()
    run = run_controls.focus()
    if run is None:
        with st.container(border=True, height="stretch"):
            _shelf_curves()
        return
    for other in run_controls.overlaid():
        if other.job is not None and other.job.error:
            st.error(
                f"Run {other.number}: {text.literal(other.job.error)}", icon=":material/error:"
            )
    if run.warning:
        st.warning(f"Run {run.number}: {run.warning}", icon=":material/warning:")
    if run.overfitting:
        st.warning(f"Run {run.number}: {run.overfitting}", icon=":material/warning:")
    if run.job is not None and run.job.state == QUEUED:
        st.info(
            f"Run {run.number} waits: it is {session.place(run.job)}.",
            icon=":material/hourglass_top:",
        )
    _metrics(run)
    with st.container(border=True):
        _curves(run)


def _shelf_curves() -> None:
    """Before the first run: how the shipped models learned."""
    st.markdown(
        "**No run yet: press Train, and watch its curves here** "
        ":gray[· meanwhile, how the models on the shelf learned]"
    )
    cards = [card for card in compute.shipped_cards().values() if card.curve]
    names = [card.title for card in cards]
    st.markdown(_badges(names))
    first, second = st.columns(2, gap="medium")
    for place, what, title in (
        (first, "loss", "Training loss, log scale"),
        (second, "accuracy", f"Accuracy on {SCORED_IMAGES:,} test images"),
    ):
        rows = [
            {"x": point.step, "y": getattr(point, what), "name": card.title}
            for card in cards
            for point in card.curve
        ]
        with place:
            st.markdown(f":gray[**{title}**]")
            log = what == "loss"
            table = pd.DataFrame(rows, columns=["x", "y", "name"])
            if log:
                table["y"] = table.groupby("name")["y"].transform(_running_median)
            _chart(f"shelf-{what}", table, names, "Steps", log=log, percent=not log)
    st.caption(
        "Loss: the running median of five records. Ten epochs take a few minutes. You may leave "
        "this page: the training goes on, and the card in the sidebar shows it."
    )


def _running_median(losses: "pd.Series[float]") -> "pd.Series[float]":
    return losses.rolling(5, center=True, min_periods=3).median()


def _metrics(run: Run) -> None:
    last, score = run.last, run.last_score
    total = run.controls.epochs * run.settings.steps_per_epoch
    losses = [p.loss for p in run.history if p.gradient_norms]
    running = run.job is not None and run.job.state == RUNNING
    speed = run.images_per_second
    robust = scored.test.robust if (scored := run.last_scored) and scored.test else None
    when = f", step {scored.step:,}" if scored and run.unscored else ""
    missing = "not yet" if robust else "not measured"  # five cards are narrow
    with st.grid(5 if robust else 4, min_column_width=140 if robust else 150):
        st.metric(
            "Step",
            f"{last.step:,}" if last else "0",
            border=True,
            height="stretch",
            delta=f"of {total:,}",
            delta_color="off",
            delta_arrow="off",
            help="One step is one batch and one change of the weights.",
        )
        st.metric(
            f"Test accuracy{when}",
            text.percent(score) if score else "not measured",
            border=True,
            height="stretch",
            delta=f"{text.interval(score)}, n = {score.total:,}" if score else None,
            delta_color="off",
            delta_arrow="off",
        )
        if robust:
            st.metric(
                f"Under attack{when}",
                text.percent(robust),
                border=True,
                height="stretch",
                delta=f"{text.interval(robust)}, n = {robust.total}",
                delta_color="off",
                delta_arrow="off",
                help=f"The first {robust.total} test images under PGD-{SCORING_STEPS} (L∞, ε = "
                f"{run.settings.attack_epsilon:g}, one random start): a quick look. Stronger "
                "attacks leave fewer right.",
            )
        st.metric(
            "Training loss",
            f"{losses[-1]:.3f}" if losses else missing,
            border=True,
            height="stretch",
            delta=f"learning rate {text.learning_rate(run.controls.learning_rate)}",
            delta_color="off",
            delta_arrow="off",
        )
        st.metric(
            "Speed",
            f"{speed:,.0f} img/s" if speed == speed else missing,
            border=True,
            height="stretch",
            delta=_time(run, running),
            delta_color="off",
            delta_arrow="off",
            help="Training images per second on this server.",
        )


def _time(run: Run, running: bool) -> str | None:
    if run.last is None or run.last.step == 0:
        return "preparing the first step" if running else None
    if running:
        return (
            f"{text.duration(run.seconds_left)} left" if math.isfinite(run.seconds_left) else None
        )
    return f"{text.duration(run.last.seconds)} in all"


def _curves(run: Run) -> None:
    from core.training.comparison import compare

    shown = run_controls.overlaid()
    others = [other for other in shown if other is not run and other.last]
    sentence = compare(run, others[-1]) if others else ""
    head, axis = st.columns([2.2, 1], vertical_alignment="center")
    head.markdown(f"**{sentence or _single_finding(run)}**")
    with axis:
        by = bound.segmented_control(
            "Against",
            list(_AXES),
            default="Steps",
            key="axis",
            required=True,
            label_visibility="collapsed",
            width="stretch",
        )
    names = describe_differences(shown)
    ordered = [names[run.id] for run in shown]
    st.markdown(_legend(shown, names))
    column = _AXES[by]
    first, second = st.columns(2, gap="medium")
    with first:
        st.markdown(":gray[**Training loss, log scale**]")
        _chart("loss", _table(shown, names, column, "loss"), ordered, by, log=True)
    with second:
        scored = min(SCORED_IMAGES, run.dataset.spec.test_images)
        st.markdown(f":gray[**Accuracy on {scored:,} test images**]")
        _chart("test", _table(shown, names, column, "test"), ordered, by, percent=True)
    if any(other.settings.scores_robustness for other in shown):
        _under_attack(run, shown, by)
    first, second = st.columns(2, gap="medium")
    with first:
        attacked = any(other.settings.inner_steps for other in shown)
        st.markdown(
            f":gray[**Accuracy on the training batches{', attacked' if attacked else ''}**]"
        )
        _chart(
            "accuracy",
            _table(shown, names, column, "accuracy"),
            ordered,
            by,
            percent=True,
            height=190,
        )
    with second:
        st.markdown(f":gray[**Gradient norm by layer, run {run.number}, log scale**]")
        table = _gradient_table(run, column)
        layer_names = list(dict.fromkeys(table["name"]))
        _chart("gradients", table, layer_names, by, log=True, height=190, legend=True)
    if run.architecture.batch_normalization:
        st.caption(
            "With batch normalization the test accuracy starts late: its running averages take "
            "some hundred steps to fill."
        )


def _under_attack(run: Run, shown: list[Run], by: str) -> None:
    """The runs under PGD, and of the run in focus one step beside ten."""
    names, column = describe_differences(shown), _AXES[by]
    measured = [other for other in shown if other.settings.scores_robustness]
    epsilons = sorted({other.settings.attack_epsilon for other in measured})
    first, second = st.columns(2, gap="medium")
    with first:
        st.markdown(
            f":gray[**Accuracy under PGD-{SCORING_STEPS}, ε = "
            f"{' and '.join(f'{epsilon:g}' for epsilon in epsilons)}, {ATTACKED_IMAGES} test "
            "images**]"
        )
        table = _table(shown, names, column, "robust")
        _chart("robust", table, [names[other.id] for other in shown], by, percent=True)
    with second:
        if not run.settings.scores_robustness:
            return
        st.markdown(f":gray[**Run {run.number}: one step beside ten**]")
        kinds = {"no attack": "test", "one step": "single_step", "PGD-10": "robust"}
        parts = [_table([run], {run.id: kind}, column, what) for kind, what in kinds.items()]
        _chart("steps", pd.concat(parts), list(kinds), by, percent=True, legend=True)
    for other in measured:
        scored = other.last_scored
        if scored and scored.test and scored.test.flat is not None:
            no_gradient.say(scored.test.flat, f"{other.name}, step {scored.step:,}")
    st.caption(
        f"L∞, one random start, the first {ATTACKED_IMAGES} test images: a quick look, from which "
        "stronger attacks take more. Where one step leaves far more than ten, the network has "
        "learned the step, not the ball."
    )


def _chart(
    key: str, table: pd.DataFrame, names: list[str], by: str, *, height: int = 260, **options: bool
) -> None:
    """One chart of curves, or its place while there is nothing to draw."""
    if len(table) < 2:
        st.skeleton(height=height)
        return
    chart = charts.curves(
        table,
        theme.palette(),
        names=names,
        x_title=by.lower(),
        height=height,
        **options,
    )
    draw(chart, key=f"{key}-chart", alt=f"{key} against {by.lower()}")


def _single_finding(run: Run) -> str:
    score, scored = run.last_score, run.last_scored
    if scored is None or score is None:
        return f"Run {run.number} is about to start"
    return (
        f"Run {run.number} reads {text.percent(score)} of {score.total:,} test images right "
        f"at step {scored.step:,}{_attacked_finding(run, scored)}{_gone_on(run)}"
    )


def _gone_on(run: Run) -> str:
    """Where the run is, if that is not where it was scored and no record is about to say so."""
    job = run.job
    if run.last is None or not run.unscored or job is None or job.active:
        return ""
    where = f"; it {'rests' if job.state == PAUSED else 'ended'} at step {run.last.step:,}"
    return where if job.iterator is None else f"{where}, and is being scored there"


def _attacked_finding(run: Run, scored: Progress) -> str:
    if scored.test is None or scored.test.robust is None:
        return ""
    rate = scored.test.robust
    return (
        f", and under PGD-{SCORING_STEPS} at ε = {run.settings.attack_epsilon:g} "
        f"{text.percent(rate)} of {rate.total}"
    )


def _legend(shown: list[Run], names: dict[int, str]) -> str:
    return _badges([f"{names[run.id]}{_live_mark(run)}" for run in shown])


def _badges(names: list[str]) -> str:
    """A legend in the order, colors and dashes of the chart's lines."""
    styles = zip(_BADGE_COLORS, _BADGE_DASHES, names, strict=False)
    return " ".join(f":{color}-badge[{dash} {text.literal(name)}]" for color, dash, name in styles)


def _live_mark(run: Run) -> str:
    return f" · {run.job.state}" if run.job is not None and not run.job.ended else ""


def _table(shown: list[Run], names: dict[int, str], column: str, what: str) -> pd.DataFrame:
    rows = []
    for run in shown:
        points = [(getattr(p, column), _value(p, what)) for p in run.history]
        points = [(x, y) for x, y in points if y is not None and y == y]
        rows += [{"x": x, "y": y, "name": names[run.id]} for x, y in _thin(points)]
    return pd.DataFrame(rows, columns=["x", "y", "name"])


_RATES = {"test": "accuracy", "robust": "robust", "single_step": "single_step"}


def _value(progress: Progress, what: str) -> float | None:
    """A field of a record, or one of its rates; None where it has not been scored."""
    if what not in _RATES:
        return float(getattr(progress, what))
    rate: Rate | None = getattr(progress.test, _RATES[what]) if progress.test else None
    return rate.value if rate else None


def _gradient_table(run: Run, column: str) -> pd.DataFrame:
    rows = [
        {"x": x, "y": y, "name": layer}
        for layer in (run.history[-1].gradient_norms if run.history else {})
        for x, y in _thin(
            [(getattr(p, column), p.gradient_norms[layer]) for p in run.history if p.gradient_norms]
        )
        if y > 0
    ]
    return pd.DataFrame(rows, columns=["x", "y", "name"])


def _thin(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most `_POINTS` points: means of neighbors, the last x of each."""
    size = -(-len(points) // _POINTS)
    chunks = [points[i : i + size] for i in range(0, len(points), size)] if size > 1 else []
    if not chunks:
        return points
    return [(chunk[-1][0], sum(y for _, y in chunk) / len(chunk)) for chunk in chunks]


def claim() -> None:
    """E2: does batch normalization help? By this visitor's runs, and by the shipped models."""
    from core.report.claims import batch_normalization_verdict
    from core.report.settings import REPORTED_TEST_ACCURACY
    from core.training.comparison import race

    cards = compute.shipped_cards()
    with st.container(border=True, key="claim"):
        st.markdown(
            "**Does batch normalization help?** :gray[· experiment E2; the report says: trains "
            "much faster, a percent better]"
        )
        if {"model-1", "model-2"} <= cards.keys():
            plain, normalized = cards["model-1"].test, cards["model-2"].test
            with st.skeleton(height=24):
                answers = [
                    compute.test_evaluation(compute.classifier(key)).right
                    for key in ("model-1", "model-2")
                ]
            st.markdown(batch_normalization_verdict(*answers))
            st.caption(
                f"The shipped models, ten epochs each: Model 1 {text.full_rate(plain)}; "
                f"Model 2 {text.full_rate(normalized)}. The report has "
                f"{REPORTED_TEST_ACCURACY['model-1']:.1%} and "
                f"{REPORTED_TEST_ACCURACY['model-2']:.1%}."
            )
        pair = _pair_that_differs_in_normalization()
        if pair is None:
            st.caption(
                "Speed: train Model 1 and Model 2 with the same settings, lay both over each "
                "other, and the race to 97 % is written here, by steps and by seconds."
            )
        else:
            st.markdown(race(*pair))
            st.caption(
                "Seconds count training and scoring on this server; a batch-normalized step "
                "costs more."
            )


def _pair_that_differs_in_normalization() -> tuple[Run, Run] | None:
    shown = run_controls.overlaid()
    for second in reversed(shown):
        for first in shown:
            plain = not first.architecture.batch_normalization
            twin = replace(first.architecture, batch_normalization=True) == second.architecture
            same = first.settings == second.settings and first.changes == second.changes
            if plain and twin and same:
                return first, second
    return None

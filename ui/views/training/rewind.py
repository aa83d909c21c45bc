"""Back to any checkpoint of a run: kernels, confusion, mistakes and one image as they were then."""

from dataclasses import replace

import numpy as np
import streamlit as st

from core.network.card import ModelCard
from core.network.classifier import Classifier
from core.network.evaluation import Evaluation
from core.network.model import serialize_model
from core.training.runs import Run
from ui import text, theme
from ui.controls.downloads import download
from ui.figures import charts, tiles
from ui.show import draw, picture
from ui.views.training import run_controls
from ui.visitor import compute, state
from ui.visitor.choice import Choice
from ui.visitor.images import ChosenImage

KERNEL_LIMIT = 0.5
_MISTAKES = 21


def show(choice: Choice) -> None:
    """The checkpoint slider and what it shows, for the runs that are laid over each other."""
    runs = run_controls.overlaid()
    if not runs:
        return
    st.subheader("Rewind", anchor=False)
    working = any(run.job is not None and run.job.active for run in runs)
    st.fragment(_rewind, run_every=4.0 if working else None)(runs, choice)


def _rewind(runs: list[Run], choice: Choice) -> None:
    for run in runs:
        if run.made_room:
            st.caption(run.made_room)
    runs = [run for run in runs if run.trained]
    if not runs:
        st.skeleton(height=400)
        return
    numbers = [run.number for run in runs]
    picker, slider = st.columns([1, 2.5], gap="medium", vertical_alignment="center")
    with picker:
        number = st.segmented_control(
            "Run",
            numbers,
            default=numbers[-1],
            required=True,
            format_func=lambda n: f"Run {n}",
            key=f"rewind-run-{'-'.join(map(str, numbers))}",
        )
    run = next(run for run in runs if run.number == number)
    with slider:
        step = _checkpoint_slider(run)
    evaluation = compute.checkpoint_evaluation(run, step)
    matrix, wrong = st.columns([1, 1.25], gap="small")
    with matrix, st.container(border=True, height="stretch"):
        _confusion(run, step, evaluation)
    with wrong, st.container(border=True, height="stretch"):
        _mistakes(run, evaluation)
    kernels, reading = st.columns([1.25, 1], gap="small")
    with kernels, st.container(border=True, height="stretch"):
        _kernels(run, step)
    with reading, st.container(border=True, height="stretch"):
        _reading(run, step, choice.image)
    _downloads(run, step)


def _checkpoint_slider(run: Run) -> int:
    """The chosen checkpoint; the newest until the visitor has moved the slider."""
    steps = list(run.checkpoints.steps)
    key, touched = f"checkpoint-{run.id}", f"_touched-checkpoint-{run.id}"
    if len(steps) == 1:
        st.caption("Checkpoint: the untrained network. More follow as it trains.")
        return steps[0]
    if not st.session_state.get(touched) or st.session_state.get(key) not in steps:
        st.session_state[key] = steps[-1]
        st.session_state.pop(touched, None)
    step: int = st.select_slider(
        "Checkpoint",
        steps,
        key=key,
        format_func=_step_name,
        on_change=lambda: st.session_state.update({touched: st.session_state[key] != steps[-1]}),
        help="Weights are kept at 25 points, close together at the start, where most is learned.",
    )
    return step


def _step_name(step: int) -> str:
    return "untrained" if step == 0 else f"step {step:,}"


def _confusion(run: Run, step: int, evaluation: Evaluation) -> None:
    accuracy = evaluation.accuracy
    st.markdown(
        f"**{text.percent(accuracy)} right, {_step_name(step)}** :gray[· run {run.number}, "
        f"{text.interval(accuracy)}, {accuracy.successes:,} of {accuracy.total:,} test images]"
    )
    draw(
        charts.confusion(evaluation.confusion, run.dataset.spec.classes, theme.palette()),
        key="rewind-matrix",
        alt=f"Confusion matrix of run {run.number}, {_step_name(step)}",
    )


def _mistakes(run: Run, evaluation: Evaluation) -> None:
    mistakes = evaluation.mistakes()
    st.markdown(
        f"**What it gets wrong** "
        f":gray[· {len(mistakes):,} of {len(evaluation.labels):,}, hardest first]"
    )
    images, names = run.dataset.test.images, run.dataset.spec.classes
    with st.grid(min_column_width=64, gap="xsmall"):
        for index in mistakes[:_MISTAKES]:
            true, read = (names[of[index]] for of in (evaluation.labels, evaluation.predicted))
            with st.container(gap=None, horizontal_alignment="center"):
                picture(
                    tiles.image(images[index] / 255, 56, theme.palette()),
                    width=56,
                    alt=f"Test image {index}: {text.a(true)}, read as {read}",
                )
                st.caption(
                    f"{text.literal(true)} → **{text.literal(read)}**", text_alignment="center"
                )
    scored = len(evaluation.labels)
    st.caption(f"True → **predicted**, among the first {scored:,} test images.")


def _kernels(run: Run, step: int) -> None:
    now, first = (run.checkpoints.load(each) for each in (step, run.checkpoints.steps[0]))
    channels = run.architecture.input_shape[-1]
    name = min(  # a file keeps no order
        name
        for name, array in now.items()
        if name.endswith("/kernel") and array.ndim == 4 and array.shape[2] == channels
    )
    layer = name.removesuffix("/kernel")
    kernels, untrained = now[name], first[name]
    side, _, _, count = kernels.shape
    moved = np.linalg.norm(kernels - untrained) / np.linalg.norm(untrained)
    st.markdown(
        f"**The kernels of {layer} have moved by {moved:.0%} of their initial length** "
        f":gray[· {count} of {side} × {side}, {_step_name(step)}]"
    )
    palette = theme.palette()
    tile = tiles.change(kernels.transpose(3, 0, 1, 2), KERNEL_LIMIT, palette)
    scale = max(2, 72 // kernels.shape[0])
    picture(
        tiles.mosaic(tile, palette, columns=8, scale=scale, gap=12),
        width="stretch",
        alt=f"The kernels of {layer}, {_step_name(step)}",
    )
    of = " Of three colors the largest weight." * (kernels.shape[2] > 1)
    st.caption(
        f"Orange below 0, blue above, paper at 0; one scale from −0.5 to +0.5 at every step.{of}"
    )


def _reading(run: Run, step: int, image: ChosenImage) -> None:
    if image.spec != run.dataset.spec:
        st.markdown(
            f"**{image.title} is of {text.literal(image.spec.name)}** :gray[· run {run.number} "
            "reads "
            f"{text.literal(run.dataset.spec.name)}: choose a model of it to see one of its images "
            "here]"
        )
        return
    probabilities = compute.checkpoint_probabilities(run, step, image.key, image.floats)
    predicted = int(probabilities.argmax())
    st.markdown(
        f"**{image.title} is read as {text.literal(image.spec.classes[predicted])}** "
        f":gray[· {text.literal(image.kind)}, p = {probabilities[predicted]:.3f}, "
        f"{_step_name(step)}]"
    )
    left, bars = st.columns([1, 1.5], gap="medium", vertical_alignment="center")
    with left:
        picture(tiles.image(image.pixels / 255, 112, theme.palette()), width=112, alt=image.title)
    with bars:
        draw(
            charts.class_bars(probabilities, image.spec.classes, theme.palette(), true=image.label),
            key="rewind-bars",
            alt="Probabilities of the ten classes",
        )


def _downloads(run: Run, step: int) -> None:
    with st.container(horizontal=True, horizontal_alignment="right"):
        full = len(state.kept()) >= state.MAX_KEPT and _kept_key(run, step) not in state.kept()
        kept = st.button(
            "Use on all pages",
            key="keep-checkpoint",
            type="tertiary",
            icon=":material/deployed_code:",
            on_click=_keep,
            args=[run, step],
            disabled=full,
            help=f"You keep {state.MAX_KEPT} models, the most: open a new tab for more."
            if full
            else f"Run {run.number}, {_step_name(step)}, becomes the model of every page.",
        )
        if kept:
            st.rerun()  # the header stands outside this fragment
        download(
            "Weights",
            lambda: weights(run, step),
            f"run-{run.number}-step-{step}.safetensors",
            key="weights",
            help=f"Run {run.number}, {_step_name(step)}, with its card.",
        )


def _kept_key(run: Run, step: int) -> str:
    return f"{state.run_key(run)}-step-{step}"


def _keep(run: Run, step: int) -> None:
    """Put the checkpoint into the model picker, and choose it."""
    classifier = run.classifier(step)
    card = replace(_card(run, step, classifier), title=f"{run.name}, {_step_name(step)}")
    key = _kept_key(run, step)
    state.kept()[key] = state.ModelFile(key, serialize_model(classifier.model, card), card)
    st.session_state[state.MODEL] = key


def _card(run: Run, step: int, classifier: Classifier) -> ModelCard:
    accuracy = run.evaluate(step).accuracy
    return run.card(step, accuracy, classifier.version, classifier.model.count_params())


def weights(run: Run, step: int) -> bytes:
    """The run's model at a checkpoint as safetensors with its card."""
    classifier = run.classifier(step)
    return serialize_model(classifier.model, _card(run, step, classifier))


def use_everywhere(run: Run) -> None:
    """Make the run the model of all pages."""
    st.session_state[state.MODEL] = state.run_key(run)

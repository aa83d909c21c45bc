"""“Fool it, retrain, fool it again”: the tray, one more epoch with it, and the rounds so far."""

from dataclasses import replace

import pandas as pd
import streamlit as st

from core.data.spec import MNIST
from core.jobs import QueueFull
from core.network.model import named_weights
from core.statistics.rate import Rate
from core.training.rounds import Round, round_of
from core.training.runs import Run
from core.training.settings import MAX_EXTRA_IMAGES
from core.training.trainer import SCORING_STEPS
from core.training.tray import Tray, TrayImage
from ui import text, theme
from ui.controls import bound, no_gradient
from ui.controls.columns import result_and_settings
from ui.controls.downloads import download
from ui.controls.tray import tray
from ui.figures import tiles
from ui.files import npz
from ui.header.navigation import view
from ui.show import error_box, picture
from ui.views.training import chosen, run_controls
from ui.visitor import compute, images, session, state
from ui.visitor.cache import cached
from ui.visitor.choice import Choice, short_titles

_A_PAGE = 30
_ERROR = "_tray_error"
_REPEAT = "tray_times"


def show(choice: Choice) -> None:
    """The tray's images left, the button that trains on them right, the rounds below."""
    st.subheader("Fool it, retrain, fool it again", anchor=False)
    images, controls = result_and_settings()
    with images, st.container(border=True, height="stretch", key="tray"):
        _images()
    with controls, st.container(border=True, key="tray-settings"):
        _settings(choice)
    rounds = [found for run in state.runs() if (found := _round(run))]
    if rounds:
        with st.container(border=True, key="tray-rounds"):
            _rounds(rounds)


def _images() -> None:
    held = tray()
    if not len(held):
        st.markdown("**The tray is empty** :gray[· it collects images of all pages to train on]")
        own = ", or in the dialog of a digit of your own (header, Draw a digit)"
        st.caption(
            "Press “To the tray” below an attacked image (Adversarial; One noise, many images), a "
            f"class image, or misread ones (Predictions){own if images.spec() == MNIST else ''}."
        )
        st.page_link(view("adversarial").path, label="Fool it first", icon=":material/bolt:")
        return
    st.markdown(
        f"**{len(held)} of at most {MAX_EXTRA_IMAGES} images** "
        f":gray[· {', '.join(f'{count} {name}' for name, count in held.sources.items())}]"
    )
    pages = -(-len(held) // _A_PAGE)
    page = 1
    if pages > 1:
        page = st.segmented_control(
            "Page",
            range(1, pages + 1),
            default=1,
            required=True,
            key=f"tray-page-{pages}",
            label_visibility="collapsed",
        )
    with st.grid(min_column_width=64, gap="xsmall"):
        for number, image in enumerate(held.images[(page - 1) * _A_PAGE :][:_A_PAGE]):
            _thumbnail(held, image, number)
    shape = str(["n", *images.spec().byte_shape]).replace("'", "")
    st.caption("Label · press to remove. What an attack did is kept to a 255th of a pixel’s range.")
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.button(
            "Remove all",
            key="tray-clear",
            type="tertiary",
            icon=":material/delete:",
            on_click=held.clear,
        )
        download(
            "NPZ",
            lambda: archive(held),
            "tray.npz",
            key="tray-npz",
            help=f"Images uint8 {shape}, labels, and where they are from.",
        )


def _thumbnail(held: Tray, image: TrayImage, number: int) -> None:
    name = images.spec().classes[image.label]
    with st.container(gap=None, horizontal_alignment="center"):
        picture(
            tiles.image(image.image / 255, 56, theme.palette()),
            width=56,
            alt=f"{image.source}, label {name}",
        )
        st.button(
            text.literal(name),
            key=f"tray-remove-{number}",
            type="tertiary",
            icon=":material/close:",
            on_click=held.remove,
            args=[image],
            help=f"{image.source}; remove it",
        )


def archive(held: Tray) -> bytes:
    """The tray as an NPZ file: images, labels, sources."""
    split = held.split
    return npz(
        {
            "images": split.images,
            "labels": split.labels,
            "sources": [each.source for each in held.images],
        }
    )


def _settings(choice: Choice) -> None:
    held, job = len(tray()), session.current_job()
    title = text.literal(short_titles()[choice.model])
    busy = job is not None and not job.ended
    times = bound.slider(
        "Each comes … times an epoch",
        1,
        100,
        20,
        key=_REPEAT,
        help=f"Beside {choice.spec.training_images:,} images a few hundred seen once would hardly "
        "be noticed.",
    )
    st.button(
        "Add to training, one more epoch",
        key="tray-train",
        icon=":material/model_training:",
        width="stretch",
        disabled=busy or not held,
        on_click=_train,
        args=[choice],
        help="Stop the job that runs first." if busy else None,
    )
    count = min(choice.spec.training_images, chosen.images_an_epoch())
    st.caption(
        f"Goes on from {title} for one epoch of {count:,} + {held} × {times} images, with the "
        "learning rate, batch and attack of the settings above. It becomes a run and a model."
    )
    if error := st.session_state.get(_ERROR):
        error_box(error)


def _train(choice: Choice) -> None:
    """Start the epoch as this visitor's job; the reason is kept if it cannot be."""
    st.session_state.pop(_ERROR, None)
    try:
        run_controls.add(_run(choice))
    except (ValueError, QueueFull) as error:
        st.session_state[_ERROR] = str(error)


def _run(choice: Choice) -> Run:
    """One epoch of its data set and the tray, from the weights of the chosen model."""
    if state.BEHIND in choice.model:
        raise ValueError("The model stands behind a defense: choose the network itself.")
    extra = tray().split
    wanted = chosen.settings()
    settings = replace(
        wanted,
        epochs=1,
        robust_scores=True,
        attack_epsilon=chosen.epsilon(),
        training_images=min(choice.spec.training_images, wanted.training_images),
        extra_images=len(extra),
        extra_repeat=int(st.session_state[_REPEAT]),
    )
    run = state.run_by_key(choice.model)
    return Run(
        compute.card(choice.model).architecture,
        settings,
        compute.dataset(choice.spec),
        number=run_controls.next_number(),
        extra=extra,
        originals=tray().originals | (run.originals if run else frozenset()),
        origin=f"Run {run.number}" if run else compute.card(choice.model).title,
        start=named_weights(choice.classifier().model),
    )


def _round(run: Run) -> Round | None:
    """The round that a run was, once it has ended; measured once."""
    if run.extra is None or run.job is None or not (run.job.settled and run.trained):
        return None
    return _measured_round(run, run.checkpoints.steps[-1])


@cached
def _measured_round(run: Run, step: int) -> Round | None:
    return round_of(run)


def _rounds(rounds: list[Round]) -> None:
    last = rounds[-1]
    st.markdown(f"**{_finding(last)}** :gray[· run {last.number}, {text.literal(last.title)}]")
    rows = [
        {
            "run": f"{each.number} · {each.title}",
            "ε": f"{each.epsilon:g}",
            **{
                f"{name} {when}": _written(getattr(standing, name))
                for name in ("tray", "test", "robust")
                for when, standing in (("before", each.before), ("after", each.after))
            },
        }
        for each in rounds
    ]
    names = {
        "run": "Round: run",
        "tray before": "Tray before",
        "tray after": "after",
        "test before": "Test before",
        "test after": "after ",
        "robust before": f"PGD-{SCORING_STEPS} before",
        "robust after": "after  ",
    }
    table = pd.DataFrame(rows).rename(columns=names)
    st.dataframe(
        table,
        hide_index=True,
        key="tray-table",
        alt="Round by round, what is read right before and after, with intervals",
    )
    st.markdown(f"Under attack, after it is {last.verdict.words()}.")
    no_gradient.say(Rate.of(last.before.flat), "Before")
    no_gradient.say(Rate.of(last.after.flat), "After")
    st.caption(
        "Right, with 95 % intervals: of the tray’s images, on which it was trained; of the last "
        f"{last.after.test.total:,} test images that none of these was made from; of the last "
        f"{last.after.robust.total} of them under PGD-{SCORING_STEPS} (L∞, ε). Reading the tray is "
        "memory; only a new attack on other images shows whether it got harder to fool. The curves "
        "above score the first test images, which the tray may hold."
    )
    with st.container(horizontal=True, horizontal_alignment="right"):
        again = st.button(
            "Fool it again",
            key="fool-again",
            type="tertiary",
            icon=":material/bolt:",
            on_click=st.session_state.update,
            args=[{state.MODEL: f"run-{last.number}"}],
            help=f"Choose run {last.number} as the model, and go to the Adversarial page.",
        )
    if again:
        st.switch_page(view("adversarial").path, query_params={})


def _finding(last: Round) -> str:
    before, after = last.before, last.after
    fooled = {1: "harder", -1: "easier", 0: "as easy"}[last.verdict.winner]
    return (
        f"It reads {text.percent(after.tray)} of the tray after {text.percent(before.tray)}, and "
        f"{text.percent(after.robust)} under a new attack after {text.percent(before.robust)}: "
        f"{fooled} to fool again{'' if last.verdict.shown else ' as far as can be told'}"
    )


def _written(rate: Rate) -> str:
    return f"{text.percent(rate)} {text.interval(rate)}"

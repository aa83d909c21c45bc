"""The Generative view (E14): an autoencoder or a generator in front of the network."""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import streamlit as st

from core.data.spec import MNIST
from core.defenses.autoencoder import Autoencoder
from core.defenses.defended import DefendedClassifier, defense_of, title_of
from core.defenses.projection import Projection
from core.defenses.purification import purifiers
from core.network.classifier import Classifier
from ui import text, theme
from ui.components.player import mount as player
from ui.components.player.track import Track
from ui.controls import bound, downloads
from ui.controls.columns import result_and_settings
from ui.controls.exported import exported
from ui.figures import tiles
from ui.figures.charts import class_bars
from ui.show import draw, error_box, picture
from ui.views.defenses import generative_samples
from ui.views.defenses.generative_made import (
    ATTACK_ITERATIONS,
    ORIGINAL,
    STATIC,
    THROUGH,
    GenerativeAsked,
    GenerativeSeen,
    behind,
    controls,
    path,
    static,
    through,
    true_class,
)
from ui.visitor import state
from ui.visitor.choice import Choice, admit, bare_key
from ui.visitor.images import ChosenImage

PROJECTION = "projection"
_TITLES = {None: "No defense", Autoencoder.key: "Autoencoder", PROJECTION: "Projection"}
_IMAGES = {ORIGINAL: "the original", STATIC: "statically attacked", THROUGH: "adaptively attacked"}
_TILE = 84
_ASKED = "_gen_adaptive"  # the settings and the image for which the adaptive attack was asked

Rows = dict[str, dict[str | None, GenerativeSeen]]


def show(choice: Choice, classifier: Classifier) -> None:
    """What both make of the image and of attacks on it; the projection's way; samples."""
    if choice.spec != MNIST:
        st.info(
            "Autoencoder and generator have learned MNIST: there are none for "
            f"{text.literal(choice.spec.name)}.",
            icon=":material/info:",
        )
        return
    parts, problems = purifiers()
    for problem in problems:
        error_box(problem)
    kinds = [PROJECTION if isinstance(part, Projection) else part.key for part in parts]
    if not kinds:
        return
    bare = classifier
    if isinstance(classifier, DefendedClassifier):
        bare = classifier.bare
        st.caption(
            f"This view puts its own defenses in front of {text.literal(bare.name)}, not the "
            f"chosen one."
        )
    _defenses(choice, bare, kinds)
    if PROJECTION in kinds:
        generative_samples.show(choice.image, bare)


@st.fragment
def _defenses(choice: Choice, classifier: Classifier, kinds: Sequence[str]) -> None:
    image = choice.image
    result, side = result_and_settings()
    with side, st.container(border=True, key="gen-settings"):
        asked = controls()
        adaptive_asked = _adaptive_button(classifier, image, asked)
        of = _projected_control() if PROJECTION in kinds else ORIGINAL
        _use_buttons(choice, kinds, asked)
    with result, st.container(border=True, height="stretch", key="gen-result"):
        with st.skeleton(height=720):
            rows = _rows(classifier, image, kinds, asked)
            problems = _attack_through(rows, classifier, image, asked) if adaptive_asked else []
        _table(rows, image, true_class(image, classifier), asked)
        for problem in problems:
            error_box(problem)
    if PROJECTION in kinds:
        reached = PROJECTION in rows.get(of, {})
        with st.container(border=True, key="gen-path"):
            _path(classifier, image, rows, of if reached else STATIC, asked)


def _adaptive_button(classifier: Classifier, image: ChosenImage, asked: GenerativeAsked) -> bool:
    """Whether the adaptive attack was asked for with these settings."""
    now = (classifier.version, image.key, asked)
    if st.button(
        "Attack through them",
        key="gen-adaptive",
        type="primary",
        icon=":material/bolt:",
        width="stretch",
        help="Attacks each defense through itself, with gradients that know it. It takes seconds; "
        "more iterations and restarts of the projection make it longer.",
    ):
        st.session_state[_ASKED] = now
    return bool(st.session_state.get(_ASKED) == now)


def _projected_control() -> str:
    """Which image the player projects."""
    chosen: str = bound.selectbox(
        "Watch the projection of",
        (ORIGINAL, STATIC, THROUGH),
        index=1,
        key="gen_of",
        help="Original: the image itself. Static: attacked without the defense. Adaptive: attacked "
        "through the projection; until that has been asked for, the static one is shown.",
    )
    return chosen


def _use_buttons(choice: Choice, kinds: Sequence[str], asked: GenerativeAsked) -> None:
    st.markdown(
        ":small[Use on all pages]",
        help="Puts the network behind this defense into the model picker: every map, attack and "
        "score then sees through it. The projection takes its iterations and restarts along, and "
        "makes everything as much slower.",
    )
    for kind in kinds:
        key = asked.key_of(kind)
        used = st.button(
            title_of(defense_of(key)),
            key=f"gen-use-{kind}",
            icon=":material/shield:",
            on_click=_use,
            args=[choice, key],
            width="stretch",
        )
        if used:
            st.rerun()  # the header stands outside this fragment


def _use(choice: Choice, defense: str) -> None:
    key = f"{bare_key(choice.model)}{state.BEHIND}{defense}"
    st.session_state[state.MODEL] = admit(key)


def _rows(
    classifier: Classifier, image: ChosenImage, kinds: Sequence[str], asked: GenerativeAsked
) -> Rows:
    """The image and the statically attacked one, without and behind each defense."""
    attacked = static(classifier, image, asked.epsilon)
    return {
        row: {kind: behind(classifier, kind, asked, pixels) for kind in (None, *kinds)}
        for row, pixels in ((ORIGINAL, image.floats), (STATIC, attacked))
    }


def _attack_through(
    rows: Rows, classifier: Classifier, image: ChosenImage, asked: GenerativeAsked
) -> list[str]:
    """Add what was attacked through each defense; a sentence for each that cannot be."""
    found: dict[str | None, GenerativeSeen] = {}
    problems = []
    for kind in rows[STATIC]:
        if kind is not None:
            try:
                attacked = through(classifier, image, kind, asked)
            except ValueError as error:
                problems.append(str(error))
            else:
                found[kind] = behind(classifier, kind, asked, attacked)
    if found:
        rows[THROUGH] = found
    return problems


def _table(rows: Rows, image: ChosenImage, true: int, asked: GenerativeAsked) -> None:
    st.markdown(
        f"**{_finding(rows, true)}** :gray[· {image.title}, {image.kind}; L∞ ε = "
        f"{asked.epsilon:g}, {ATTACK_ITERATIONS} iterations]"
    )
    names = {
        ORIGINAL: "Original",
        STATIC: "Static: attacked without the defense",
        THROUGH: "Adaptive: attacked through the defense",
    }
    for row, cells in rows.items():
        st.markdown(f":gray[{names[row]}]")
        columns = st.columns(len(rows[ORIGINAL]), gap="medium")
        for number, kind in enumerate(rows[ORIGINAL]):
            with columns[number]:
                if kind in cells:
                    _cell(cells[kind], row, kind, true, image.label is not None)
    st.caption(
        "Left the image, right what the network gets of it. Static: PGD on the bare network. "
        "Adaptive: APGD through the defense; where the projection stands, a search among latent "
        "numbers. This is one image: Defense × attack has the rates."
    )


def _cell(seen: GenerativeSeen, row: str, kind: str | None, true: int, labeled: bool) -> None:
    palette = theme.palette()
    title = _TITLES[kind]
    st.markdown(f"**{title}**: read as {seen.read}")
    shown = [seen.image] + ([] if kind is None else [seen.purified])
    pair = tiles.colored(np.concatenate(shown), palette)
    scale = tiles.scale_of(_TILE, MNIST.side)
    sheet = tiles.mosaic(pair, palette, columns=len(pair), scale=scale)
    alt = f"{row} image" + ("" if kind is None else f" and what the {title.lower()} makes of it")
    picture(sheet, width=sheet.shape[1] // 2, alt=alt)
    draw(
        class_bars(seen.probabilities, MNIST.classes, palette, true=true if labeled else None),
        key=f"gen-bars-{row}-{kind}",
        alt=f"{title}, {row.lower()}: read as {seen.read}, p = {seen.probabilities.max():.3f}",
    )


def _finding(rows: Rows, true: int) -> str:
    """What the defenses make of the attacked image, and attacks of the defenses; one sentence."""
    kinds = [kind for kind in rows[ORIGINAL] if kind is not None]
    said = [_first(rows, kinds, true)]
    attacked = [kind for kind in kinds if kind in rows.get(THROUGH, {})]
    tried = [kind for kind in attacked if rows[ORIGINAL][kind].read == true]
    if fooled := [kind for kind in tried if rows[THROUGH][kind].read != true]:
        said.append(f"an attack that knows of it gets through {_listed(fooled)}")
    if held := [kind for kind in tried if kind not in fooled]:
        said.append(f"an attack that knows of it does not get through {_listed(held)}")
    if lost := [kind for kind in attacked if kind not in tried]:
        said.append(f"behind {_listed(lost)} the original is misread without any attack")
    return "; ".join(said)


def _first(rows: Rows, kinds: Sequence[str], true: int) -> str:
    """What is read of the original if that is wrong, else of the statically attacked image."""
    clean, attacked = rows[ORIGINAL], rows[STATIC]
    if clean[None].read != true:
        right = [kind for kind in kinds if clean[kind].read == true]
        rightly = f", and rightly behind {_listed(right)}" if right else ""
        return f"This {true} is read as a {clean[None].read} without any attack{rightly}"
    if attacked[None].read == true:
        return f"Without a defense the attacked {true} is still read as a {true}"
    held = _listed([kind for kind in kinds if attacked[kind].read == true])
    return f"Behind {held or 'no defense'} the attacked {true} is a {true} again"


def _listed(kinds: Sequence[str]) -> str:
    return text.listed([f"the {_TITLES[kind].lower()}" for kind in kinds]) if kinds else ""


def _path(
    classifier: Classifier, image: ChosenImage, rows: Rows, of: str, asked: GenerativeAsked
) -> None:
    """The way of each restart in the player."""
    trajectory = path(classifier, rows[of][PROJECTION].image, asked)
    distance = trajectory.terms["distance"]
    best = int(distance[-1].argmin())
    st.markdown(
        f"**The nearest digit of the generator is {np.sqrt(distance[-1, best]):.2f} away (L2), "
        f"read as {trajectory.predicted[-1, best]}** :gray[· {_IMAGES[of]}, {asked.iterations} "
        f"iterations, the best of {asked.restarts} {'start' if asked.restarts == 1 else 'starts'}]"
    )
    tracks = [
        Track(f"Start {number + 1}" if number else "Encoder", trajectory, number, true=image.label)
        for number in np.argsort(distance[-1], kind="stable")
    ]
    tracks = exported(tracks, classifier, {"made by": "projection", "of": of, **asdict(asked)})
    player.show(tracks, key="gen-player")
    st.caption(
        "What the generator draws at each step, the start that ends nearest first. Loss: distance "
        "is ‖G(z) − x‖². Norms and change count from the first drawing."
    )
    downloads.trajectories(tracks, key="gen-take", name="projection", to_tray=False)

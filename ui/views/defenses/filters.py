"""Filters in front of the network (E12): what they do to a clean, a noisy, an attacked image."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.arrays import FloatArray
from core.attacks.goals import Untargeted
from core.attacks.gradient import pgd
from core.attacks.loss_surface import without_gradient
from core.attacks.noise_control import noise_of_norm
from core.data.spec import MNIST
from core.defenses.adaptive import adaptive, views
from core.defenses.defended import DefendedClassifier, defense_of, gradient_of, title_of
from core.defenses.filters import KINDS, Filter
from core.network.classifier import Classifier, softmax
from core.report.settings import E12
from core.statistics.rate import Rate
from ui import text, theme
from ui.controls import no_gradient, shared
from ui.controls.columns import result_and_settings
from ui.controls.downloads import download
from ui.figures import charts, tiles
from ui.files import npz
from ui.show import draw, picture
from ui.views.defenses import filter_settings
from ui.views.defenses.filter_settings import FiltersAsked
from ui.visitor import compute
from ui.visitor.cache import cached
from ui.visitor.choice import Choice
from ui.visitor.images import ChosenImage

WAYS = ("Clean", "Noise", "Attacked", "Attacked through it")
_STATIC, _ADAPTIVE = 2, 3
_ITERATIONS = 40
_WORK = 300  # passes of one image in all attacks of one look
_TILE = 140


@dataclass(frozen=True)
class FiltersSeen:
    """One image four ways: WAYS.

    images float32 [4, …]; stages: title → what is left behind each filter, the same shape;
    bare and defended float32 [4, classes]: the answers without and with the filters. flat: the
    clean image has no gradient through any stand-in.
    """

    images: FloatArray
    stages: dict[str, FloatArray]
    bare: FloatArray
    defended: FloatArray
    true: int
    flat: bool = False


@st.fragment
def show(choice: Choice, classifier: Classifier) -> None:
    """The image before and behind the filters, the settings, and each filter on its own."""
    result, side = result_and_settings()
    with side, st.container(border=True, key="settings"):
        asked = filter_settings.controls(choice)
    bare = classifier.bare
    with result, st.container(border=True, height="stretch", key="result"):
        if asked is None:
            st.markdown("**No filter is chosen** :gray[· take one or more in the settings]")
            return
        with st.skeleton(height=520):
            seen = examined(bare, choice.image, asked)
        _result(choice.image, asked, seen)
    with st.container(border=True, key="filters-each"):
        _each(bare, seen)
    _downloads(asked, seen)


@cached
def examined(classifier: Classifier, image: ChosenImage, asked: FiltersAsked) -> FiltersSeen:
    """The image four ways, kept for the next look."""
    clean = image.floats
    true = int(classifier.predict(clean)[0]) if image.label is None else image.label
    goal = Untargeted(np.array([true]))
    behind = DefendedClassifier(classifier, asked.chain)
    with compute.inline("The attack", _WORK, behind):
        static = pgd(classifier, clean, goal, epsilon=asked.epsilon, iterations=_ITERATIONS)
        knowing = adaptive(behind, clean, goal, epsilon=asked.epsilon, iterations=_ITERATIONS)
    noisy = noise_of_norm(clean, static.l2)
    images = np.concatenate([clean, noisy, static.adversarial, knowing.adversarial])
    stages, last = {}, images
    for number, part in enumerate(asked.chain, 1):
        last = DefendedClassifier(classifier, asked.chain[:number]).purified(images)
        stages[f"{number} · {part.title}"] = last
    flat = bool(without_gradient(views(behind), clean, goal.labels).all())
    bare, defended = (each.probabilities(images) for each in (classifier, behind))
    return FiltersSeen(images, stages, bare, defended, true, flat)


def _result(image: ChosenImage, asked: FiltersAsked, seen: FiltersSeen) -> None:
    names = image.spec.classes
    st.markdown(
        f"**{finding(asked, seen, text.literals(names))}** "
        f":gray[· {image.title}, L∞ ε = {asked.epsilon:g}]"
    )
    palette = theme.palette()
    with st.grid(min_column_width=_TILE + 10, gap="small"):
        for number, way in enumerate(WAYS):
            with st.container(gap="xsmall"):
                st.markdown(f"**{way}**")
                _pixels(seen.images[number], f"{way}, before the filters")
                for title, stage in seen.stages.items():
                    st.caption(title)
                    _pixels(stage[number], f"{way}, behind {title}")
                bars = charts.class_bars(seen.defended[number], names, palette, true=image.label)
                draw(
                    bars,
                    key=f"filters-bars-{number}",
                    alt=f"{way}: probability of each class behind the filters",
                )
                st.caption(f"Without filters: {_answer(seen.bare[number], text.literals(names))}")
    no_gradient.say(Rate(int(seen.flat), 1))
    random = " A random filter is pictured by its first draw." * ("averaged" in _gradient(asked))
    reported = f"{E12.identifier}: the report proposes to “{E12.reported}”, and measures nothing. "
    st.caption(
        f"{reported if image.spec == MNIST else ''}"
        "*Noise* is as long as the attack in L2. *Attacked* is PGD on the bare network, 40 steps; "
        f"the last column is an attack on network and filters, gradient {_gradient(asked)}.{random}"
    )


def finding(asked: FiltersAsked, seen: FiltersSeen, names: Sequence[str]) -> str:
    """What the filters did to this image, in a sentence."""
    bare, read = (
        [names[label] for label in each.argmax(axis=1)] for each in (seen.bare, seen.defended)
    )
    title, true = title_of(asked.chain), names[seen.true]
    if read[0] != true:
        return f"{title}: the clean {true} itself is read as {text.a(read[0])}"
    if bare[0] != true:
        wrong = text.a(bare[0])
        return f"{title}: the {true}, which the bare network reads as {wrong}, is read rightly"
    if read[_STATIC] != true:
        stays = "stays" if bare[_STATIC] != true else "is now"
        looks = f"the attacked {true} {stays} misread, as {text.a(read[_STATIC])}"
    elif bare[_STATIC] == true:
        looks = "the attack does not fool the bare network, so there is nothing to repair"
    else:
        looks = f"the attacked {true} is read rightly again"
    if read[_ADAPTIVE] == true:
        fixed = "an attack that knows of it does not get through either"
    else:
        fixed = f"an attack that knows of it makes it {text.a(read[_ADAPTIVE])}"
    return f"{title}: {looks}; {fixed}"


def _each(bare: Classifier, seen: FiltersSeen) -> None:
    """Every kind of filter at its default on the first three ways."""
    st.markdown(
        "**What does each filter do?** :gray[· clean, noisy and attacked, each filter at its "
        "default strength; below, what is read there, and its probability]"
    )
    palette = theme.palette()
    with st.grid(min_column_width=3 * shared.PAIR + 16, gap="small"):
        for kind in KINDS.values():
            part = Filter(kind.name, kind.default)
            behind = part(seen.images[: _STATIC + 1])
            answers = softmax(bare.logits(behind))
            three = tiles.colored(behind, palette)
            scale = tiles.scale_of(shared.PAIR, three.shape[1])
            sheet = tiles.mosaic(three, palette, columns=3, scale=scale)
            with st.container(gap="xxsmall"):
                picture(
                    sheet,
                    width=sheet.shape[1] // 2,
                    alt=f"{part.title}: clean, noisy and attacked",
                )
                st.caption(
                    f"**{part.title}** · gradient {kind.gradient}  \n"
                    f"{_answers(answers, text.literals(bare.spec.classes))}  \n{kind.summary}"
                )


def _downloads(asked: FiltersAsked, seen: FiltersSeen) -> None:
    with st.container(horizontal=True, horizontal_alignment="right"):
        download(
            "Images",
            lambda: npz(
                {
                    "images": seen.images,
                    "filtered": np.stack(list(seen.stages.values())),
                    "probabilities": seen.defended,
                    "probabilities_without": seen.bare,
                }
            ),
            f"{asked.key}.npz",
            key="filters-npz",
            help="The four images, what is left behind each filter, and the answers, as NumPy "
            "arrays.",
        )


def _pixels(image: FloatArray, alt: str) -> None:
    picture(tiles.image(image, _TILE, theme.palette()), width=_TILE, alt=alt)


def _answer(probabilities: FloatArray, names: Sequence[str]) -> str:
    return f"**{names[probabilities.argmax()]}**, p = {probabilities.max():.3f}"


def _answers(probabilities: FloatArray, names: Sequence[str]) -> str:
    """Of the clean, the noisy and the attacked image."""
    return ", ".join(
        f"{way.lower()} **{names[each.argmax()]}** ({each.max():.3f})"
        for way, each in zip(WAYS, probabilities, strict=False)
    )


def _gradient(asked: FiltersAsked) -> str:
    return gradient_of(defense_of(asked.key))

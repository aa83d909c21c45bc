"""The noise, the sum, and the rates of both with their controls."""

import numpy as np
import streamlit as st

from core.arrays import FloatArray
from core.attacks.universal_noise import Carried
from core.network.classifier import Classifier
from core.statistics.paired import judged
from core.statistics.rate import Rate
from ui import text, theme
from ui.controls.signed_map import signed_map
from ui.figures import attack_charts, charts, tiles
from ui.show import draw, picture
from ui.views.one_noise.fit import GAUSSIAN, NOISE, SHUFFLED, Fit, FitSettings

_TILE = 140


def result(
    classifier: Classifier,
    settings: FitSettings,
    fitted: Fit,
    found: dict[str, Carried],
    *,
    scale: float,
    limit: float,
) -> None:
    """Source, noise, sum and its ten classes; below, the rates over the images scored."""
    st.markdown(_finding(classifier, settings, found, scale))
    source = settings.images[0]
    changed = np.clip(source.floats + np.float32(scale) * fitted.noise, 0, 1)
    scaled = scale * tiles.strongest(fitted.noise[0])
    palette = theme.palette()
    pictures, bars = st.columns([2, 1], gap="medium")
    with pictures, st.container(horizontal=True, gap="small"):
        with st.container(width=_TILE, gap="xsmall"):
            st.markdown(f":gray[{source.title}]")
            alt = f"{source.title}, {source.kind}"
            picture(tiles.image(source.floats[0], _TILE, palette), width=_TILE, alt=alt)
        with st.container(width=_TILE, gap="xsmall"):
            st.markdown(f":gray[Noise × {scale:g}]")
            signed_map(scaled, limit, alt="The noise, blue adds to a pixel and orange takes away")
        with st.container(width=_TILE, gap="xsmall"):
            st.markdown(":gray[Sum, clipped to 0 … 1]")
            alt = f"{source.title} with the noise"
            picture(tiles.image(changed[0], _TILE, palette), width=_TILE, alt=alt)
    with bars:
        probabilities = classifier.probabilities(changed)[0]
        names = classifier.spec.classes
        read = names[int(probabilities.argmax())]
        before = names[int(classifier.predict(source.floats)[0])]
        st.markdown(
            f"Read as **{text.literal(read)}** :gray[· without noise as {text.literal(before)}]"
        )
        draw(
            charts.class_bars(
                probabilities, names, palette, true=source.label, target=settings.target
            ),
            key="one-bars",
            alt="Probabilities of all classes for the sum",
        )
    st.caption(_sizes(scale * fitted.noise[0], limit, found))
    draw(
        attack_charts.attack_rates(_rates(settings, found), palette),
        key="one-rates",
        alt="Rates of the noise and of its controls, with 95 % intervals",
    )
    st.caption(_counted(settings, found))


def _finding(
    classifier: Classifier, settings: FitSettings, found: dict[str, Carried], scale: float
) -> str:
    noise, control = (found[name].misclassified(found[name].others) for name in (NOISE, GAUSSIAN))
    fitted = "one image" if len(settings.images) == 1 else f"{len(settings.images)} images"
    return (
        f"**A noise fitted to {fitted} misleads {text.percent(noise)} of other images, noise of "
        f"the same size {text.percent(control)}** :gray[· {text.literal(classifier.name)}, target "
        f"{text.literal(settings.target_name)}, scale {scale:g}]"
    )


def _rates(settings: FitSettings, found: dict[str, Carried]) -> dict[str, Rate]:
    others = found[NOISE].others
    return {
        f"Read as {settings.target_name}": found[NOISE].reached(),
        "Any wrong answer": found[NOISE].misclassified(others),
        f"{attack_charts.CONTROL}Gaussian": found[GAUSSIAN].misclassified(others),
        f"{attack_charts.CONTROL}shuffled": found[SHUFFLED].misclassified(others),
    }


def _sizes(scaled: FloatArray, limit: float, found: dict[str, Carried]) -> str:
    far = (np.abs(scaled) > limit).any(axis=-1)
    beyond = int(far.sum())
    outside = f" {beyond} of {far.size} pixels lie beyond the colors." if beyond else ""
    left, gaussian, mixed = (found[name].l2.mean() for name in (NOISE, GAUSSIAN, SHUFFLED))
    return (
        f"Noise: L2 {np.linalg.norm(scaled):.2f}, L∞ {np.abs(scaled).max():.2f}; blue adds to "
        f"a pixel.{outside} The clipping leaves a mean L2 of {left:.2f}, of the controls "
        f"{gaussian:.2f} and {mixed:.2f}."
    )


def _counted(settings: FitSettings, found: dict[str, Carried]) -> str:
    noise, target = found[NOISE], text.literal(settings.target_name)
    verdicts = judged({name: noise.beside(found[name]) for name in (GAUSSIAN, SHUFFLED)})
    return (
        f"Among the first {len(noise.labels):,} test images not fitted to: those read right "
        f"before, no {target}s. The noise is, beside Gaussian, "
        f"{verdicts[GAUSSIAN].words('stronger')}; beside its pixels shuffled, "
        f"{verdicts[SHUFFLED].words('stronger')}. With {target}s "
        f"{text.full_rate(noise.misclassified())} are misread. Controls: any wrong answer."
    )

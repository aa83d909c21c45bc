"""Certified, attacked and clean accuracy against ε, as a background job."""

import functools
from collections.abc import Callable, Generator, Mapping
from typing import Any

import numpy as np
import streamlit as st

from core.network.classifier import Classifier
from core.studies.certified_study import CertifiedStudy
from ui import text, theme
from ui.controls.downloads import download
from ui.controls.measure_panel import MeasurePanel, Record
from ui.figures import certified_charts
from ui.files import npz
from ui.show import draw
from ui.visitor import compute

_VALUES = 11  # of ε, from 0 on
_ITERATIONS = 40


def _begin(
    classifier: Classifier, settings: Mapping[str, Any]
) -> tuple[CertifiedStudy, Callable[..., Generator[float]]]:
    images, labels = compute.first_test_images(classifier.spec, settings["images"])
    epsilons = np.linspace(0, settings["epsilon"], _VALUES).round(5).tolist()
    study = CertifiedStudy(len(images), epsilons)
    return study, functools.partial(study.work, classifier, images, labels, iterations=_ITERATIONS)


def _show(record: Record[CertifiedStudy]) -> None:
    proof = record.study.found  # once: the job goes on meanwhile
    proven, standing, last = proof.certified, proof.attacked, proof.epsilons[-1]
    st.markdown(
        f"**At ε = {last:g} the truth lies between {text.percent(proven[-1])} and "
        f"{text.percent(standing[-1])}** :gray[· accuracy of {text.literal(record.model)}, the "
        f"first "
        f"{len(proof.clean):,} test images; L∞]"
    )
    rates = {
        certified_charts.CERTIFIED: proven,
        certified_charts.ATTACKED: standing,
        certified_charts.CLEAN: [proof.accuracy] * len(proven),
    }
    draw(
        certified_charts.accuracy(rates, proof.epsilons, theme.palette(), x_title="ε"),
        key="cert-accuracy",
        alt=f"Certified, attacked and clean accuracy against ε up to {last:g}",
    )
    st.markdown(
        f"Certified **{text.full_rate(proven[-1])}**, attacked **{text.full_rate(standing[-1])}**, "
        f"clean **{text.full_rate(proof.accuracy)}**"
    )
    st.caption(
        f"Attack: APGD on the cross-entropy and on a margin, {_ITERATIONS} iterations each; an "
        "image that fell stays fallen at larger ε. Bands: 95 % Wilson intervals."
    )
    _check(proof.contradictions, int(proof.proven[1:].any(axis=0).sum()))
    with st.container(horizontal=True, horizontal_alignment="right"):
        download(
            "Table",
            lambda: npz(
                {
                    "epsilons": proof.epsilons,
                    "clean": proof.clean,
                    "certified": proof.proven,
                    "standing": proof.standing,
                }
            ),
            "certified-accuracy.npz",
            key="cert-npz",
            help="For each ε and image whether it is proven and whether it stands, NumPy arrays.",
        )


def _check(contradictions: int, proven: int) -> None:
    """Whether the attack broke what is proven; `proven`: images with a proof at some ε above 0."""
    if not proven:
        st.markdown(
            ":orange[:material/hourglass_top:] Nothing is proven above ε = 0, so that no attack "
            "could contradict it: that is no proof that the images fall, nor that they stand."
        )
    elif contradictions:
        st.error(
            f"{contradictions} times the attack broke what was proven: one of both is wrong.",
            icon=":material/error:",
        )
    else:
        st.markdown(
            f":green[:material/check_circle:] The attack tried the {proven:,} images that are "
            "proven at some ε above 0, too, and broke none there."
        )


ACCURACY = MeasurePanel(
    name="cert_accuracy",
    title="Certified accuracy",
    what="test images",
    question="**How much is proven of other images, and how much can be broken?** :gray[· not "
    "measured yet: certified, attacked and clean accuracy against ε]",
    begin=_begin,
    show=_show,
)

"""The report's claim about its own two noises, measured on the model at hand."""

import streamlit as st

from core.classifier import Classifier
from core.data import CLASSES
from core.experiments import E9_SOURCE_CLASS, transfer_claim
from ui import theme
from ui.adversarial import shared
from ui.figures import attack_charts
from ui.one_noise.fit import GAUSSIAN, NOISE, report_settings, scores
from ui.show import draw


def claim(classifier: Classifier, *, count: int) -> None:
    """Both noises at scale 1 on images of neither the source's class nor the target."""
    place = st.container()
    wrong, shown = {}, {}
    with place, st.skeleton(height=220):
        for target, settings in report_settings().items():
            found = scores(classifier, classifier, settings, 1.0, count, (NOISE, GAUSSIAN))
            other = set(range(CLASSES)) - {E9_SOURCE_CLASS, target}
            wrong[target] = found[NOISE].misclassified(other)
            shown[f"Toward {target}"] = wrong[target]
            shown[f"{attack_charts.CONTROL}toward {target}"] = found[GAUSSIAN].misclassified(other)
    with place:
        source = settings.images[0]
        st.markdown(
            f"**Does the report’s claim hold?** :gray[· E9 on {classifier.name}: {source.title}, "
            f"{source.kind}; {settings.words}, scale 1]"
        )
        shared.claims([transfer_claim(wrong)])
        draw(
            attack_charts.attack_rates(shown, theme.palette()),
            key="one-claim",
            alt="Misread images of other classes with the report's two noises, and controls",
        )
        st.caption(
            f"Any wrong answer, among the first {count:,} test images without that one, of neither "
            f"{E9_SOURCE_CLASS} nor the target, read right before. Control: {GAUSSIAN}."
        )

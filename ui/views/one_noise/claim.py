"""The report's claim about its own two noises, measured on the model at hand."""

import streamlit as st

from core.attacks.universal_noise import Carried
from core.data.spec import MNIST
from core.network.classifier import Classifier
from core.report.claims import carried_claim
from core.report.settings import E9_SOURCE_CLASS
from core.statistics.paired import against
from core.statistics.rate import Rate
from ui import text, theme
from ui.controls import shared
from ui.figures import attack_charts
from ui.show import draw, error_box
from ui.views.one_noise.fit import GAUSSIAN, NOISE, FitSettings, report_settings, scores


def claim(
    classifier: Classifier, settings: FitSettings, found: Carried, *, scale: float, count: int
) -> None:
    """Both noises at scale 1 on images of neither the source's class nor the target.

    Below it what the noise that is set does, on images of all classes but its target.
    """
    place = st.container()
    wrong, shown = {}, {}
    with place, st.skeleton(height=220):
        try:
            reports = {
                target: scores(classifier, classifier, each, 1.0, count, (NOISE, GAUSSIAN))
                for target, each in report_settings().items()
            }
        except ValueError as error:
            error_box(error)
            return
        for target, report in reports.items():
            other = set(range(len(MNIST.classes))) - {E9_SOURCE_CLASS, target}
            wrong[target] = report[NOISE].misclassified(other)
            shown[f"Toward {target}"] = wrong[target]
            shown[f"{attack_charts.CONTROL}toward {target}"] = report[GAUSSIAN].misclassified(other)
    with place:
        reported = next(iter(report_settings().values()))
        source = reported.images[0]
        st.markdown(
            f"**Does the report’s claim hold?** :gray[· E9 on {text.literal(classifier.name)}: "
            f"{source.title}, "
            f"{source.kind}; {reported.words}, scale 1]"
        )
        if not all(rate.total for rate in wrong.values()):
            st.markdown("Not measured: no image of these classes is read right before.")
            return
        shared.claims([carried_claim(wrong)])
        st.markdown(_set_above(settings, found.misclassified(found.others), scale))
        draw(
            attack_charts.attack_rates(shown, theme.palette()),
            key="one-claim",
            alt="Misread images of other classes with the report's two noises, and controls",
        )
        st.caption(
            f"Any wrong answer, among the first {count:,} test images without that one, of neither "
            f"{E9_SOURCE_CLASS} nor the target, read right before. Control: {GAUSSIAN}."
        )


def _set_above(settings: FitSettings, rate: Rate, scale: float) -> str:
    """Whether the noise of the sliders misleads most images of classes other than its target."""
    count = len(settings.images)
    fitted = "one image" if count == 1 else f"{count} images"
    misleads = {
        1: "misleads **most**",
        0: "**is not shown to mislead most, or fewer than half**",
        -1: "misleads **fewer than half**",
    }[against(rate, 0.5)]
    return (
        f"The noise set above, toward {settings.target}, fitted to {fitted}, × {scale:g}, "
        f"{misleads}: {text.full_rate(rate)}."
    )

"""What the report says of such images, measured: E10 of classes, E11 of channels and units."""

import numpy as np
import streamlit as st

from core.arrays import FloatArray, to_float
from core.data.spec import MNIST
from core.inspection.class_images import ImageSettings, cost, late_gain
from core.inspection.responses import most_similar
from core.network.classifier import Classifier
from core.optimization.engine import Trajectory
from core.report.claims import Claim, Likeness, channel_claim, class_image_claims
from ui import text, theme
from ui.controls import shared
from ui.figures import class_charts
from ui.show import draw
from ui.views.class_images.among import DRAWS, reordered
from ui.views.class_images.made import ImagesMade, typical
from ui.views.class_images.wanted import CLASS, ImagesAsked, Start
from ui.visitor import compute
from ui.visitor.cache import cached

_OTHERS = 200  # test images that are compared with the rest of them


def show(classifier: Classifier, asked: ImagesAsked, way: Trajectory, found: ImagesMade) -> None:
    """The claims of E10 or E11 for what is shown above; the first is of MNIST alone."""
    if asked.wanted.kind == CLASS:
        _class_images(classifier, asked, way, found)
    else:
        _logits(classifier, asked, found)


def _class_images(
    classifier: Classifier, asked: ImagesAsked, way: Trajectory, found: ImagesMade
) -> None:
    as_reported = (asked.settings, asked.start) == (ImageSettings(), Start("zero"))
    where = "at the report’s settings" if as_reported else "at the settings above"
    word = "all ten classes" if len(asked.wanted.numbers) > 1 else "one class"
    st.markdown(f"**Does the report’s claim hold?** :gray[· E10, {word}, {where}]")
    second = shared.other_network(classifier)
    if second is None:
        st.markdown("Not measured: there is no other network to ask.")
        return
    shared.claims(_claims(classifier, asked, second, way, found))


@cached
def _claims(
    classifier: Classifier,
    asked: ImagesAsked,
    second: Classifier,
    _way: Trajectory,
    _found: ImagesMade,
) -> list[Claim]:
    classes = np.array(asked.wanted.numbers)
    test = compute.test_split(MNIST)
    similar, cosine = most_similar(_found.images, to_float(test.images))
    likeness = Likeness(
        of_class=int((test.labels[similar] == classes).sum()),
        cosine=float(np.median(cosine)),
        real_cosine=_real_cosine(),
        second_reads=int((second.predict(_found.images) == classes).sum()),
        second_name=text.literal(second.name),
    )
    gains = late_gain(cost(_way, asked.settings), _way.steps)
    _, rough_real = typical(MNIST)
    return class_image_claims(_found.images, rough_real, gains, likeness)


@cached
def _real_cosine() -> float:
    real = to_float(compute.test_split(MNIST).images)
    return float(np.median(most_similar(real[:_OTHERS], real[_OTHERS:])[1]))


def _logits(classifier: Classifier, asked: ImagesAsked, found: ImagesMade) -> None:
    title = asked.wanted.title(asked.wanted.numbers[0])
    change = found.logits[0] - found.first_logits[0]
    control = _shuffled_change(classifier, found)
    reported = "E11, " if classifier.spec == MNIST else ""
    kind = "digits" if classifier.spec == MNIST else "classes"
    st.markdown(f"**Which {kind} does {title} speak for?** :gray[· {reported}the image above]")
    chart = class_charts.logit_changes(
        change, control.mean(axis=0), classifier.spec.classes, theme.palette()
    )
    draw(chart, key="img-logits", alt=f"Change of all logits on the way to {title}")
    st.caption(
        "From the start to the last iteration. Ring: the same pixels in random order, the mean of "
        f"{DRAWS} draws. The way of each logit is in the player, under Logit."
    )
    if classifier.spec == MNIST:
        shared.claims([channel_claim(change, control)])


def _shuffled_change(classifier: Classifier, found: ImagesMade) -> FloatArray:
    logits = classifier.logits(reordered(found.images[:1]))
    change: FloatArray = logits - found.first_logits[0]
    return change

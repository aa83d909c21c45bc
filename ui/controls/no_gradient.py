"""Said wherever an attack was run: on how many images it had no gradient to follow."""

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.arrays import FloatArray, IntArray
from core.statistics.rate import Rate
from ui import text
from ui.visitor import compute
from ui.visitor.cache import cached

if TYPE_CHECKING:
    from core.network.classifier import Classifier


def say(rate: Rate, who: str = "") -> None:
    """A sentence if `rate` is above 0, the share of images without a gradient; else nothing.

    who: the classifier, where the view shows several.
    """
    if rate.successes:
        st.markdown(f":orange[:material/warning:] {sentence(rate, who)}")


def sentence(rate: Rate, who: str = "") -> str:
    """What a share of images without a gradient means; above 0."""
    where = "on this image"
    if rate.total > 1:
        where = f"on {rate.successes:,} of {rate.total:,} images ({text.percent(rate)})"
    begin = f"{who}: {where}" if who else where[0].upper() + where[1:]
    return (
        f"**{begin} the input gradient is exactly 0 in every pixel.** An attack that follows it "
        "finds nothing there, and that it fails says nothing: try one without a gradient (Square), "
        "and see *Is it masked?*"
    )


def note(classifier: "Classifier", images: FloatArray, classes: IntArray) -> None:
    """`say` of a few images [n, …] attacked here, by the classifier's own gradient.

    classes int64 [n]: those that the attack goes away from, or toward. Where it cannot be asked,
    a sentence says so, and what stands on the view stays.
    """
    digest = hashlib.sha256(images.tobytes() + classes.tobytes()).hexdigest()
    try:
        compute.check_inline("Whether there is a gradient", len(images), classifier)
        share = _share(digest, classifier, images, np.asarray(classes))
    except ValueError as error:
        st.caption(f"Whether there is a gradient to follow was not asked: {text.literal(error)}")
    else:
        say(share)


@cached
def _share(digest: str, classifier: "Classifier", _images: FloatArray, _classes: IntArray) -> Rate:
    from core.attacks.loss_surface import without_gradient

    return Rate.of(without_gradient([classifier], _images, _classes))

"""Whether an occlusion map tells the truth: pixels are erased in its order, and in two others."""

import numpy as np
import pandas as pd
import streamlit as st

from core.arrays import FloatArray
from core.inspection.fidelity import Fidelity, fidelity, random_map
from core.inspection.occlusion import OcclusionMap
from core.network.classifier import Classifier
from ui import text, theme
from ui.figures import charts
from ui.show import draw
from ui.visitor.cache import cached
from ui.visitor.images import ChosenImage

_DRAWS = 20


def truth(classifier: Classifier, image: ChosenImage, occlusion: OcclusionMap) -> None:
    """Erase pixels in the map's order, beside the two controls that know nothing of the network."""
    label = int(occlusion.classes[0])
    name = image.spec.classes[label]
    drop = occlusion.per_pixel_mean(occlusion.logit_drop)
    drop = np.nan_to_num(drop, nan=float(np.nanmin(drop)))
    tested = {
        "In the map's order": _erase(classifier, image, label, drop),
        **_controls(classifier, image, label),
    }
    areas = {name: float(each.deletion_area.mean()) for name, each in tested.items()}
    own, brightest, blind = areas.values()
    verdict = "beats" if own < brightest else "does not beat"
    st.markdown(
        f"**Does the map tell the truth? Area {own:.2f} in its order, {blind:.2f} at random, "
        f"{brightest:.2f} brightest first** "
        f":gray[· p({text.literal(name)}) while pixels turn black; lower finds what matters; "
        "one image]"
    )
    rows = [
        {"x": float(share), "y": float(p), "name": name}
        for name, each in tested.items()
        for share, p in zip(each.shares, each.deletion.mean(axis=0), strict=True)
    ]
    chart = charts.curves(
        pd.DataFrame(rows),
        theme.palette(),
        names=list(tested),
        x_title=f"share of the {image.spec.side**2} pixels that are black",
        legend=True,
        height=220,
    )
    draw(chart, key="truth", alt=f"Probability of {name} while pixels are erased")
    st.caption(
        f"On this image the map {verdict} a control that never asked the network: erasing the "
        "brightest pixels first. The map here is the mean change of the logit by pixel; 200 images "
        "and other maps are on the Attribution page."
    )


@cached
def _controls(classifier: Classifier, image: ChosenImage, label: int) -> dict[str, Fidelity]:
    """The two orders that follow from no map, and so from no slider."""
    floats = image.floats
    maps = {
        "Brightest first": floats.mean(axis=-1),
        f"At random, mean of {_DRAWS} draws": random_map(
            floats.repeat(_DRAWS, axis=0), draws=_DRAWS
        ),
    }
    return {name: _erase(classifier, image, label, each) for name, each in maps.items()}


def _erase(classifier: Classifier, image: ChosenImage, label: int, maps: FloatArray) -> Fidelity:
    count = len(maps)
    return fidelity(classifier, image.floats.repeat(count, axis=0), np.full(count, label), maps)

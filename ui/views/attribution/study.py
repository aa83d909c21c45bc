"""All maps and both controls over 200 test images, as a background job."""

import functools
from collections.abc import Callable, Generator, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core.inspection.catalog import METHODS
from core.inspection.fidelity import IMAGE_ITSELF, RANDOM_MAP
from core.network.classifier import Classifier
from core.statistics.averages import Mean
from core.studies.fidelity_study import FidelityStudy, MapScore, Ranking
from ui import text, theme
from ui.controls.measure_panel import TOTAL, MeasurePanel, Record
from ui.controls.setting_controls import words
from ui.figures import attribution_charts
from ui.show import draw
from ui.views.attribution.maps import Settings, maps_of
from ui.visitor import compute
from ui.visitor.choice import Choice


def study(classifier: Classifier, choice: Choice, settings: Settings) -> None:
    """The card that ranks the maps."""
    _FIDELITY.draw(classifier, choice, dict(settings), "takes about half a minute")


def study_table() -> pd.DataFrame | None:
    """The ranking measured last, as numbers; None before the first."""
    record = _FIDELITY.record()
    if record is None or not record.study.count:
        return None
    return _numbers(record.study.scores())


def _begin(
    classifier: Classifier, settings: Mapping[str, Any]
) -> tuple[FidelityStudy, Callable[..., Generator[float]]]:
    total = min(TOTAL, classifier.spec.test_images)
    begun = FidelityStudy(total)
    images, _ = compute.first_test_images(classifier.spec, total)
    return begun, functools.partial(begun.work, classifier, images, maps_of(settings))


def _show(record: Record[FidelityStudy]) -> None:
    scores = record.study.scores()
    st.markdown(
        f"**{_finding(scores)}** :gray[· {text.literal(record.model)}, the first "
        f"{scores[0].score.count} test "
        f"images, each for its predicted class; {_words(record.settings)}]"
    )
    chart, table = st.columns([1, 1.3], gap="medium", vertical_alignment="center")
    with chart:
        draw(
            attribution_charts.scores(scores, theme.palette()),
            key="study-scores",
            alt="Insertion minus deletion area of each map and control, with 95 % intervals",
        )
    with table:
        st.dataframe(
            _written_table(scores),
            hide_index=True,
            alt="Maps by rank, with deletion, insertion and their difference",
        )
    st.caption(
        "Means with 95 % intervals. Deletion: lower is better; insertion: higher. Rank: one more "
        "than the number of rows that score above, image by image (p < 0.05, Holm’s correction "
        f"for all {Ranking.of(scores).family} pairs); rows that no pair tells apart tie."
    )


def _words(settings: Settings) -> str:
    """What every map was set to."""
    own = [words(method, method.own(settings)) for method in METHODS.values() if method.settings]
    return ", ".join(own)


def _finding(scores: list[MapScore]) -> str:
    """Which come first, and which maps are no better than a control."""
    ranking = Ranking.of(scores)
    first = [each.name for each in scores if ranking.rank(each.name) == 1]
    sentences = [f"{text.listed(first)} {'tie for' if len(first) > 1 else 'comes'} first"]
    maps = [each.name for each in scores if not each.is_control]
    if beaten := [name for name in maps if ranking.beats(IMAGE_ITSELF, name)]:
        sentences.append(f"the image itself beats {text.listed(beaten)}")
    if useless := [name for name in maps if not ranking.beats(name, RANDOM_MAP)]:
        verb = "are" if len(useless) > 1 else "is"
        sentences.append(f"{text.listed(useless)} {verb} not shown to be better than a random map")
    return "; ".join(sentences)


def _written_table(scores: list[MapScore]) -> pd.DataFrame:
    places = _places(scores)
    return pd.DataFrame(
        [
            {
                "rank": f"{place}{' =' if places.count(place) > 1 else ''}",
                "map": f"{each.name} (control)" if each.is_control else each.name,
                "insertion − deletion": _written(each.score),
                "deletion": _written(each.deletion),
                "insertion": _written(each.insertion),
            }
            for each, place in zip(scores, places, strict=True)
        ]
    )


def _places(scores: list[MapScore]) -> list[int]:
    ranking = Ranking.of(scores)
    return [ranking.rank(each.name) for each in scores]


def _written(mean: Mean) -> str:
    return f"{mean.value:.2f} [{mean.low:.2f}, {mean.high:.2f}]".replace("-", "−")


def _numbers(scores: list[MapScore]) -> pd.DataFrame:
    rows = []
    for each, place in zip(scores, _places(scores), strict=True):
        row: dict[str, object] = {"map": each.name, "control": each.is_control, "rank": place}
        for title in ("score", "deletion", "insertion"):
            mean: Mean = getattr(each, title)
            row |= {title: mean.value, f"{title}_low": mean.low, f"{title}_high": mean.high}
        rows.append({**row, "images": each.score.count})
    return pd.DataFrame(rows)


_FIDELITY = MeasurePanel(
    name="fidelity",
    title="Fidelity of the maps",
    what="test images",
    question=f"**And over {TOTAL} images?** :gray[· not measured yet: every map and both controls, "
    "each image for its predicted class]",
    begin=_begin,
    show=_show,
)

"""All maps and both controls over 200 test images, as a background job."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from core.classifier import Classifier
from core.data import to_float
from core.fidelity import IMAGE_ITSELF, RANDOM_MAP, FidelityStudy, MapScore, Mean, ranks
from core.jobs import FAILED, FINISHED, QUEUED, STOPPED, Job, QueueFull
from ui import compute, session, text, theme
from ui.attribution_maps import METHODS, Settings, maps_of
from ui.figures import attribution_charts
from ui.header import Choice, short_titles
from ui.show import draw

IMAGES = 200
_STUDY, _ERROR = "_fidelity_study", "_fidelity_error"


@dataclass(frozen=True, eq=False)
class _Record:
    """A study that this visitor has started, and what it is of."""

    study: FidelityStudy
    job: Job
    model: str
    version: str
    settings: Settings


def study(classifier: Classifier, choice: Choice, settings: Settings) -> None:
    """The button, the progress and the table; a fragment, which is alive while the job is."""
    live = _is_live()
    st.fragment(_card, run_every=1.0 if live else None)(classifier, choice, settings, live)


def study_table() -> pd.DataFrame | None:
    """The ranking measured last, as numbers; None before the first."""
    record = _record()
    if record is None or not record.study.count:
        return None
    return _numbers(record.study.scores())


def _record() -> _Record | None:
    return st.session_state.get(_STUDY)


def _is_live() -> bool:
    record = _record()
    return record is not None and not record.job.ended


def _card(classifier: Classifier, choice: Choice, settings: Settings, drawn_live: bool) -> None:
    if drawn_live != _is_live():
        st.rerun()  # the card begins or ceases to look after the job
    record = _record()
    if error := st.session_state.get(_ERROR):
        st.error(error, icon=":material/error:")
    if record is None or not record.study.count:
        st.markdown(
            f"**And over {IMAGES} images?** :gray[· not measured yet: every map and both "
            "controls, each image for its predicted class]"
        )
    else:
        _result(record)
    _steering(record, classifier, choice, settings)


def _steering(
    record: _Record | None, classifier: Classifier, choice: Choice, settings: Settings
) -> None:
    if record is not None and not record.job.ended:
        _progress(record)
        return
    if record is not None and record.job.state == FAILED:
        st.error(record.job.error, icon=":material/error:")
    if record is not None and record.job.state == STOPPED:
        st.caption(f"Stopped after {record.study.count} of {record.study.total} images.")
    if record is not None and record.job.state == FINISHED:
        if (record.version, record.settings) == (classifier.version, settings):
            return
        st.caption("The model or the settings above have changed since.")
    busy = session.current_job()
    st.button(
        f"Measure over {IMAGES} test images",
        key="measure",
        type="primary",
        icon=":material/play_arrow:",
        on_click=_start,
        args=[classifier, choice, settings],
        help="With the settings above; takes about half a minute."
        + (" Your other job has to end first." if busy and not busy.ended else ""),
    )


def _progress(record: _Record) -> None:
    job = record.job
    if job.state == QUEUED:
        where = f"waiting, number {session.manager().position(job)} in the queue"
    else:
        where = f"{record.study.count} of {record.study.total} images"
    st.progress(min(1.0, job.fraction), text=where)
    st.button(
        "Stop",
        key="stop-study",
        icon=":material/stop:",
        on_click=session.manager().stop,
        args=[job],
    )


def _start(classifier: Classifier, choice: Choice, settings: Settings) -> None:
    st.session_state.pop(_ERROR, None)
    images = to_float(compute.mnist().test.images[:IMAGES])
    begun = FidelityStudy(IMAGES)
    job = Job(
        session.owner(),
        f"Fidelity of {len(METHODS)} maps",
        lambda: begun.work(classifier, images, maps_of(settings)),
        explained=(ValueError,),
    )
    try:
        session.manager().submit(job)
    except QueueFull as error:
        st.session_state[_ERROR] = str(error)
        return
    title = short_titles()[choice.model]
    st.session_state[_STUDY] = _Record(begun, job, title, classifier.version, settings)


def _result(record: _Record) -> None:
    scores = record.study.scores()
    used = record.settings
    cam = ", Grad-CAM signed" if used.signed_cam else ""
    st.markdown(
        f"**{_finding(scores)}** :gray[· {record.model}, the first {scores[0].score.count} test "
        f"images, each for its predicted class; baseline {used.baseline}, {used.steps} steps, "
        f"noise {used.noise:.2f}, {used.samples} samples{cam}]"
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
        "than the number of rows whose interval lies wholly above; rows that overlap tie."
    )


def _finding(scores: list[MapScore]) -> str:
    """Which come first, and which maps are no better than a control."""
    of = {each.name: each.score for each in scores}
    first = [each.name for each, rank in zip(scores, ranks(scores), strict=True) if rank == 1]
    sentences = [f"{text.listed(first)} {'tie for' if len(first) > 1 else 'comes'} first"]
    maps = [each.name for each in scores if not each.is_control]
    if beaten := [name for name in maps if of[IMAGE_ITSELF].low > of[name].high]:
        sentences.append(f"the image itself beats {text.listed(beaten)}")
    if useless := [name for name in maps if of[name].low <= of[RANDOM_MAP].high]:
        verb = "are" if len(useless) > 1 else "is"
        sentences.append(f"{text.listed(useless)} {verb} no better than a random map")
    return "; ".join(sentences)


def _written_table(scores: list[MapScore]) -> pd.DataFrame:
    places = ranks(scores)
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


def _written(mean: Mean) -> str:
    return f"{mean.value:.2f} [{mean.low:.2f}, {mean.high:.2f}]".replace("-", "−")


def _numbers(scores: list[MapScore]) -> pd.DataFrame:
    rows = []
    for each, place in zip(scores, ranks(scores), strict=True):
        row: dict[str, object] = {"map": each.name, "control": each.is_control, "rank": place}
        for title in ("score", "deletion", "insertion"):
            mean: Mean = getattr(each, title)
            row |= {title: mean.value, f"{title}_low": mean.low, f"{title}_high": mean.high}
        rows.append({**row, "images": each.score.count})
    return pd.DataFrame(rows)

"""All maps and both controls over 200 test images, as a background job."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from core.classifier import Classifier
from core.data import to_float
from core.fidelity import CONTROLS, IMAGE_ITSELF, RANDOM_MAP, FidelityStudy, Mean, ranks
from core.jobs import FAILED, QUEUED, STOPPED, Job, QueueFull
from ui import compute, session, theme
from ui.attribution_maps import METHODS, Settings, maps_of
from ui.figures import attribution_charts
from ui.header import Choice, model_titles
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
    record = _record()
    live = record is not None and not record.job.ended
    st.fragment(_card, run_every=1.0 if live else None)(classifier, choice, settings, live)


def study_table() -> pd.DataFrame | None:
    """The ranking measured last, as numbers; None before the first."""
    record = _record()
    if record is None or not record.study.count:
        return None
    return _numbers(record.study, _scores(record.study))


def _record() -> _Record | None:
    return st.session_state.get(_STUDY)


def _card(classifier: Classifier, choice: Choice, settings: Settings, drawn_live: bool) -> None:
    record = _record()
    if drawn_live and (record is None or record.job.ended):
        st.rerun()
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
    busy = session.current_job()
    pressed = st.button(
        f"Measure over {IMAGES} test images",
        key="measure",
        type="primary",
        icon=":material/play_arrow:",
        on_click=_start,
        args=[classifier, choice, settings],
        help="With the settings above; takes about half a minute."
        + (" Your other job has to end first." if busy and not busy.ended else ""),
    )
    if pressed:
        st.rerun()  # the card is alive from now on


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
    title = model_titles()[choice.model].split(" · ")[0]
    st.session_state[_STUDY] = _Record(begun, job, title, classifier.version, settings)


def _result(record: _Record) -> None:
    scores = _scores(record.study)
    used = record.settings
    st.markdown(
        f"**{_finding(scores)}** :gray[· {record.model}, the first {record.study.count} test "
        f"images, each for its predicted class; baseline {used.baseline}, {used.steps} steps, "
        f"noise {used.noise:.2f}, {used.samples} samples]"
    )
    chart, table = st.columns([1, 1.3], gap="medium", vertical_alignment="center")
    with chart:
        draw(
            attribution_charts.means(scores, CONTROLS, theme.palette()),
            key="study-means",
            alt="Insertion minus deletion area of each map and control, with 95 % intervals",
        )
    with table:
        st.dataframe(
            _written_table(record.study, scores),
            hide_index=True,
            alt="Maps by rank, with deletion, insertion and their difference",
        )
    st.caption(
        "Means with 95 % intervals. Deletion: lower is better; insertion: higher. Rank: one more "
        "than the number of rows whose interval lies wholly above; rows that overlap tie."
    )


def _scores(measured: FidelityStudy) -> dict[str, Mean]:
    """The mean score of each map and control, the best first."""
    scores = {name: measured.score_mean(name) for name in measured.insertion}
    return dict(sorted(scores.items(), key=lambda entry: -entry[1].value))


def _finding(scores: dict[str, Mean]) -> str:
    """Who is first, and which maps the controls beat or reach."""
    places = ranks(scores)
    first = [name for name in scores if places[name] == 1]
    sentences = [f"{_list(first)} {'tie for' if len(first) > 1 else 'comes'} first"]
    maps = [name for name in scores if name not in CONTROLS]
    if beaten := [n for n in maps if scores[IMAGE_ITSELF].low > scores[n].high]:
        sentences.append(f"the image itself beats {_list(beaten)}")
    if useless := [n for n in maps if scores[n].low <= scores[RANDOM_MAP].high]:
        sentences.append(f"{_list(useless)} {'are' if len(useless) > 1 else 'is'} no better "
                         "than a random map")  # fmt: skip
    return "; ".join(sentences)


def _list(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _written_table(measured: FidelityStudy, scores: dict[str, Mean]) -> pd.DataFrame:
    places = ranks(scores)
    tied = {name: list(places.values()).count(place) > 1 for name, place in places.items()}
    return pd.DataFrame(
        [
            {
                "rank": f"{places[name]}{' =' if tied[name] else ''}",
                "map": f"{name} (control)" if name in CONTROLS else name,
                "insertion − deletion": _written(mean),
                "deletion": _written(measured.deletion_mean(name)),
                "insertion": _written(measured.insertion_mean(name)),
            }
            for name, mean in scores.items()
        ]
    )


def _written(mean: Mean) -> str:
    return f"{mean.value:.2f} [{mean.low:.2f}, {mean.high:.2f}]".replace("-", "−")


def _numbers(measured: FidelityStudy, scores: dict[str, Mean]) -> pd.DataFrame:
    places = ranks(scores)
    rows = []
    for name, score in scores.items():
        row: dict[str, object] = {"map": name, "control": name in CONTROLS, "rank": places[name]}
        deletion, insertion = measured.deletion_mean(name), measured.insertion_mean(name)
        for title, mean in (("score", score), ("deletion", deletion), ("insertion", insertion)):
            row |= {title: mean.value, f"{title}_low": mean.low, f"{title}_high": mean.high}
        rows.append({**row, "images": score.count})
    return pd.DataFrame(rows)

"""The view Detection, headless: a measurement to the end, its threshold, its gallery, links."""

import functools
from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.studies import detection_study
from core.studies.detection_study import ADAPTIVE, NOISE, Detected, DetectionStudy, Scored
from tests.ui.conftest import fine_text_of, run_while_live
from ui import text
from ui.views.defenses import detection

VIEW = {
    "defense_view": "Detection",
    "detect_images": "50",
    "detector": "Reconstruction error",
}
QUICK = {"FGSM": {}, "PGD": {"iterations": 10, "step_size": 0.06}}


@pytest.fixture
def open_view(defenses: Callable[..., AppTest]) -> Callable[..., AppTest]:
    return lambda **query: defenses(**{**VIEW, **query})


def _measure(page: AppTest) -> AppTest:
    page.button(key="detection-measure").click().run()
    return run_while_live(page, "detection-stop")


def test_a_detector_is_measured_and_its_threshold_moved(
    open_view: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detection_study, "STATIC", QUICK)
    short = functools.partialmethod(DetectionStudy.work, iterations=5)
    monkeypatch.setattr(DetectionStudy, "work", short)
    page = open_view()
    assert "not measured yet" in fine_text_of(page)
    written = fine_text_of(_measure(page))
    study: DetectionStudy = page.session_state["_detection"].study
    found = study.found
    by_name = {each.name: each for each in found.attacks}
    assert list(by_name) == [*QUICK, NOISE, ADAPTIVE]
    threshold = found.threshold(0.05)
    static, adaptive = by_name["PGD"].detected(threshold), by_name[ADAPTIVE].detected(threshold)
    assert f"{text.percent(static)} of PGD’s images are found" in written
    assert "The adaptive attack gets past network and detector, beside " in written
    assert "McNemar’s exact test on the same images, p < 0.05 (Holm, " in written
    assert f"{text.percent(adaptive)} of those made to pass both" in written
    assert f"**{text.full_rate(found.false_positives(threshold))}**" in written
    table = page.table[0].value
    assert list(table["attack"]) == list(by_name)
    assert table["detected of these"][1] == text.full_rate(static)
    attack = next(each for each in page.selectbox if each.label == "Attack")
    written = fine_text_of(attack.set_value(ADAPTIVE).run())
    missed = len(by_name[ADAPTIVE].missed(threshold))
    assert f"{ADAPTIVE}: {missed} misread and not detected" in written
    page.segmented_control[0].set_value(0.2).run()
    lower = found.threshold(0.2)
    assert f"**{text.full_rate(found.false_positives(lower))}**" in fine_text_of(page)
    slider = next(each for each in page.slider if each.label == "Threshold")
    assert slider.value == pytest.approx(lower)
    slider.set_value(0.0).run()
    assert "**100 % [93, 100] · 50 of 50**" in fine_text_of(page)


def _found(*names: str, fooled: int) -> Detected:
    """Twenty images of each attack that score from 0 up; of so many the network errs."""
    images, scores = np.zeros((20, 28, 28, 1), np.float32), np.arange(20, dtype=np.float32)
    read, right = np.zeros(20, np.int64), np.ones(20, bool)
    attacks = tuple(
        Scored(name, images, read, scores, right, np.arange(20) < fooled) for name in names
    )
    return Detected(scores, scores, images, read, attacks)


@pytest.mark.parametrize(
    ("names", "fooled", "ended", "words"),
    [
        (("FGSM",), 4, False, "The first attacks are being scored"),
        (("FGSM",), 4, True, "PGD was not measured"),
        (
            ("PGD",),
            0,
            True,
            "PGD fools none of the images; an attack that knows of the detector was not tried",
        ),
        (
            ("PGD",),
            4,
            False,
            "50 % of PGD’s images are found; an attack that knows of the detector is still to come",
        ),
        (
            ("PGD", ADAPTIVE),
            0,
            True,
            "PGD fools none of the images, and the adaptive attack fools none",
        ),
        (
            ("PGD", ADAPTIVE),
            4,
            True,
            "50 % of PGD’s images are found, and 50 % of those made to pass both",
        ),
    ],
)
def test_what_the_finding_says(
    names: tuple[str, ...], fooled: int, ended: bool, words: str
) -> None:
    assert detection._finding(_found(*names, fooled=fooled), 1.5, ended=ended) == words


def test_edited_links_do_no_harm(open_view: Callable[..., AppTest]) -> None:
    page = open_view(detector="Oracle", detect_epsilon="7", detect_images="3")
    fine_text_of(page)
    assert page.selectbox(key="detector").value == "Feature squeezing"
    assert page.slider(key="detect_epsilon").value == 0.3
    assert page.select_slider(key="detect_images").value == 200

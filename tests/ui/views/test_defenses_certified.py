"""The view Certified, headless: proofs that hold and end, jobs, defenses, and edited links."""

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.arrays import to_float
from core.certification.growth import certified_radius
from core.certification.smoothing import certify
from core.data.mnist import Dataset
from core.defenses.defended import DefendedClassifier
from core.defenses.filters import Filter
from core.network.classifier import Classifier
from tests.ui.conftest import fine_text_of, run_while_live
from ui import text
from ui.views.defenses import certified_accuracy
from ui.visitor import compute

VIEW = {"defense_view": "Certified", "smooth_copies": "100"}


@pytest.fixture
def open_view(defenses: Callable[..., AppTest]) -> Callable[..., AppTest]:
    return lambda **query: defenses(**{**VIEW, **query})


def _measure(page: AppTest, name: str) -> AppTest:
    page.button(key=f"{name}-measure").click().run()
    return run_while_live(page, f"{name}-stop")


def test_a_proof_ends_and_says_where(
    open_view: Callable[..., AppTest], model_1: Classifier, mnist: Dataset
) -> None:
    page = open_view()
    image, label = to_float(mnist.test.images[1:2]), int(mnist.test.labels[1])
    radius = certified_radius(model_1, image, label)
    written = fine_text_of(page)
    assert (
        f"At ε = 0.3 nothing is proven of this {label}, which does not mean that it falls: its "
        f"proof ends at {radius:.4f}" in written
    )
    assert "valid, and useless" in written
    found = certify(model_1, image, sigma=0.25, copies=100)
    assert f"**{found.votes[found.guess]:,} of 100**" in written
    assert f"PREDICT answers **{found.predicted}**" in written
    assert "it was not trained with this noise" in written
    page.select_slider(key="cert_epsilon").set_value(0.001).run()
    written = fine_text_of(page)
    assert f"stays a {label} within ε = 0.001" in written
    page.slider(key="smooth_sigma").set_value(1.0).run()
    assert "The smoothed network abstains" in fine_text_of(page)


def test_the_truth_between_two_curves(
    open_view: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certified_accuracy, "_ITERATIONS", 5)
    page = _measure(open_view(cert_images="50", cert_epsilon="0.01"), "cert_accuracy")
    written = fine_text_of(page)
    proof = page.session_state["_cert_accuracy"].study.found
    low, high = proof.certified[-1], proof.attacked[-1]
    assert low.value < high.value
    assert f"between {text.percent(low)} and {text.percent(high)}" in written
    proven = int(proof.proven[1:].any(axis=0).sum())
    assert f"The attack tried the {proven} images that are proven at some ε above 0" in written
    assert "broke none there" in written
    assert len(proof.epsilons) >= 9


def test_where_nothing_is_proven_no_attack_confirms_it(
    open_view: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certified_accuracy, "_ITERATIONS", 1)
    written = fine_text_of(
        _measure(open_view(cert_images="50", cert_epsilon="0.3"), "cert_accuracy")
    )
    assert "Nothing is proven above ε = 0, so that no attack could contradict it" in written
    assert "broke none" not in written


def test_certified_accuracy_against_the_radius(open_view: Callable[..., AppTest]) -> None:
    page = _measure(open_view(smooth_images="50"), "smooth_accuracy")
    smoothed = page.session_state["_smooth_accuracy"].study.found
    written = fine_text_of(page)
    assert (
        f"Certified right at all (radius above 0) **{text.full_rate(smoothed.certified(0.0))}**"
        in written
    )
    assert f"abstained **{text.full_rate(smoothed.abstained)}**" in written
    verdict = smoothed.beside_base
    assert (verdict.pair.first, verdict.pair.second) == (smoothed.certified(0.0), smoothed.clean)
    assert f"Smoothed it is, beside the base network, {verdict.words()}" in written
    page.slider(key="smooth_sigma").set_value(0.5).run()
    assert "settings above have changed since" in fine_text_of(page)


def test_a_defense_has_no_bounds_but_can_be_smoothed(
    open_view: Callable[..., AppTest], model_1: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    defended = DefendedClassifier(model_1, [Filter("threshold", 0.5)])
    monkeypatch.setattr(compute, "classifier", lambda key: defended)
    page = open_view()
    written = fine_text_of(page)
    assert "There are no interval bounds for this network" in written
    assert "no rule for threshold-0.5" in written
    assert "Certified as 2 within L2" in written
    assert not any(button.key == "cert_accuracy-measure" for button in page.button)


def test_votes_behind_a_long_projection_are_refused(open_view: Callable[..., AppTest]) -> None:
    page = open_view(model="model-1~projection-200x10", smooth_copies="10,000")
    assert not page.exception
    assert [error.value for error in page.error] == [
        "Counting the votes takes 2,030,100 images × iterations, above 100,000: choose fewer "
        "images or iterations, or a cheaper model."
    ]


def test_a_misread_image_has_nothing_to_prove(
    open_view: Callable[..., AppTest], model_1: Classifier, mnist: Dataset
) -> None:
    wrong = model_1.predict(to_float(mnist.test.images)) != mnist.test.labels
    page = open_view(cert_epsilon="0.001")
    page.number_input(key="image").set_value(int(np.flatnonzero(wrong)[0])).run()
    assert "misread as it is: there is nothing to prove" in fine_text_of(page)


def test_edited_links_do_no_harm(open_view: Callable[..., AppTest]) -> None:
    page = open_view(cert_epsilon="7", smooth_sigma="x", smooth_copies="3")
    assert "At ε = 0.3" in fine_text_of(page)
    assert page.slider(key="smooth_sigma").value == 0.25

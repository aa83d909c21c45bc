"""Work over many test images, headless: what costs much says so and waits for its button."""

import pytest
from streamlit.testing.v1 import AppTest

from core.data.spec import MNIST
from tests.ui.conftest import fine_text_of, open_page, run_while_live, text_of
from ui.controls.whole_set import Whole, in_parts
from ui.views.class_images.made import layer_responses
from ui.visitor import compute

EXPENSIVE = "model-1~projection-200x10"


def finish(whole: Whole[object]) -> object:
    """The outcome of the work that a job would do."""
    steps = whole.work()
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def test_a_costly_defense_says_what_all_answers_cost(app: AppTest) -> None:
    page = open_page(app, "predictions", model=EXPENSIVE)
    assert "The answers to all test images: about 3 min of work" in fine_text_of(page)
    assert "10,000 images, each as costly as 201 through Model 1" in text_of(page)
    assert "_whole_set" not in page.session_state  # nothing was started
    assert page.button(key="whole-evaluation").label == "Measure"
    page.button(key="image-mistake").click().run()  # asks for the same answers
    assert [toast.value for toast in page.toast] == [
        "The mistakes of Model 1, Projection 200 × 10 are not measured yet: see the page "
        "Predictions."
    ]
    assert page.number_input(key="image").value == 1


def test_the_job_shows_the_page_and_is_kept_for_all(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compute, "MAX_INLINE_WORK", 5_000)
    page = open_page(app, "predictions")
    assert "The answers to all test images: about 1 s of work" in fine_text_of(page)
    page.button(key="whole-evaluation").click().run()
    run_while_live(page, "whole-evaluation-stop")
    assert "99.0 % of the test images are read right" in fine_text_of(page)
    other = open_page(AppTest.from_file(app._script_path, default_timeout=60), "predictions")
    assert "99.0 % of the test images are read right" in fine_text_of(other)


@pytest.mark.parametrize(
    ("view", "sentence"),
    [
        ("occlusion", "Hiding every part of the image takes 703,500 images × iterations"),
        ("attribution", "A comparison of the maps takes 328,434 images × iterations"),
        ("feature_maps", ""),
    ],
)
def test_other_pages_do_not_hang(app: AppTest, view: str, sentence: str) -> None:
    page = open_page(app, view, model=EXPENSIVE)
    assert not page.exception
    errors = [error.value for error in page.error]
    assert len(errors) == bool(sentence)
    assert all(error.startswith(sentence) for error in errors)
    if not sentence:
        assert "How often each channel responds: about 20 s of work" in text_of(page)


def test_parts_are_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of ten parts: what a job puts together is what is computed at once."""
    classifier = compute.zoo.load_once("model-1")
    few = compute.test_split(MNIST).first(250)
    with monkeypatch.context() as patched:
        patched.setattr(compute, "test_split", lambda _: few)
        whole = layer_responses(classifier, "conv2")
    found, at_once = finish(whole), whole.now()
    assert found.means.shape == (250, 32)
    assert abs(found.means - at_once.means[:250]).max() < 1e-5


def test_shares_of_parts_end_at_one() -> None:
    steps = in_parts(250, lambda part: [part.start], sum_of)
    assert list(steps) == [0.4, 0.8, 1.0]


def sum_of(parts: list[list[int]]) -> int:
    return sum(map(len, parts))


def test_a_link_between_two_steps_is_the_nearest_for_everybody(app: AppTest) -> None:
    """A median of 4.9999999 was computed in a window of 4 and kept for all under 5."""
    page = open_page(app, "predictions", model="model-1~median-4.9999999")
    assert page.query_params["model"] == "model-1~median-5"
    assert "89.0 % of the test images are read right" in fine_text_of(page)

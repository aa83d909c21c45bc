"""The adversarial page, headless: both views, every control, links that were edited, the jobs."""

import re
from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.arrays import to_float
from core.attacks.generated import generate_from_noise, move_toward
from core.attacks.goals import Targeted
from core.data.mnist import Dataset
from core.data.spec import MNIST
from core.network.classifier import Classifier
from tests.sizes import CLASSES
from tests.ui.conftest import run_while_live, text_of
from ui.views.adversarial import noise_luck, noise_settings, source_luck, source_settings
from ui.views.adversarial.source_settings import ROW
from ui.views.adversarial.toward_source import with_beta
from ui.visitor.images import encode_ink

QUICK = {"noise_steps": "10", "to_steps": "10"}
TO = {"view": "Toward a source"}


def _fine(app: AppTest) -> str:
    assert not app.exception
    assert not app.error
    return text_of(app)


def test_only_the_open_view_is_there(visit: Callable[..., AppTest]) -> None:
    page = visit(**QUICK)
    assert [tab.label for tab in page.tabs][:2] == ["From noise", "Toward a source"]
    assert page.slider(key="noise_mean")
    assert not [each for each in page.select_slider if each.key == "to_beta"]
    page.session_state["view"] = "Toward a source"
    page.run()
    assert "β = 1, from the source" in _fine(page)
    assert not [each for each in page.slider if each.key == "noise_mean"]


def test_e7_as_in_the_report(visit: Callable[..., AppTest], model_1: Classifier) -> None:
    page = visit(noise_steps="10", noise_mean="0.2", noise_cost="Cross-entropy", noise_show="4")
    assert "0.2, 0.05²), cross-entropy, Adam 5e-4, 10 iterations" in _fine(page)
    assert "which are not the report’s" in text_of(page)
    page.button(key="noise-as-reported").click().run()
    text = _fine(page)
    made = generate_from_noise(model_1, np.arange(CLASSES))
    least = made.probabilities[-1, np.arange(CLASSES), np.arange(CLASSES)].min()
    assert f"All ten starts become their class, p = {least:.3f} or more" in text
    assert "start N(0.5, 0.05²), logit, Adam 5e-4, 200 iterations" in text
    assert "“Very high confidence” is **confirmed**" in text
    assert "“The cost always falls” is **confirmed**: it rises in 0 of 2,000" in text
    assert "is **not measurable as such**" in text
    assert "at the report’s settings" in text
    assert page.pills(key="noise_show").value == [9, 0, 5]


def test_every_control_of_from_noise_moves(visit: Callable[..., AppTest]) -> None:
    page = visit(**QUICK)
    page.slider(key="noise_mean").set_value(0.3)
    page.slider(key="noise_std").set_value(0.2)
    page.select_slider(key="noise_rate").set_value(0.02)
    page.slider(key="noise_steps").set_value(20)
    page.segmented_control(key="noise_cost").set_value("cross-entropy")
    page.selectbox(key="noise_by").select("sgd")
    page.number_input(key="noise_seed").set_value(3).run()
    text = _fine(page)
    assert "start N(0.3, 0.2²), cross-entropy, SGD with momentum 0.02, 20 iterations" in text
    assert "cost: cross-entropy of the class" in text
    page.pills(key="noise_show").set_value(list(range(CLASSES))).run()
    assert "of 10 classes; cost" in _fine(page)
    page.pills(key="noise_show").set_value([]).run()
    assert "No class is shown" in page.info[0].value
    _fine(page)


def test_failures_of_from_noise_are_named(visit: Callable[..., AppTest]) -> None:
    page = visit(**QUICK, noise_rate="1e-4")
    text = _fine(page)
    assert re.search(r"1 of ten starts become their class; 0 is read as 3, .* and 5 more", text)
    assert "**0** is a 3" in text
    assert "10 as 3" in text
    assert "“Very high confidence” is **not confirmed**" in text


def test_e8_as_in_the_report(visit: Callable[..., AppTest], model_1: Classifier) -> None:
    page = visit(**TO, to_steps="10", to_beta="5", to_start="Noise", to="4")
    page.number_input(key="image").set_value(7).run()
    assert "Noise moved toward this 9" in _fine(page)
    page.button(key="to-as-reported").click().run()
    text = _fine(page)
    assert page.number_input(key="image").value == 1, "the report's source is a 2"
    two = to_float(np.asarray(_pixels(1))[None])
    targets = np.array([3, 6, 8])
    made = move_toward(model_1, two.repeat(3, axis=0), Targeted(targets))
    length = np.sqrt(((made.result - two) ** 2).sum(axis=(1, 2, 3)))
    assert (made.predicted[-1] == targets).all()
    assert (
        f"This 2 is read as 3, 6 and 8, L2 {length.min():.2f} to {length.max():.2f} from the source"
    ) in text
    assert "β = 1, from the source, logit, Adam 1e-3, 400 iterations" in text
    assert re.search(r"100 draws for each target, leaves the source a 2 in .* of 300\.", text)
    assert "“Classified as the target” is **confirmed**: 3 of 3" in text
    assert re.search(r"“Smoother than E7” is \*\*(not )?confirmed\*\*: the total variation", text)
    assert "3 targets, the report’s settings" in text
    assert "3 is reached up to β = " in text


def _pixels(number: int) -> np.ndarray:
    from ui.visitor import compute

    return compute.dataset(MNIST).test.images[number]


def test_every_control_of_toward_a_source_moves(visit: Callable[..., AppTest]) -> None:
    page = visit(**TO, **QUICK)
    page.select_slider(key="to_beta").set_value(0.0)
    page.segmented_control(key="to_start").set_value("noise")
    page.select_slider(key="to_rate").set_value(0.05)
    page.slider(key="to_steps").set_value(30)
    page.selectbox(key="to_by").select("sgd")
    page.selectbox(key="to_cost").select("cross-entropy")
    page.slider(key="to_mean").set_value(0.1)
    page.slider(key="to_std").set_value(0.1)
    page.number_input(key="to_seed").set_value(7).run()
    text = _fine(page)
    assert "β = 0, from noise, cross-entropy, SGD with momentum 0.05, 30 iterations" in text
    page.segmented_control(key="to_row").set_value(8).run()
    assert re.search(r"8 is reached (up to β|with (no )?β)", _fine(page))
    page.pills(key="to").set_value([7]).run()
    assert "1 target, the settings above" in _fine(page)
    assert re.search(r"7 is reached (up to β|with (no )?β)", text_of(page))
    page.pills(key="to").set_value([]).run()
    assert "No target is chosen" in page.info[0].value
    _fine(page)


def test_a_drawn_digit_is_attacked(visit: Callable[..., AppTest], mnist: Dataset) -> None:
    ink = encode_ink(np.asarray(mnist.test.images[0]))
    page = visit(**TO, ink=ink, to_steps="100", to_rate="0.01", to_beta="0.1", to="3")
    text = _fine(page)
    assert "**Your digit is read as 3, L2 " in text, page.markdown[3].value
    assert "which are not the report’s" in text
    assert "leaves the source a 7 in" in text


@pytest.mark.parametrize(
    "query",
    [
        {"view": "Everything"},
        {"noise_steps": "99999", **{"view": "From noise"}},
        {"noise_mean": "nan"},
        {"noise_mean": "-3"},
        {"noise_rate": "0.3"},
        {"noise_cost": "fame"},
        {"noise_show": "12"},
        {"noise_seed": "-1"},
        {**TO, "to_beta": "-1"},
        {**TO, "to_start": "chaos"},
        {**TO, "to": "x"},
        {**TO, "to_steps": "0"},
        {**TO, "to_row": "5"},
    ],
    ids=str,
)
def test_edited_links_fall_back(visit: Callable[..., AppTest], query: dict[str, str]) -> None:
    text = _fine(visit(**{**QUICK, **query}))
    assert re.search(r"\*\*(.* become.? |This 2 )", text)


def test_links_carry_the_settings(visit: Callable[..., AppTest]) -> None:
    page = visit(**TO, to_steps="20", to_beta="0.05", to_rate="2e-3", to_start="Noise", to_seed="4")
    assert "β = 0.05, from noise, logit, Adam 2e-3, 20 iterations" in _fine(page)
    assert page.number_input(key="to_seed").value == 4


def test_200_starts_are_counted(
    visit: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(noise_luck, "TOTAL", 20)
    page = visit(noise_steps="20", noise_rate="0.01", noise_show="3")
    assert "not measured yet" in text_of(page)
    page.button(key="noise_luck-measure").click().run()
    run_while_live(page, "noise_luck-stop")
    text = _fine(page)
    assert "Was that the start’s luck? 20 of 20 starts end as their class" in text
    assert "Model 1, 20 random starts for each; start N(0.5, 0.05²)" in text
    assert "No start failed" in text
    page.slider(key="noise_steps").set_value(10).run()
    assert "have changed since" in _fine(page)


def test_200_images_are_attacked(
    visit: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_luck, "TOTAL", 20)
    page = visit(**TO, to_steps="20", to_rate="0.01", to_beta="0.1")
    page.button(key="to_luck-measure").click().run()
    run_while_live(page, "to_luck-stop")
    text = _fine(page)
    assert re.search(r"Was that luck\? \d+ of \d+ images reach their target", text)
    assert "the first 20 test images, one random target each" in text
    assert "Median L2" in text


def test_starts_that_fail_are_shown_class_by_class(
    visit: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(noise_luck, "TOTAL", 20)
    page = visit(noise_steps="10", noise_rate="1e-4")
    page.button(key="noise_luck-measure").click().run()
    run_while_live(page, "noise_luck-stop")
    text = _fine(page)
    assert "0 of 60 starts end as their class" in text
    below = [re.fullmatch(r"\*\*(\d)\*\* is a \d", each.value) for each in page.caption]
    assert "".join(match[1] for match in below if match) == "9059059059"
    assert "Starts that did not end as their class" in text


def test_a_slider_retraces_nothing(model_1: Classifier) -> None:
    reported = noise_settings.REPORTED
    image = source_settings.images.ChosenImage(5)
    for steps, rate in ((10, 1e-3), (20, 5e-3)):
        settings = noise_settings.NoiseSettings(
            0.4, 0.1, rate, steps, reported.objective, reported.optimizer, seed=steps
        )
        noise_settings.trajectory_of(model_1, settings)
        source_settings.by_beta(
            model_1,
            image,
            steps // 10,
            source_settings.SourceSettings(
                rate, "noise", rate, steps, reported.objective, reported.optimizer, 0.5, 0.05, 1
            ),
        )
    compiled = [model_1._compiled[f"optimize/adam/{kind}"] for kind in ("logit", "logit+distance")]
    assert [each.experimental_get_tracing_count() for each in compiled] == [1, 1]


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ([], "with no β"),
        ([*ROW[:3]], f"up to β = {ROW[2]:g}"),
        ([*ROW], f"up to β = {ROW[-1]:g}"),
        ([ROW[0], ROW[2]], f"with β = {ROW[0]:g} and {ROW[2]:g} only"),
        ([ROW[1]], f"with β = {ROW[1]:g} only"),
    ],
)
def test_the_betas_that_reach_a_target(held: list[float], words: str) -> None:
    assert with_beta(held) == words

"""The shipped robust models on the page on defenses, and the sentences about them."""

from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.network.card import Alarm, ModelCard, Robustness
from core.zoo import models as zoo
from ui.views.defenses.robust_models import alarms, beside, finding, verdict

ROBUST = {"defense_view": "Robust models"}


@pytest.fixture
def card() -> ModelCard:
    return zoo.read_card(zoo.path_of("robust"))


def _with(card: ModelCard, pgd: np.ndarray, worst: np.ndarray, proven: int) -> ModelCard:
    """bool [1000] each: what stands."""

    def robustness(attack: str, standing: np.ndarray) -> Robustness:
        return Robustness.of(attack, 0.3, "linf", standing, {"fell to Square": 47})

    return replace(
        card,
        robustness=(
            robustness("Interval bounds", np.arange(1_000) < proven),
            robustness("PGD", pgd),
            robustness("Worst case", worst),
        ),
    )


def test_the_sentences_follow_the_figures(card: ModelCard) -> None:
    image = np.arange(1_000)
    masked = _with(card, image < 930, image < 880, 0)
    assert finding(masked) == "Robust: 88.0 % stay in the worst case"
    assert "PGD alone overstates it by 5.0 points." in verdict(masked)
    assert "47 of 1,000 images fall to Square only" in verdict(masked)
    assert "Nothing is proven of it" in verdict(masked)
    assert "too kind on 50 of the 50 images that tell them apart, p < 0.001: +5.0" in verdict(
        masked
    )
    honest = _with(card, image < 925, (image >= 5) & (image < 926), 910)
    assert verdict(honest).startswith(
        "PGD alone says 0.4 points more. It is too kind on 5 of the 6 images that tell them apart, "
        "p = 0.22: no difference shown. 47 of 1,000 images fall to Square only"
    )
    assert "For 91.0 % [89.1, 92.6] · 910 of 1,000 of the test images" in verdict(honest)


def test_one_image_more_or_less_is_decided_by_pairs(card: ModelCard) -> None:
    """8 points on 100 images: the intervals overlap, and no image says otherwise."""
    image = np.arange(100)
    pair = _with(card, image < 93, image < 85, 0)
    assert "overstates it by 8.0 points" in verdict(pair)
    assert "too kind on 8 of the 8 images that tell them apart, p = 0.008" in verdict(pair)
    counts = [replace(each, bits="") for each in pair.robustness]
    assert verdict(replace(card, robustness=tuple(counts))).startswith(
        "PGD alone says 8.0 points more; without pairs no difference is shown."
    )


def test_the_models_are_compared_on_the_same_images(card: ModelCard) -> None:
    image = np.arange(1_000)
    first = _with(card, image < 950, image < 890, 0)
    second = replace(_with(card, image < 950, image < 926, 0), title="Certified")
    assert beside([first, second]) == (
        "In the worst case Robust is, beside Certified, better on 0 of the 36 images that tell "
        "them apart, p < 0.001: −3.6 points [−4.9, −2.5]."
    )
    other = _with(card, image[:500] < 450, image[:500] < 450, 0)
    assert beside([first, replace(other, title="Certified")]) == ""


def test_the_alarms_that_are_heard_are_said(card: ModelCard) -> None:
    silent, fires = Alarm("One step", "silent", "None."), Alarm("Noise", "alarm", "Many.")
    assert alarms(replace(card, alarms=())) == ""
    stands = _with(card, np.arange(1_000) < 9, np.arange(1_000) < 7, 0)
    assert alarms(replace(stands, alarms=(silent,))) == (
        "7 of 1,000 stand in the worst case; 1 of 1 checks of *Is it masked?* are silent, which "
        "says that no gradient is hidden there, and no more."
    )
    heard = alarms(replace(stands, alarms=(silent, fires)))
    assert heard.startswith("7 of 1,000 stand in the worst case; 1 of 2 checks of")
    assert heard.endswith("and no more. *Noise*: alarm. Many.")


def test_both_models_with_what_their_cards_say(app: AppTest) -> None:
    app.default_timeout = 180
    app.query_params.update(ROBUST)
    app.run()
    page = app.switch_page("pages/defenses.py").run()
    assert not page.exception
    assert not page.error
    text = " ".join(str(element.value) for element in [*page.markdown, *page.caption])
    for name in ("robust", "certified"):
        assert finding(zoo.read_card(zoo.path_of(name))) in text
        assert verdict(zoo.read_card(zoo.path_of(name))) in text
        assert alarms(zoo.read_card(zoo.path_of(name))) in text
    assert [code.value for code in page.code][-2:] == [
        "python -m core.zoo robust",
        "python -m core.zoo certified",
    ]
    page.button(key="robust-choose-certified").click().run()
    assert page.session_state["model"] == "certified"
    assert page.button(key="robust-choose-certified").disabled

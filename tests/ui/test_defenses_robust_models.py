"""The shipped robust models on the page on defenses, and the sentences about them."""

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from core import zoo
from core.card import Alarm, ModelCard, Robustness
from core.rate import Rate
from ui.defenses.robust_models import alarms, finding, verdict

ROBUST = {"defense_view": "Robust models"}


@pytest.fixture
def card() -> ModelCard:
    return zoo.read_card(zoo.path_of("robust"))


def _with(card: ModelCard, pgd: int, worst: int, proven: int) -> ModelCard:
    def robustness(attack: str, standing: int) -> Robustness:
        return Robustness(attack, 0.3, "linf", Rate(standing, 1_000), {"fell to Square": 47})

    return replace(
        card,
        robustness=(
            robustness("Interval bounds", proven),
            robustness("PGD", pgd),
            robustness("Worst case", worst),
        ),
    )


def test_the_sentences_follow_the_figures(card: ModelCard) -> None:
    masked = _with(card, 930, 880, 0)
    assert finding(masked) == "Robust: 88.0 % stay in the worst case"
    assert "PGD alone overstates it by 5.0 points: its gradients mislead." in verdict(masked)
    assert "47 of 1,000 images fall to Square only" in verdict(masked)
    assert "Nothing is proven of it" in verdict(masked)
    honest = _with(card, 925, 921, 910)
    assert "PGD alone says 0.4 points more; 47 of 1,000 images fall to Square only" in verdict(
        honest
    )
    assert "For 91.0 % [89.1, 92.6] · 910 of 1,000 of the test images" in verdict(honest)


def test_the_alarms_that_are_heard_are_said(card: ModelCard) -> None:
    silent, fires = Alarm("One step", "silent", "None."), Alarm("Noise", "alarm", "Many.")
    assert alarms(replace(card, alarms=())) == ""
    assert "All 1 checks of *Is it masked?* are silent." in alarms(replace(card, alarms=(silent,)))
    heard = alarms(replace(card, alarms=(silent, fires)))
    assert heard == "1 of 2 checks of *Is it masked?* are silent. *Noise*: alarm. Many."


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

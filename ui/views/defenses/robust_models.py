"""The shipped robust models (E13): what their cards say, and what one attack alone would say."""

import itertools
from collections.abc import Sequence

import streamlit as st

from core.data.spec import MNIST
from core.network.card import INTERVAL_BOUNDS, PGD, WORST_CASE, ModelCard, Robustness
from core.network.classifier import Classifier
from core.report.settings import E13
from core.statistics.paired import judge, judged, paired
from core.statistics.rate import Rate
from core.studies.masking_verdicts import SILENT
from core.training.robust.settings import SHIPPED
from ui import text, theme
from ui.figures import attack_charts
from ui.show import draw
from ui.visitor import compute
from ui.visitor.choice import Choice, model_titles
from ui.visitor.state import MODEL

_CLEAN, _PROVEN = "clean", "proven"


def show(choice: Choice, classifier: Classifier) -> None:
    """A card for each model that was trained to resist, and how each was made."""
    cards = [card for card in compute.shipped_cards().values() if _is_complete(card)]
    if not cards:
        st.error(
            "No robust model can be read: restore assets/models from the repository.",
            icon=":material/error:",
        )
        return
    if choice.spec != MNIST:
        st.caption(
            "What ships trained to resist reads MNIST, and the model chosen above reads "
            f"{text.literal(choice.spec.name)}."
        )
    columns = st.columns(len(cards), gap="small")
    for column, card in zip(columns, cards, strict=True):
        with column, st.container(border=True, height="stretch", key=f"robust-{card.name}"):
            _card(choice, card)
    if told := beside(cards):
        st.markdown(told)
    st.caption(
        f"{E13.identifier}: the report proposes to “{E13.reported}”, and measures nothing. To "
        "train against attacks yourself, set it on the page Training; to attack these models, "
        "choose one in the header. The command under each card trains and measures it again."
    )


def beside(cards: Sequence[ModelCard]) -> str:
    """Which model holds more in the worst case, on the same images; "" without pairs."""
    worst = {card.title: _measured(card, WORST_CASE) for card in cards}
    verdicts = judged(
        {
            pair: paired(worst[pair[0]].right, worst[pair[1]].right)
            for pair in itertools.combinations(worst, 2)
            if len(worst[pair[0]].right) == len(worst[pair[1]].right) > 0
        }
    )
    said = [
        f"{first} is, beside {second}, {verdict.words()}"
        for (first, second), verdict in verdicts.items()
    ]
    return f"In the worst case {'; '.join(said)}." if said else ""


def _card(choice: Choice, card: ModelCard) -> None:
    st.markdown(f"**{finding(card)}** :gray[· L∞ ε = {card.robustness[0].epsilon:g}]")
    draw(
        attack_charts.attack_rates(_rates(card), theme.palette(), beside=(_CLEAN, _PROVEN)),
        key=f"robust-rates-{card.name}",
        alt=f"{card.title}: accuracy clean, attacked and proven",
    )
    st.markdown(verdict(card))
    st.markdown(alarms(card))
    pgd, worst = (_measured(card, name).settings for name in (PGD, WORST_CASE))
    st.caption(
        f"PGD: {pgd['iterations']} steps of {pgd['step_size']:g}. Worst case: APGD on two losses, "
        f"{worst['iterations']} steps each, then Square with {worst['queries']:,} queries, on the "
        "images that have no proof. Proven: interval bounds, the last layer elided. *Is it "
        "masked?*: the first 200 test images, transfer from Model 1."
    )
    st.code(f"python -m core.zoo {card.name}", language="sh")
    st.caption(
        f"{text.literal(card.description)}; {card.seconds / 60:.0f} processor minutes of training, "
        f"{text.epochs(card.settings)}, {card.parameters:,} parameters."
    )
    st.button(
        "On this page already" if choice.model == card.name else "Look into it",
        key=f"robust-choose-{card.name}",
        icon=":material/deployed_code:",
        type="tertiary",
        on_click=st.session_state.update,
        args=[{MODEL: card.name}],
        disabled=choice.model == card.name or card.name not in model_titles(),
        help="Puts it into the header: every page then shows this model.",
    )


def _rates(card: ModelCard) -> dict[str, Rate]:
    return {
        _CLEAN: card.test,
        PGD: _measured(card, PGD).standing,
        WORST_CASE: _measured(card, WORST_CASE).standing,
        _PROVEN: _measured(card, INTERVAL_BOUNDS).standing,
    }


def finding(card: ModelCard) -> str:
    """What the model holds, in a sentence."""
    worst = _measured(card, WORST_CASE).standing
    return f"{text.literal(card.title)}: {text.percent(worst)} stay in the worst case"


def verdict(card: ModelCard) -> str:
    """Whether PGD alone would have overstated it, and what is proven."""
    pgd, worst = _measured(card, PGD), _measured(card, WORST_CASE)
    proven = _measured(card, INTERVAL_BOUNDS).standing
    by_square = int(worst.settings.get("fell to Square", 0))
    said = (
        f"{_overstated(pgd, worst)} {by_square} of {worst.standing.total:,} images fall to Square "
        "only, which asks for no gradient."
    )
    if proven.successes:
        return f"{said} For {text.full_rate(proven)} of the test images it is proven."
    return f"{said} Nothing is proven of it: the bounds are too loose for any image."


def _overstated(pgd: Robustness, worst: Robustness) -> str:
    """What PGD alone leaves too much, by the images that only one of the two breaks."""
    lost = f"{100 * (pgd.standing.value - worst.standing.value):.1f} points"
    if not len(pgd.right) or len(pgd.right) != len(worst.right):
        return f"PGD alone says {lost} more; without pairs no difference is shown."
    found = judge(pgd.right, worst.right)
    lead = f"PGD alone says {lost} more."
    if found.winner > 0:
        lead = f"**PGD alone overstates it by {lost}.**"
    return f"{lead} It is {found.words('too kind')}."


def alarms(card: ModelCard) -> str:
    """What stands, then which checks for masked gradients fire or are not clear, in their words."""
    if not card.alarms:
        return ""
    worst = _measured(card, WORST_CASE).standing
    heard = [alarm for alarm in card.alarms if alarm.state != SILENT]
    silent = len(card.alarms) - len(heard)
    said = "".join(
        f" *{text.literal(alarm.check)}*: {text.literal(f'{alarm.state}. {alarm.verdict}')}"
        for alarm in heard
    )
    return (
        f"{worst.successes:,} of {worst.total:,} stand in the worst case; {silent} of "
        f"{len(card.alarms)} checks of *Is it masked?* are silent, which says that no gradient is "
        f"hidden there, and no more.{said}"
    )


def _is_complete(card: ModelCard) -> bool:
    return card.name in SHIPPED and all(map(card.measured, (INTERVAL_BOUNDS, PGD, WORST_CASE)))


def _measured(card: ModelCard, attack: str) -> Robustness:
    measured = card.measured(attack)
    assert measured is not None
    return measured

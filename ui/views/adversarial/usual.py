"""The same attack by the gradient that is usually followed, beside the exact one."""

import math

import numpy as np
import streamlit as st

from core.attacks.catalog import attack
from core.attacks.goals import Goal, Targeted, Untargeted
from core.attacks.usual_gradient import with_usual_gradient
from core.data.spec import MNIST
from core.network.classifier import Classifier
from core.statistics.paired import Verdict, judge
from ui import text
from ui.show import error_box
from ui.views.adversarial.standard_settings import AttackAsked
from ui.visitor import compute
from ui.visitor.cache import cached

_IMAGES = 200
_ASKED_FOR = "_usual_for"  # the attack and the model that a visitor wants it for
_PEERS = (
    "Public libraries follow the usual gradient. FGSM with ε 0.3 (L∞) on Model 1 and the first 500 "
    "test images: 458 of 492 fall to the exact gradient, 381 to the usual one, 381 to Foolbox "
    "3.3.4, 381 to ART 1.20.1 and 381 to CleverHans 4.0.0, measured by `python -m benchmarks "
    "attacks`."
)


def applies(asked: AttackAsked) -> bool:
    """Whether the attack that is set follows the cross-entropy."""
    return attack(asked.attack).follows_cross_entropy(dict(asked.settings))


def show(classifier: Classifier, asked: AttackAsked) -> None:
    """How many more of the first test images fall to the exact gradient, once it is asked for."""
    count = _count(classifier, asked)
    wanted = (classifier.version, asked)
    if st.session_state.get(_ASKED_FOR) != wanted:
        st.markdown(
            "**Is the network safe, or only sure?** :gray[· not measured yet: the same attack by "
            "the gradient that is usually followed, which float32 rounds to 0 where a network is "
            "sure]"
        )
        st.button(
            f"Compare on {count} test images",
            key="a-usual-begin",
            icon=":material/compare_arrows:",
            on_click=st.session_state.update,
            args=[{_ASKED_FOR: wanted}],
        )
        return
    try:
        with st.skeleton(height=120):
            verdict = compared(classifier, asked, count)
    except ValueError as error:
        error_box(error)
        return
    st.markdown(
        f"**{finding(verdict)}** :gray[· the exact is {verdict.words('stronger')}; "
        f"{text.literal(classifier.name)}, the first {count} test images; {asked.words}]"
    )
    st.markdown(
        "The gradient of the cross-entropy −log p has the factor 1 − p. Usually it is made of p in "
        "float32, which is exactly 1 as soon as the true logit leads by some 17: the gradient is "
        "0, and the attack stands still before a network that is sure, not safe. Here S = "
        "log((1 − p)/p) is followed: the same direction, and it never vanishes."
    )
    if classifier.spec == MNIST:
        st.caption(_PEERS)


def finding(verdict: Verdict) -> str:
    """How many fall to which gradient, and how many more that are."""
    pair = verdict.pair
    if not pair.total:
        return "No image is read right before: there is nothing to compare"
    exact, usual = pair.first.successes, pair.second.successes
    if verdict.winner == 1:
        return (
            f"Sure, not safe: {exact - usual:,} more fall to the exact gradient, {exact:,} of "
            f"{pair.total:,} against {usual:,} to the usual one"
        )
    return f"{exact:,} of {pair.total:,} fall to the exact gradient, {usual:,} to the usual one"


@cached
def compared(classifier: Classifier, asked: AttackAsked, count: int) -> Verdict:
    """The exact gradient against the usual, on those of the first images that count."""
    images, labels = compute.first_test_images(classifier.spec, count)
    goal: Goal = Untargeted(labels)
    if asked.target is not None:
        goal = Targeted(np.full(count, asked.target))
    with compute.inline("The comparison", 2 * count * asked.work, classifier):
        exact, usual = (
            attack(asked.attack)(each, images, goal, dict(asked.settings))
            for each in (classifier, with_usual_gradient(classifier))
        )
    counted = exact.right_before
    return judge(exact.succeeded[counted], usual.succeeded[counted])


def _count(classifier: Classifier, asked: AttackAsked) -> int:
    """As many images as a visitor may wait for."""
    each = math.ceil(2 * asked.work * classifier.looks)
    return max(1, min(_IMAGES, compute.MAX_INLINE_WORK // each))

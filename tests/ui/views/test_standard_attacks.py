"""Standard attacks and the smallest perturbation, headless: every attack, goal and link."""

import re
from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.arrays import to_float
from core.attacks.catalog import ATTACKS, attack
from core.attacks.goals import Untargeted
from core.attacks.smallest import METHODS, bisect
from core.data.mnist import Dataset
from core.jobs import Job
from core.network.classifier import Classifier
from core.studies.smallest_study import SmallestStudy
from tests.core.attacks.test_attacks import entered
from tests.ui.conftest import run_while_live
from ui.controls.measure_panel import Record
from ui.views.adversarial import smallest_settings, standard_settings
from ui.visitor.images import ChosenImage, encode_ink

FINDING = re.compile(
    r"\*\*(?P<attack>[^*]+?) (turns this 2 into a \d, p = [01]\.\d{3}, L2 \d+\.\d\d, "
    r"L∞ [01]\.\d\d, \d+ pixels?|does not turn this 2 into (another digit|a \d): it (stays|is now) "
    r"a \d)\*\*"
)
STANDARD, SMALLEST = "Standard attacks", "Smallest perturbation"


@pytest.fixture
def visit(app: AppTest) -> Callable[..., AppTest]:
    app.default_timeout = 240  # a first attack compiles, on whatever machine tests it

    def open_page(view: str = STANDARD, **query: str) -> AppTest:
        app.query_params.update({"view": view, **query})
        app.run()
        return app.switch_page("pages/adversarial.py").run()

    return open_page


def _fine(app: AppTest) -> str:
    assert not app.exception
    assert not app.error
    return " ".join(str(element.value) for element in [*app.markdown, *app.caption])


def test_every_attack_with_its_defaults(
    visit: Callable[..., AppTest], model_1: Classifier, mnist: Dataset
) -> None:
    page = visit()
    for each in ATTACKS.values():
        page.selectbox(key="a_attack").select(each.name).run()
        text = _fine(page)
        found = FINDING.search(text)
        assert found, text[:400]
        assert found["attack"] == each.name
        assert each.summary in text
        assert re.search(
            r"noise of the same L2, 100 draws, changes the answer in .* of 100\.", text
        )
    image, goal = to_float(mnist.test.images[1:2]), Untargeted(np.array([2]))
    for name in ("FGSM", "DeepFool"):
        page.selectbox(key="a_attack").select(name).run()
        result = attack(name)(model_1, image, goal)
        turned = f"L2 {result.l2[0]:.2f}" in _fine(page)
        assert turned == bool(result.succeeded[0])


def test_a_projection_is_attacked_like_any_other(visit: Callable[..., AppTest]) -> None:
    page = visit(model="model-1~projection-2x1", a_attack="FGSM")
    assert FINDING.search(_fine(page))


def test_the_norm_has_its_own_radius(visit: Callable[..., AppTest]) -> None:
    page = visit(a_epsilon="0.1")
    assert "ε 0.1, norm L∞, step size 0.01, iterations 40" in _fine(page)
    page.segmented_control(key="a_norm").set_value("l2").run()
    assert "ε 2, norm L2, step size 0.07, iterations 40" in _fine(page)
    page.slider(key="a_epsilon_l2").set_value(4.5).run()
    page.selectbox(key="a_attack").select("Momentum").run()
    assert "ε 4.5, norm L2, step size 0.2, iterations 10, decay 1" in _fine(page)
    page.button(key="a-defaults").click().run()
    assert "ε 0.3, norm L∞, step size 0.03, iterations 10, decay 1" in _fine(page)


def test_toward_a_class(visit: Callable[..., AppTest]) -> None:
    page = visit(a_goal="Targeted", a_target="7")
    assert re.search(r"PGD turns this 2 into a 7, p = ", _fine(page))
    page.pills(key="a_target").set_value(2).run()
    assert "This 2 is read as a 2 as it is: nothing to do" in _fine(page)
    assert "there is nothing to attack" in _fine(page)
    page.button(key="a-coach-fix").click().run()
    assert page.pills(key="a_target").value == 3
    assert re.search(r"PGD (turns|does not turn) this 2 into a 3", _fine(page))


def test_the_usual_gradient_beside_the_exact_one(visit: Callable[..., AppTest]) -> None:
    """381 of 492 and 458 where 500 images are attacked; here it is 200."""
    page = visit(a_attack="FGSM")
    assert "FGSM turns this 2 into a" in _fine(page), "it stood by the usual gradient"
    page.button(key="a-usual-begin").click().run()
    found = re.search(
        r"Sure, not safe: (\d+) more fall to the exact gradient, (\d+) of (\d+) against (\d+) to "
        r"the usual one.* stronger on (\d+) of the (\d+) images that tell them apart, p < 0\.001",
        _fine(page),
    )
    assert found
    more, exact, total, usual, alone, apart = map(int, found.groups())
    assert 20 <= more == exact - usual == 2 * alone - apart
    assert usual <= exact <= total < 200
    assert "exactly 0 in every pixel" not in _fine(page)
    page.slider(key="a_epsilon").set_value(0.2).run()
    assert "Is the network safe, or only sure?" in _fine(page), "asked for again"
    page.selectbox(key="a_attack").select("DeepFool").run()
    assert "only sure" not in _fine(page)


def test_the_coach_sets_only_what_the_controls_can(visit: Callable[..., AppTest]) -> None:
    page = visit(a_pgd_step_size="0.001", a_pgd_iterations="20")
    assert "the edge of the ball cannot be reached" in _fine(page)
    page.button(key="a-coach-fix").click().run()
    assert "step size 0.05, iterations 20" in _fine(page), "0.038, to the next that can be set"
    page.selectbox(key="a_attack").select("FGSM").run()
    page.slider(key="a_epsilon").set_value(0.1).run()
    assert "One step has not done it" in _fine(page)
    page.button(key="a-coach-fix").click().run()
    assert page.selectbox(key="a_attack").value == "PGD"
    _fine(page)


def test_a_drawn_digit_and_others_beside_it(visit: Callable[..., AppTest], mnist: Dataset) -> None:
    ink = encode_ink(np.asarray(mnist.test.images[0]))
    page = visit(ink=ink, more="1, 2, 18", a_attack="FGSM")
    text = _fine(page)
    assert re.search(r"FGSM turns your digit, read as a 7, into a \d, p = ", text)
    assert "Your digit has no label" in text
    assert re.search(r"And other images\? .* of 2 reach the goal", text), "18 is misread already"
    assert "at the goal before" in text


def test_one_of_each_class_is_laid_beside(visit: Callable[..., AppTest]) -> None:
    page = visit(a_attack="FGSM")
    assert "none is chosen beside this one" in _fine(page)
    page.button(key="a-each").click().run()
    assert re.search(r"And other images\? .* reach the goal", _fine(page))


@pytest.mark.parametrize(
    "query",
    [
        {"a_attack": "Gossip"},
        {"a_goal": "Fame"},
        {"a_goal": "Targeted", "a_target": "12"},
        {"a_epsilon": "nan"},
        {"a_epsilon": "-1"},
        {"a_norm": "L7"},
        {"a_pgd_step_size": "0.0123"},
        {"a_pgd_iterations": "100000"},
        {"a_attack": "APGD", "a_apgd_loss": "love", "a_apgd_iterations": "0"},
        {"a_seed": "x"},
        {"more": "1, two"},
    ],
    ids=str,
)
def test_edited_links_fall_back(visit: Callable[..., AppTest], query: dict[str, str]) -> None:
    page = visit(**query)
    assert not page.exception
    assert not page.error
    text = " ".join(str(element.value) for element in page.markdown)
    assert FINDING.search(text)


def test_every_setting_has_a_key_of_its_own() -> None:
    """The radius, the norm and the seed mean the same in all; the rest is kept apart."""
    drawn: dict[str, set[str]] = {}
    for each in ATTACKS.values():
        for name, key in standard_settings.keys(each).items():
            drawn.setdefault(key, set()).add(f"{each.name}: {name}")
    shared = {key for key, meanings in drawn.items() if len(meanings) > 1}
    assert shared == {"a_epsilon", "a_norm", "a_seed", "a_attack", "a_goal", "a_target"}


def test_what_a_visitor_may_ask_for_is_bounded() -> None:
    asked = standard_settings.AttackAsked(
        "PGD", None, (("iterations", 200), ("restarts", 20), ("random_start", True))
    )
    assert asked.work == 4_000
    searched = standard_settings.AttackAsked(
        "One pixel", None, (("population", 100), ("generations", 30))
    )
    assert searched.work == 3_100
    carlini = standard_settings.AttackAsked(
        "Carlini–Wagner", 3, (("binary_search_steps", 5), ("iterations", 100))
    )
    assert carlini.work == 500


def test_a_new_attack_s_own_setting_counts(
    monkeypatch: pytest.MonkeyPatch, model_1: Classifier
) -> None:
    """It counted as one look, and slipped under the limit for who waits."""
    monkeypatch.setitem(ATTACKS, "Wander", entered())
    asked = standard_settings.AttackAsked("Wander", None, (("walks", 200_000),))
    assert asked.work == 200_000
    with pytest.raises(ValueError, match="Wander takes 200,100 images × iterations, above 100,000"):
        standard_settings.attacked(model_1, ChosenImage(1), asked)
    assert standard_settings.attacked(
        model_1, ChosenImage(1), standard_settings.AttackAsked("Wander", None, (("walks", 3),))
    ).result.parameters == {"walks": 3}


def test_the_smallest_by_every_method(
    visit: Callable[..., AppTest], model_1: Classifier, mnist: Dataset
) -> None:
    page = visit(SMALLEST)
    found = bisect(model_1, to_float(mnist.test.images[1:2]), Untargeted(np.array([2])))
    assert f"This 2 becomes a 1 with L∞ {found.radius[0]:.3f}" in _fine(page)
    bracket = f"ε = {found.ball[0]:.4f}; with ε = {found.failed[0]:.4f} the same attack fails"
    assert bracket in _fine(page)
    for method in METHODS[1:]:
        page.selectbox(key="s_method").select(method).run()
        text = _fine(page)
        assert re.search(r"This 2 becomes a \d with L[∞2] \d\.\d+", text)
        assert re.search(r"random directions of the same L2 change the answer in .* of 100\.", text)
        assert re.search(r"\d+ % of its points lie outside the box", text)
    assert not [each for each in page.segmented_control if each.key == "s_norm"]
    page.button(key="s-defaults").click().run()
    assert "PGD, 20 iterations, ε bisected in L∞" in _fine(page)


def test_the_smallest_toward_a_class(visit: Callable[..., AppTest]) -> None:
    page = visit(SMALLEST, s_goal="Targeted", s_target="2", s_method="FGSM")
    assert "This 2 is read as a 2 as it is: no change is needed" in _fine(page)
    page.pills(key="s_target").set_value(3)
    page.segmented_control(key="s_norm").set_value("l2").run()
    assert re.search(
        r"(This 2 becomes a 3 with L2 \d+\.\d\d|No change was found that turns this 2 into a 3)",
        _fine(page),
    )


@pytest.mark.parametrize(
    "query",
    [{"s_method": "Luck"}, {"s_norm": "L9"}, {"s_steps": "0"}, {"s_images": "9999"}],
    ids=str,
)
def test_edited_links_to_the_smallest_fall_back(
    visit: Callable[..., AppTest], query: dict[str, str]
) -> None:
    assert "This 2 becomes a 1 with L∞ " in _fine(visit(SMALLEST, **query))


def test_a_histogram_is_measured(
    visit: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smallest_settings, "COUNTS", (25, 200))
    page = visit(SMALLEST, s_images="25", s_method="FGSM")
    page.button(key="small_study-measure").click().run()
    run_while_live(page, "small_study-stop")
    text = _fine(page)
    assert re.search(
        r"Half of the images become another digit with L∞ 0\.\d{3} \[0\.\d{3}, (0\.\d{3}|∞)\] or",
        text,
    )
    assert "the first 25 test images; FGSM, ε bisected in L∞" in text
    assert "**Easiest**: test image " in text
    assert re.search(r"noise of the same L2 changes the answer in .* of 2\d\.", text)
    page.segmented_control(key="s_norm").set_value("l2").run()
    assert "have changed since" in _fine(page)


def _study_card() -> None:
    import streamlit as st

    from ui.views.adversarial.smallest_study import SMALLEST_STUDY

    SMALLEST_STUDY.show(st.session_state["record"])


def test_a_histogram_of_images_that_need_no_change(model_1: Classifier, mnist: Dataset) -> None:
    study = SmallestStudy(25)
    images = to_float(mnist.test.images[:25])
    work = study.work(model_1, images, (model_1.predict(images) + 1) % 10, method="FGSM")
    job = Job("someone", "Smallest perturbations", lambda: work)
    next(work)
    asked = {"method": "FGSM", "norm": "linf", "target": None, "iterations": 20}
    page = AppTest.from_function(_study_card, default_timeout=60)
    page.session_state["record"] = Record(study, job, "model_1", "1", {**asked, "images": 25})
    page.run()
    assert "All images are read as another digit as they are" in _fine(page)
    assert "Half of" not in _fine(page)

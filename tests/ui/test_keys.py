"""What a page keeps and shows a result under is what it was computed with."""

import ast
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.arrays import FloatArray
from core.attacks.catalog import ATTACKS, Attack, attack
from core.attacks.goals import Untargeted
from core.catalog import Setting, Value
from core.inspection.catalog import METHODS, Method
from core.network.classifier import Classifier
from core.studies.scoreboard import GOALS, Scoreboard
from tests.test_house import ROOT
from ui.controls import attack_settings, setting_controls
from ui.controls.setting_controls import NORM_NAMES
from ui.views.adversarial.standard_settings import AttackAsked
from ui.views.attribution.maps import defaults
from ui.views.one_noise.fit import FitSettings as Fitted
from ui.views.one_noise.models import _rates
from ui.visitor.images import ChosenImage
from ui.visitor.parameters import Number, OneOf, number_of

_OFF = (*(sign * 10.0**-power for power in range(3, 10) for sign in (-1, 1)), 1e-17, 0.0)
_STEPS = 12  # of a setting, its ends among them
_QUICK: dict[str, Value] = {"iterations": 2, "queries": 10}


def numbers(kind: type) -> list[tuple[Attack, Setting]]:
    """Every setting of every attack that is such a number, as each norm has it."""
    return [
        (each, attack_settings._for_norm(setting, norm))
        for each in ATTACKS.values()
        for setting in each.settings
        for norm in NORM_NAMES
        if type(setting.default) is kind
    ]


def near(setting: Setting) -> Iterator[float]:
    """Steps of a setting, and what lies 1e-9 to 1e-3 beside each."""
    last = round((setting.high - setting.low) / setting.step)
    for count in np.unique(np.linspace(0, last, _STEPS).round()):
        for off in _OFF:
            yield float(setting.low + count * setting.step + off)


@pytest.mark.parametrize("kept", ["page", "scoreboard"])
def test_one_title_is_one_number_whatever_an_attack_sets(kept: str) -> None:
    """0.30000000000000004 was kept beside 0.3, each as “ε 0.3”."""
    found = numbers(float)
    assert len(found) == 30
    for each, setting in found:
        name = setting.name.removesuffix("_l2")
        by_title: dict[str, set[Value]] = {}
        for value in near(setting):
            settings: dict[str, Value] = {name: value}
            if kept == "page":
                asked = AttackAsked(each.name, None, tuple(settings.items()))
                title, settings = asked.words, dict(asked.settings)
            else:
                board = Scoreboard(each, settings, GOALS[0], 1)
                title, settings = setting_controls.words(each, board.settings), dict(board.settings)
            by_title.setdefault(title, set()).add(settings[name])
        assert all(len(values) == 1 for values in by_title.values())
        computed = [value for values in by_title.values() for value in values]
        assert len(set(computed)) == len(computed)


def test_a_result_names_what_it_was_asked_with(
    linear: Classifier, random: np.random.Generator
) -> None:
    image: FloatArray = random.random((1, 28, 28, 1), np.float32)
    goal = Untargeted(linear.predict(image))
    for each in map(attack, ("FGSM", "PGD", "Momentum", "DDN", "Square")):
        beside = {
            name: value * (1 + 1e-9) if isinstance(value, float) else _QUICK.get(name, value)
            for name, value in each.defaults().items()
        }
        asked = AttackAsked(each.name, None, tuple(beside.items()))
        assert dict(asked.settings) == each.defaults() | {
            name: value for name, value in _QUICK.items() if name in beside
        }
        result = attack(asked.attack)(linear, image, goal, dict(asked.settings))
        named = result.parameters.items() & dict(asked.settings).items()
        assert {name for name, _ in named} == beside.keys() & result.parameters.keys()


def test_a_setting_that_an_attack_has_not_is_named() -> None:
    with pytest.raises(ValueError, match="FGSM has no setting decay: choose of epsilon, norm"):
        AttackAsked("FGSM", None, (("decay", 0.5),))


def test_the_link_says_what_is_computed_with() -> None:
    for each, setting in numbers(float) + numbers(int):
        nearest = setting_controls.nearest(setting)
        if setting_controls.is_logarithmic(setting):
            options = setting_controls.logarithmic(setting)
            texts = [setting_controls.written(option) for option in options]
            assert len(set(texts)) == len(texts), (each.name, setting.name)
            assert [number_of(text.replace(",", "")) for text in texts] == options
            assert all(OneOf(texts).read((text,)).taken == (text,) for text in texts)
            continue
        number = Number(setting.low, setting.high, setting.step, type(setting.default) is int)
        for value in near(setting):
            text = number.text(value)
            assert number.read((text,)).exact
            assert number.read((text,)).taken == (text,)
            assert number_of(text) == number.nearest(value) == nearest(value)


def test_two_settings_of_one_range_keep_their_step() -> None:
    """A step of 0.05 adds up to 0.30000000000000004; no limit of a visitor moves it."""
    setting = Setting("ε", 0.0, 1.0, 0.05, name="epsilon", default=0.3)
    assert setting_controls.nearest(setting)(0.1 + 0.2) == 0.3
    assert setting_controls.nearest(replace(setting, high=0.2))(0.9) == 0.2


def _sliders() -> None:
    import streamlit as st

    from ui.controls import bound

    values = (
        bound.slider("a", 0.0, 1.0, 0.1, 0.1, key="a"),
        bound.number_input("b", 0.0, 1.0, 0.1, 0.1, key="b"),
        bound.slider("c", 1, 9, 3, 2, key="c"),
    )
    st.text(repr(values))


def test_a_control_gives_what_the_link_says() -> None:
    app = AppTest.from_function(_sliders, default_timeout=60).run()
    assert app.text[0].value == "(0.1, 0.1, 3)"
    app.slider(key="a").set_value(0.1 + 0.2)
    app.number_input(key="b").set_value(0.3004).run()
    assert app.text[0].value == "(0.3, 0.3, 3)"
    assert dict(app.query_params) == {"a": "0.3", "b": "0.3"}


def test_a_model_that_is_called_as_the_control_does_not_get_its_rates(linear: Classifier) -> None:
    """Its row was replaced by the control's."""
    settings = Fitted((ChosenImage(0),), 3)
    with pytest.raises(ValueError, match="Two rows are called 'Gaussian': leave one of them out"):
        _rates({"Gaussian": linear}, settings, 1.0, {}, everywhere=False, counted="")


_DETERMINED = {  # what a cache does not hash: one of these parameters stands for it
    "_classifier": {"version"},
    "_bare": {"version"},
    "_second": {"second_version"},
    "_fitted_on": {"fitted_on"},
    "_image": {"key", "image_key"},
    "_images": {"keys", "image_keys", "digest"},
    "_classes": {"digest"},
    "_source": {"key"},
    "_run": {"run_id"},
    "_spec": {"key"},
    "_data": {"digest"},
    "_dataset": {"key"},
    "_settings": {"followed"},
    "_way": {"asked"},  # and the version
    "_found": {"asked"},
}


def _cached() -> Iterator[tuple[str, list[str]]]:
    """Every function of ui that Streamlit keeps the results of, with its parameters."""
    for path in sorted((ROOT / "ui").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and any(
                "st.cache_" in ast.unparse(each) for each in node.decorator_list
            ):
                arguments = [*node.args.args, *node.args.kwonlyargs]
                yield f"{path.name}: {node.name}", [each.arg for each in arguments]


def test_what_a_cache_does_not_hash_has_its_key_beside_it() -> None:
    found = dict(_cached())
    assert len(found) > 10
    for name, parameters in found.items():
        for hidden in (each for each in parameters if each.startswith("_")):
            assert _DETERMINED[hidden] & set(parameters), (name, hidden)


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
def test_a_maps_key_holds_every_setting_that_it_follows(
    method: Method, model_1: Classifier
) -> None:
    """A setting that is not in the key changes nothing; one that is, does."""
    image, label = np.zeros((1, 28, 28, 1), np.float32), np.array([3])
    image[0, 8:20, 12:16] = 0.7
    others: dict[str, Value] = {
        "sg_noise": 0.35, "sg_samples": 7, "baseline": "gray", "ig_steps": 9, "signed_cam": True,
    }  # fmt: skip
    plain = defaults()
    assert others.keys() == plain.keys()
    before = method(model_1, image, label, method.own(plain)).values
    for key, value in others.items():
        assert plain[key] != value
        after = method(model_1, image, label, method.own({**plain, key: value})).values
        follows = key in map(method.key_of, method.defaults())
        assert np.array_equal(before, after) != follows

"""What the view Standard attacks sets: controls made of the catalog, and what is computed."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from core.attacks.catalog import ATTACKS, Attack, Setting, Value, attack
from core.attacks.control import changed_by_noise
from core.attacks.goals import Goal, Targeted, Untargeted
from core.attacks.result import AttackResult
from core.classifier import Classifier
from core.data import CLASSES
from core.rate import Rate
from ui import compute
from ui.images import ChosenImage

ANY, TARGETED = "Any other", "Targeted"
NORM_NAMES = {"linf": "L∞", "l2": "L2"}
DRAWS = 100
_FIRST = "PGD"
_VISIBLE = 6
_SHARED = ("epsilon", "norm", "seed")  # mean the same in every attack
_LOGARITHMIC = 1_000  # a range whose ends are so far apart has a logarithmic scale
_L2 = {"epsilon": (2.0, 10.0, 0.1), "step_size": (None, 10.0, 0.01)}  # default, high, step
_INLINE = {"queries": 3_000, "population": 200, "generations": 100}  # while a visitor waits
_KEEP: dict[str, Any] = {"bind": "query-params"}
_FROM_LINF = 2.0 / 0.3  # a length in L2 for one in L∞


@dataclass(frozen=True)
class Asked:
    """An attack, the class that is wanted (None: any other), and the attack's settings."""

    attack: str
    target: int | None
    settings: tuple[tuple[str, Value], ...]

    @property
    def words(self) -> str:
        """The settings, for captions."""
        labels = {setting.name: setting.label for setting in attack(self.attack).settings}
        return ", ".join(
            f"{_lowered(labels[name])} {_written(value)}" for name, value in self.settings
        )

    def goal(self, images: Sequence[ChosenImage], classifier: Classifier) -> Goal:
        """For each image; the answer stands in for the label that an own digit lacks."""
        if self.target is not None:
            return Targeted(np.full(len(images), self.target))
        return Untargeted(np.array([true_class(image, classifier) for image in images]))

    @property
    def work(self) -> int:
        """Gradients or answers that one image takes, roughly."""
        numbers = {name: int(value) for name, value in self.settings if not isinstance(value, str)}
        steps = numbers.get("iterations", 1) * numbers.get("binary_search_steps", 1)
        searched = numbers.get("population", 0) * numbers.get("generations", 1)
        return steps * numbers.get("restarts", 1) + numbers.get("queries", 0) + searched


def true_class(image: ChosenImage, classifier: Classifier) -> int:
    """The label; of an own digit, what the network reads."""
    return int(classifier.predict(image.floats)[0]) if image.label is None else image.label


def controls() -> Asked:
    """Draw them: attack, goal and the attack's own settings."""
    st.markdown("**Settings**")
    names = [each.name for each in ATTACKS]
    name: str = st.selectbox("Attack", names, names.index(_FIRST), key="a_attack", **_KEEP)
    chosen = attack(name)
    st.caption(chosen.summary, help=chosen.source)
    goal = st.segmented_control(
        "Goal",
        (ANY, TARGETED),
        default=ANY,
        required=True,
        key="a_goal",
        width="stretch",
        help="Any other class than the true one, or one that you choose. An own digit has no "
        "label: there it is any other than what the network reads.",
        **_KEEP,
    )
    target = None
    if goal == TARGETED:
        target = st.pills(
            "Target", range(CLASSES), default=3, required=True, key="a_target", **_KEEP
        )
    settings = _settings(chosen, _VISIBLE - (2 if target is None else 3))
    st.button(
        "Defaults",
        key="a-defaults",
        type="tertiary",
        icon=":material/restart_alt:",
        on_click=_restore,
        args=[chosen],
        help=f"The settings with which the list of attacks has {name}: {chosen.source}.",
    )
    return Asked(name, target, tuple(settings.items()))


def keys(chosen: Attack) -> dict[str, str]:
    """The key of each control that is drawn for an attack, by the name of what it sets."""
    own = {each.name: _key(chosen, _for_norm(each, _norm(chosen))) for each in chosen.settings}
    return {**own, "attack": "a_attack", "goal": "a_goal", "target": "a_target"}


def _settings(chosen: Attack, visible: int) -> dict[str, Value]:
    """The controls of an attack; the last in a popover, where there are many."""
    found: dict[str, Value] = {}
    norm = _norm(chosen)
    own = sorted(chosen.settings, key=lambda setting: setting.name == "seed")
    for setting in own[:visible]:
        found[setting.name] = _control(chosen, _for_norm(setting, norm))
    if own[visible:]:
        with st.popover("More", icon=":material/tune:", width="stretch"):
            for setting in own[visible:]:
                found[setting.name] = _control(chosen, _for_norm(setting, norm))
    return found


def _norm(chosen: Attack) -> str:
    """The norm that is set, before its control is drawn; "" of an attack that has none."""
    if not any(setting.name == "norm" for setting in chosen.settings):
        return ""
    asked = st.session_state.get("a_norm", st.query_params.get("a_norm"))
    return "l2" if asked in ("l2", NORM_NAMES["l2"]) else "linf"


def _for_norm(setting: Setting, norm: str) -> Setting:
    """A length has another range and another key in L2; all bounded for who waits."""
    high = min(setting.high, _INLINE.get(setting.name, setting.high))
    if norm != "l2" or setting.name not in _L2:
        return replace(setting, high=high)
    default, high, step = _L2[setting.name]
    if default is None:
        default = float(f"{_FROM_LINF * float(setting.default):.1g}")
    low = 10 * setting.low
    return replace(
        setting, name=f"{setting.name}_l2", default=default, low=low, high=high, step=step
    )


def _key(chosen: Attack, setting: Setting) -> str:
    if setting.name.removesuffix("_l2") in _SHARED:
        return f"a_{setting.name}"
    letters = "".join(
        letter for letter in chosen.name.lower() if letter.isascii() and letter.isalpha()
    )
    return f"a_{letters}_{setting.name}"


def _control(chosen: Attack, setting: Setting) -> Value:
    key, label, help = _key(chosen, setting), setting.label, setting.help or None
    if isinstance(setting.default, bool):
        return st.toggle(label, setting.default, key=key, help=help, **_KEEP)
    if setting.name == "norm":
        picked: str = st.segmented_control(
            label,
            setting.choices,
            default=setting.default,
            format_func=NORM_NAMES.__getitem__,
            required=True,
            key=key,
            width="stretch",
            **_KEEP,
        )
        return picked
    if setting.choices:
        index = setting.choices.index(str(setting.default))
        return st.selectbox(label, setting.choices, index, format_func=_written, key=key, **_KEEP)
    if setting.name == "seed":
        low, high = int(setting.low), int(setting.high)
        return st.number_input(label, low, high, int(setting.default), 1, key=key, **_KEEP)
    return _number(setting, key, help)


def _number(setting: Setting, key: str, help: str | None) -> Value:
    whole = isinstance(setting.default, int)
    if setting.low > 0 and setting.high / setting.low >= _LOGARITHMIC:
        options = _logarithmic(setting)
        _keep_within(key, lambda value: min(options, key=lambda option: abs(option - value)))
        return st.select_slider(
            setting.label,
            options,
            setting.default,
            format_func=_written,
            key=key,
            help=help,
            **_KEEP,
        )
    low, high, step = setting.low, setting.high, setting.step
    if whole:
        low, high, step = int(low), int(high), int(step)
    _keep_within(key, lambda value: type(setting.default)(min(max(value, low), high)))
    return st.slider(setting.label, low, high, setting.default, step, key=key, help=help, **_KEEP)


def _keep_within(key: str, nearest: Callable[[Any], Any]) -> None:
    """What the coach sets may be no value of the control; the nearest that is one."""
    if key in st.session_state:
        st.session_state[key] = nearest(st.session_state[key])


def _logarithmic(setting: Setting) -> list[Any]:
    """1, 2 and 5 times each power of ten of the range, and the default."""
    kind = type(setting.default)
    powers = range(math.floor(math.log10(setting.low)), math.ceil(math.log10(setting.high)) + 1)
    steps = [float(f"{digit}e{power}") for power in powers for digit in (1, 2, 5)]
    inside = {kind(step) for step in steps if setting.low <= step <= setting.high}
    return sorted(inside | {setting.default})


def _restore(chosen: Attack) -> None:
    for setting in chosen.settings:
        for norm in NORM_NAMES:
            each = _for_norm(setting, norm)
            if _key(chosen, each) in st.session_state:
                st.session_state[_key(chosen, each)] = each.default


def _lowered(label: str) -> str:
    return label if label.isupper() else label[0].lower() + label[1:]


def _written(value: Value) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str):
        return NORM_NAMES.get(value, value.replace("_", "-"))
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


@dataclass(frozen=True, eq=False)
class Made:
    """The attack on one image, with its trajectory, and how often noise of its L2 does the same.

    control: None where nothing was changed.
    """

    result: AttackResult
    control: Rate | None


def attacked(classifier: Classifier, image: ChosenImage, asked: Asked) -> Made:
    """The attack on one image, recorded."""
    return _attacked(classifier.version, image.key, asked, classifier, image)


@st.cache_resource(max_entries=16, show_spinner=False)
def _attacked(
    version: str, key: str, asked: Asked, _classifier: Classifier, _image: ChosenImage
) -> Made:
    result = _run(_classifier, (_image,), asked, record=True)
    length = float(result.l2[0])
    if not length:
        return Made(result, None)
    return Made(result, changed_by_noise(_classifier, _image.floats, length, draws=DRAWS))


def attacked_others(
    classifier: Classifier, images: tuple[ChosenImage, ...], asked: Asked
) -> AttackResult:
    """The same attack on other images, without trajectories."""
    return _attacked_others(
        classifier.version, tuple(image.key for image in images), asked, classifier, images
    )


@st.cache_resource(max_entries=16, show_spinner=False)
def _attacked_others(
    version: str,
    keys: tuple[str, ...],
    asked: Asked,
    _classifier: Classifier,
    _images: tuple[ChosenImage, ...],
) -> AttackResult:
    return _run(_classifier, _images, asked, record=False)


def _run(
    classifier: Classifier, images: tuple[ChosenImage, ...], asked: Asked, *, record: bool
) -> AttackResult:
    pixels = np.concatenate([image.floats for image in images])
    goal = asked.goal(images, classifier)
    with compute.inline(asked.attack, len(images) * asked.work):
        return attack(asked.attack)(classifier, pixels, goal, dict(asked.settings), record=record)

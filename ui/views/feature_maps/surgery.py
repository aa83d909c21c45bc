"""Channel surgery: switch channels off or scale them, see what it costs, keep the network."""

from dataclasses import replace

import numpy as np
import streamlit as st

from core.arrays import to_float
from core.checks import as_written
from core.data.spec import DatasetSpec
from core.inspection.feature_maps import Convolution, convolutions
from core.inspection.surgery import MAX_FACTOR, edited_classifier, scale_channels, shuffled
from core.network.card import ModelCard
from core.network.classifier import Classifier
from core.network.evaluation import Evaluation
from core.network.model import serialize_model
from core.statistics.paired import judge, judged, paired
from ui import text, theme
from ui.controls.columns import result_and_settings
from ui.controls.downloads import download
from ui.figures import charts, map_charts
from ui.show import draw, error_box
from ui.visitor import compute, state
from ui.visitor.cache import cached
from ui.visitor.choice import Choice

_EDITS, _DRAWN = "_surgery", "_surgery_drawn"
_KEPT, _ARRIVED = "_surgery_kept", "_surgery_arrived"
Edits = dict[str, tuple[tuple[int, ...], float]]
Frozen = tuple[tuple[str, tuple[tuple[int, ...], float]], ...]
_DRAWS = 5


@st.fragment
def operate(choice: Choice, classifier: Classifier) -> None:
    """The card: channels and factor, accuracy before and after, and what to do with it."""
    if message := st.session_state.pop(_ARRIVED, ""):
        st.toast(message)
    if message := st.session_state.pop(_KEPT, ""):
        st.session_state[_ARRIVED] = message
        st.rerun()  # the header stands outside this fragment
    st.subheader("Channel surgery", anchor=False)
    if classifier.bare is not classifier:
        st.caption("On the network itself: the defense in front of it is left out here.")
        classifier = classifier.bare
    found = convolutions(classifier.model)
    result, settings = result_and_settings()
    with settings, st.container(border=True, key="surgery-settings"):
        edits = _controls(found, classifier.version)
    try:
        compute.check_inline(
            "Every change of the channels", classifier.spec.test_images, classifier
        )
    except ValueError as error:
        error_box(error)
        return
    before = compute.test_evaluation(classifier)
    after = evaluate_edits(classifier, edits) if edits else before
    with settings, st.container(border=True):
        _keep(choice, classifier, edits, after)
    with result, st.container(border=True, height="stretch"):
        _cost(edits, before, after, classifier.spec)
        if edits:
            _control(classifier, edits, after)


def _edits(version: str) -> Edits:
    """What this visitor does to the model; it goes when another model is chosen."""
    stored = st.session_state.get(_EDITS)
    if stored is None or stored[0] != version:
        stored = st.session_state[_EDITS] = (version, {})
    return stored[1]


def _controls(found: list[Convolution], version: str) -> Edits:
    edits = _edits(version)
    st.markdown("**Operate on**")
    names = [each.name for each in found]
    key = f"_surgery-layer-{version}"
    layer = st.segmented_control(
        "Layer", names, key=key, default=names[0], required=True, width="stretch"
    )
    convolution = found[names.index(layer)]
    channels, factor = edits.get(layer, ((), 0.0))
    chosen = st.pills(
        "Channels",
        range(convolution.channels),
        selection_mode="multi",
        default=list(channels),
        key=f"_channels-{layer}-{version}",
        help="Those whose maps are multiplied after ReLU.",
    )
    factor = as_written(
        st.slider(
            "Factor",
            0.0,
            MAX_FACTOR,
            factor,
            0.05,
            key=f"_factor-{layer}-{version}",
            help="0 switches a channel off, 1 leaves it as it is.",
        )
    )
    edits.pop(layer, None)
    if chosen:
        edits[layer] = tuple(sorted(chosen)), factor
    for name, (others, scale) in edits.items():
        if name != layer:
            st.caption(f"Also {name}: {_list(others)} × {scale:g}")
    return dict(edits)


def _list(channels: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, channels[:6]))
    return shown if len(channels) <= 6 else f"{shown} and {len(channels) - 6} more"


def factors_of(edits: Edits, found: list[Convolution]) -> dict[str, np.ndarray]:
    """Convolution → one factor for each channel."""
    factors = {}
    for each in found:
        if each.name in edits:
            channels, factor = edits[each.name]
            factors[each.name] = np.ones(each.channels, np.float32)
            factors[each.name][list(channels)] = factor
    return factors


def evaluate_edits(classifier: Classifier, edits: Edits) -> Evaluation:
    """The edited network's answers to all test images."""
    return _evaluate(classifier, tuple(sorted(edits.items())), None)


@cached
def _evaluate(classifier: Classifier, edits: Frozen, seed: int | None) -> Evaluation:
    test = compute.test_split(classifier.spec)
    factors = factors_of(dict(edits), convolutions(classifier.model))
    if seed is not None:
        factors = shuffled(factors, seed=seed)
    return Evaluation(scale_channels(classifier, to_float(test.images), factors), test.labels)


def _cost(edits: Edits, before: Evaluation, after: Evaluation, spec: DatasetSpec) -> None:
    if not edits:
        st.markdown(
            "**Nothing is switched off yet** "
            f":gray[· {text.full_rate(before.accuracy)} test images read right]"
        )
    else:
        change = (after.accuracy.value - before.accuracy.value) * 100
        sign = "costs" if change < 0 else "gains"
        what = "; ".join(f"{name} {_list(c)} × {f:g}" for name, (c, f) in edits.items())
        finding = f"It {sign} {abs(change):.2f} points" if change else "It costs nothing"
        verdict = judge(after.right, before.right)
        if change and not verdict.shown:
            finding += ", and no difference is shown"
        st.markdown(
            f"**{finding}: {text.full_rate(after.accuracy)}** :gray[· before "
            f"{text.full_rate(before.accuracy)}; it is {verdict.words()} · {what}]"
        )
    rates = [
        {name: each.class_accuracy(label) for label, name in enumerate(spec.classes)}
        for each in (before, after)
    ]
    lowest = min(rate.interval[0] for each in rates for rate in each.values())
    low = float(np.floor(lowest * 20) / 20)
    draw(
        map_charts.before_and_after(rates[0], rates[1], theme.palette(), low=low),
        key="surgery-rates",
        alt="Accuracy by true class before and after, with 95 % intervals",
    )
    st.caption(
        f"Share of each true class that is read right, all {spec.test_images:,} test images: gray "
        "ring before, "
        "green dot after; whiskers are 95 % Wilson intervals, right the change in points."
    )


def _control(classifier: Classifier, edits: Edits, after: Evaluation) -> None:
    """The same factors on random channels, when asked for: five passes over the test images."""
    frozen = tuple(sorted(edits.items()))
    if st.session_state.get(_DRAWN) != (classifier.version, frozen):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("**Was it these channels?** :gray[· not measured]")
            st.button(
                f"Try {_DRAWS} random choices",
                key="draws",
                type="tertiary",
                icon=":material/shuffle:",
                on_click=lambda: st.session_state.update({_DRAWN: (classifier.version, frozen)}),
                help="As many channels of the same layers, with the same factors.",
            )
        return
    total = classifier.spec.test_images
    waiting, rates, pairs = st.empty(), {"yours": after.accuracy}, {}
    for seed in range(_DRAWS):
        waiting.caption(f"Random choice {seed + 1} of {_DRAWS}, {total:,} test images …")
        drawn = _evaluate(classifier, frozen, seed)
        rates[f"random {seed + 1}"] = drawn.accuracy
        pairs[seed] = paired(drawn.right, after.right)
    waiting.empty()
    winners = [verdict.winner for verdict in judged(pairs).values()]
    st.markdown(
        f"**{winners.count(1)} of {_DRAWS} random choices cost less than yours, "
        f"{winners.count(-1)} cost more, {winners.count(0)} show no difference** :gray[· as many "
        f"channels of the same layers, {total:,} test images; McNemar’s exact test, p < 0.05 "
        "(Holm, "
        f"{_DRAWS} comparisons)]"
    )
    low = float(np.floor(min(rate.interval[0] for rate in rates.values()) * 20) / 20)
    draw(
        charts.rates(rates, theme.palette(), low=low),
        key="surgery-draws",
        alt="Accuracy with your channels and with random ones, with 95 % intervals",
    )


def _keep(choice: Choice, classifier: Classifier, edits: Edits, after: Evaluation) -> None:
    full = len(state.kept()) >= state.MAX_KEPT
    st.button(
        "Keep as a model",
        key="keep",
        type="primary",
        icon=":material/deployed_code:",
        width="stretch",
        disabled=not edits or full,
        on_click=_take,
        args=[choice, classifier, edits, after],
        help="It joins the model picker of every page, with these factors in its weights.",
    )
    if full:
        st.caption(f"You keep {state.MAX_KEPT} edited models, the most: open a new tab for more.")
    if not edits:
        st.caption("Choose channels first.")
        return
    download(
        "Weights",
        lambda: _file(choice, classifier, edits, after)[0],
        "edited.safetensors",
        key="edited-weights",
        width="stretch",
    )


def _file(
    choice: Choice, classifier: Classifier, edits: Edits, after: Evaluation
) -> tuple[bytes, ModelCard]:
    """The edited network as safetensors, and its card."""
    origin = compute.card(choice.model)
    title = f"{origin.title.split(' · step')[0]}, {_title(edits)}"
    factors = factors_of(edits, convolutions(classifier.model))
    edited = edited_classifier(classifier, factors, name=title)
    details = "; ".join(f"{name}: {_list(c)} × {f:g}" for name, (c, f) in edits.items())
    card = replace(
        origin,
        name="edited",
        title=title[:60],
        description=f"Channels edited: {details}"[:200],
        test=after.accuracy,
        version=edited.version,
        curve=(),
    )
    return serialize_model(edited.model, card), card


def _title(edits: Edits) -> str:
    parts = []
    for name, (channels, factor) in edits.items():
        which = str(channels[0]) if len(channels) == 1 else f"{len(channels)} channels"
        parts.append(f"{name} {which} " + ("off" if factor == 0 else f"× {factor:g}"))
    return ", ".join(parts)


def _take(choice: Choice, classifier: Classifier, edits: Edits, after: Evaluation) -> None:
    data, card = _file(choice, classifier, edits, after)
    kept = state.kept()
    key = f"edited-{len(kept) + 1}"
    kept[key] = state.ModelFile(key, data, card)
    st.session_state[_KEPT] = f"{text.literal(card.title)} is in the model picker."

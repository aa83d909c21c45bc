"""The settings of the feature maps page, and what they lay beside the chosen image."""

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from core.arrays import FloatArray
from core.data.spec import DatasetSpec
from core.inspection.feature_maps import Convolution
from core.network.classifier import Classifier
from ui.controls import bound
from ui.controls.report import as_in_the_report
from ui.visitor import compute, link, state
from ui.visitor.choice import Choice, model_titles, peers
from ui.visitor.images import ChosenImage

COMPARISONS = ("Nothing", "Another image", "Another model", "A checkpoint")
_REPORT = {"stage": "after ReLU", "sort": "Channel", "one": True, "compare": "Nothing"}
_LAYER, _STAGE, _OTHER = "layer", "stage", "other"
_TURN = "_layer_turn"


@dataclass(frozen=True)
class MapsSettings:
    """A stage, and how the maps of all layers are laid out. A layer without it shows the ReLU's."""

    stage: str
    order: str
    shared: bool
    compare: str

    @property
    def compares_networks(self) -> bool:
        """Whether two networks see one image, and not one network two."""
        return self.compare in ("Another model", "A checkpoint")


def show(found: list[Convolution], choice: Choice) -> MapsSettings:
    """Draw the controls; `found` are the convolutions of the chosen model."""
    st.markdown("**Settings**")
    stage = _select(
        "Show",
        list(dict.fromkeys(stage for each in found for stage in each.stages)),
        _STAGE,
        default="after ReLU",
        help="Before ReLU is after batch normalization, where there is one.",
    )
    compare: str = bound.selectbox("Compare with", COMPARISONS, key="compare")
    if compare != "Nothing":
        _second_controls(compare, choice)
    orders = ["Channel", "Response", *(["Difference"] if compare != "Nothing" else [])]
    order = _select(
        "Order by",
        orders,
        "sort",
        help="Response: the mean after ReLU. Difference: the distance between the two maps.",
    )
    shared = bound.toggle("One scale for all maps", True, key="one")
    as_in_the_report(
        "as-reported",
        lambda: _as_reported(found[0].name),
        "E5: the maps of the first convolution after ReLU; the others are below.",
        width="stretch",
    )
    return MapsSettings(stage, order, shared, compare)


def _select(
    label: str,
    options: list[str],
    key: str,
    *,
    default: str = "",
    help: str | None = None,
    titles: Mapping[str, str] | None = None,
) -> str:
    """A choice whose options change with the model: what no longer fits falls back.

    A segmented control where its options are few and short. The URL carries the option, not its
    title.
    """
    default = default or options[0]
    link.chosen(key, options, default)
    common = {"key": key, "help": help, "persist_state": "session"}
    chosen: str
    if titles:
        chosen = st.selectbox(label, options, format_func=titles.__getitem__, **common)
    elif sum(map(len, options)) < 20:
        chosen = st.segmented_control(label, options, required=True, width="stretch", **common)
    else:
        chosen = st.selectbox(label, options, **common)
    link.write(key, None if chosen == default else (chosen,))
    return chosen


def opened(names: list[str]) -> str:
    """The convolution whose maps are large; the link carries it."""
    layer = link.chosen(_LAYER, names, names[0])
    link.write(_LAYER, None if layer == names[0] else (layer,))
    return layer


def open_layer(name: str) -> None:
    """Keep in mind, and in the link, which convolution's maps are large."""
    st.session_state[_LAYER] = name


def turn() -> int:
    """How often a layer was opened from here: the browser, which opens them too, then follows."""
    return int(st.session_state.get(_TURN, 0))


def _as_reported(first_layer: str) -> None:
    st.session_state.update({**_REPORT, _LAYER: first_layer, _TURN: turn() + 1})


def _second_controls(compare: str, choice: Choice) -> None:
    if compare == "Another image":
        default = choice.more[0].number if choice.more else None
        own, total = choice.image.number or 0, choice.spec.test_images
        if st.session_state.get("beside", 0) >= total:  # of the data set before
            del st.session_state["beside"]
        bound.number_input(
            "Beside it: test image",
            0,
            total - 1,
            (own + 1) % total if default is None else default,
            key="beside",
        )
    elif compare == "Another model":
        titles = model_titles()
        others = [key for key in peers(choice.model) if key != choice.model]
        if others:
            _select("Beside it: model", others, _OTHER, titles=titles)
        else:
            st.caption("There is no other model: train one on the Training page.")
    elif steps := _checkpoints(choice.spec):
        st.selectbox("Beside it: checkpoint", list(steps), key="_beside-step")
    else:
        st.caption("No run yet: train a network on the Training page to have checkpoints.")


def _checkpoints(spec: DatasetSpec) -> dict[str, tuple[int, int]]:
    """Title → number of the run among the visitor's, and step."""
    return {
        f"Run {run.number}, {'untrained' if step == 0 else f'step {step:,}'}": (place, step)
        for place, run in enumerate(state.runs())
        if run.dataset.spec == spec
        for step in run.checkpoints.steps
    }


def second(
    settings: MapsSettings, choice: Choice, classifier: Classifier
) -> tuple[str, Classifier, FloatArray] | None:
    """Title, classifier and image [1, …] of what lies beside, None for nothing."""
    if settings.compare == "Another image":
        image = ChosenImage(int(st.session_state["beside"]), spec=choice.spec)
        return image.title, classifier, image.floats
    if settings.compare == "Another model" and (key := st.session_state.get(_OTHER)):
        other = compute.classifier(key)
        return other.name, other, choice.image.floats
    title = st.session_state.get("_beside-step")
    if settings.compare == "A checkpoint" and title in (steps := _checkpoints(choice.spec)):
        place, step = steps[title]
        return title, compute.run_classifier(state.runs()[place], step), choice.image.floats
    return None

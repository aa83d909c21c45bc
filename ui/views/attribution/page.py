"""The parts of the attribution page: settings, the maps, the chosen images, downloads."""

import streamlit as st

from core.arrays import FloatArray
from core.catalog import Value
from core.inspection.attribution import Attribution, last_maps
from core.inspection.catalog import INTEGRATED, METHODS, QUANTILE, Method
from core.network.classifier import Classifier
from ui import text, theme
from ui.controls import bound, setting_controls
from ui.controls.class_picker import class_picker
from ui.controls.columns import result_and_settings
from ui.controls.downloads import download
from ui.controls.signed_map import signed_map
from ui.figures import tiles
from ui.files import npz
from ui.show import picture
from ui.views.attribution.check import check
from ui.views.attribution.maps import (
    REFERENCE_IMAGES,
    Settings,
    attribution,
    defaults,
    limit,
    work,
)
from ui.views.attribution.study import study, study_table
from ui.visitor import compute, state
from ui.visitor.choice import Choice

_TILE = 84


@st.fragment
def explain(classifier: Classifier, choice: Choice) -> None:
    """The maps of the chosen image and class, those of the images beside it, and the check."""
    result, controls = result_and_settings()
    probabilities = classifier.probabilities(choice.image.floats)[0]
    with controls, st.container(border=True, key="settings"):
        label, settings, method = _settings(choice, probabilities)
    with result:
        looks = work(2 + len(choice.more), settings)
        compute.or_its_sentence("A comparison of the maps", looks, classifier)
    maps = {name: attribution(name, classifier, choice.image, label, settings) for name in METHODS}
    with result, st.container(border=True, height="stretch"):
        _maps(classifier, choice, label, settings, maps)
    if choice.more:
        with st.container(border=True):
            _beside(classifier, choice, label, settings, method)
    with st.container(border=True):
        check(classifier, choice.image, label, settings, method)
    with st.container(border=True, key="study"):
        study(classifier, choice, settings)
    _downloads(choice, label, settings, maps)


def _settings(choice: Choice, probabilities: FloatArray) -> tuple[int, dict[str, Value], str]:
    """The class, what every map is set to, and the map to check; switches are in a popover."""
    st.markdown("**Settings**")
    label = class_picker(choice, probabilities)
    settings = _controls(switches=False)
    names = list(METHODS)
    method: str = bound.selectbox(
        "Map to check",
        names,
        names.index(INTEGRATED),
        key="map",
        help="The one that the card below puts to the test.",
    )
    with st.popover("More", icon=":material/tune:", width="stretch"):
        settings |= _controls(switches=True)
    st.button(
        "Defaults",
        key="defaults",
        type="tertiary",
        icon=":material/replay:",
        on_click=lambda: st.session_state.update({**defaults(), "map": INTEGRATED}),
    )
    return label, settings, method


def _controls(*, switches: bool) -> dict[str, Value]:
    """The switches of all maps, or the rest."""
    return {
        method.key_of(setting.name): setting_controls.control(setting, method.key_of(setting.name))
        for method in METHODS.values()
        for setting in method.settings
        if isinstance(setting.default, bool) == switches
    }


def _maps(
    classifier: Classifier,
    choice: Choice,
    label: int,
    settings: Settings,
    maps: dict[str, Attribution],
) -> None:
    image = choice.image
    probabilities = classifier.probabilities(image.floats)[0]
    raw = image.spec.classes[label]
    name = text.literal(raw)
    rise, gap = _rise_and_gap(maps[INTEGRATED])
    st.markdown(
        f"**From the {settings['baseline']} baseline the logit of {name} "
        f"{'rises' if rise >= 0 else 'falls'} by {abs(rise):.2f}; integrated gradients account "
        f"for all but {abs(gap):.3f}** :gray[· {image.title}, p({name}) = "
        f"{probabilities[label]:.3f}]"
    )
    with st.grid(3, min_column_width=130, gap="medium"):
        with st.container(gap="xsmall"):
            st.markdown(f"**{image.spec.noun.capitalize()}** :gray[· {text.literal(image.kind)}]")
            picture(
                tiles.image(image.pixels / 255, 252, theme.palette()),
                width="stretch",
                alt=f"{image.title}, {image.kind}",
            )
            read = text.literal(image.spec.classes[int(probabilities.argmax())])
            st.caption(f"Read as {read}, explained as {name}.")
        for method, each in maps.items():
            with st.container(gap="xsmall"):
                st.markdown(f"**{method}** :gray[· {METHODS[method].unit}]")
                signed_map(
                    each.values[0], limit(method, classifier), alt=f"{method} for class {raw}"
                )
                st.caption(_note(method, each, classifier, name, settings), help=_about(method))
    st.caption(
        "Blue: a larger value there speaks for the class; orange: against it. Scales never "
        f"follow the image: each unit's ends are the {QUANTILE * 100:.0f} % quantile of |value| "
        f"over {REFERENCE_IMAGES} test images; beyond them the color stays."
    )


def _note(
    name: str, attributed: Attribution, classifier: Classifier, label: str, settings: Settings
) -> str:
    """What a reader must know of this map, in one or two lines."""
    method, values = METHODS[name], attributed.values[0]
    told = {"sum": text.signed(float(values.sum())), "label": label}
    told |= {"layer": last_maps(classifier.model), **_told(method, settings)}
    if attributed.completeness_gap is not None:
        rise, gap = _rise_and_gap(attributed)
        told |= {"rise": text.signed(rise), "gap": text.signed(gap, 3)}
    return (method.says if values.any() else method.blank).format(**told)


def _about(name: str) -> str:
    return f"{METHODS[name].summary} {METHODS[name].purpose} {METHODS[name].source}"


def _told(method: Method, settings: Settings) -> dict[str, Value]:
    """The method's settings by name, a switch as its words."""
    own = method.own(settings)
    for each in method.settings:
        if isinstance(each.default, bool) and each.choices:
            own[each.name] = each.choices[bool(own[each.name])]
    return own


def _rise_and_gap(integrated: Attribution) -> tuple[float, float]:
    """By how much the logit changes from the baseline to the image, and what the map misses."""
    assert integrated.completeness_gap is not None
    gap = float(integrated.completeness_gap[0])
    return float(integrated.values[0].sum()) - gap, gap


def _beside(
    classifier: Classifier, choice: Choice, label: int, settings: Settings, method: str
) -> None:
    """The chosen map of every chosen image, each for its predicted class or all for the chosen."""
    end = limit(method, classifier)
    own, names = st.session_state[state.CLASS] == "predicted", choice.spec.classes
    what = "each for its predicted class" if own else f"class {text.literal(names[label])}"
    st.markdown(
        f"**{method} for {len(choice.images)} images** :gray[· {what}; one scale ±{end:g} "
        f"{METHODS[method].unit}]"
    )
    palette = theme.palette()
    with st.grid(min_column_width=_TILE, gap="xsmall"):
        for image in choice.images:
            explained = int(classifier.predict(image.floats)[0]) if own else label
            values = attribution(method, classifier, image, explained, settings).values[0]
            with st.container(gap="xsmall"):
                pixels = tiles.image(image.pixels / 255, _TILE, palette)
                picture(pixels, width=_TILE, alt=image.title)
                signed = tiles.signed(values, end, palette)
                picture(
                    tiles.enlarge(signed, tiles.scale_of(_TILE, len(values))),
                    width=_TILE,
                    alt=f"{method} of {image.title} for class {names[explained]}",
                )
                st.caption(
                    f"**{text.literal(names[explained])}** · image {image.number}"
                    if image.number is not None
                    else "yours"
                )
    st.caption("Below: the class explained. The settings are those above.")


def _downloads(
    choice: Choice, label: int, settings: Settings, maps: dict[str, Attribution]
) -> None:
    with st.container(horizontal=True, horizontal_alignment="right"):
        download(
            "Maps",
            lambda: _archive(choice, label, settings, maps),
            "attribution.npz",
            help="Image, class, settings and every map as NumPy arrays.",
        )
        table = study_table()
        download(
            "Table",
            lambda: table.to_csv(index=False),
            "fidelity.csv",
            key="fidelity-csv",
            disabled=table is None,
            help="Nothing is measured yet." if table is None else "The ranking of the maps.",
        )


def _archive(choice: Choice, label: int, settings: Settings, maps: dict[str, Attribution]) -> bytes:
    return npz(
        {
            "image": choice.image.pixels,
            "explained_class": label,
            "completeness_gap": maps[INTEGRATED].completeness_gap,
            **{METHODS[name].key: each.values[0] for name, each in maps.items()},
            **settings,
        }
    )

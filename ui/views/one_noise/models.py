"""Models against models: a noise fitted on each, scored on all."""

import streamlit as st

from core.attacks.universal_noise import Carried
from core.checks import check_apart
from core.network.classifier import Classifier
from core.statistics.paired import Verdict, judged
from core.statistics.rate import Rate
from ui import text, theme
from ui.controls import bound
from ui.figures import carried_charts
from ui.show import draw, error_box
from ui.views.one_noise.fit import GAUSSIAN, NOISE, FitSettings, few, scored_images, scores
from ui.visitor import compute
from ui.visitor.choice import Choice, peers

_MAX_MODELS = 5
_FITTED = "_one_fitted"  # the settings that this visitor has had fitted on the other models
_KEPT = 20
_CONTROL = "Gaussian"
_MISREAD, _REACHED = "Any wrong answer", "The target"


def models(
    choice: Choice,
    classifier: Classifier,
    settings: FitSettings,
    found: dict[str, Carried],
    *,
    scale: float,
) -> None:
    """The matrix; the row of the chosen model is there at once, the others on demand.

    found: what the noise and its controls do to the chosen model, on as many images or more.
    """
    place = st.container()
    names = peers(choice.model)
    shipped = [key for key in compute.shipped_cards() if key != choice.model and key in names]
    beside = st.multiselect(
        "Beside it",
        [key for key in names if key != choice.model],
        shipped[: _MAX_MODELS - 1],
        format_func=names.__getitem__,
        max_selections=_MAX_MODELS - 1,
        key=f"one_models-{choice.model}",
        placeholder="Other models",
    )
    counted = bound.segmented_control(
        "Counted",
        [_MISREAD, _REACHED],
        default=_MISREAD,
        required=True,
        key="one_hit",
    )
    compared = {names[choice.model]: classifier} | {
        names[key]: compute.classifier(key) for key in beside
    }
    fitted = st.session_state.setdefault(_FITTED, [])
    try:
        with place, st.skeleton(height=58 * len(compared) + 120):
            rates = _rates(
                compared, settings, scale, found, everywhere=settings in fitted, counted=counted
            )
    except ValueError as error:
        error_box(error)
        return
    with place:
        verdicts = _verdicts(compared, settings, scale, counted=counted)
        _draw(rates, verdicts, settings, scale)
    if settings not in fitted and beside:
        work = settings.work * len(beside)
        st.button(
            "Fit on the others, too",
            key="one-fit-others",
            icon=":material/play_arrow:",
            on_click=_fit_others,
            args=[settings],
            help=f"{work:,} gradients of one image each, {text.duration(work / 2_000)} or more.",
        )


def _fit_others(settings: FitSettings) -> None:
    fitted: list[FitSettings] = st.session_state[_FITTED]
    st.session_state[_FITTED] = [*fitted, settings][-_KEPT:]


def _rates(
    compared: dict[str, Classifier],
    settings: FitSettings,
    scale: float,
    found: dict[str, Carried],
    *,
    everywhere: bool,
    counted: str,
) -> dict[str, dict[str, Rate | None]]:
    """By the model fitted on, then the model scored; None where nothing was fitted yet.

    Nor where a model reads nothing right before. The last row is the control: Gaussian noise as
    long as that of the first row. Raises ValueError if a model is called as the control is.
    """
    check_apart([*compared, _CONTROL], "rows are called")

    def rate(each: Carried) -> Rate | None:
        rate = each.misclassified(each.others) if counted == _MISREAD else each.reached()
        return rate if rate.total else None

    own, *others = compared
    images = len(scored_images(settings, few(settings.spec)))
    both = {own: {name: each.first(images) for name, each in found.items()}} | {
        name: scores(
            compared[name], compared[own], settings, scale, few(settings.spec), (NOISE, GAUSSIAN)
        )
        for name in others
    }
    rates: dict[str, dict[str, Rate | None]] = {
        own: {name: rate(each[NOISE]) for name, each in both.items()}
    }
    for fitted in others:
        rates[fitted] = {
            name: rate(
                scores(scored, compared[fitted], settings, scale, few(settings.spec), (NOISE,))[
                    NOISE
                ]
            )
            if everywhere
            else None
            for name, scored in compared.items()
        }
    rates[_CONTROL] = {name: rate(each[GAUSSIAN]) for name, each in both.items()}
    return rates


def _verdicts(
    compared: dict[str, Classifier], settings: FitSettings, scale: float, *, counted: str
) -> dict[str, Verdict]:
    """The noise of the first model beside Gaussian noise, on each of the others; one family."""
    own, *others = compared
    found = {
        name: scores(
            compared[name], compared[own], settings, scale, few(settings.spec), (NOISE, GAUSSIAN)
        )
        for name in others
    }
    return judged(
        {
            name: both[NOISE].beside(both[GAUSSIAN], reached=counted == _REACHED)
            for name, both in found.items()
        }
    )


def _draw(
    rates: dict[str, dict[str, Rate | None]],
    verdicts: dict[str, Verdict],
    settings: FitSettings,
    scale: float,
) -> None:
    (own, row), *_ = rates.items()
    others = {name: rate for name, rate in row.items() if name != own and rate is not None}
    finding = "No other model is chosen"
    if others:
        best = max(others, key=lambda name: others[name].value)
        control = rates[_CONTROL][best] or others[best]
        finding = (
            f"Fitted on {text.literal(own)}, it misleads {text.literal(best)} in "
            f"{text.percent(others[best])}, Gaussian noise "
            f"as long in {text.percent(control)}: it is {verdicts[best].words('stronger')}"
        )
    here = text.percent(row[own] or Rate(0, 0))
    st.markdown(
        f"**{finding}** :gray[· {text.literal(own)} itself in {here}; the first "
        f"{few(settings.spec)} test images "
        f"not fitted, not of class {text.literal(settings.target_name)}; scale {scale:g}]"
    )
    draw(
        carried_charts.matrix(rates, theme.palette(), rows="fitted on", columns="scored on"),
        key="one-matrix",
        alt="Rates of noises fitted on each model and scored on each, with 95 % intervals",
    )
    cells = [rate for name in row for rate in rates[name].values()]
    measured = sum(rate is not None for rate in cells)
    st.caption(
        f"{measured} of {len(cells)} cells are measured, with 95 % Wilson intervals. Last row, the "
        f"control: {GAUSSIAN} as the noise of {text.literal(own)}."
    )

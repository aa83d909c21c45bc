"""What a visitor takes of a noise: itself, its picture, its rates, its settings."""

import json

import pandas as pd
import streamlit as st

from core.attacks.universal_noise import Carried
from core.data.provenance import png
from core.data.spec import MNIST, DatasetSpec
from core.statistics.rate import Rate
from ui import theme
from ui.controls.downloads import download
from ui.figures import tiles
from ui.files import npz
from ui.views.one_noise.fit import Fit, FitSettings
from ui.visitor.choice import Choice

_SCALE = 10


def noise_downloads(
    choice: Choice, settings: FitSettings, fitted: Fit, found: dict[str, Carried], *, scale: float
) -> None:
    """Four buttons; the files are made when they are asked for."""
    palette = theme.palette()
    told = _told(choice, settings, scale)
    files = {
        "Noise": (
            lambda: noise_archive(settings, fitted, scale=scale),
            "noise.npz",
            f"{choice.spec.side} × {choice.spec.side} numbers in −1 to 1 at scale 1, as a NumPy "
            "array.",
        ),
        "Picture": (
            lambda: png(
                tiles.enlarge(tiles.change(fitted.noise[0], 1.0, palette), _SCALE),
                {"made by": "one noise", **told, "images": len(settings.images)},
            ),
            "noise.png",
            "The noise at scale 1; its colors end at ±1.",
        ),
        "Rates": (
            lambda: rates_table(found, choice.spec).to_csv(index=False),
            "noise-rates.csv",
            "By true class, for the noise and its controls, with 95 % intervals.",
        ),
        "Settings": (
            lambda: json.dumps(told, indent=1),
            "noise.json",
            "Model, images and every setting, as JSON.",
        ),
    }
    with st.container(horizontal=True, horizontal_alignment="right"):
        for label, (make, name, help) in files.items():
            download(label, make, name, key=f"one-{label}", help=help)


def noise_archive(settings: FitSettings, fitted: Fit, *, scale: float) -> bytes:
    """The noise [side, side] at scale 1, its target and the scale that was set, as an .npz file."""
    noise = fitted.noise[0].reshape(settings.spec.byte_shape)
    return npz({"noise": noise, "target": settings.target, "scale": scale})


def rates_table(found: dict[str, Carried], spec: DatasetSpec = MNIST) -> pd.DataFrame:
    """A row for each series, true class and outcome; all classes but the target as “others”."""
    rows = []
    for name, each in found.items():
        groups = {name: [label] for label, name in enumerate(spec.classes)}
        groups |= {"others": sorted(each.others)}
        for group, classes in groups.items():
            for outcome, rate in (
                ("misread", each.misclassified(classes)),
                ("target", each.reached(classes)),
            ):
                rows.append({"noise": name, "true": group, "outcome": outcome, **_written(rate)})
    return pd.DataFrame(rows)


def _written(rate: Rate) -> dict[str, float]:
    low, high = rate.interval
    return {"count": rate.successes, "of": rate.total, "rate": rate.value, "low": low, "high": high}


def _told(choice: Choice, settings: FitSettings, scale: float) -> dict[str, object]:
    return {
        **({"experiment": "E9"} if choice.spec == MNIST else {}),
        "model": choice.model,
        "images": [image.key for image in settings.images],
        "target": settings.target,
        "learning_rate": settings.learning_rate,
        "iterations": settings.iterations,
        "objective": settings.objective,
        "scale": scale,
    }

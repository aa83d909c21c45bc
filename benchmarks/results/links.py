"""The links of the pages."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

LINKS: tuple[tuple[str, dict[str, str]], ...] = (  # a page, and what a link to it says
    ("overview", {"image": " 3", "model": "model-1~median-5"}),
    ("training", {"lr": "1e-3", "epochs": "+3", "bn": "TRUE", "at": "PGD", "at_eps": "0.2"}),
    ("predictions", {"model": "model-2", "count": "36.0", "of": "7"}),
    ("layers", {"model": "certified"}),
    ("feature_maps", {"layer": "conv2", "stage": "before ReLU", "compare": "Another image"}),
    ("occlusion", {"block": "+5", "stride": "2.0", "image": "3", "pixels": "TRUE"}),
    ("attribution", {"ig_steps": "32", "sg_samples": "1e1", "class": "3", "map": "Grad-CAM"}),
    ("class_images", {"img_class": "3", "img_steps": "10", "img_blur": "0.5", "img_l2": "0.2"}),
    ("adversarial", {"noise_steps": "10", "noise_mean": "0.4", "noise_seed": "05"}),
    ("adversarial", {"view": "Scoreboard", "score_attack": "APGD", "score_images": "1e2"}),
    ("one_noise", {"one_target": "4", "one_scale": "1.50", "one_steps": "10"}),
    ("defenses", {"defense_view": "Filters", "filters": "jpeg-30.0+bits-2", "none": "1"}),
    ("defenses", {"defense_view": "Is it masked?", "mask_images": "+50", "mask_epsilon": ".2"}),
)


def _links() -> Any:
    """What each page makes of a link, how it writes it, and what all its controls take."""
    return [_link(page, says) for page, says in LINKS]


def _link(page: str, says: Mapping[str, str]) -> Any:
    app = AppTest.from_file(str(Path("dashboard.py").resolve()), default_timeout=180)
    app.query_params.update(says)
    if page != "overview":
        app.switch_page(f"pages/{page}.py")
    app.run()
    assert not app.exception, app.exception
    drawn = app.session_state["_visit"].drawn
    return {
        f"{page}, address": {name: str(app.query_params[name]) for name in app.query_params},
        f"{page}, controls": {name: parameter.takes for name, parameter in drawn.items()},
        f"{page}, notice": [each.value for each in app.warning],
    }


RESULTS = {"Links of every page": _links}

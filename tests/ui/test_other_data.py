"""Every page and every view on images that are not MNIST's: 12 × 12 pixels in color, named classes.

And what the interface may know of MNIST by itself.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from core.data import sets
from core.data.dataset import Dataset
from core.network.architecture import Architecture, ConvBlock
from core.training.runs import Run
from core.training.settings import TrainingSettings
from tests import shapes
from tests.test_house import ROOT
from tests.ui.as_text import shown, unescaped
from tests.ui.conftest import fine_text_of, run_until, run_while_live
from ui.header.navigation import VIEWS
from ui.views.adversarial.page import _VIEWS as ADVERSARIAL
from ui.views.defenses.page import _VIEWS as DEFENSES

# Names that would be set in italics, as code, as mathematics, as a link, in red.
SHAPES = replace(
    shapes.SHAPES,
    classes=("*oval*", "`ring`", "$square$", "_cross_", "[bar](#)", ":red[corner]", "gra~~ti~~ng"),
)
SMALL = Architecture(
    blocks=(ConvBlock(8), ConvBlock(8)),
    hidden_units=(24,),
    classes=len(SHAPES.classes),
    input_shape=SHAPES.shape,
)


def _shapes() -> Dataset:
    return replace(shapes.shapes(), spec=SHAPES)


@pytest.fixture(scope="module")
def run() -> Run:
    """A network that has learned the shapes, in a few seconds."""
    settings = TrainingSettings(
        learning_rate=5e-3, epochs=6, batch_size=32, training_images=SHAPES.training_images
    )
    run = Run(SMALL, settings, _shapes(), number=1)
    for _ in run.work():
        pass
    return run


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sets.SETS, SHAPES.key, sets.Source(SHAPES, _shapes))


def _opened(run: Run, page: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=180)
    app.session_state["_runs"] = [run]
    app.query_params.update(query | {"model": "run-1"})
    if page != "overview":
        app.switch_page(f"pages/{page}.py")
    return app.run()


OPENED = [
    *((view.file, {}) for view in VIEWS),
    *(("adversarial", {"view": name}) for name in list(ADVERSARIAL)[1:]),
    *(("defenses", {"defense_view": name}) for name in list(DEFENSES)[1:]),
    *(("class_images", {"img_of": kind}) for kind in ("Channel", "Unit")),
    ("feature_maps", {"compare": "Another image"}),
    ("adversarial", {"view": "Standard attacks", "more": "5, 9", "a_goal": "Targeted"}),
]


@pytest.mark.parametrize(("page", "query"), OPENED, ids=lambda part: str(part))
def test_every_view_shows_other_images(run: Run, page: str, query: dict[str, str]) -> None:
    app = _opened(run, page, **query)
    assert not app.exception
    assert not app.error
    said = shown(app)
    assert any(name in said for name in SHAPES.classes)
    assert not re.search(r"\bdigits?\b", said, re.IGNORECASE)
    assert not re.search(r'\bink\b(?!")', said), "but for the palette's color of that name"
    assert unescaped(app, SHAPES.classes) == []


def test_a_study_of_other_images_runs_to_its_end(run: Run) -> None:
    app = _opened(run, "adversarial", view="Scoreboard", score_attack="FGSM", score_images="50")
    app.button(key="score-start").click().run()
    written = fine_text_of(run_while_live(app, "score-stop"))
    assert "the first 50 test images" in written
    assert "become another shape**" in written
    assert unescaped(app, SHAPES.classes) == []


def test_a_training_on_other_images_runs_to_its_end(run: Run) -> None:
    app = _opened(run, "training", epochs="1", filters1="4", filters2="4", hidden="10")
    app.button(key="train").click().run()
    trained = app.session_state["_runs"][-1]
    run_until(app, lambda: trained.job.ended)
    assert trained.job.error == ""
    assert trained.dataset.spec == SHAPES
    assert f"{SHAPES.test_images} test images" in fine_text_of(app)
    assert unescaped(app, SHAPES.classes) == []


def test_the_network_has_learned_the_shapes(run: Run) -> None:
    """Else the pages would show answers of a network that knows nothing."""
    assert run.last_score is not None
    assert run.last_score.value > 0.8


def test_back_to_mnist(run: Run) -> None:
    """What was chosen on the way does not stay behind where it does not fit."""
    app = _opened(run, "occlusion", image="200", stride="6")
    assert not app.error
    app.selectbox(key="model").select("model-1").run()
    assert not app.exception
    assert not app.error
    app.number_input(key="image").set_value(9_999).run()
    app.slider(key="block").set_value(14).run()
    app.selectbox(key="model").select("run-1").run()
    assert not app.exception
    assert not app.error
    assert app.number_input(key="image").value == 1
    assert app.slider(key="block").value == 6


# What stands for itself: MNIST's own views, and numbers that mean something else.
MNISTS_OWN = (
    "components/digit_pad/", "components/digit_reading/", "header/own_digit.py",
    "header/upload.py", "visitor/images.py", "views/defenses/generative",
    "views/defenses/grid_note.py",
)  # fmt: skip
OTHERWISE = {
    "figures/found.py": ["28"],  # the height of letters
    "figures/attribution_charts.py": ["28"],  # of a row
    "figures/architecture.py": ["28"],  # of a drawing
    "figures/certified_charts.py": ["10_000"],  # on an axis
    "components/occluder/occluder.js": ["28"],  # of letters
    "components/player/take.js": ["10_000"],  # milliseconds
    "components/microscope/package.py": ["10_000"],  # bytes
    "visitor/compute.py": ["10_000"],  # looks a second
    "visitor/parameters.py": ["10,000"],  # how a number is written
    "text.py": ["10,000"],
    "views/defenses/smoothing.py": ["10_000"],  # noisy copies
    "views/training/settings.py": ["60,000"],  # the report's own setting, E1
}
_MEANS_MNIST = re.compile(
    r"\b(?:28|784|[16]0[_,]000)\b|range\(10\)|\[[^\]]*, 10\]|length: 10\b|\* 10\b"
)


def _of_mnist() -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / "ui").rglob("*")):
        if path.suffix in (".py", ".js", ".html"):
            name = path.relative_to(ROOT / "ui").as_posix()
            for found in _MEANS_MNIST.findall(path.read_text(encoding="utf-8")):
                yield name, found


def test_nothing_that_means_mnist_stands_by_itself() -> None:
    found = [
        (name, literal)
        for name, literal in _of_mnist()
        if not name.startswith(MNISTS_OWN) and literal not in OTHERWISE.get(name, [])
    ]
    assert not found
    assert {name for name, _ in _of_mnist()} >= OTHERWISE.keys()

"""Every page and every view on images that are not MNIST's: 12 × 12 pixels in color, named classes.

And what the interface may know of MNIST by itself.
"""

import re
from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from core.data import sets
from core.network.architecture import Architecture, ConvBlock
from core.training.runs import Run
from core.training.settings import TrainingSettings
from tests.shapes import SHAPES, shapes
from tests.test_house import ROOT
from ui.header.navigation import VIEWS
from ui.views.adversarial.page import _VIEWS as ADVERSARIAL
from ui.views.defenses.page import _VIEWS as DEFENSES

SMALL = Architecture(
    blocks=(ConvBlock(8), ConvBlock(8)),
    hidden_units=(24,),
    classes=len(SHAPES.classes),
    input_shape=SHAPES.shape,
)


@pytest.fixture(scope="module")
def run() -> Run:
    """A network that has learned the shapes, in a few seconds."""
    settings = TrainingSettings(
        learning_rate=5e-3, epochs=6, batch_size=32, training_images=SHAPES.training_images
    )
    run = Run(SMALL, settings, shapes(), number=1)
    for _ in run.work():
        pass
    return run


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sets.SETS, SHAPES.key, sets.Source(SHAPES, shapes))


def _opened(run: Run, page: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=180)
    app.session_state["_runs"] = [run]
    app.query_params.update(query | {"model": "run-1"})
    if page != "overview":
        app.switch_page(f"pages/{page}.py")
    return app.run()


def _everything(app: AppTest) -> str:
    """Every element as it is sent to the browser."""
    return " ".join(str(node.proto) for node in app._tree if hasattr(node, "proto"))


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
    shown = _everything(app)
    assert any(name in shown for name in SHAPES.classes)
    assert not re.search(r"\bdigits?\b", shown, re.IGNORECASE)


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

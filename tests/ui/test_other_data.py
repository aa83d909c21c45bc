"""What the interface may know of MNIST by itself."""

import re
from collections.abc import Iterator

from tests.test_house import ROOT

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

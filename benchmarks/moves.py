"""CPU seconds that a slider's move costs the server, with all of its threads and children.

    python -m benchmarks moves                      all pages
    python -m benchmarks moves occlusion one-noise  some of them
    python -m benchmarks moves --against ce7f3d2    beside an older build, alternating

Each move is to a place where no slider has been before: what it shows is in no cache.
"""

import contextlib
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.before import HERE, checked_out
from benchmarks.load import cpu, warm_server
from benchmarks.visitor import Visitor
from tests.browser.server import Server

ROUNDS = 9
_AFTER = 0.3  # seconds in which a run's end, and the collection behind it, are still counted


@dataclass(frozen=True)
class Page:
    """A page, the query of its link, and the sliders that are moved one after the other."""

    path: str
    sliders: tuple[str, ...]
    query: str = ""


PAGES = {
    "occlusion": Page("occlusion", ("block", "stride")),
    "from-noise": Page("adversarial", ("noise_mean", "noise_std", "noise_rate", "noise_steps")),
    "standard": Page("adversarial", ("a_epsilon", "a_pgd_iterations"), "view=Standard attacks"),
    "class-images": Page("class_images", ("img_l2", "img_steps")),
    "one-noise": Page("one_noise", ("one_scale",)),
    "one-noise-fitted": Page("one_noise", ("one_steps", "one_rate")),
}


def main(rounds: int = ROUNDS) -> None:
    """Print the table of all pages asked for, and keep it."""
    asked = sys.argv[2:]
    against = asked.pop(asked.index("--against") + 1) if "--against" in asked else ""
    pages = [each for each in asked if each != "--against"] or list(PAGES)
    with contextlib.ExitStack() as stack:
        places = [HERE]
        if against:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            places.append(stack.enter_context(checked_out(against, folder)))
        servers = [stack.enter_context(warm_server(place)) for place in places]
        found = {page: _measured(servers, PAGES[page], rounds) for page in pages}
    result = machine.conditions() | {
        "against": against,
        "rounds": rounds,
        "pages": {page: _summary(each) for page, each in found.items()},
    }
    print(table(result))
    print(f"Kept in {machine.keep('moves', result)}.")


def table(result: dict[str, Any]) -> str:
    """The medians in Markdown; beside another build the ratio within each round, and its range."""
    lines = [
        "| page | CPU s a move | kB sent | before | times |",
        "| --- | --- | --- | --- | --- |",
    ]
    for page, row in result["pages"].items():
        before = f"{row['before_s']:.3f} | {row['times']:.2f} [{row['least']:.2f}, "
        beside = f"{before}{row['most']:.2f}]" if result["against"] else " | "
        lines.append(f"| {page} | {row['cpu_s']:.3f} | {row['sent_kb']:.0f} | {beside} |")
    return "\n".join(lines)


def _summary(rounds: list[list[tuple[float, int]]]) -> dict[str, float]:
    """CPU seconds of a move here and before, kB sent, and how many times as much it takes."""
    now, *then = (
        statistics.median(seconds for seconds, _ in each) for each in zip(*rounds, strict=True)
    )
    found = {"cpu_s": now, "sent_kb": statistics.median(each[0][1] for each in rounds) / 1000}
    if not then:
        return found
    ratios = [mine / old for (mine, _), (old, _) in rounds]
    times = {"times": statistics.median(ratios), "least": min(ratios), "most": max(ratios)}
    return found | {"before_s": then[0]} | times


def _measured(servers: list[Server], page: Page, rounds: int) -> list[list[tuple[float, int]]]:
    """CPU seconds and bytes sent of a move, for each round the mean over the sliders, by server."""
    with contextlib.ExitStack() as stack:
        visitors = [
            stack.enter_context(Visitor(server.url, page.path, page.query)) for server in servers
        ]
        for visitor in visitors:
            visitor.open()
            _move(visitor, page, rounds + 1)  # traces what it needs
        together = list(zip(servers, visitors, strict=True))
        return [
            [_round(server, visitor, page, number) for server, visitor in together]
            for number in range(1, rounds + 1)
        ]


def _round(server: Server, visitor: Visitor, page: Page, number: int) -> tuple[float, int]:
    time.sleep(_AFTER)
    before, sent, moves = cpu(server), visitor.sent, len(page.sliders)
    _move(visitor, page, number)
    time.sleep(_AFTER)
    return (cpu(server) - before) / moves, (visitor.sent - sent) // moves


def _move(visitor: Visitor, page: Page, number: int) -> None:
    for slider in page.sliders:
        visitor.move(slider, number)


if __name__ == "__main__":
    main()

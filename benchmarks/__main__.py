"""Run one benchmark, or all: `python -m benchmarks [NAME]`.

    python -m benchmarks           all but those that need to be told a commit or a file
    python -m benchmarks table     what was kept of them in benchmarks/measured, for the README

The peers of `attacks` and `attribution` live in an environment of their own, and take part where it
is this one:

    python3 -m venv peers && peers/bin/pip install -r requirements-dev.txt
    peers/bin/pip install --no-deps -r benchmarks/peers.txt && peers/bin/python -m benchmarks
"""

import importlib
import subprocess
import sys

ALL = (
    "training", "startup", "moves", "memory", "attribution", "attacks", "defenses", "load",
    "reruns", "workers", "scale", "exactness",
)  # fmt: skip
TOLD = ("before", "same", "mutation", "table")


def main() -> None:
    """Run what is asked for; each of all in a process of its own."""
    if not sys.argv[1:]:
        failed = [
            name
            for name in ALL
            if subprocess.run([sys.executable, "-m", "benchmarks", name]).returncode
        ]
        sys.exit(f"Failed: {', '.join(failed)}." if failed else 0)
    if sys.argv[1] not in ALL + TOLD:
        sys.exit(f"Usage: python -m benchmarks [NAME], NAME one of {', '.join(ALL + TOLD)}.")
    importlib.import_module(f"benchmarks.{sys.argv[1]}").main()


main()

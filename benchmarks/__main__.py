"""`python -m benchmarks NAME`: run one benchmark and print its table."""

import importlib
import sys

NAMES = (
    "training", "startup", "memory", "attribution", "attacks", "before", "same", "defenses",
    "load", "reruns",
)  # fmt: skip

if len(sys.argv) < 2 or sys.argv[1] not in NAMES:
    sys.exit(f"Usage: python -m benchmarks NAME, where NAME is one of {', '.join(NAMES)}.")
importlib.import_module(f"benchmarks.{sys.argv[1]}").main()

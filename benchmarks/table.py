"""The tables of all that was measured and kept, each with its machine, versions and date."""

import importlib
import json
from typing import Any

from benchmarks.machine import KEPT


def main() -> None:
    """Print them in Markdown, for the README."""
    for path in sorted(KEPT.glob("*.json")):
        kept = json.loads(path.read_text())
        for result in kept if isinstance(kept, list) else [kept]:
            print(f"### {path.stem}\n\n{_conditions(result)}\n")
            print(_table(path.stem, result), end="\n\n")


def _conditions(result: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    return (
        f"{result['date'][:10]}, {result['commit']}: {result['processor']}, "
        f"{result['cores_found']} cores, {result['memory_gb']} GB; {versions}"
    )


def _table(name: str, result: dict[str, Any]) -> str:
    """As the benchmark itself prints it, and as it was kept if it prints none of kept results."""
    own = getattr(importlib.import_module(f"benchmarks.{name}"), "table", None)
    return str(own(result)) if own else f"```json\n{json.dumps(result, indent=1)}\n```"

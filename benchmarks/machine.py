"""On what, with what and when a benchmark was run; and where its result is kept."""

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from benchmarks.before import HERE

KEPT = HERE / "benchmarks" / "measured"
_PACKAGES = ("streamlit", "tensorflow-cpu", "keras", "numpy", "pandas", "plotly")


def conditions(place: Path = HERE) -> dict[str, Any]:
    """The machine, the versions, the hour and the commit of the project in the folder `place`."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="minutes"),
        "commit": _git(place, "rev-parse", "--short", "HEAD")
        + (" and changes" if _git(place, "status", "--porcelain", "--untracked-files=no") else ""),
        "processor": _processor(),
        "cores_found": len(os.sched_getaffinity(0)),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": platform.platform(),
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in _PACKAGES},
    }


def keep(name: str, result: object) -> Path:
    """Write a result as benchmarks/measured/`name`.json."""
    KEPT.mkdir(exist_ok=True)
    path = KEPT / f"{name}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    return path


def _git(place: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(place), *arguments], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())

"""`python -m tests`: install the browser that the tests need, then lint, check types and test.

Arguments go to pytest: `python -m tests tests/core -k data`. Without any, everything is tested, and
how much of core the tests have run is measured and printed.
"""

import os
import shutil
import subprocess
import sys

from tests.browser.chromium import find_chromium

COVERAGE = ("--cov=core", "--cov-branch", "--cov-report=term:skip-covered", "--cov-fail-under=95")
# A file at a time, in the order of pyproject.toml: no worker is left alone with a long one.
WORKERS = ("--numprocesses=2", "--dist=loadfile", "--no-loadscope-reorder")
PYTHON = (
    ("ruff", "format", "--check", "."),
    ("ruff", "check", "."),
    ("mypy",),
    ("pytest", *WORKERS, *(sys.argv[1:] or COVERAGE)),
)
JAVASCRIPT = (
    ("npm", "install", "--no-package-lock", "--no-audit", "--no-fund"),
    ("npm", "run", "lint"),
    ("npm", "test"),
)


def install_chromium() -> None:
    """From Debian where apt is there; the browser tests say so in a sentence where it is not."""
    if find_chromium() is not None or shutil.which("apt-get") is None:
        return
    root = [] if os.geteuid() == 0 else ["sudo"]
    for command in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        subprocess.run([*root, "apt-get", *command], check=False)


def checks() -> list[tuple[str, ...]]:
    """The commands, those of the components' JavaScript first where Node is there."""
    python = [(sys.executable, "-m", *check) for check in PYTHON]
    if sys.argv[1:]:
        return python
    if shutil.which("node") is None or shutil.which("npm") is None:
        print("The JavaScript of ui/components is not tested here: install Node.js 20 and npm.")
        return python
    return [*JAVASCRIPT, *python]


def main() -> int:
    """Run all checks even if one fails; 0 if all passed."""
    install_chromium()
    failed = []
    for check in checks():
        command = " ".join(check)
        print(f"+ {command}", flush=True)
        if subprocess.run(check, check=False).returncode:
            failed.append(command)
    for command in failed:
        print(f"Failed: {command}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

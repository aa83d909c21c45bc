"""`python -m tests`: install the browser that the tests need, then lint, check types and test.

Arguments go to pytest: `python -m tests tests/core -k data`.
"""

import os
import shutil
import subprocess
import sys

from tests.browser.chromium import find_chromium

CHECKS = (
    ["ruff", "format", "--check", "."],
    ["ruff", "check", "."],
    ["mypy"],
    ["pytest", "--numprocesses=2", "--dist=loadfile", *sys.argv[1:]],
)


def install_chromium() -> None:
    """From Debian where apt is there; the browser tests say so in a sentence where it is not."""
    if find_chromium() is not None or shutil.which("apt-get") is None:
        return
    root = [] if os.geteuid() == 0 else ["sudo"]
    for command in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        subprocess.run([*root, "apt-get", *command], check=False)


def main() -> int:
    """Run all checks even if one fails; 0 if all passed."""
    install_chromium()
    failed = []
    for check in CHECKS:
        print(f"+ {' '.join(check)}", flush=True)
        if subprocess.run([sys.executable, "-m", *check], check=False).returncode:
            failed.append(check[0])
    if failed:
        print(f"Failed: {', '.join(failed)}.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Where this machine's Chromium is."""

import shutil
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
MISSING = (
    "No browser was found: install Chromium (on Debian: apt-get install chromium) and run the "
    "tests again."
)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def find_chromium() -> str | None:
    """The path of Chromium or Chrome, None if there is none."""
    found = (shutil.which(name) for name in _NAMES)
    return next(filter(None, found), None) or next(filter(_exists, _PLACES), None)


def _exists(path: str) -> bool:
    return Path(path).exists()

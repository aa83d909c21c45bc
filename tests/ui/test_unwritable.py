"""Where nothing can be written: no home, no temporary folder."""

import os
import subprocess
import sys
from pathlib import Path

from tests.test_house import ROOT

_PROGRAM = """
import sys, tempfile
from streamlit.testing.v1 import AppTest  # has a temporary folder of its own

tempfile.tempdir = sys.argv[1]
app = AppTest.from_file("dashboard.py", default_timeout=180).run()
assert not app.exception and not app.error, [app.exception, app.error]
assert any("Model 1 reads 2" in each.value for each in app.markdown)

import numpy as np
from core.zoo import models as zoo

print(zoo.load("model-1").predict(np.zeros((1, 28, 28, 1), np.float32)).shape)
"""


def test_pages_and_networks_need_nothing_that_can_be_written(tmp_path: Path) -> None:
    nowhere = tmp_path / "file"
    nowhere.touch()
    home = str(nowhere / "home")  # below a file nobody can make anything, not even root
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(nowhere / "temporary")],
        cwd=ROOT,
        env=os.environ | {"HOME": home, "XDG_CACHE_HOME": home, "TMPDIR": home},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "(1,)\n", done.stderr

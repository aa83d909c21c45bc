"""`streamlit run dashboard.py` with a gate for its jobs: the gate's file, then the options."""

import sys
from pathlib import Path

from streamlit.web.cli import main

from core.jobs import JobManager
from tests.gate import Gate

file, *options = sys.argv[1:]
JobManager.gate = Gate(Path(file))
sys.argv = ["streamlit", "run", "dashboard.py", *options]
main()

"""`streamlit run dashboard.py` with a gate for its jobs: the gate's file, then the options.

With two workers, however much room there is: so the tests see the same on any machine.
"""

import sys
from pathlib import Path

from streamlit.web.cli import main

from core.jobs import JobManager
from core.work import capacity
from tests.gate import Gate

file, *options = sys.argv[1:]
JobManager.gate = Gate(Path(file))
capacity.found = lambda: 2
sys.argv = ["streamlit", "run", "dashboard.py", *options]
main()

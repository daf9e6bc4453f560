"""Lets a trial's process find `formula_trials`, as it finds the project, by a path."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

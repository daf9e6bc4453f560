"""What the command line loads for one answer."""

import subprocess
import sys

from serving.loading import UNNEEDED

LOADS = """
import gc, importlib, sys
from pathlib import Path
from serving.loading import loaded_for_one
from serving.requests import RecommendRequest

answers = loaded_for_one(Path(sys.argv[1]), None)
assert len(answers.recommend(RecommendRequest(user="3"))["movies"]) == 10
assert gc.isenabled() and gc.get_freeze_count() > 100_000
for name in sys.argv[2:]:
    assert name not in sys.modules, name
    importlib.import_module(name)
"""


def test_what_no_answer_needs_stays_out_until_somebody_asks_for_it(models):
    load = [sys.executable, "-W", "ignore", "-c", LOADS, str(models), *UNNEEDED]
    done = subprocess.run(load, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]

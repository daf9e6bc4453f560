"""Builds an approximate index over a model of many movies and holds it against the exact search.

    python -m benchmarks.index [--movies 200000] [--searched 0.3 0.6]

The model's weights are random, and its popularity is nearly flat: of lists from the most rated
movies, which are always scored exactly, nothing could be missed.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

SKEW, USERS, EVENTS = 0.05, 1000, 100


def main() -> None:
    """Prints what `greenlight index` says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--movies", type=int, default=200_000)
    parser.add_argument("--searched", type=float, nargs="+", default=[0.3, 0.6])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder, "models")
        from benchmarks.synthetic_model import export_random

        export_random(models / "1", options.movies, USERS, EVENTS, skew=SKEW)
        command = [sys.executable, "-m", "pipeline.cli", "index", "--model-dir", str(models)]
        for share in options.searched:
            print(f"{options.movies:,} movies, --searched {share}", flush=True)
            place = ["--output", folder + "/index", "--searched", str(share)]
            if subprocess.run([*command, *place], check=False).returncode not in (0, 3):
                raise SystemExit("The index could not be built.")


if __name__ == "__main__":
    main()

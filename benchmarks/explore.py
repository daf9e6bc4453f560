"""Times `greenlight explore` from files to the page, in a process of its own and with no cache.

    python -m benchmarks.explore [--ratings 1000000] [--movies 3900]

The data are synthetic, in the form of MovieLens 1M: with times, genres, years and each user's
gender, age and occupation, so that the page has all of its sections.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks import synthetic
from schemas.artifacts import PAGE_FILE


class Result(NamedTuple):
    """One measured run: seconds of wall clock and of CPU, and its greatest memory."""

    seconds: float
    cpu_seconds: float
    peak_megabytes: float
    page_megabytes: float


def measure(data: Path, out: Path) -> Result:
    """Explores the MovieLens 1M files of a folder; nothing may be in `out` yet."""
    command = [sys.executable, "-m", "pipeline.cli", "explore", "--source", "movielens-1m"]
    command += ["--data-dir", str(data), "--output-dir", str(out)]
    log = out.with_suffix(".log")
    start = time.perf_counter()
    with log.open("wb") as said, subprocess.Popen(command, stdout=said, stderr=said) as child:
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - start
    if child.returncode:
        raise SystemExit(log.read_text(errors="replace")[-3000:])
    page = out / "explore" / PAGE_FILE
    cpu = usage.ru_utime + usage.ru_stime
    return Result(seconds, cpu, usage.ru_maxrss / 1024, page.stat().st_size / 1e6)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ratings", type=int, default=1_000_000)
    parser.add_argument("--movies", type=int, default=3_900)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "data")
        synthetic.write_1m(data, options.ratings, options.movies)
        result = measure(data, Path(folder, "out"))
    print(
        f"{options.ratings:,} ratings: {result.seconds:.1f} s ({result.cpu_seconds:.1f} s of CPU), "
        f"peak memory {result.peak_megabytes:,.0f} MB, page {result.page_megabytes:.1f} MB"
    )


if __name__ == "__main__":
    main()

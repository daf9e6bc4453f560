"""Times the search for better settings with one trial at a time and with several.

    python -m benchmarks.tuning [--trials 10] [--parallel 1 2] [--rounds 2] [--set key=value ...]

Each search is run as its user runs it, on the embedded data and in a process of its own. The
numbers of trials at once take turns, so that other load on the machine meets all alike; a further
round has another seed. The nodes before the Tuner run once, untimed.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from schemas.artifacts import TRIALS_FILE


def main() -> None:
    """Prints one table, a row for each search."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument("--parallel", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--set", action="append", default=[], dest="settings")
    options = parser.parse_args()
    asked = [f"tuning.trials={options.trials}", "tuning.minutes=600", *options.settings]
    turns = [(n, at_once) for n in range(options.rounds) for at_once in options.parallel]
    with tempfile.TemporaryDirectory() as folder:
        tune(folder, [*asked, "tuning.trials=1", "training.epochs=1"])
        show([searched(folder, [*asked, *turn(*numbers)]) for numbers in turns])


def turn(number: int, at_once: int) -> list[str]:
    """The settings of one search of a round; TFX's cache would answer for an equal one."""
    return [f"tuning.seed={1 + number}", f"tuning.parallel={at_once}"]


def searched(folder: str, settings: list[str]) -> dict[str, Any]:
    """What a search from nothing leaves in `trials.json`; its largest process, and its CPU."""
    shutil.rmtree(f"{folder}/checkpoints/tuning")
    used = tune(folder, settings)
    found = json.loads(Path(folder, "tuning", TRIALS_FILE).read_text(encoding="utf-8"))
    return {**found, "megabytes": used.ru_maxrss // 1024, "cpu": used.ru_utime + used.ru_stime}


def tune(folder: str, settings: list[str]) -> resource.struct_rusage:
    """Runs `greenlight tune`; says what it and its own processes used."""
    options = [part for setting in settings for part in ("--set", setting)]
    command = [sys.executable, "-m", "pipeline.cli", "tune", "--output-dir", folder, *options]
    _, status, used = os.wait4(subprocess.Popen(command).pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit("greenlight tune failed, as told above.")
    return used


def show(searches: list[dict[str, Any]]) -> None:
    """Prints the searches in the order in which they ran."""
    table = Table(
        title="The search, by trials at once", title_justify="left",
        caption="CPU s: of the whole command; MB: its largest process", caption_justify="left",
    )  # fmt: skip
    columns = ("at once", "trials", "seconds", "trials/min", "best score", "CPU s", "MB")
    for column in columns:
        table.add_column(column, justify="right")
    for search in searches:
        trials, seconds = len(search["trials"]), search["seconds"]
        best = search["trials"][search["best"] - 1]["score"]
        table.add_row(
            f"{search['parallel']}", f"{trials}", f"{seconds:.0f}", f"{60 * trials / seconds:.2f}",
            f"{best:.4f}", f"{search['cpu']:.0f}", f"{search['megabytes']:,}",
        )  # fmt: skip
    Console(width=100).print(table)


if __name__ == "__main__":
    main()

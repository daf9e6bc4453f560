"""Attacks real runs and a real server, and prints what was tried and what held.

    python -m benchmarks.chaos [--kills 50] [--requests 5000] [--minutes 30] [--only kills ...]

Kills by SIGKILL in every node; files damaged, and files that cannot grow; requests of any bytes;
memory of a server under load through 30 changes of its model. It takes two hours on two cores.
It exits with 1 if something did not hold.
"""

import argparse
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks.chaos.damage import damage, full_disk
from benchmarks.chaos.kills import kills
from benchmarks.chaos.requests import fuzz
from benchmarks.chaos.row import Row
from benchmarks.chaos.runs import BLESSED, Runs
from benchmarks.serving import Served, export, in_a_process, soak

log = logging.getLogger(__name__)
MOVIES, SWAPS, GROWTH = 10_000, 30, 20  # megabytes that a server may grow by in so many swaps


def main() -> None:
    """Prints each row as it is known, then the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=50)
    options.add_argument("--requests", type=int, default=5000)
    options.add_argument("--minutes", type=float, default=30, help="of load through the swaps")
    attacks = ("kills", "damage", "disk", "requests", "soak")
    options.add_argument("--only", nargs="+", choices=attacks, default=attacks)
    chosen = options.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for row in _attacks(Path(folder), chosen):
            log.info("%s: %d of %d held; %s", row.attack, row.survived, row.tried, row.found)
            rows.append(row)
    _print(rows)
    sys.exit(any(row.survived < row.tried for row in rows))


def _attacks(folder: Path, chosen: argparse.Namespace) -> Iterator[Row]:
    if {"kills", "damage", "disk"} & set(chosen.only):
        yield from _on_runs(Runs(folder / "runs"), chosen)
    if {"requests", "soak"} & set(chosen.only):
        yield from _on_a_server(folder / "models", chosen)


def _on_runs(runs: Runs, chosen: argparse.Namespace) -> Iterator[Row]:
    undisturbed = runs.folder / "undisturbed"
    status, said = runs.run(undisturbed)
    if status != BLESSED:
        sys.exit(f"The undisturbed run failed:\n{said}")
    attacks: dict[str, Callable[[], Iterator[Row]]] = {
        "kills": lambda: kills(runs, chosen.kills, undisturbed, said),
        "disk": lambda: full_disk(runs),
        "damage": lambda: damage(runs, undisturbed),
    }
    for name, attack in attacks.items():
        if name in chosen.only:
            yield from attack()


def _on_a_server(models: Path, chosen: argparse.Namespace) -> Iterator[Row]:
    in_a_process(export, models / "1", MOVIES)
    if "requests" in chosen.only:
        served = Served(models)
        try:
            yield fuzz(served, chosen.requests)
        finally:
            served.stop()
    if "soak" in chosen.only:
        found = soak(models, chosen.minutes * 60, chosen.minutes * 60 / SWAPS)
        held = found.megabytes
        grown = held[-1] - held[min(3, len(held) - 1)]
        told = (
            f"{found.requests:,} requests in {chosen.minutes:g} minutes, {found.failed or 'none'} "
            f"failed, slowest {found.slowest:,} ms; {held[3]:,} MB after three changes, "
            f"{held[-1]:,} MB after {found.swaps}"
        )
        yield Row("changes of the model under load", found.swaps,
                  found.swaps * (grown < GROWTH and not found.failed), told)  # fmt: skip


def _print(rows: list[Row]) -> None:
    table = Table(title="What was tried, and what held")
    for column in ("attack", "tried", "held", "seen"):
        table.add_column(column, justify="right" if column in ("tried", "held") else "left")
    for row in rows:
        table.add_row(row.attack, f"{row.tried:,}", f"{row.survived:,}", row.found)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()

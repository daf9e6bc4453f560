"""Kills runs by SIGKILL, in each node in turn, and compares what they end with."""

import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.chaos.row import Row
from benchmarks.chaos.runs import BLESSED, Runs

_NODE = re.compile(r"^\[\d+/\d+\] (\w+)")
START = "start"  # before the first node


def kills(runs: Runs, wanted: int, undisturbed: Path, said: str) -> Iterator[Row]:
    """Kills a chain of runs of the same output, one in each node, until `wanted` are killed.

    Each goes on from what the one before had finished; the last of a chain runs to its end, and
    must conclude the same as the undisturbed run.

    Args:
      runs: what to run.
      wanted: kills.
      undisturbed: the output of a run that was not killed.
      said: by that run.

    Yields:
      A row for each chain.
    """
    rng, done, chain = np.random.default_rng(1), 0, 0
    seconds = {START: 8.0, **dict.fromkeys(_nodes(said), 2.0), **_seconds(undisturbed)}
    while done < wanted:
        chain += 1
        output = runs.folder / f"chain-{chain}"
        killed = Counter(
            node for node in seconds if _kill_in(runs, output, node, rng.uniform(0, seconds[node]))
        )
        status, said = runs.run(output)
        same = status == BLESSED and runs.same(output, undisturbed)
        done += killed.total()
        found = f"killed in {', '.join(killed)}; " + (
            "its model is the undisturbed one" if same else said[-300:]
        )
        yield Row(f"kill -9, chain {chain}", killed.total(), killed.total() * same, found)


def _seconds(output: Path) -> Mapping[str, float]:
    """How long each node of a finished run took."""
    path = output / "reports" / "latest" / "blessing.json"
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return {node: float(seconds) for node, seconds in told["seconds"].items()}


def _kill_in(runs: Runs, output: Path, node: str, delay: float) -> bool:
    """Kills a run some seconds after a node began; whether it still ran."""
    with runs.started(output) as (process, lines):
        if node != START:
            next((line for line in lines if _nodes(line) == [node]), None)
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            return True
        return False


def _nodes(said: str) -> list[str]:
    """The nodes that lines of progress say have begun."""
    return [found[1] for line in said.splitlines() if (found := _NODE.match(line))]

"""Runs the pipeline up to its Tuner on this machine."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.config import Config
from pipeline.local import execute, local_run
from schemas.artifacts import BEST_FILE, PAGE_FILE, Node

NODES = (
    Node.LAST_STATISTICS, Node.CURATED_SCHEMA, Node.EXAMPLE_GEN, Node.STATISTICS,
    Node.CATALOGUE_STATISTICS, Node.DATA_VALIDATOR, Node.TRANSFORM, Node.TUNER,
)  # fmt: skip


@dataclass(frozen=True)
class Tuned:
    """The best trial's settings by dotted name, the page of all trials, and a file to run with."""

    best: dict[str, Any]
    page: Path
    config: Path


def tune_local(config: Config) -> Tuned:
    """Runs the pipeline up to the Tuner and publishes what it found; shows progress and tables.

    Raises:
      UserError, RunFailed: as `run_local`.
    """
    with local_run(config) as (console, folders):
        metadata, runs = execute(config, console, folders, "", NODES)
        from pipeline import trials

        results = trials.publish_trials(config, metadata, runs, folders.tuning)
        for table in (trials.trials_table(results), trials.settings_table(results)):
            console.print(table)
        best, folder = trials.best_values(results), folders.tuning
        return Tuned(best, folder / PAGE_FILE, folder / BEST_FILE)

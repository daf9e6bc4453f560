"""Runs the pipeline on this machine."""

import datetime
import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from data import EMBEDDED
from pipeline.config import Config
from schemas.errors import RunFailed, UserError
from schemas.source import load_source

if TYPE_CHECKING:
    from pipeline.metadata import Metadata, NodeRun

NAME = "greenlight"
LOG_FILE = "greenlight.log"
TUNER = "MovieTuner"


@dataclass(frozen=True)
class Outcome:
    """How a run ended: blessing.json's content and where it lies."""

    blessing: dict[str, Any]
    report: Path


@dataclass(frozen=True)
class Folders:
    """Where a run's things are, all below the output directory."""

    output: Path

    @property
    def artifacts(self) -> Path:
        """The pipeline root."""
        return self.output / "artifacts"

    @property
    def metadata(self) -> Path:
        """The ML Metadata store."""
        return self.output / "metadata.sqlite"

    @property
    def reports(self) -> Path:
        """One folder per finished run, and `latest`."""
        return self.output / "reports"

    @property
    def tuning(self) -> Path:
        """The newest search's page, trials and best settings."""
        return self.output / "tuning"

    @property
    def serving(self) -> Path:
        """Blessed models, one folder per version."""
        return self.output / "serving_model"

    @property
    def checkpoints(self) -> Path:
        """Unfinished trainings."""
        return self.output / "checkpoints"


def run_local(config: Config) -> Outcome:
    """Runs the pipeline and publishes its report; shows progress and closing tables.

    Raises:
      UserError: for what the user can mend, a second run in the same output directory included.
      RunFailed: for everything else; the log then holds the traceback.
    """
    data_dir = find_data(config)
    with _at_work(config) as (console, folders):
        run_id = new_run_id(folders.reports)
        metadata, runs = _execute(config, data_dir, console, folders, run_id)
        from pipeline.publish import closing_tables, publish
        from pipeline.tune import publish_trials, trials_table

        outcome = Outcome(*publish(metadata, runs, folders.reports, run_id))
        if config.tuning.enabled:
            console.print(
                trials_table(publish_trials(config, _results(metadata, runs), folders.tuning))
            )
        for table in closing_tables(runs, outcome.blessing):
            console.print(table)
        return outcome


def tune_local(config: Config) -> tuple[dict[str, Any], Path]:
    """Runs the pipeline up to the Tuner and publishes what it found; shows progress and tables.

    Returns:
      The trials, and the folder of their page.

    Raises:
      as `run_local`.
    """
    data_dir = find_data(config)
    with _at_work(config) as (console, folders):
        metadata, runs = _execute(config, data_dir, console, folders, "", tuning_only=True)
        from pipeline.tune import publish_trials, settings_table, trials_table

        found = publish_trials(config, _results(metadata, runs), folders.tuning)
        for table in (trials_table(found), settings_table(found)):
            console.print(table)
        return found, folders.tuning


def _results(metadata: "Metadata", runs: "list[NodeRun]") -> str | None:
    return metadata.output(next(run for run in runs if run.node == TUNER), "tuner_results")


@contextmanager
def _at_work(config: Config) -> Iterator[tuple[Console, Folders]]:
    """Holds the output directory, sends all noise to the log, and says where a failure is told."""
    folders = Folders(Path(config.output_dir).resolve())
    try:
        folders.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"The output directory {config.output_dir} cannot be made: {error.strerror}."
        ) from error
    with alone(folders.output):
        from pipeline.progress import quiet

        log = folders.output / LOG_FILE
        with quiet(log) as console:
            try:
                yield console, folders
            except UserError:
                raise
            except Exception as error:
                logging.exception("The run failed.")
                first = (str(error).strip() or type(error).__name__).splitlines()[0]
                raise RunFailed(f"The run failed: {first}. The log says more: {log}") from error


def _execute(
    config: Config,
    data_dir: str,
    console: Console,
    folders: Folders,
    run_id: str,
    tuning_only: bool = False,
) -> "tuple[Metadata, list[NodeRun]]":
    """Runs the graph under a progress bar; returns what ML Metadata knows of it."""
    with console.status("Loading TensorFlow and TFX"):
        from tfx import v1 as tfx

        from pipeline.metadata import Metadata
        from pipeline.pipeline import create_pipeline
        from pipeline.progress import NodeProgress
        from pipeline.publish import last_seconds

    graph = create_pipeline(
        config,
        load_source(config.source),
        data_dir,
        pipeline_name=NAME,
        pipeline_root=str(folders.artifacts),
        serving_dir=str(folders.serving),
        checkpoints=str(folders.checkpoints),
        run_id=run_id,
        metadata=tfx.orchestration.metadata.sqlite_metadata_connection_config(
            str(folders.metadata)
        ),
        tuning_only=tuning_only,
    )
    metadata = Metadata(str(folders.metadata))
    before = metadata.newest()
    nodes = [component.id for component in graph.components]
    seconds = {**last_seconds(folders.reports), TUNER: 60 * config.tuning.minutes}
    with NodeProgress(console, nodes, seconds).following():
        tfx.orchestration.LocalDagRunner().run(graph)
    return metadata, metadata.nodes_since(before)


def find_data(config: Config) -> str:
    """The data directory: the configured one, or the embedded data set's.

    Raises:
      UserError: there is no such folder.
    """
    if config.data_dir is None:
        return str(EMBEDDED)
    if "://" in config.data_dir:
        return config.data_dir
    path = Path(config.data_dir).resolve()
    if not path.is_dir():
        raise UserError(f"The data directory {config.data_dir} does not exist.")
    return str(path)


@contextmanager
def alone(output: Path) -> Iterator[None]:
    """Holds the output directory for one run; the system frees it however the run ends.

    Raises:
      UserError: another run holds it.
    """
    with (output / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(
                f"Another run is at work in {output}: wait for it, or take another --output-dir."
            ) from error
        yield


def new_run_id(reports: Path) -> str:
    """Names a run by its start, to the second and unique among the reports."""
    start = datetime.datetime.now(tz=datetime.timezone.utc).strftime("%Y%m%d-%H%M%S")
    taken = {path.name for path in reports.glob(f"{start}*")}
    return start if start not in taken else f"{start}-{len(taken)}"

"""Runs the pipeline on this machine."""

import datetime
import fcntl
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from data import EMBEDDED
from pipeline.config import Config
from schemas.artifacts import LOG_FILE
from schemas.errors import RunFailed, UserError
from schemas.links import plain
from schemas.source import load_source

if TYPE_CHECKING:
    from pipeline.metadata import Metadata, NodeRun

NAME = "greenlight"


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
        return plain(self.output) / "artifacts"

    @property
    def metadata(self) -> Path:
        """The ML Metadata store."""
        return self.output / "metadata.sqlite"

    @property
    def reports(self) -> Path:
        """One folder per finished run, and `latest`."""
        return self.output / "reports"

    @property
    def explore(self) -> Path:
        """The newest data page."""
        return self.output / "explore"

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
        return plain(self.output) / "checkpoints"


def run_local(config: Config) -> Outcome:
    """Runs the pipeline and publishes its report; shows progress and one closing table.

    Raises:
      UserError: for what the user can mend, a second run in the same output directory included.
      RunFailed: for everything else; the log then holds the traceback.
    """
    with at_work(config) as (console, folders):
        run_id = new_run_id(folders.reports)
        metadata, runs = execute(config, console, folders, run_id)
        from pipeline.commands.tune import publish_trials, trials_table
        from pipeline.publish import closing_tables, publish

        outcome = Outcome(*publish(metadata, runs, folders.reports, run_id))
        if config.tuning.enabled:
            console.print(trials_table(publish_trials(config, metadata, runs, folders.tuning)))
        for table in closing_tables(runs, outcome.blessing):
            console.print(table)
        return outcome


@contextmanager
def at_work(config: Config) -> Iterator[tuple[Console, Folders]]:
    """Holds the output directory and sends all noise to the log.

    Yields the console that reaches the user, and the folders.

    Raises:
      as `run_local`.
    """
    load_source(config.source)
    find_data(config)
    folders = Folders(make_output(config))
    with alone(folders.output):
        from pipeline.progress import quiet

        log = folders.output / LOG_FILE
        with quiet(log) as console, told(log):
            yield console, folders


@contextmanager
def told(log: Path) -> Iterator[None]:
    """Turns what nobody foresaw into one sentence that names the log, and logs the traceback.

    Raises:
      UserError, RunFailed: as they come.
      RunFailed: in place of every other error.
    """
    try:
        yield
    except (UserError, RunFailed):
        raise
    except Exception as error:
        logging.exception("The run failed.")
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise RunFailed(f"The run failed: {first}. The log says more: {log}") from error


def execute(
    config: Config, console: Console, folders: Folders, run_id: str, only: Sequence[str] = ()
) -> "tuple[Metadata, list[NodeRun]]":
    """Runs the graph under a progress bar; returns what ML Metadata knows of it.

    Args:
      config: everything a user may choose.
      console: where the bar is shown.
      folders: where everything is written.
      run_id: names the run.
      only: the nodes to run, what they need among them; none: all.
    """
    with console.status("Loading TensorFlow and TFX"):
        from tfx import v1 as tfx
        from tfx.orchestration.pipeline import RunOptions

        from pipeline.metadata import Metadata
        from pipeline.pipeline import create_pipeline
        from pipeline.progress import NodeProgress
        from pipeline.publish import last_seconds

    graph = create_pipeline(
        config,
        load_source(config.source),
        find_data(config),
        pipeline_name=NAME,
        pipeline_root=str(folders.artifacts),
        serving_dir=str(folders.serving),
        checkpoints=str(folders.checkpoints),
        run_id=run_id,
        metadata=tfx.orchestration.metadata.sqlite_metadata_connection_config(
            str(folders.metadata)
        ),
    )
    metadata = Metadata(str(folders.metadata))
    before = metadata.newest()
    nodes = [node.id for node in graph.components if not only or node.id in only]
    options = RunOptions(to_nodes=only) if only else None
    with NodeProgress(console, nodes, last_seconds(folders.reports)).following():
        tfx.orchestration.LocalDagRunner().run(graph, run_options=options)
    return metadata, metadata.nodes_since(before)


def make_output(config: Config) -> Path:
    """Makes the output directory, if need be.

    Raises:
      UserError: it cannot be made.
    """
    if "://" in config.output_dir:
        raise UserError(
            f"The output directory {config.output_dir} is no folder of this machine: give one that "
            "is; runs that write there are for `greenlight vertex`."
        )
    path = Path(config.output_dir).resolve()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"The output directory {config.output_dir} cannot be made: {error.strerror}."
        ) from error
    return path


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

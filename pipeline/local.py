"""Runs the pipeline on this machine."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from pipeline.config import Config, find_data
from pipeline.engine.options import beam_options, is_elsewhere
from pipeline.forgotten import read_forgotten
from pipeline.output import Folders, held, logged, make_output, new_run_id
from pipeline.store import check_store, keep_store
from schemas.files import own_folder
from schemas.imports import kept
from schemas.source import load_source

if TYPE_CHECKING:
    from tfx.orchestration.pipeline import Pipeline

    from pipeline.metadata import Metadata, NodeRun

NAME = "greenlight"


@dataclass(frozen=True)
class Outcome:
    """How a run ended: blessing.json's content, where it lies, and what else there is to say.

    notes: sentences without their full stops.
    """

    blessing: dict[str, Any]
    report: Path
    notes: tuple[str, ...] = ()


def run_local(config: Config) -> Outcome:
    """Runs the pipeline and publishes its report; shows progress and one closing table.

    Raises:
      UserError: for what the user can mend, a second run in the same output directory included.
      RunFailed: for everything else; the log then holds the traceback.
    """
    with local_run(config) as (console, folders):
        run_id = new_run_id(folders.reports)
        metadata, runs = execute(config, console, folders, run_id)
        from pipeline.publish import closing_tables, publish
        from pipeline.reports import pushed_version
        from pipeline.served import push_again
        from pipeline.trials import publish_trials, trials_table

        notes = push_again(metadata, runs, folders.serving)
        version = pushed_version(metadata, runs, folders.serving)
        outcome = Outcome(*publish(metadata, runs, folders.reports, run_id, version), notes)
        if config.tuning.enabled:
            console.print(trials_table(publish_trials(config, metadata, runs, folders.tuning)))
        for table in closing_tables(runs, outcome.blessing):
            console.print(table)
        return outcome


@contextmanager
def local_run(config: Config) -> Iterator[tuple[Console, Folders]]:
    """Holds the output directory and sends all noise to the log.

    Yields:
      The console that reaches the user, and the folders.

    Raises:
      UserError, RunFailed: as `run_local`.
    """
    load_source(config.source)
    find_data(config)
    folders = Folders(make_output(config))
    with held(folders.output), logged(folders.output) as console:
        yield console, folders


def execute(
    config: Config, console: Console, folders: Folders, run_id: str, only: Sequence[str] = ()
) -> "tuple[Metadata, list[NodeRun]]":
    """Runs the graph under a progress bar; returns what ML Metadata knows of it.

    Args:
      config: everything a user may choose.
      console: where the bar is shown.
      folders: where everything is written.
      run_id: names the run.
      only: the nodes to run, what they need among them; all if empty.
    """
    with console.status("Loading TensorFlow and TFX"), kept("tfx"):
        from tfx.orchestration.local.local_dag_runner import LocalDagRunner
        from tfx.orchestration.pipeline import RunOptions

        from pipeline.mend import record_finished
        from pipeline.progress import NodeProgress
        from pipeline.publish import last_seconds

        graph = _graph(config, folders, run_id)
    metadata = _mended(folders, console)
    before = metadata.newest()
    if config.split.kind == "random" and not load_source(config.source).has_timestamps:
        console.print("Note: the ratings have no times, so they are split at random.")
    _check_engine(config, console, folders)
    nodes = [node.id for node in graph.components if not only or node.id in only]
    options = RunOptions(to_nodes=only) if only else None
    ended = partial(record_finished, metadata, folders.artifacts)
    with NodeProgress(console, nodes, last_seconds(folders.reports), ended).following():
        LocalDagRunner().run(graph, run_options=options)
    keep_store(folders.metadata)
    return metadata, metadata.nodes_since(before)


def _check_engine(config: Config, console: Console, folders: Folders) -> None:
    """Tries the engine that is to run the nodes, unless it is this process."""
    beam_args = beam_options(config)
    if is_elsewhere(config, beam_args):
        with console.status("Trying the engine with a small job"):
            from pipeline.engine.check import check_engine

            check_engine(beam_args, folders.artifacts, find_data(config))


def _mended(folders: Folders, console: Console) -> "Metadata":
    """The ML Metadata store, once what is damaged or half made is out of the way."""
    from pipeline.mend import put_aside_damaged, record_finished, remove_leftovers
    from pipeline.metadata import Metadata

    notes = check_store(folders.metadata, folders.artifacts)
    metadata = Metadata(str(folders.metadata))
    for folder in (folders.artifacts, folders.checkpoints):
        own_folder(folder)
    remove_leftovers(metadata, folders)
    record_finished(metadata, folders.artifacts)
    for note in (*notes, *put_aside_damaged(metadata, folders.artifacts)):
        console.print(f"Note: {note}.", highlight=False, markup=False, soft_wrap=True)
    return metadata


def _graph(config: Config, folders: Folders, run_id: str) -> "Pipeline":
    """The graph with this machine's folders."""
    from tfx.orchestration.metadata import sqlite_metadata_connection_config

    from pipeline.pipeline import create_pipeline

    return create_pipeline(
        config,
        load_source(config.source),
        find_data(config),
        pipeline_name=NAME,
        pipeline_root=str(folders.artifacts),
        serving_dir=str(folders.serving),
        checkpoints=str(folders.checkpoints),
        run_id=run_id,
        metadata=sqlite_metadata_connection_config(str(folders.metadata)),
        forgotten=read_forgotten(folders.output),
    )

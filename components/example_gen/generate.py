"""Makes the Examples of a source: the whole of what the component does, without TFX."""

import logging
from collections.abc import Sequence
from typing import NamedTuple

import apache_beam as beam
import tensorflow as tf

from components.example_gen import graph
from components.example_gen.checks import check_bad_rows, check_splits, check_times
from components.example_gen.config import SplitConfig
from components.example_gen.findings import check_shares, row_findings
from components.example_gen.ipc import load_table
from components.example_gen.prepare import (
    DEFAULT_SIZES,
    Sizes,
    Tables,
    count_partitions,
    plan_work,
    prepare_tables,
)
from components.example_gen.read.find import find_files_of
from components.example_gen.report import total_rows
from components.example_gen.split.splits import SPLITS
from components.example_gen.stages import Job
from components.example_gen.write.encode import catalogue_examples
from components.example_gen.write.shards import remove_unfinished, write_shard
from components.examples.paths import split_dir
from components.examples.rows import RowsReport, RowTotals, rows_path, write_rows
from schemas.artifacts import CATALOGUE, REFIT, UNJUDGED
from schemas.errors import UserError
from schemas.forgotten import NOBODY, Forgotten
from schemas.source import Source

FINDINGS = logging.getLogger("greenlight.findings")  # what a user is told while a run goes on
# Beam in this process. Its default runner would first fetch one of another language from the
# network; and unless an image is named, TFX spends seconds on packing itself for remote workers.
# The types of the steps are checked where an engine is chosen; here that is a sixth of a small job.
LOCAL_BEAM_ARGS = (
    "--runner=FnApiRunner", "--sdk_container_image=none", "--no_pipeline_type_check",
)  # fmt: skip


class _Folders(NamedTuple):
    """Where the data are, where Examples and catalogue go; local or remote."""

    data: str
    examples: str
    catalogue: str

    @property
    def work(self) -> str:
        """What the stages leave to each other; it is removed at the end."""
        return f"{self.examples.rstrip('/')}/_work"


def generate(
    source: Source,
    split: SplitConfig,
    data_dir: str,
    examples_uri: str,
    catalogue_uri: str,
    beam_args: Sequence[str] = (),
    spans: Sequence[Source] = (),
    sizes: Sizes = DEFAULT_SIZES,
    forgotten: Forgotten = NOBODY,
) -> RowsReport:
    """Reads a source's files and writes the Examples of its splits and of its catalogue.

    The bytes written depend on the files and the split only, not on the machines at work.

    Args:
      source: what the files hold.
      split: how ratings are split.
      data_dir: folder that the source's patterns are relative to.
      examples_uri: folder for `Split-train`, `Split-valid`, `Split-eval` and `rows.json`; where
        eval has more ratings than may judge, `Split-unjudged` holds the others. `Split-refit`
        holds windows of train and valid together.
      catalogue_uri: folder for `Split-catalogue`.
      beam_args: options of Beam; without a runner it runs in this process.
      spans: the source with the patterns of each span to read, the oldest first (default: the
        source as it is).
      sizes: how much is done at once.
      forgotten: whose ratings are left out.

    Returns:
      The content of `rows.json`, which is written last.

    Raises:
      UserError: a file cannot be used, the split does not suit the source, too many rows are
        bad, or train or eval has no ratings; then neither folder holds a split.
    """
    _check_needed_times(source, split)
    folders = _Folders(data_dir, examples_uri, catalogue_uri)
    splits = (*SPLITS, UNJUDGED, REFIT)
    written = [*(split_dir(examples_uri, name) for name in splits), rows_path(examples_uri)]
    written.append(split_dir(catalogue_uri, CATALOGUE))
    _remove(written)
    try:
        rows = _run(source, split, folders, spans or [source], beam_args, sizes, forgotten)
    except BaseException:
        _remove(written)
        raise
    finally:
        _remove([folders.work])
    write_rows(examples_uri, rows)
    return rows


def _check_needed_times(source: Source, split: SplitConfig) -> None:
    if split.needs_timestamps and not source.has_timestamps:
        need = "split.history=before" if split.history == "before" else f"split.kind={split.kind}"
        raise UserError(
            f"The source {source.name} has no timestamps, which {need} needs: take "
            "split.kind=random."
        )


def _run(
    source: Source,
    split: SplitConfig,
    folders: _Folders,
    spans: Sequence[Source],
    beam_args: Sequence[str],
    sizes: Sizes,
    forgotten: Forgotten,
) -> RowsReport:
    paths = find_files_of(spans, folders.data)
    ranges, train_files = plan_work(
        source, split, folders.data, paths["ratings"], sizes.range_bytes
    )
    tables = prepare_tables(source, paths, folders.work, split.max_bad_share)
    job = Job(
        source,
        split,
        partitions=count_partitions(ranges, sizes.partition_bytes),
        train_files=train_files,
        examples_uri=folders.examples,
        work_uri=folders.work,
        has_movies=tables.has_movies,
        has_users=tables.has_users,
        forgotten=forgotten,
    )
    with beam.Pipeline(argv=_beam_args(beam_args)) as pipeline:
        graph.build(pipeline, job, ranges)
    report = graph.read_report(folders.work)
    for name in (*report["shards"][0], REFIT):
        remove_unfinished(folders.examples, name)
    movies = _write_catalogue(job, folders.catalogue)
    files = {rng.file_index: rng for rng in ranges}
    empty = len(paths["ratings"]) - len(files) if split.kind != "predefined" else 0
    rows = total_rows(report, files, source.ratings, tables.problems, movies, empty, forgotten)
    return _judged(rows, source, split, tables)


def _write_catalogue(job: Job, catalogue_uri: str) -> int:
    """Writes the catalogue's Examples; says how many movies there are."""
    movies = load_table(f"{job.work_uri}/{'movies' if job.has_movies else 'rated'}.arrow")
    write_shard(catalogue_uri, CATALOGUE, 0, 1, [catalogue_examples(movies)])
    return len(movies)


def _judged(rows: RowTotals, source: Source, split: SplitConfig, tables: Tables) -> RowsReport:
    """Stops the run where the rows are not worth a model; else tells what to know of them."""
    check_bad_rows(rows, split, tables.problems)
    check_times(rows, source)
    check_splits(rows, split)
    check_shares(rows, source, split)
    findings = [s for cells in tables.cells for s in cells.findings(split.max_bad_share)]
    findings += row_findings(rows, source, split)
    for sentence in findings:
        FINDINGS.warning("%s", sentence)
    unreadable = [row for cells in tables.cells for row in cells.report()]
    return {**rows, "cells": unreadable, "findings": findings}


def _beam_args(given: Sequence[str]) -> list[str]:
    chosen = any(arg.startswith("--runner") for arg in given)
    return [*given] if chosen else [*LOCAL_BEAM_ARGS, *given]


def _remove(paths: Sequence[str]) -> None:
    for path in paths:
        if tf.io.gfile.isdir(path):
            tf.io.gfile.rmtree(path)
        elif tf.io.gfile.exists(path):
            tf.io.gfile.remove(path)

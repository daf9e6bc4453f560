"""Makes the Examples of a source: the whole of what the component does, without TFX."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import apache_beam as beam
import pyarrow as pa
import tensorflow as tf

from components.example_gen import graph
from components.example_gen.config import SplitConfig
from components.example_gen.findings import check_shares, row_findings
from components.example_gen.ipc import load_table, save_table
from components.example_gen.read.cells import Cells
from components.example_gen.read.files import file_size, find_files_of, packing
from components.example_gen.read.problems import Problems
from components.example_gen.read.ratings import Range, plan_ranges
from components.example_gen.read.tables import read_movies, read_users
from components.example_gen.report import check_rows, finish_rows
from components.example_gen.split.splits import SPLITS
from components.example_gen.stages import Job
from components.example_gen.write.encode import catalogue_examples
from components.example_gen.write.shards import remove_unfinished, split_dir, write_shard
from schemas.artifacts import CATALOGUE, ROWS_FILE
from schemas.errors import UserError
from schemas.source import Source

FINDINGS = logging.getLogger("greenlight.findings")  # what a user is told while a run goes on
# Beam in this process. Its default runner would first fetch one of another language from the
# network; and unless an image is named, TFX spends seconds on packing itself for remote workers.
LOCAL_BEAM_ARGS = ("--runner=FnApiRunner", "--sdk_container_image=none")
_PARTITION_BYTES = 24 << 20
_PACKED = 4  # how much larger the text of a packed file is, about
_ROW_BYTES = 24  # of a rating as text, about


def generate(
    source: Source,
    split: SplitConfig,
    data_dir: str,
    examples_uri: str,
    catalogue_uri: str,
    beam_args: Sequence[str] = (),
    spans: Sequence[Source] = (),
) -> dict[str, Any]:
    """Reads a source's files and writes the Examples of its splits and of its catalogue.

    The bytes written depend on the files and the split only, not on the machines at work.

    Args:
        source: what the files hold.
        split: how ratings are split.
        data_dir: folder that the source's patterns are relative to.
        examples_uri: folder for `Split-train`, `Split-valid`, `Split-eval` and `rows.json`.
        catalogue_uri: folder for `Split-catalogue`.
        beam_args: options of Beam; without a runner it runs in this process.
        spans: the source with the patterns of each span to read, the oldest first; none: as it is.

    Returns:
        The content of `rows.json`, which is written last.

    Raises:
        UserError: a file cannot be used, the split does not suit the source, too many rows are
            bad, or train or eval has no ratings; then neither folder holds a split.
    """
    if split.needs_timestamps and not source.has_timestamps:
        need = "split.history=before" if split.history == "before" else f"split.kind={split.kind}"
        raise UserError(
            f"The source {source.name} has no timestamps, which {need} needs: take "
            "split.kind=random."
        )
    work = os.path.join(examples_uri, "_work")  # noqa: PTH118 (may be gs://)
    written = [*(split_dir(examples_uri, name) for name in SPLITS), _rows_path(examples_uri)]
    written.append(split_dir(catalogue_uri, CATALOGUE))
    _remove(written)
    try:
        uris = examples_uri, catalogue_uri
        rows = _run(source, split, data_dir, spans or [source], work, uris, beam_args)
    except BaseException:
        _remove(written)
        raise
    finally:
        _remove([work])
    with tf.io.gfile.GFile(_rows_path(examples_uri), "w") as file:
        file.write(json.dumps(rows, indent=1))
    return rows


def _run(
    source: Source,
    split: SplitConfig,
    data_dir: str,
    spans: Sequence[Source],
    work: str,
    uris: tuple[str, str],
    beam_args: Sequence[str],
) -> dict[str, Any]:
    examples_uri, catalogue_uri = uris
    paths = find_files_of(spans, data_dir)
    ranges, train_files = _plan(source, split, data_dir, paths["ratings"])
    share = split.max_bad_share
    has_movies, has_users, beside, cells = _prepare_tables(source, paths, work, share)
    for table in cells:
        table.check(share)
    job = Job(
        source,
        split,
        partitions=partitions_for(ranges),
        train_files=train_files,
        examples_uri=examples_uri,
        work_uri=work,
        has_movies=has_movies,
        has_users=has_users,
    )
    with beam.Pipeline(argv=_beam_args(beam_args)) as pipeline:
        graph.build(pipeline, job, ranges)
    for name in SPLITS:
        remove_unfinished(examples_uri, name)
    catalogue = load_table(f"{work}/{'movies' if has_movies else 'rated'}.arrow")
    write_shard(catalogue_uri, CATALOGUE, 0, 1, [catalogue_examples(catalogue)])
    by_index = {rng.file_index: rng for rng in ranges}
    empty = len(paths["ratings"]) - len(by_index) if split.kind != "predefined" else 0
    rows = finish_rows(graph.read_report(work), by_index, beside, len(catalogue), empty)
    check_rows(rows, split, beside)
    check_shares(rows, source, split)
    found = [sentence for table in cells for sentence in table.findings(share)]
    found += row_findings(rows, source, split)
    for sentence in found:
        FINDINGS.warning("%s", sentence)
    return {**rows, "cells": [row for table in cells for row in table.report()], "findings": found}


def _prepare_tables(
    source: Source, paths: Mapping[str, Sequence[str]], work: str, most_bad: float
) -> tuple[bool, bool, Problems, list[Cells]]:
    """Puts the movies and users where every worker finds them; says what there is and was lost."""
    movies = read_movies(source, paths, most_bad)
    users = read_users(source, paths, most_bad)
    tf.io.gfile.makedirs(work)
    if movies is not None:
        columns = ["movie_id", "movie_title", *source.movie_features]
        save_table(movies.table.select(columns), f"{work}/movies.arrow")
        save_table(pa.table({"movie_id": movies.lost}), f"{work}/lost.arrow")
    if users is not None:
        save_table(users.table, f"{work}/users.arrow")
    beside = Problems().merge(*(table.problems for table in (movies, users) if table))
    cells = [each for table in (movies, users) if table for each in table.cells]
    return movies is not None, users is not None, beside, cells


def _plan(
    source: Source, split: SplitConfig, data_dir: str, paths: Sequence[str]
) -> tuple[list[Range], int]:
    """The ranges of all rating files, those of eval last, and how many files come before them."""
    if split.kind != "predefined":
        ranges = plan_ranges(source, paths)
        return ranges, len({rng.path for rng in ranges})
    train, held_out = (
        plan_ranges(source, [os.path.join(data_dir, str(name))])  # noqa: PTH118
        for name in (split.train, split.eval)
    )
    return [*train, *(replace(rng, file_index=1) for rng in held_out)], 1


def partitions_for(ranges: Sequence[Range]) -> int:
    """How many partitions the ratings make: one for each 24 MiB of text, and at least one."""
    sizes: dict[str, int] = {}
    for rng in ranges:
        if rng.is_parquet:
            sizes[rng.path] = rng.end * _ROW_BYTES
        elif rng.path not in sizes:
            sizes[rng.path] = file_size(rng.path) * (_PACKED if packing(rng.path) else 1)
    return max(1, -(-sum(sizes.values()) // _PARTITION_BYTES))


def _beam_args(given: Sequence[str]) -> list[str]:
    chosen = any(arg.startswith("--runner") for arg in given)
    return [*given] if chosen else [*LOCAL_BEAM_ARGS, *given]


def _rows_path(uri: str) -> str:
    return os.path.join(uri, ROWS_FILE)  # noqa: PTH118


def _remove(paths: Sequence[str]) -> None:
    for path in paths:
        if tf.io.gfile.isdir(path):
            tf.io.gfile.rmtree(path)
        elif tf.io.gfile.exists(path):
            tf.io.gfile.remove(path)

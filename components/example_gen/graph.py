"""The Beam graph: ranges of rating files in, shards of Examples out.

    ranges -> read -> by partition of users -> order -> assign splits, build, write
                                                 |            ^
                                                 +-- summary -> plan (cut-offs, kind of history)

Ratings lie in Arrow files; what travels says where, so that no runner holds the rows of all. A
partition holds whole users, and a worker has one partition in its hands at a time.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import apache_beam as beam
import tensorflow as tf
from apache_beam.pvalue import AsSingleton, PCollection

from components.example_gen.config import SplitConfig
from components.example_gen.ipc import Spilled, save_table, unspill
from components.example_gen.read.ranges import Range
from components.example_gen.split import cutoffs, plan
from components.example_gen.split.summary import cut_rows, merge_summaries
from components.example_gen.stages import Job, Order, Read, Write, rated_movies


def build(pipeline: beam.Pipeline, job: Job, ranges: Sequence[Range]) -> None:
    """Adds the whole graph; once it has run, `read_report` reads what it counted."""
    read = (
        pipeline
        | "Ranges" >> beam.Create(list(ranges))
        | "Balance" >> beam.Reshuffle()
        | "Read" >> beam.ParDo(Read(job)).with_outputs("report", main="rows")
    )
    ordered = (
        read.rows
        | "ByPartition" >> beam.GroupByKey()
        | "Order" >> beam.ParDo(Order(job)).with_outputs("summary", main="rows")
    )
    summary = ordered.summary | "Summary" >> _combine(merge_summaries)
    decided = _decide(ordered.rows, summary, job.split)
    shards = ordered.rows | "Write" >> beam.ParDo(Write(job), AsSingleton(decided))
    facts = decided | "Facts" >> beam.Map(
        lambda decided, summary: ("all", plan.facts(decided, summary)), AsSingleton(summary)
    )
    _write_reports((read.report, facts, shards), job.work_uri)
    if not job.has_movies:
        _write_rated_movies(ordered.rows, job.work_uri)


def read_report(work_uri: str) -> dict[str, list[dict[str, Any]]]:
    """What the graph reports: `ranges` and `shards` (one entry each), and `all` (one entry)."""
    report = {}
    for kind in ("ranges", "shards", "all"):
        with tf.io.gfile.GFile(f"{work_uri}/{kind}.json") as file:
            report[kind] = json.load(file)
    return report


def _write_reports(reports: tuple[PCollection, ...], work_uri: str) -> None:
    """Writes (kind, content) pairs, a file for each kind."""
    _ = (
        reports
        | "Reports" >> beam.Flatten()
        | "ByKind" >> beam.GroupByKey()
        | "WriteReports" >> beam.Map(_write_report, work_uri)
    )


def _write_rated_movies(rows: PCollection, work_uri: str) -> None:
    """Writes the movies that have ratings, where no table of movies says what there is."""
    _ = (
        rows
        | "Rated" >> beam.Map(lambda element: rated_movies([unspill(element[1])]))
        | "AllRated" >> _combine(rated_movies)
        | "WriteRated" >> beam.Map(save_table, f"{work_uri}/rated.arrow")
    )


def _decide(rows: PCollection, summary: PCollection, config: SplitConfig) -> PCollection:
    levels = summary | "Stretches" >> beam.Map(lambda summary: [summary.stretches])
    for level in range(1, cutoffs.LEVELS):
        finer = (
            rows
            | f"Count{level}" >> beam.Map(_count_finer, AsSingleton(levels), config)
            | f"Counted{level}" >> _combine(cutoffs.merge)
        )
        levels = levels | f"Level{level}" >> beam.Map(
            lambda levels, finer: [*levels, finer], AsSingleton(finer)
        )
    return summary | "Decide" >> beam.Map(plan.make_plan, AsSingleton(levels), config)


def _count_finer(
    element: tuple[int, Spilled], levels: list[cutoffs.Histogram], config: SplitConfig
) -> cutoffs.Histogram:
    needed = plan.needed_ranks(levels[0], config)
    return cutoffs.finer(cut_rows(unspill(element[1]), config), levels, needed)


def _combine(merge: Any) -> beam.PTransform:
    # There is at least one partition, so there is always something to combine.
    return beam.CombineGlobally(merge).without_defaults()


def _write_report(element: tuple[str, Iterable[dict[str, Any]]], work_uri: str) -> None:
    kind, parts = element
    with tf.io.gfile.GFile(f"{work_uri}/{kind}.json", "w") as file:
        file.write(json.dumps(list(parts)))

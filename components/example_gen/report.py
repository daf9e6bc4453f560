"""What became of the rows: adds up what the graph reports of its parts."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.example_gen.read.places import rows_at
from components.example_gen.read.problems import (
    FORGOTTEN,
    UNPAIRED_QUOTE,
    Problems,
    Sample,
    resolve_lines,
)
from components.example_gen.read.ranges import Range, from_order
from components.examples.rows import DataSize, DroppedRow, MostRows, RowTotals, SplitSize
from schemas.errors import UserError
from schemas.forgotten import NOBODY, Forgotten
from schemas.source_tables import Ratings

# By kind: `ranges` and `shards` have an entry each, `all` has one entry.
GraphReport = Mapping[str, Sequence[Mapping[str, Any]]]


def total_rows(
    report: GraphReport,
    files: Mapping[int, Range],
    table: Ratings,
    beside: Problems,
    movies: int,
    empty: int = 0,
    forgotten: Forgotten = NOBODY,
) -> RowTotals:
    """Adds up what the graph reported.

    Args:
      report: as `graph.read_report` gives it.
      files: a range of each rating file, by file index.
      table: what those files hold.
      beside: rows of the movie and user tables that were dropped.
      movies: how many are in the catalogue.
      empty: how many rating files have no rows.
      forgotten: who is not to be named.

    Raises:
      UserError: a file could not be read to its end.
    """
    facts = report["all"][0]
    problems = _problems(report["ranges"])
    again = _repeats(facts["repeat_samples"], files, table)
    left_out = {FORGOTTEN: facts["forgotten"]} if facts["forgotten"] else {}
    dropped = dict(sorted({**problems.counts, **facts["repeats"], **left_out}.items()))
    samples = [
        sample
        for sample in (*problems.samples, *again, *beside.samples)
        if not forgotten.is_named_in(sample.text)
    ]
    return {
        "read": facts["rows"] + sum(dropped.values()),
        "kept": facts["rows"],
        "rated": facts["rows"] - facts["unrated"],
        "unrated": facts["unrated"],
        "dropped": dropped,
        "samples": [_dropped_row(sample) for sample in samples],
        "tables_dropped": {r: n for r, n in beside.counts.items() if r != UNPAIRED_QUOTE},
        "unpaired_quotes": beside.counts.get(UNPAIRED_QUOTE, 0),
        "empty_files": empty + beside.empty,
        **_sizes(facts, report["shards"], movies),
    }


def _sizes(facts: Mapping[str, Any], shards: Sequence[Mapping[str, Any]], movies: int) -> DataSize:
    """How large the data are that were kept, and how they were split."""
    return {
        "splits": {name: _split_size([shard[name] for shard in shards]) for name in shards[0]},
        "users": facts["users"],
        "strangers": facts["strangers"],
        "top_user": _top([facts["top_user"]]),
        "top_movie": _top(facts["top_movies"]),
        "movies": movies,
        "time_range": facts["time_range"],
        "cutoffs": dict(zip(("valid", "eval"), facts["cutoffs"], strict=False)) or None,
        "history": facts["history"],
    }


def _split_size(parts: Sequence[Mapping[str, int]]) -> SplitSize:
    ratings, examples, tied = (
        sum(part[what] for part in parts) for what in ("ratings", "examples", "tied")
    )
    return {"ratings": ratings, "examples": examples, "tied": tied}


def _top(ranked: Sequence[tuple[str, int]]) -> MostRows:
    name, rows = ranked[0] if ranked else ("", 0)
    return {"id": name, "rows": rows}


def _dropped_row(sample: Sample) -> DroppedRow:
    return {
        "reason": sample.reason,
        "file": sample.path,
        "line": sample.line,
        "text": sample.text,
    }


def _problems(ranges: Sequence[Mapping[str, Any]]) -> Problems:
    """What was dropped of all ranges, under the files' own line numbers."""
    parts = (
        Problems(r["counts"], [Sample(**s) for s in r["samples"]], r["faults"]) for r in ranges
    )
    problems = Problems().merge(*parts)
    if problems.faults:
        raise UserError(problems.faults[0])
    return resolve_lines(problems, {(r["path"], r["start"]): r["lines"] for r in ranges})


def _repeats(
    repeats: Sequence[tuple[str, int]], files: Mapping[int, Range], table: Ratings
) -> list[Sample]:
    """Samples of rows that were rated again, found in their files by their order."""
    places: dict[int, list[int]] = {}
    for _, order in repeats:
        index, place = from_order(order)
        places.setdefault(index, []).append(place)
    shown = {index: rows_at(table, files[index], own) for index, own in places.items()}
    samples = []
    for reason, order in repeats:
        index, place = from_order(order)
        line, text = shown[index][place]
        samples.append(Sample(reason, files[index].path, line, text))
    return samples

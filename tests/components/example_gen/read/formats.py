"""Rows of ratings in every format that is read, and how tests read them."""

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from components.example_gen.read.find import find_files
from components.example_gen.read.problems import Problems, resolve_lines
from components.example_gen.read.ranges import plan_ranges
from components.example_gen.read.ratings import SCHEMA, read_range
from schemas.source import Source

COLUMNS = {"user_id": "user", "movie_id": "movie", "rating": "stars", "timestamp": "time"}
NAMES = ["user", "movie", "stars", "time", "review"]


def own(files: str, **ratings: Any) -> Source:
    table = {"files": files, "columns": COLUMNS} | ratings
    return Source.model_validate({"name": "own", "scale": (1, 5), "ratings": table})


def read(source: Source, folder: Path, size: int = 16 << 20) -> tuple[pa.Table, Problems]:
    rows, problems = [SCHEMA.empty_table()], Problems()
    lines: dict[tuple[str, int], int] = {}
    for rng in plan_ranges(source, find_files(source, str(folder))["ratings"], size):
        for batch in read_range(source, rng):
            key = rng.path, rng.start
            lines[key] = lines.get(key, 0) + batch.lines
            rows.append(pa.Table.from_batches([batch.rows]))
            problems = problems.merge(batch.problems)
    return pa.concat_tables(rows), resolve_lines(problems, lines)


SECOND = 1_000_000  # microseconds


def values(table: pa.Table) -> list[tuple[Any, ...]]:
    return [tuple(row.values())[:4] for row in table.to_pylist()]


def as_csv(rows: list[dict[str, Any]]) -> bytes:
    made = io.StringIO()
    writer = csv.DictWriter(made, list(rows[0]) if rows else NAMES, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return made.getvalue().encode()


def as_json(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def as_parquet(rows: list[dict[str, Any]], keep: int | None = None, **options: Any) -> bytes:
    """The first `keep` rows (default: all) in row groups of three."""
    made = io.BytesIO()
    table = pa.Table.from_pylist(rows).slice(0, keep)
    pq.write_table(table, made, **{"row_group_size": 3, **options})
    return made.getvalue()


def zipped(name: str, data: bytes, **more: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
        for other, content in more.items():
            archive.writestr(other, content)
    return made.getvalue()

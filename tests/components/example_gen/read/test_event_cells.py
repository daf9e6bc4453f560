"""Features of ratings are read alike out of every format, and what is not readable is unknown."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from components.example_gen.read.find import find_files
from components.example_gen.read.ranges import plan_ranges
from components.example_gen.read.ratings import SCHEMA, read_range, schema_of
from schemas.source import Source
from tests.components.example_gen.read.formats import as_csv, as_json, as_parquet, own

FEATURES = {
    "device": {"column": "screen", "values": {"p": "phone"}, "known_when_asked": True},
    "minutes": {"kind": "number", "column": "watched"},
    "price": {"kind": "number", "column": "paid", "pattern": r"^\$(.*)$"},
    "age": {"column": "years", "in_years": True},
}
CELLS: list[tuple[tuple[str, ...], tuple[Any, ...]]] = [
    (("p", "90.5", "$3", "17"), ("phone", 90.5, 3.0, "under 18")),
    (("tv", "", "3", ""), ("tv", None, None, "")),
    (("", "soon", "$x", "old"), ("", None, None, "")),
    (("-", "-5", "$0.25", "60"), ("", -5.0, 0.25, "56+")),
]


def _rows() -> list[dict[str, str]]:
    plain = {"movie": "m", "stars": "4", "time": "5", "review": "a, b"}
    names = ("screen", "watched", "paid", "years")
    return [
        {"user": f"u{place}", **plain, **dict(zip(names, cells, strict=True))}
        for place, (cells, _) in enumerate(CELLS)
    ]


def _read(source: Source, folder: Path) -> pa.Table:
    ranges = plan_ranges(source, find_files(source, str(folder))["ratings"], 1 << 20)
    batches = [batch for rng in ranges for batch in read_range(source, rng)]
    assert not any(batch.problems.counts for batch in batches)
    return pa.Table.from_batches([batch.rows for batch in batches], schema_of(source))


@pytest.mark.parametrize(("file", "write"), [
    ("r.csv", as_csv), ("r.jsonl", as_json), ("r.parquet", as_parquet),
])  # fmt: skip
def test_they_are_read(tmp_path: Path, file: str, write: Any) -> None:
    (tmp_path / file).write_bytes(write(_rows()))
    table = _read(own(file, features=FEATURES, nulls=["-"]), tmp_path)
    assert table.schema.names == [*SCHEMA.names, *FEATURES]
    found = table.select(list(FEATURES)).to_pylist()
    for row, (_, wanted) in zip(found, CELLS, strict=True):
        told = [None if value != value else value for value in row.values()]
        assert told == list(wanted)


def test_a_source_without_them_is_read_as_ever(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_bytes(as_csv(_rows()))
    assert _read(own("r.csv"), tmp_path).schema == SCHEMA


def test_they_are_what_the_source_says() -> None:
    names = own("r.csv", features=FEATURES).features
    assert names.events == tuple(FEATURES) and names.asked == ("device",)
    assert names.event_numbers == ("minutes", "price") and names.read == ("device",)
    assert np.array_equal(sorted(names.numbers), ["minutes", "price"])

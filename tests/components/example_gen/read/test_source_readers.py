"""What every format of rating files owes: the same rows however a file is cut, and clear faults."""

import gzip
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.example_gen.read.layout import EmptyFile
from components.example_gen.read.places import rows_at
from components.example_gen.read.ranges import from_order, plan_ranges
from components.examples.arrow import filled
from schemas.errors import UserError
from tests.components.example_gen.read.formats import (
    SECOND,
    as_csv,
    as_json,
    as_parquet,
    own,
    read,
    values,
    zipped,
)

Rows = list[dict[str, Any]]
ROW = {"user": "a", "movie": "7", "stars": 4.0, "time": 10**9, "review": "fine"}
IDS = st.text(st.sampled_from('aZ9é😀"/,;'), min_size=1, max_size=6)


def tables(users: st.SearchStrategy[Any]) -> st.SearchStrategy[Rows]:
    row = st.fixed_dictionaries(
        {
            "user": users,
            "movie": IDS,
            "stars": st.sampled_from([1.0, 2.5, 4.0, 5.0]),
            "time": st.integers(10**9, 2 * 10**9),
            "review": st.text(st.sampled_from('ab,"\n é{}'), max_size=9),
        }
    )
    return st.lists(row, min_size=1, max_size=9)


# A column of Parquet has one type.
TABLES = st.one_of(tables(st.integers(0, 10**15)), tables(IDS))


class SourceReaderContract:
    """The contract; a format says how a file of it is named and written."""

    name: ClassVar[str]
    header: ClassVar[int] = 0  # lines before the first row

    def pack(self, rows: Rows) -> bytes:
        raise NotImplementedError

    def without_rows(self) -> bytes:
        """A file of the format that holds no row."""
        return self.pack([])

    def sample(self, row: dict[str, Any]) -> str:
        """How a person is shown a row."""
        raise NotImplementedError

    def write(self, folder: Path, rows: Rows) -> Path:
        (folder / self.name).write_bytes(self.pack(rows))
        return folder

    # What differs between the classes is what they are for.
    @settings(suppress_health_check=[HealthCheck.differing_executors], deadline=None)
    @given(rows=TABLES, size=st.integers(1, 400))
    def test_any_ranges_read_the_same_rows(
        self, tmp_path_factory: pytest.TempPathFactory, rows: Rows, size: int
    ) -> None:
        folder = self.write(tmp_path_factory.mktemp("any"), rows)
        expected = [(str(r["user"]), r["movie"], r["stars"], r["time"] * SECOND) for r in rows]
        orders = []
        for at_once in (size, 16 << 20):
            table, problems = read(own(self.name), folder, at_once)
            assert values(table) == expected and problems.counts == {}
            orders.append(filled(table["order"]))
        assert orders[0] == orders[1] == sorted(set(orders[0]))

    @pytest.mark.parametrize("size", [1, 16 << 20])
    def test_bad_rows_are_dropped_counted_and_shown(self, tmp_path: Path, size: int) -> None:
        rows = [{**ROW, "user": f"u{number}"} for number in range(7)]
        rows[3]["stars"], rows[5]["movie"] = 77.0, ""
        table, problems = read(own(self.name), self.write(tmp_path, rows), size)
        assert table["user_id"].to_pylist() == ["u0", "u1", "u2", "u4", "u6"]
        assert problems.counts == {"missing_field": 1, "off_scale": 1}
        shown = {sample.reason: (sample.line, sample.text) for sample in problems.samples}
        assert shown == {
            "off_scale": (self.header + 4, self.sample(rows[3])),
            "missing_field": (self.header + 6, self.sample(rows[5])),
        }

    def test_rows_are_found_again_by_their_order(self, tmp_path: Path) -> None:
        rows = [{**ROW, "user": f"u{number}"} for number in range(9)]
        source = own(self.name)
        table, _ = read(source, self.write(tmp_path, rows))
        (file,) = plan_ranges(source, [str(tmp_path / self.name)])
        wanted = (7, 0, 8)
        order = [table["order"][number].as_py() for number in wanted]
        indices, places = zip(*map(from_order, order), strict=True)
        shown = rows_at(source.ratings, file, places)
        assert set(indices) == {0} and [shown[place] for place in places] == [
            (self.header + number + 1, self.sample(rows[number])) for number in wanted
        ]

    def test_a_file_without_rows_is_empty(self, tmp_path: Path) -> None:
        (tmp_path / self.name).write_bytes(self.without_rows())
        with pytest.raises(EmptyFile, match=self.name):
            read(own(self.name), tmp_path)

    def test_a_column_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        rows = [{("when" if key == "time" else key): value for key, value in ROW.items()}]
        with pytest.raises(UserError, match=rf"{self.name}.* has the column time nowhere"):
            read(own(self.name), self.write(tmp_path, rows))


class TestCsv(SourceReaderContract):
    name, header = "votes.csv", 1

    def pack(self, rows: Rows) -> bytes:
        return as_csv(rows)

    def sample(self, row: dict[str, Any]) -> str:
        return as_csv([row]).decode().splitlines()[1]


class TestCsvInGzip(TestCsv):
    name = "votes.csv.gz"

    def pack(self, rows: Rows) -> bytes:
        return gzip.compress(as_csv(rows))


class TestCsvInZip(TestCsv):
    name = "csv.zip"

    def pack(self, rows: Rows) -> bytes:
        return zipped("in/votes.csv", as_csv(rows))


class TestJsonLines(SourceReaderContract):
    name = "votes.jsonl"

    def pack(self, rows: Rows) -> bytes:
        return as_json(rows)

    def sample(self, row: dict[str, Any]) -> str:
        return as_json([row]).decode().rstrip()[:120]


class TestJsonLinesByAnotherName(TestJsonLines):
    name = "votes.json"


class TestJsonLinesInGzip(TestJsonLines):
    name = "votes.ndjson.gz"

    def pack(self, rows: Rows) -> bytes:
        return gzip.compress(as_json(rows))


class TestJsonLinesInZip(TestJsonLines):
    name = "json.zip"

    def pack(self, rows: Rows) -> bytes:
        return zipped("votes.jsonl", as_json(rows))


class TestParquet(SourceReaderContract):
    name = "votes.parquet"

    def pack(self, rows: Rows) -> bytes:
        return as_parquet(rows)

    def without_rows(self) -> bytes:
        return as_parquet([ROW], keep=0)

    def sample(self, row: dict[str, Any]) -> str:
        return ",".join(
            f"{value:g}" if isinstance(value, float) else str(value)
            for value in (row[name] for name in ("user", "movie", "stars", "time"))
        )


class TestParquetInGzip(TestParquet):
    name = "votes.parquet.gz"

    def pack(self, rows: Rows) -> bytes:
        return gzip.compress(as_parquet(rows))

    def without_rows(self) -> bytes:
        return gzip.compress(as_parquet([ROW], keep=0))


class TestParquetInZip(TestParquet):
    name = "parquet.zip"

    def pack(self, rows: Rows) -> bytes:
        return zipped("votes.parquet", as_parquet(rows))

    def without_rows(self) -> bytes:
        return zipped("votes.parquet", as_parquet([ROW], keep=0))

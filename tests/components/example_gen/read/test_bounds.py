"""What is made to use all memory or time is stopped at a stated size, in a sentence."""

import gzip
import threading
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.example_gen.read import packed, parquet, patterns
from components.example_gen.read.files import opened_whole, read_pieces
from components.example_gen.read.tables import read_movies
from schemas.errors import UserError
from schemas.source import Source, load_source

LINES = b"1,10,4.0,964982703\n" * 400_000  # 7.6 MB, which pack to a hundredth or less
MIB = 1 << 20


@pytest.fixture
def bound(monkeypatch: pytest.MonkeyPatch) -> int:
    """A smaller one, so that a small file is too large."""
    monkeypatch.setattr(packed, "LEAST_BOUND", MIB)
    return MIB


def pack(path: Path, data: bytes) -> str:
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(data))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("ratings.csv", data)
    return str(path)


@pytest.mark.parametrize("name", ["ratings.csv.gz", "ratings.csv.zip"])
def test_a_file_that_unpacks_to_too_much_is_stopped_on_the_way(
    tmp_path: Path, bound: int, name: str
) -> None:
    path, read = pack(tmp_path / name, LINES), 0
    with pytest.raises(UserError, match=f"{name} has .* bytes and unpacks to more than .* MiB"):
        for piece in read_pieces(path, 0, 1, piece_bytes=MIB // 4):
            read += len(piece.data)
    assert 0 < read <= bound
    with pytest.raises(UserError, match="unpack it first"), opened_whole(path):
        pass


@pytest.mark.parametrize("name", ["ratings.csv.gz", "ratings.csv.zip"])
def test_an_honest_file_is_read_to_its_end(tmp_path: Path, bound: int, name: str) -> None:
    rows = (f"{n % 610},{n * 7919 % 9742},{n % 10 / 2},{964982703 + 97 * n}" for n in range(99_000))
    data = "\n".join(rows).encode()
    path = pack(tmp_path / name, data)
    assert len(data) > 2 * bound
    assert b"".join(piece.data for piece in read_pieces(path, 0, 1)) == data


def test_millions_of_equal_rows_in_a_small_parquet_file_are_refused(
    tmp_path: Path, bound: int
) -> None:
    path = tmp_path / "ratings.parquet"
    column = pa.array(["1"]).dictionary_encode().take(pa.array([0] * 100_000))
    names = ("userId", "movieId", "rating", "timestamp")
    pq.write_table(pa.table(dict.fromkeys(names, column)), path)
    assert path.stat().st_size < 10_000
    with pytest.raises(UserError, match="unpacks to more than 2,400,000"):
        parquet.plan(load_source("movielens-latest").ratings, str(path), MIB)


def movies(**own: object) -> Source:
    return Source.model_validate({
        "name": "s", "scale": [1, 5],
        "ratings": {"files": "r.csv", "columns": {"user_id": "u", "movie_id": "m", "rating": "r"}},
        "movies": {"files": "m.csv", "columns": {"movie_id": "id", "movie_title": "title"}, **own},
    })  # fmt: skip


@pytest.mark.parametrize("own", [
    {"features": {"first": {"column": "title", "pattern": r"^(\w+\s?)+$"}}},
    {"features": {"all": {"kind": "categories", "column": "title", "pattern": r"^(\w+\s?)+$"}}},
    {"id_pattern": r"^(\w+\s?)+$"},
])  # fmt: skip
def test_a_pattern_that_explodes_names_its_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: dict[str, object]
) -> None:
    monkeypatch.setattr(patterns, "SECONDS", 0.1)
    long = "a" * 60
    (tmp_path / "m.csv").write_text(f"id,title\n1,Heat\n{long}!,{long}!\n")
    with pytest.raises(UserError, match=r"m\.csv:3: the pattern .* a repeat within a repeat"):
        read_movies(movies(**own), {"movies": [str(tmp_path / "m.csv")]})


def test_patterns_are_searched_as_ever_in_any_thread() -> None:
    found = []
    thread = threading.Thread(target=lambda: found.append(patterns.search(r"(\d+)", "a 12 b")))
    thread.start()
    thread.join()
    found.append(patterns.search(r"(\d+)", "a 12 b"))
    assert [match and match[1] for match in found] == ["12", "12"]
    assert [match[1] for match in patterns.matches(r"(\w)\d", "a1 b2")] == ["a", "b"]


def test_a_movie_with_a_long_id_is_dropped_and_counted(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(f"id,title\n1,Heat\n{'x' * 1001},Ran\n")
    table = read_movies(movies(), {"movies": [str(tmp_path / "m.csv")]})
    assert table is not None and table.table["movie_id"].to_pylist() == ["1"]
    assert table.problems.counts == {"long_id": 1}

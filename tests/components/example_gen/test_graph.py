"""The whole graph on small files: what the Examples hold, whoever writes them."""

import json
from collections import Counter
from pathlib import Path
from typing import get_type_hints

import pytest
from apache_beam.runners.portability import local_job_service

from components.example_gen.prepare import Sizes
from components.examples.rows import (
    DroppedRow,
    FirstCell,
    MostRows,
    RowsReport,
    SplitSize,
    UnreadableCells,
    read_rows,
)
from schemas.errors import UserError
from tests.components.example_gen.small_data import (
    SPLITS,
    digest,
    make,
    read_examples,
    read_splits,
    small_rows,
    small_source,
    targets,
    write_table,
    write_tables,
)


@pytest.fixture
def data(tmp_path):
    return write_tables(tmp_path / "data")


def test_before_is_the_last_ahead_of_the_targets_moment(data, tmp_path):
    make(data, tmp_path, history_length=4)
    rows = small_rows()
    for example in read_splits(tmp_path)["eval"]:
        (target,) = targets([example])
        earlier = [row for row in rows if row[0] == target[0] and row[3] < target[3]]
        history = targets([example], "history_")
        assert set(history) <= set(earlier) and len(history) == min(4, len(earlier))
        newest = sorted(row[3] for row in earlier)[-4:]
        assert [row[3] for row in history] == newest


def test_features_are_joined(data, tmp_path):
    make(data, tmp_path)
    example = read_splits(tmp_path)["train"][0]
    for number, title, year, genres in zip(
        *(example[name] for name in ("movie_id", "movie_title", "year", "genres")), strict=True
    ):
        assert title == f"Film {number} ({year})" and genres == "Drama\x1fWar"
    genders = {e["user_id"][0]: e["gender"] for e in read_splits(tmp_path)["train"]}
    assert genders["u22"] == [""] and genders["u2"] == ["F"]
    catalogue = read_examples(tmp_path / "catalogue" / "Split-catalogue")
    assert [e["movie_id"][0] for e in catalogue] == sorted(str(n) for n in range(1, 43))
    assert catalogue[0]["genres"] == ["Drama", "War"]


@pytest.mark.parametrize("kind", ["temporal", "random"])
def test_layout_of_the_work_does_not_show(data, tmp_path, kind):
    reports = {"plain": make(data, tmp_path / "plain", **SPLITS[kind])}
    args = ("--runner=FnApiRunner", "--direct_num_workers=2")
    for size in (300, 5000):
        reports[str(size)] = make(
            data,
            tmp_path / str(size),
            beam_args=(*args, "--direct_running_mode=multi_threading"),
            sizes=Sizes(range_bytes=size, partition_bytes=3000),
            **SPLITS[kind],
        )
    assert reports["plain"] == reports["300"] == reports["5000"]
    sets = [_set(tmp_path / name) for name in reports]
    assert sets[0] == sets[1] == sets[2]
    assert digest(tmp_path / "300") == digest(tmp_path / "5000")
    shards = [p.name for p in (tmp_path / "300" / "examples" / "Split-train").iterdir()]
    assert len(shards) == 3


def _set(out):
    return {
        name: sorted(json.dumps(example, sort_keys=True) for example in examples)
        for name, examples in read_splits(out).items()
    }


def test_a_portable_runner_writes_the_same(data, tmp_path):
    sizes = Sizes(partition_bytes=3000)
    make(data, tmp_path / "here", sizes=sizes)
    server = local_job_service.LocalJobServicer(str(tmp_path / "staging"))
    port = server.start_grpc_server()
    args = ["--runner=PortableRunner", f"--job_endpoint=localhost:{port}"]
    try:
        args.append("--environment_type=LOOPBACK")
        make(data, tmp_path / "there", beam_args=args, sizes=sizes)
    finally:
        server.stop()
    assert digest(tmp_path / "here") == digest(tmp_path / "there")


def test_leave_last_n_draws_among_the_last_moments_ratings(data, tmp_path):
    """A file that is sorted by movie within a day: the last movie is no likelier than the first."""
    rows = [
        (f"u{user}", f"{m}", 3.0, day) for user in range(300) for day in (1, 2) for m in MOVIES[day]
    ]
    write_table(data / "ratings-1.csv", rows)
    (data / "ratings-2.csv").unlink()
    make(data, tmp_path, kind="leave_last_n", n=1)
    held_out = Counter(row[1] for row in targets(read_splits(tmp_path)["eval"]))
    assert set(held_out) == {str(m) for m in MOVIES[2]} and min(held_out.values()) > 40


MOVIES = {1: [1, 2, 3, 4], 2: [11, 12, 13, 14]}


def test_a_predefined_tie_does_not_come_after(data, tmp_path):
    rows = [
        (f"u{user}", f"{m}", 3.0, 86_400 * (m // 10)) for user in range(9) for m in range(1, 40)
    ]
    write_table(data / "train.csv", [row for row in rows if row[3] < 3 * 86_400 or int(row[1]) % 2])
    write_table(
        data / "eval.csv", [row for row in rows if row[3] == 3 * 86_400 and not int(row[1]) % 2]
    )
    config = {"kind": "predefined", "train": "train.csv", "eval": "eval.csv"}
    assert make(data, tmp_path, **config)["history"] == "before"
    for example in read_splits(tmp_path)["eval"]:
        assert {row[3] for row in targets([example], "history_")} == {0, 86_400, 2 * 86_400}


WRONG_TIMES = {
    "a date in seconds": ("20170823", "seconds", "%Y%m%d"),
    "milliseconds in seconds": ("1600000000250", "seconds", "milliseconds"),
    "microseconds in milliseconds": ("1600000000250123", "milliseconds", "microseconds"),
    "seconds in milliseconds": ("1600000000", "milliseconds", "seconds"),
    "milliseconds in microseconds": ("1600000000250", "microseconds", "milliseconds"),
    "text in seconds": ("2020-01-01T10:00:00Z", "seconds", "iso"),
    "text in another format": ("2020-01-01T10:00:00.5+0200", "%Y-%m-%d", "iso"),
}


@pytest.mark.parametrize("case", WRONG_TIMES)
def test_times_in_another_unit_are_refused_with_the_hint_that_fits(data, tmp_path, case):
    cell, told, hint = WRONG_TIMES[case]
    rows = [(user, movie, rating, cell) for user, movie, rating, _ in small_rows()]
    write_table(data / "ratings-1.csv", [(*rows[0][:3], "x"), *rows[1:200]])
    write_table(data / "ratings-2.csv", rows[200:])
    source = small_source()
    ratings = source.ratings.model_copy(update={"timestamp": told})
    with pytest.raises(UserError, match=rf"ratings-1.csv:3.*Say `timestamp: '{hint}'`"):
        make(data, tmp_path, source.model_copy(update={"ratings": ratings}))


NO_TIMES = {
    "years in seconds": (lambda time: 1990 + time % 35, "seconds", "seem to be years"),
    "days of a spreadsheet in seconds": (lambda t: 36_526.25 + t % 5000, "seconds", "'iso'"),
    "days of a spreadsheet in milliseconds": (lambda t: 36_526 + t % 50, "milliseconds", "'iso'"),
}


@pytest.mark.parametrize("case", NO_TIMES)
def test_numbers_that_are_no_times_stop_the_run(data, tmp_path, case):
    number, unit, words = NO_TIMES[case]
    rows = [(user, movie, rating, number(time // 60)) for user, movie, rating, time in small_rows()]
    write_table(data / "ratings-1.csv", rows[:200])
    write_table(data / "ratings-2.csv", rows[200:])
    ratings = small_source().ratings.model_copy(update={"timestamp": unit})
    source = small_source().model_copy(update={"ratings": ratings})
    with pytest.raises(UserError, match=f"All times .* as {unit} would be the first .*{words}"):
        make(data, tmp_path, source)
    assert not list((tmp_path / "examples").glob("Split-*"))
    write_table(data / "ratings-1.csv", [(*rows[0][:3], 100_000), *rows[1:200]])
    assert make(data, tmp_path, source)["kept"] == len(rows)


def test_predefined_resolves_its_history(data, tmp_path):
    rows = sorted(small_rows(), key=lambda row: row[3])
    write_table(data / "train.csv", rows[:200])
    write_table(data / "eval.csv", rows[200:])
    config = {"kind": "predefined", "train": "train.csv", "eval": "eval.csv"}
    report = make(data, tmp_path / "ordered", **config)
    assert report["history"] == "before"
    splits = read_splits(tmp_path / "ordered")
    assert sorted(targets(splits["eval"])) == sorted(rows[200:])
    last = max(row[3] for row in targets(splits["train"]))
    assert all(row[3] > last for row in targets(splits["valid"]))
    write_table(data / "train.csv", rows[::2])
    write_table(data / "eval.csv", rows[1::2])
    assert make(data, tmp_path / "mixed", **config)["history"] == "rest"


def test_ratings_of_both_files_count_for_eval(data, tmp_path):
    rows = small_rows()
    write_table(data / "train.csv", rows)
    write_table(data / "eval.csv", rows[-50:])
    config = {"kind": "predefined", "train": "train.csv", "eval": "eval.csv"}
    report = make(data, tmp_path, max_bad_share=0.5, **config)
    assert report["dropped"] == {"exact_duplicate": 50}
    assert sorted(targets(read_splits(tmp_path)["eval"])) == sorted(rows[-50:])


def test_sources_without_timestamps(data, tmp_path):
    for name in ("ratings-1.csv", "ratings-2.csv"):
        lines = (data / name).read_text().splitlines()
        (data / name).write_text("\n".join(line.rpartition(",")[0] for line in lines) + "\n")
    report = make(data, tmp_path, small_source(times=False), kind="random")
    assert report["time_range"] is None and report["history"] == "rest"
    example = read_splits(tmp_path)["eval"][0]
    assert "timestamp" not in example and "history_timestamp" not in example
    assert len(example["history_movie_id"]) == len(example["history_rating"])
    for kind in ("temporal", "leave_last_n"):
        with pytest.raises(UserError, match="no timestamps"):
            make(data, tmp_path, small_source(times=False), kind=kind)


def test_sources_without_movies(data, tmp_path):
    report = make(data, tmp_path, small_source(movies=False, users=False))
    catalogue = read_examples(tmp_path / "catalogue" / "Split-catalogue")
    rated = sorted({row[1] for row in small_rows()})
    assert [e["movie_id"][0] for e in catalogue] == rated
    assert report["movies"] == len(rated)
    example = read_splits(tmp_path)["train"][0]
    assert example["movie_title"] == example["movie_id"]
    assert not {"year", "genres", "gender"} & set(example)


def test_what_is_dropped_is_counted_and_shown(data, tmp_path):
    rows = small_rows()
    first, second = rows[0], rows[1]
    again = (second[0], second[1], 5.0 if second[2] < 5 else 1.0, second[3] + 1)
    with (data / "ratings-2.csv").open("a") as file:
        for row in (first, again, ("u1", "999", 3, 7), ("u1", "2", "", 7)):
            file.write(",".join(map(str, row)) + "\n")
    report = make(data, tmp_path, sizes=Sizes(range_bytes=400), max_bad_share=0.5)
    dropped = {"exact_duplicate": 1, "missing_field": 1, "superseded": 1, "unknown_movie": 1}
    assert report["dropped"] == dropped
    assert report["read"] == report["kept"] + 4 == len(rows) + 4
    shown = {
        sample["reason"]: (Path(sample["file"]).name, sample["line"], sample["text"])
        for sample in report["samples"]
    }
    lines = len(rows) - 200 + 1
    assert shown == {
        "exact_duplicate": ("ratings-1.csv", 2, ",".join(map(str, first))),
        "superseded": ("ratings-1.csv", 3, ",".join(map(str, second))),
        "unknown_movie": ("ratings-2.csv", lines + 3, "u1,999,3,7"),
        "missing_field": ("ratings-2.csv", lines + 4, "u1,2,,7"),
    }


def test_too_many_bad_rows_stop_the_run_and_leave_nothing(data, tmp_path):
    make(data, tmp_path)
    with (data / "ratings-1.csv").open("a") as file:
        file.write("u1,2,77,1000000000\n" * 9)
    with pytest.raises(
        UserError, match=r"9 of [\d,]+ .*off_scale in .*ratings-1.csv:202: 'u1,2,77"
    ):
        make(data, tmp_path)
    left = [path for path in tmp_path.rglob("*") if path.is_file() and path.parent != data]
    assert left == []


def test_rows_json_holds_what_its_type_says(data, tmp_path):
    films = (data / "movies.csv").read_text().replace("(1953)", "(?)")
    (data / "movies.csv").write_text(films)
    with (data / "ratings-1.csv").open("a") as file:
        file.write("u1,2,77,1000000000\n")
    report = make(data, tmp_path)
    rows = read_rows(str(tmp_path / "examples"))
    assert rows == report
    assert (tmp_path / "examples" / "rows.json").read_text() == json.dumps(rows, indent=1)
    assert set(rows) == set(get_type_hints(RowsReport))
    parts = {
        DroppedRow: rows["samples"],
        SplitSize: rows["splits"].values(),
        MostRows: [rows["top_user"], rows["top_movie"]],
        UnreadableCells: rows["cells"],
        FirstCell: [row["first"] for row in rows["cells"]],
    }
    for kind, found in parts.items():
        assert found and all(set(part) == set(get_type_hints(kind)) for part in found)


def test_superseded_ratings_are_not_bad(data, tmp_path):
    rows = small_rows()
    write_table(data / "ratings-3.csv", [(u, m, 6 - rating, t + 1) for u, m, rating, t in rows])
    report = make(data, tmp_path, max_bad_share=0)
    assert report["dropped"]["superseded"] >= len(rows) * 0.5


def test_an_empty_eval_stops_the_run(data, tmp_path):
    rows = [(user, movie, rating, 5) for user, movie, rating, _ in small_rows()]
    write_table(data / "ratings-1.csv", rows)
    (data / "ratings-2.csv").unlink()
    with pytest.raises(UserError, match="falls into eval"):
        make(data, tmp_path)
    assert not list((tmp_path / "examples").glob("Split-*"))

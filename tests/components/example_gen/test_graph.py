"""The whole graph on small files: what the Examples hold, whoever writes them."""

import hashlib
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from apache_beam.runners.portability import local_job_service

from components.example_gen.config import SplitConfig
from components.example_gen.generate import generate
from components.example_gen.prepare import DEFAULT_SIZES, Sizes
from schemas.errors import UserError
from schemas.source import Source

KINDS = {
    "temporal": {},
    "temporal-rest": {"history": "rest"},
    "random": {"kind": "random", "valid": 0.2, "eval": 0.2},
    "leave_last_n": {"kind": "leave_last_n", "n": 2},
    "predefined": {"kind": "predefined", "train": "train.csv", "eval": "eval.csv"},
}
SHORT = {"history_length": 7, "window_length": 5}


def _source(times=True, movies=True, users=True):
    rating = {"user_id": "userId", "movie_id": "movieId", "rating": "rating"}
    tables = {
        "ratings": {
            "files": "ratings*.csv",
            "columns": rating | ({"timestamp": "timestamp"} if times else {}),
        },
        "movies": {
            "files": "movies.csv",
            "columns": {"movie_id": "movieId", "movie_title": "title"},
            "year": {"column": "title", "pattern": r"\((\d{4})\)"},
            "genres": {"column": "genres", "separator": "|"},
        },
        "users": {"files": "users.csv", "columns": {"user_id": "userId", "gender": "gender"}},
    }
    wanted = ["ratings"] + ["movies"] * movies + ["users"] * users
    return Source(name="test", scale=(1, 5), **{name: tables[name] for name in wanted})


def _rows(users=23, movies=40, seed=0):
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(1, users + 1):
        for movie in rng.choice(movies, rng.integers(1, 30), replace=False):
            time = int(1_000_000_000 + rng.integers(0, 50) * 86_400 * 30)
            rows.append((f"u{user}", f"{movie + 1}", float(rng.integers(1, 6)), time))
    order = rng.permutation(len(rows))
    return [rows[index] for index in order]


def _write(path: Path, rows, header="userId,movieId,rating,timestamp"):
    lines = [header, *(",".join(str(cell) for cell in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    rows = _rows()
    _write(folder / "ratings-1.csv", rows[:200])
    _write(folder / "ratings-2.csv", rows[200:])
    _write(folder / "train.csv", rows[: len(rows) * 3 // 4])
    _write(folder / "eval.csv", rows[len(rows) * 3 // 4 :])
    movies = [(number, f"Film {number} (19{50 + number})", "Drama|War") for number in range(1, 43)]
    _write(folder / "movies.csv", movies, "movieId,title,genres")
    _write(folder / "users.csv", [(f"u{n}", "FM"[n % 2]) for n in range(1, 20)], "userId,gender")
    return folder


def _make(data, out, source=None, beam_args=(), sizes=DEFAULT_SIZES, **split):
    config = SplitConfig(**split)
    uris = str(out / "examples"), str(out / "catalogue")
    return generate(source or _source(), config, str(data), *uris, beam_args, sizes=sizes)


def _examples(folder: Path):
    files = sorted(str(path) for path in folder.glob("*"))
    assert files and all("data_tfrecord-" in name for name in files)
    return [_plain(r.numpy()) for r in tf.data.TFRecordDataset(files, compression_type="GZIP")]


def _plain(serialised):
    found = {}
    for name, feature in tf.train.Example.FromString(serialised).features.feature.items():
        values = getattr(feature, feature.WhichOneof("kind")).value
        found[name] = [v.decode() if isinstance(v, bytes) else v for v in values]
    return found


def _splits(out: Path):
    names = ("train", "valid", "eval")
    return {name: _examples(out / "examples" / f"Split-{name}") for name in names}


def _ratings(examples, prefix=""):
    """User, movie, rating and time, in seconds."""
    names = [prefix + name for name in ("movie_id", "rating", "timestamp")]
    return [
        (example["user_id"][0], movie, rating, time // 1_000_000)
        for example in examples
        for movie, rating, time in zip(*(example[name] for name in names), strict=True)
    ]


def _digest(out: Path):
    files = sorted(path for path in out.rglob("*") if path.is_file())
    return {str(f.relative_to(out)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kept_rating_is_a_target_of_one_split(data, tmp_path, kind):
    report = _make(data, tmp_path, **KINDS[kind], **SHORT)
    splits = _splits(tmp_path)
    found = sorted(rating for examples in splits.values() for rating in _ratings(examples))
    assert found == sorted(_rows())
    assert report["read"] == report["kept"] == len(found)
    assert report == json.loads((tmp_path / "examples" / "rows.json").read_text())
    moments = Counter((user, time) for user, _, _, time in found)
    for name, examples in splits.items():
        own = _ratings(examples)
        tied = sum(moments[user, time] > 1 for user, _, _, time in own)
        counts = {"ratings": len(own), "examples": len(examples), "tied": tied}
        assert report["splits"][name] == counts
    assert report["splits"]["eval"]["tied"]
    assert all(len(e["movie_id"]) == 1 for name in ("valid", "eval") for e in splits[name])
    assert all(e["history_movie_id"] == [] for e in splits["train"])
    assert not (tmp_path / "examples" / "_work").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_history_and_seen_are_all_that_a_list_leaves_out(data, tmp_path, kind):
    report = _make(data, tmp_path, **KINDS[kind], **SHORT)
    splits = _splits(tmp_path)
    assert all(example["seen_movie_id"] == [] for example in splits["train"])
    pool = _ratings(splits["train"]) if report["history"] == "rest" else _rows()
    longer = 0
    for example in splits["valid"] + splits["eval"]:
        (target,) = _ratings([example])
        left_out = example["seen_movie_id"] + example["history_movie_id"]
        own = {row for row in pool if row[0] == target[0]}
        if report["history"] == "before":
            own = {row for row in own if row[3] < target[3]}
        assert {row[1] for row in own} <= set(left_out)
        assert target[1] not in left_out and len(set(left_out)) == len(left_out)
        longer += len(example["seen_movie_id"]) > 0
        assert len(example["history_movie_id"]) == 7 or not example["seen_movie_id"]
    assert longer


@pytest.mark.parametrize("kind", KINDS)
def test_no_history_leaks(data, tmp_path, kind):
    report = _make(data, tmp_path, **KINDS[kind], **SHORT)
    splits = _splits(tmp_path)
    train = set(_ratings(splits["train"]))
    for example in splits["valid"] + splits["eval"]:
        (target,) = _ratings([example])
        history = _ratings([example], "history_")
        assert target not in history and len(history) <= 7
        assert [row[3] for row in history] == sorted(row[3] for row in history)
        if report["history"] == "before":
            assert all(row[3] < target[3] for row in history)
        else:
            assert train.issuperset(history)


def test_before_is_the_last_ahead_of_the_targets_moment(data, tmp_path):
    _make(data, tmp_path, history_length=4)
    rows = _rows()
    for example in _splits(tmp_path)["eval"]:
        (target,) = _ratings([example])
        earlier = [row for row in rows if row[0] == target[0] and row[3] < target[3]]
        history = _ratings([example], "history_")
        assert set(history) <= set(earlier) and len(history) == min(4, len(earlier))
        newest = sorted(row[3] for row in earlier)[-4:]
        assert [row[3] for row in history] == newest


def test_features_are_joined(data, tmp_path):
    _make(data, tmp_path)
    example = _splits(tmp_path)["train"][0]
    for number, title, year, genres in zip(
        *(example[name] for name in ("movie_id", "movie_title", "year", "genres")), strict=True
    ):
        assert title == f"Film {number} ({year})" and genres == "Drama\x1fWar"
    genders = {e["user_id"][0]: e["gender"] for e in _splits(tmp_path)["train"]}
    assert genders["u22"] == [""] and genders["u2"] == ["F"]
    catalogue = _examples(tmp_path / "catalogue" / "Split-catalogue")
    assert [e["movie_id"][0] for e in catalogue] == sorted(str(n) for n in range(1, 43))
    assert catalogue[0]["genres"] == ["Drama", "War"]


def test_equal_runs_write_equal_bytes_and_the_seed_matters(data, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        _make(data, tmp_path / name, kind="random", valid=0.2, eval=0.2, seed=seed)
    assert _digest(tmp_path / "a") == _digest(tmp_path / "b") != _digest(tmp_path / "c")


@pytest.mark.parametrize("kind", ["temporal", "random"])
def test_layout_of_the_work_does_not_show(data, tmp_path, kind):
    reports = {"plain": _make(data, tmp_path / "plain", **KINDS[kind])}
    args = ("--runner=FnApiRunner", "--direct_num_workers=2")
    for size in (300, 5000):
        reports[str(size)] = _make(
            data,
            tmp_path / str(size),
            beam_args=(*args, "--direct_running_mode=multi_threading"),
            sizes=Sizes(range_bytes=size, partition_bytes=3000),
            **KINDS[kind],
        )
    assert reports["plain"] == reports["300"] == reports["5000"]
    sets = [_set(tmp_path / name) for name in reports]
    assert sets[0] == sets[1] == sets[2]
    assert _digest(tmp_path / "300") == _digest(tmp_path / "5000")
    shards = [p.name for p in (tmp_path / "300" / "examples" / "Split-train").iterdir()]
    assert len(shards) == 3


def _set(out):
    return {
        name: sorted(json.dumps(example, sort_keys=True) for example in examples)
        for name, examples in _splits(out).items()
    }


def test_a_portable_runner_writes_the_same(data, tmp_path):
    sizes = Sizes(partition_bytes=3000)
    _make(data, tmp_path / "here", sizes=sizes)
    server = local_job_service.LocalJobServicer(str(tmp_path / "staging"))
    port = server.start_grpc_server()
    args = ["--runner=PortableRunner", f"--job_endpoint=localhost:{port}"]
    try:
        args.append("--environment_type=LOOPBACK")
        _make(data, tmp_path / "there", beam_args=args, sizes=sizes)
    finally:
        server.stop()
    assert _digest(tmp_path / "here") == _digest(tmp_path / "there")


@pytest.mark.parametrize(
    ("kind", "times"),
    [*((kind, True) for kind in KINDS), ("random", False), ("predefined", False)],
)
def test_the_order_of_lines_and_files_decides_nothing(data, tmp_path, kind, times):
    """Byte for byte: what is history, what is held out, and which of two ratings stays."""
    rows, digests = _rows(), []
    again = [(user, movie, 6 - rating, time) for user, movie, rating, time in rows[::5]]
    rng = np.random.default_rng(3)
    held_out = len(rows) // 5
    for turn in ("as they come", "by movie", "shuffled"):
        parts = [[*rows[:held_out], *again[: held_out // 3]], [*rows[held_out:], *again]]
        for part in parts:
            if turn == "by movie":
                part.sort(key=lambda row: row[1])
            elif turn == "shuffled":
                rng.shuffle(part)
        lines = [[row if times else row[:3] for row in part] for part in parts]
        header = "userId,movieId,rating,timestamp" if times else "userId,movieId,rating"
        for name, part in zip(("eval", "train"), lines, strict=True):
            _write(data / f"{name}.csv", part, header)
        first, second = lines if turn == "as they come" else lines[::-1]
        _write(data / "ratings-1.csv", first, header)
        _write(data / "ratings-2.csv", second, header)
        out = tmp_path / turn
        report = _make(data, out, _source(times), max_bad_share=0.5, **KINDS[kind], **SHORT)
        assert report["dropped"]["superseded"] >= len(again) * 0.6
        digests.append({k: v for k, v in _digest(out).items() if not k.endswith("rows.json")})
    assert digests[0] == digests[1] == digests[2]


def test_leave_last_n_draws_among_the_last_moments_ratings(data, tmp_path):
    """A file that is sorted by movie within a day: the last movie is no likelier than the first."""
    rows = [
        (f"u{user}", f"{m}", 3.0, day) for user in range(300) for day in (1, 2) for m in MOVIES[day]
    ]
    _write(data / "ratings-1.csv", rows)
    (data / "ratings-2.csv").unlink()
    _make(data, tmp_path, kind="leave_last_n", n=1)
    held_out = Counter(row[1] for row in _ratings(_splits(tmp_path)["eval"]))
    assert set(held_out) == {str(m) for m in MOVIES[2]} and min(held_out.values()) > 40


MOVIES = {1: [1, 2, 3, 4], 2: [11, 12, 13, 14]}


def test_a_predefined_tie_does_not_come_after(data, tmp_path):
    rows = [
        (f"u{user}", f"{m}", 3.0, 86_400 * (m // 10)) for user in range(9) for m in range(1, 40)
    ]
    _write(data / "train.csv", [row for row in rows if row[3] < 3 * 86_400 or int(row[1]) % 2])
    _write(data / "eval.csv", [row for row in rows if row[3] == 3 * 86_400 and not int(row[1]) % 2])
    config = {"kind": "predefined", "train": "train.csv", "eval": "eval.csv"}
    assert _make(data, tmp_path, **config)["history"] == "before"
    for example in _splits(tmp_path)["eval"]:
        assert {row[3] for row in _ratings([example], "history_")} == {0, 86_400, 2 * 86_400}


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
    rows = [(user, movie, rating, cell) for user, movie, rating, _ in _rows()]
    _write(data / "ratings-1.csv", [(*rows[0][:3], "x"), *rows[1:200]])
    _write(data / "ratings-2.csv", rows[200:])
    source = _source()
    ratings = source.ratings.model_copy(update={"timestamp": told})
    with pytest.raises(UserError, match=rf"ratings-1.csv:3.*Say `timestamp: '{hint}'`"):
        _make(data, tmp_path, source.model_copy(update={"ratings": ratings}))


NO_TIMES = {
    "years in seconds": (lambda time: 1990 + time % 35, "seconds", "seem to be years"),
    "days of a spreadsheet in seconds": (lambda t: 36_526.25 + t % 5000, "seconds", "'iso'"),
    "days of a spreadsheet in milliseconds": (lambda t: 36_526 + t % 50, "milliseconds", "'iso'"),
}


@pytest.mark.parametrize("case", NO_TIMES)
def test_numbers_that_are_no_times_stop_the_run(data, tmp_path, case):
    number, unit, words = NO_TIMES[case]
    rows = [(user, movie, rating, number(time // 60)) for user, movie, rating, time in _rows()]
    _write(data / "ratings-1.csv", rows[:200])
    _write(data / "ratings-2.csv", rows[200:])
    ratings = _source().ratings.model_copy(update={"timestamp": unit})
    source = _source().model_copy(update={"ratings": ratings})
    with pytest.raises(UserError, match=f"All times .* as {unit} would be the first .*{words}"):
        _make(data, tmp_path, source)
    assert not list((tmp_path / "examples").glob("Split-*"))
    _write(data / "ratings-1.csv", [(*rows[0][:3], 100_000), *rows[1:200]])
    assert _make(data, tmp_path, source)["kept"] == len(rows)


def test_predefined_resolves_its_history(data, tmp_path):
    rows = sorted(_rows(), key=lambda row: row[3])
    _write(data / "train.csv", rows[:200])
    _write(data / "eval.csv", rows[200:])
    config = {"kind": "predefined", "train": "train.csv", "eval": "eval.csv"}
    report = _make(data, tmp_path / "ordered", **config)
    assert report["history"] == "before"
    splits = _splits(tmp_path / "ordered")
    assert sorted(_ratings(splits["eval"])) == sorted(rows[200:])
    last = max(row[3] for row in _ratings(splits["train"]))
    assert all(row[3] > last for row in _ratings(splits["valid"]))
    _write(data / "train.csv", rows[::2])
    _write(data / "eval.csv", rows[1::2])
    assert _make(data, tmp_path / "mixed", **config)["history"] == "rest"


def test_ratings_of_both_files_count_for_eval(data, tmp_path):
    rows = _rows()
    _write(data / "train.csv", rows)
    _write(data / "eval.csv", rows[-50:])
    config = {"kind": "predefined", "train": "train.csv", "eval": "eval.csv"}
    report = _make(data, tmp_path, max_bad_share=0.5, **config)
    assert report["dropped"] == {"exact_duplicate": 50}
    assert sorted(_ratings(_splits(tmp_path)["eval"])) == sorted(rows[-50:])


def test_sources_without_timestamps(data, tmp_path):
    for name in ("ratings-1.csv", "ratings-2.csv"):
        lines = (data / name).read_text().splitlines()
        (data / name).write_text("\n".join(line.rpartition(",")[0] for line in lines) + "\n")
    report = _make(data, tmp_path, _source(times=False), kind="random")
    assert report["time_range"] is None and report["history"] == "rest"
    example = _splits(tmp_path)["eval"][0]
    assert "timestamp" not in example and "history_timestamp" not in example
    assert len(example["history_movie_id"]) == len(example["history_rating"])
    for kind in ("temporal", "leave_last_n"):
        with pytest.raises(UserError, match="no timestamps"):
            _make(data, tmp_path, _source(times=False), kind=kind)


def test_sources_without_movies(data, tmp_path):
    report = _make(data, tmp_path, _source(movies=False, users=False))
    catalogue = _examples(tmp_path / "catalogue" / "Split-catalogue")
    rated = sorted({row[1] for row in _rows()})
    assert [e["movie_id"][0] for e in catalogue] == rated
    assert report["movies"] == len(rated)
    example = _splits(tmp_path)["train"][0]
    assert example["movie_title"] == example["movie_id"]
    assert not {"year", "genres", "gender"} & set(example)


def test_what_is_dropped_is_counted_and_shown(data, tmp_path):
    rows = _rows()
    first, second = rows[0], rows[1]
    again = (second[0], second[1], 5.0 if second[2] < 5 else 1.0, second[3] + 1)
    with (data / "ratings-2.csv").open("a") as file:
        for row in (first, again, ("u1", "999", 3, 7), ("u1", "2", "", 7)):
            file.write(",".join(map(str, row)) + "\n")
    report = _make(data, tmp_path, sizes=Sizes(range_bytes=400), max_bad_share=0.5)
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
    _make(data, tmp_path)
    with (data / "ratings-1.csv").open("a") as file:
        file.write("u1,2,77,1000000000\n" * 9)
    with pytest.raises(
        UserError, match=r"9 of [\d,]+ .*off_scale in .*ratings-1.csv:202: 'u1,2,77"
    ):
        _make(data, tmp_path)
    left = [path for path in tmp_path.rglob("*") if path.is_file() and path.parent != data]
    assert left == []


def test_superseded_ratings_are_not_bad(data, tmp_path):
    rows = _rows()
    _write(data / "ratings-3.csv", [(u, m, 6 - rating, t + 1) for u, m, rating, t in rows])
    report = _make(data, tmp_path, max_bad_share=0)
    assert report["dropped"]["superseded"] >= len(rows) * 0.5


def test_an_empty_eval_stops_the_run(data, tmp_path):
    rows = [(user, movie, rating, 5) for user, movie, rating, _ in _rows()]
    _write(data / "ratings-1.csv", rows)
    (data / "ratings-2.csv").unlink()
    with pytest.raises(UserError, match="falls into eval"):
        _make(data, tmp_path)
    assert not list((tmp_path / "examples").glob("Split-*"))

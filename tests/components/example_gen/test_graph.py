"""The whole graph on small files: what the Examples hold, whoever writes them."""

import functools
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from apache_beam.runners.portability import local_job_service

from components.example_gen import generate as module
from components.example_gen.config import SplitConfig
from components.example_gen.generate import generate
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


def _make(data, out, source=None, beam_args=(), **split):
    config = SplitConfig(**split)
    uris = str(out / "examples"), str(out / "catalogue")
    return generate(source or _source(), config, str(data), *uris, beam_args)


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
    names = [prefix + name for name in ("movie_id", "rating", "timestamp")]
    return [
        (example["user_id"][0], *row)
        for example in examples
        for row in zip(*(example[name] for name in names), strict=True)
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
    for name, examples in splits.items():
        counts = {"ratings": len(_ratings(examples)), "examples": len(examples)}
        assert report["splits"][name] == counts
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
            assert all(row[3] <= target[3] for row in history)
        else:
            assert train.issuperset(history)


def test_before_is_the_last_of_the_users_ratings(data, tmp_path):
    _make(data, tmp_path, history_length=4)
    rows = _rows()
    order = sorted(range(len(rows)), key=lambda index: (rows[index][3], index))
    for example in _splits(tmp_path)["eval"]:
        (target,) = _ratings([example])
        own = [rows[index] for index in order if rows[index][0] == target[0]]
        assert _ratings([example], "history_") == own[: own.index(target)][-4:]


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
def test_layout_of_the_work_does_not_show(data, tmp_path, monkeypatch, kind):
    reports = {"plain": _make(data, tmp_path / "plain", **KINDS[kind])}
    monkeypatch.setattr(module, "_PARTITION_BYTES", 3000)
    for size in (300, 5000):
        plan = functools.partial(module.plan_ranges, range_bytes=size)
        with monkeypatch.context() as patch:
            patch.setattr(module, "plan_ranges", plan)
            args = ("--runner=FnApiRunner", "--direct_num_workers=2")
            mode = "--direct_running_mode=multi_threading"
            reports[str(size)] = _make(
                data, tmp_path / str(size), beam_args=(*args, mode), **KINDS[kind]
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


def test_a_portable_runner_writes_the_same(data, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_PARTITION_BYTES", 3000)
    _make(data, tmp_path / "here")
    server = local_job_service.LocalJobServicer(str(tmp_path / "staging"))
    port = server.start_grpc_server()
    args = ["--runner=PortableRunner", f"--job_endpoint=localhost:{port}"]
    try:
        _make(data, tmp_path / "there", beam_args=[*args, "--environment_type=LOOPBACK"])
    finally:
        server.stop()
    assert _digest(tmp_path / "here") == _digest(tmp_path / "there")


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


def test_what_is_dropped_is_counted_and_shown(data, tmp_path, monkeypatch):
    monkeypatch.setattr(
        module, "plan_ranges", functools.partial(module.plan_ranges, range_bytes=400)
    )
    rows = _rows()
    first, second = rows[0], rows[1]
    again = (second[0], second[1], 5.0 if second[2] < 5 else 1.0, second[3] + 1)
    with (data / "ratings-2.csv").open("a") as file:
        for row in (first, again, ("u1", "999", 3, 7), ("u1", "2", "", 7)):
            file.write(",".join(map(str, row)) + "\n")
    report = _make(data, tmp_path, max_bad_share=0.5)
    dropped = {"exact_duplicate": 1, "missing_field": 1, "superseded": 1, "unknown_movie": 1}
    assert report["dropped"] == dropped
    assert report["read"] == report["kept"] + 4 == len(rows) + 4
    places = {s["reason"]: (Path(s["file"]).name, s["line"]) for s in report["samples"]}
    lines = len(rows) - 200 + 1
    assert places == {
        "exact_duplicate": ("ratings-1.csv", 2),
        "superseded": ("ratings-1.csv", 3),
        "unknown_movie": ("ratings-2.csv", lines + 3),
        "missing_field": ("ratings-2.csv", lines + 4),
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

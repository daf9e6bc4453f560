"""A small source of many ties, and what its Examples hold: for tests of the whole graph."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from components.example_gen.config import SplitConfig
from components.example_gen.generate import generate
from components.example_gen.prepare import DEFAULT_SIZES
from schemas.source import Source

SPLITS: dict[str, dict[str, Any]] = {
    "temporal": {},
    "temporal-rest": {"history": "rest"},
    "random": {"kind": "random", "valid": 0.2, "eval": 0.2},
    "leave_last_n": {"kind": "leave_last_n", "n": 2},
    "predefined": {"kind": "predefined", "train": "train.csv", "eval": "eval.csv"},
}


def small_source(times=True, movies=True, users=True):
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


def small_rows(users=23, movies=40, seed=0):
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(1, users + 1):
        for movie in rng.choice(movies, rng.integers(1, 30), replace=False):
            time = int(1_000_000_000 + rng.integers(0, 50) * 86_400 * 30)
            rows.append((f"u{user}", f"{movie + 1}", float(rng.integers(1, 6)), time))
    order = rng.permutation(len(rows))
    return [rows[index] for index in order]


def write_table(path: Path, rows, header=""):
    """Writes rows of a table; those of ratings are users, movies, ratings and times if any."""
    names = ("userId", "movieId", "rating", "timestamp")
    rows = [[cell for cell in row if cell is not None] for row in rows]
    header = header or ",".join(names[: len(rows[0])])
    lines = [header, *(",".join(str(cell) for cell in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_tables(folder, times=True):
    """Writes ratings in two files, the same as predefined splits, movies and users."""
    folder.mkdir()
    rows = small_rows() if times else [row[:3] for row in small_rows()]
    write_table(folder / "ratings-1.csv", rows[:200])
    write_table(folder / "ratings-2.csv", rows[200:])
    write_table(folder / "train.csv", rows[: len(rows) * 3 // 4])
    write_table(folder / "eval.csv", rows[len(rows) * 3 // 4 :])
    movies = [(number, f"Film {number} (19{50 + number})", "Drama|War") for number in range(1, 43)]
    write_table(folder / "movies.csv", movies, "movieId,title,genres")
    users = [(f"u{n}", "FM"[n % 2]) for n in range(1, 20)]
    write_table(folder / "users.csv", users, "userId,gender")
    return folder


def make(data, out, source=None, beam_args=(), sizes=DEFAULT_SIZES, **split):
    config = SplitConfig(**split)
    uris = str(out / "examples"), str(out / "catalogue")
    return generate(source or small_source(), config, str(data), *uris, beam_args, sizes=sizes)


def read_examples(folder: Path):
    files = sorted(str(path) for path in folder.glob("*"))
    assert files and all("data_tfrecord-" in name for name in files)
    return [_plain(r.numpy()) for r in tf.data.TFRecordDataset(files, compression_type="GZIP")]


def _plain(serialised):
    found = {}
    for name, feature in tf.train.Example.FromString(serialised).features.feature.items():
        values = getattr(feature, feature.WhichOneof("kind")).value
        found[name] = [v.decode() if isinstance(v, bytes) else v for v in values]
    return found


def read_splits(out: Path):
    names = ("train", "valid", "eval")
    return {name: read_examples(out / "examples" / f"Split-{name}") for name in names}


def targets(examples, prefix=""):
    """User, movie, rating and time, in seconds, or None where there are no times."""
    found = []
    for example in examples:
        movies, ratings = example[f"{prefix}movie_id"], example[f"{prefix}rating"]
        times = [time // 1_000_000 for time in example.get(f"{prefix}timestamp", ())]
        events = zip(movies, ratings, times or [None] * len(movies), strict=True)
        found += [(example["user_id"][0], *event) for event in events]
    return found


def digest(out: Path):
    files = sorted(path for path in out.rglob("*") if path.is_file())
    return {str(f.relative_to(out)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}

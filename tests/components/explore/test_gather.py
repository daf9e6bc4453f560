"""Real Examples, written by the rating example gen in several shards, counted by the graph."""

from collections import Counter

import numpy as np
import pyarrow.compute as pc
import pytest
import tensorflow as tf

from components.example_gen.config import SplitConfig
from components.example_gen.generate import LOCAL_BEAM_ARGS, generate
from components.example_gen.prepare import Sizes
from components.explore.gather import Artifacts, gather
from components.explore.reading import read_partition, shards
from schemas.source import Source

SPLITS = ("train", "valid", "eval")


def make_source(times, users, rated=True):
    rating = {"user_id": "userId", "movie_id": "movieId"} | ({"rating": "rating"} if rated else {})
    tables = {
        "ratings": {
            "files": "ratings.csv",
            "columns": rating | ({"timestamp": "timestamp"} if times else {}),
        },
        "movies": {
            "files": "movies.csv",
            "columns": {"movie_id": "movieId", "movie_title": "title"},
            "year": {"column": "title", "pattern": r"\((\d{4})\)"},
            "genres": {"column": "genres", "separator": "|"},
        },
    }
    if users:
        columns = {"user_id": "userId", "gender": "gender", "age": "age"}
        tables["users"] = {"files": "users.csv", "columns": columns}
    return Source(name="test", scale=(0.5, 5) if rated else None, **tables)


@pytest.fixture(scope="module")
def data(tmp_path_factory, drawn_ratings):
    folder = tmp_path_factory.mktemp("data")
    lines = [f"{user},{movie},{rating},{time}" for user, movie, rating, time, _ in drawn_ratings]
    tables = {
        "ratings": ["userId,movieId,rating,timestamp", *lines],
        "movies": [
            "movieId,title,genres",
            *(f"{i},Film {i} ({1950 + i}),{'A|B' if i % 2 else ''}" for i in range(40)),
        ],
        "users": ["userId,gender,age", *(f"u{i},{'FM'[i % 2]},{20 + i}" for i in range(50))],
    }
    for name, content in tables.items():
        (folder / f"{name}.csv").write_text("\n".join(content) + "\n")
    return folder


@pytest.fixture(scope="module", params=[True, False], ids=["all", "least"])
def job(request, data, tmp_path_factory):
    """Examples in several shards, with times and users or without."""
    source = make_source(request.param, request.param)
    place = tmp_path_factory.mktemp("made")
    config = SplitConfig() if request.param else SplitConfig(kind="random")
    uris = f"{place}/examples", f"{place}/catalogue"
    generate(source, config, str(data), *uris, sizes=Sizes(partition_bytes=3000))
    return Artifacts(f"{place}/examples", f"{place}/catalogue", source)


@pytest.fixture(scope="module")
def found(job, tmp_path_factory):
    work = tmp_path_factory.mktemp("gather") / "work"
    cubes = gather(job, str(work), LOCAL_BEAM_ARGS)
    assert not work.exists()
    return cubes


def targets(job):
    """Every target of the Examples, parsed one by one."""
    for split in SPLITS:
        files = tf.io.gfile.glob(f"{job.examples}/Split-{split}/*")
        for record in tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator():
            features = tf.train.Example.FromString(record).features.feature
            user = features["user_id"].bytes_list.value[0]
            who = {n: features[n].bytes_list.value[0] for n in job.source.features.users}
            ratings = features["rating"].float_list.value
            for movie, rating in zip(features["movie_id"].bytes_list.value, ratings, strict=True):
                yield split, user, movie, rating, who


def test_every_rating_of_every_shard_is_counted_once(job, found):
    assert len(shards(job.examples)) > 2
    ids = job.movies().ids.to_pylist()
    expected = Counter(
        (SPLITS.index(split), ids.index(movie), round((rating - 0.5) * 2))
        for split, _, movie, rating, _ in targets(job)
    )
    table = found["movies"].to_pylist()
    assert {(r["split"], r["movie"], r["level"]): r["n"] for r in table} == expected


def test_users_are_whole_whatever_the_shard(job, found):
    per_user = Counter(user for _, user, *_ in targets(job))
    activity = found["activity"].to_pylist()
    assert {row["total"]: row["n"] for row in activity} == Counter(per_user.values())
    assert len(found["sample"]) == len(per_user)
    assert sorted(found["sample"]["n"].to_pylist()) == sorted(per_user.values())


def test_groups_and_times_are_there_where_the_source_has_them(job, found):
    if not job.source.has_timestamps:
        assert not {"groups", "people", "months", "hours", "pace"} & set(found)
        return
    ratings = Counter(who["gender"].decode() for *_, who in targets(job))
    groups = found["groups"].filter(pc.equal(found["groups"]["feature"], "gender"))
    counted: Counter[str] = Counter()
    for row in groups.to_pylist():
        counted[row["value"]] += row["n"]
    assert counted == ratings and ratings[""] > 0  # ten users are in no users table
    assert found["months"]["n"].to_numpy().sum() == sum(ratings.values())


def test_the_catalogue_has_the_columns_of_the_source(job):
    movies = job.movies()
    assert list(movies.features) == ["year", "genres"]
    row = movies.ids.to_pylist().index(b"3")
    assert movies.titles[row].as_py() == b"Film 3 (1953)"
    assert {name: movies.values(name)[row] for name in movies.features} == {
        "year": [b"1953"],
        "genres": [b"A", b"B"],
    }


def test_a_movie_that_the_catalogue_lacks_is_a_fault(job):
    ids = job.movies().ids[1:]
    names = shards(job.examples)
    with pytest.raises(ValueError, match="catalogue lacks"):
        [read_partition(job.examples, name, job.source, ids) for name in names]


def test_a_partition_keeps_each_users_order(job):
    if not job.source.has_timestamps:
        return
    ids = job.movies().ids
    ratings = read_partition(job.examples, shards(job.examples)[0], job.source, ids).ratings
    user, split, time = (ratings[name].to_numpy() for name in ("user", "split", "timestamp"))
    same = (np.diff(user) == 0) & (np.diff(split) == 0)
    assert same.any() and (np.diff(time)[same] >= 0).all()


def test_examples_without_ratings_are_counted(data, tmp_path):
    source = make_source(True, True, rated=False)
    rows = generate(
        source, SplitConfig(), str(data), f"{tmp_path}/examples", f"{tmp_path}/catalogue"
    )
    job = Artifacts(f"{tmp_path}/examples", f"{tmp_path}/catalogue", source)
    cubes = gather(job, str(tmp_path / "work"), LOCAL_BEAM_ARGS)
    assert pc.sum(cubes["movies"]["n"]).as_py() == rows["kept"] == rows["unrated"]
    assert set(cubes["movies"]["level"].to_pylist()) == {-1}
    assert cubes["sample"]["mean"].null_count == len(cubes["sample"])

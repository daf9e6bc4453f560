"""Reads Examples as Arrow tables, and counts the ratings of train."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow_metadata.proto.v0.schema_pb2 import Schema
from tfx_bsl.coders import example_coder

from components.evaluation.lists import Movies

PARSED = 1024  # Examples decoded at once


def tables(
    files: Sequence[str], columns: Sequence[str], schema: Schema | None = None
) -> Iterator[pa.Table]:
    """Reads gzipped TFRecord files of Examples as Arrow tables of list columns.

    Columns that a batch of Examples lacks are left out of its table. With a schema nothing else is
    decoded than its features, and those that are lacking are columns of nulls.
    """
    decoder = example_coder.ExamplesToRecordBatchDecoder(
        schema.SerializeToString() if schema else None
    )
    for batch in tf.data.TFRecordDataset(list(files), compression_type="GZIP").batch(PARSED):
        found = pa.Table.from_batches([decoder.DecodeBatch(list(batch.numpy()))])
        yield found.select([name for name in columns if name in found.column_names])


@dataclass(frozen=True)
class Activity:
    """Counts of train.

    ratings: rating to how often it was given.
    per_user, per_movie: int64, events of each user and of each movie that has any, rated or not.
    movies: bytes, the movies of `per_movie`, aligned.
    """

    ratings: dict[float, int]
    per_user: NDArray[Any]
    per_movie: NDArray[Any]
    movies: list[bytes]


def count_train(files: Sequence[str]) -> Activity:
    """Counts the events of train by rating, user and movie in one streamed pass."""
    values, users, movies = [], [], []
    for found in tables(files, ("user_id", "movie_id", "rating")):
        lengths = pc.list_value_length(found["movie_id"])
        users.append(pa.table({"key": pc.list_flatten(found["user_id"]), "n": lengths}))
        if "rating" in found.column_names:
            ratings = pc.list_flatten(found["rating"])
            values.append(_counts(ratings.filter(pc.invert(pc.is_nan(ratings)))))
        movies.append(_counts(pc.list_flatten(found["movie_id"])))
    by_user, by_movie = _summed(users), _summed(movies)
    by_value = zip(*(x.to_pylist() for x in _summed(values)), strict=True) if values else ()
    return Activity(
        dict(sorted(by_value)),
        by_user[1].to_numpy(),
        by_movie[1].to_numpy(),
        by_movie[0].to_pylist(),
    )


def _counts(values: pa.ChunkedArray) -> pa.Table:
    found = pc.value_counts(values)
    return pa.table({"key": found.field("values"), "n": found.field("counts")})


def _summed(parts: list[pa.Table]) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    parts = [part.set_column(1, "n", part["n"].cast(pa.int64())) for part in parts]
    whole = pa.concat_tables(parts).group_by("key").aggregate([("n", "sum")])
    return whole["key"], whole["n_sum"]


def read_movies(catalogue: Sequence[str], train: Sequence[str]) -> tuple[NDArray[Any], Movies]:
    """The sorted ids of the catalogue's movies, bytes, and what is known of each of them."""
    ids, genres = [], []
    for found in tables(catalogue, ("movie_id", "genres")):
        columns = found.to_pydict()
        ids += [movie for (movie,) in columns["movie_id"]]
        genres += [kinds or [] for kinds in columns.get("genres", [[]] * len(found))]
    order = np.argsort(np.array(ids, "S"))
    known = np.array(ids, "S")[order]
    names = sorted({kind for kinds in genres for kind in kinds if kind})
    marks = np.zeros([len(ids), len(names)], bool)
    places = {name: place for place, name in enumerate(names)}
    for row, movie in enumerate(order):
        marks[row, [places[kind] for kind in genres[movie] if kind]] = True
    activity = count_train(train)
    counts = np.zeros(len(ids))
    counts[np.searchsorted(known, np.array(activity.movies, "S"))] = activity.per_movie
    return known, Movies(counts, len(activity.per_user), marks)

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
    by_user, by_movie = summed(users), summed(movies)
    by_value = zip(*(x.to_pylist() for x in summed(values)), strict=True) if values else ()
    return Activity(
        dict(sorted(by_value)),
        by_user[1].to_numpy(),
        by_movie[1].to_numpy(),
        by_movie[0].to_pylist(),
    )


def _counts(values: pa.ChunkedArray) -> pa.Table:
    found = pc.value_counts(values)
    return pa.table({"key": found.field("values"), "n": found.field("counts")})


def summed(parts: list[pa.Table]) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Adds up the tables' `n` by `key`."""
    parts = [part.set_column(1, "n", part["n"].cast(pa.int64())) for part in parts]
    whole = pa.concat_tables(parts).group_by("key").aggregate([("n", "sum")])
    return whole["key"], whole["n_sum"]


def read_movies(catalogue: Sequence[str], train: Sequence[str]) -> tuple[pa.Table, Movies]:
    """The catalogue's movies in its order, and what is known of each of them.

    Returns:
      movie_id, movie_title (binary) and genres (lists of binary), and the counts of train.
    """
    known = _catalogue(catalogue)
    owner = pc.list_parent_indices(known["genres"].combine_chunks()).to_numpy()
    given = pc.list_flatten(known["genres"]).combine_chunks()
    names = pc.unique(given)
    names = names.take(pc.sort_indices(names))
    marks = np.zeros([len(known), len(names)], bool)
    marks[owner, pc.index_in(given, value_set=names).to_numpy()] = True
    activity = count_train(train)
    counts = np.zeros(len(known))
    ids = known["movie_id"].combine_chunks()
    rated = pc.index_in(pa.array(activity.movies, ids.type), value_set=ids).to_numpy()
    counts[rated.astype(np.int64)] = activity.per_movie
    return known, Movies(counts, len(activity.per_user), marks)


def _catalogue(files: Sequence[str]) -> pa.Table:
    ids, titles, genres = [], [], []
    for found in tables(files, ("movie_id", "movie_title", "genres")):
        columns = found.to_pydict()
        ids += [movie for (movie,) in columns["movie_id"]]
        titles += [title for (title,) in columns["movie_title"]]
        genres += [[g for g in own or [] if g] for own in columns.get("genres", [[]] * len(found))]
    names = pa.large_binary()
    return pa.table({
        "movie_id": pa.array(ids, names),
        "movie_title": pa.array(titles, names),
        "genres": pa.array(genres, pa.list_(names)),
    })  # fmt: skip

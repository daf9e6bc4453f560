"""Ratings, and what is known of their movies and users, as serialised tf.train.Examples."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.split.windows import Windows
from components.example_gen.write.wire import Pieces, serialise, to_pieces
from components.examples import ages
from schemas.features import POSTER, SEPARATOR, Features, date_of

Int64s = npt.NDArray[np.int64]
NO_FEATURES = Features()


@dataclass(frozen=True)
class FeatureColumns:
    """Every feature of every rating of a partition, by name.

    `movies` have one piece per movie and `movie_of` [rows] tells which; `users` likewise;
    `ratings` (those of rating and timestamp that the source has) have one piece per rating, and so
    have `events`, the ratings' own features.
    """

    ratings: dict[str, Pieces]
    events: dict[str, Pieces]
    movies: dict[str, Pieces]
    movie_of: Int64s
    users: dict[str, Pieces]
    user_of: Int64s


def join(
    ratings: pa.Table, movies: pa.Table, users: pa.Table | None, names: Features = NO_FEATURES
) -> FeatureColumns:
    """Looks up the movie and the user of each rating.

    Args:
      ratings: user_id, movie_id, rating, timestamp (each null if the source has none), features.
      movies: one row per movie; has every movie of `ratings`.
      users: one row per user, or None; users that are missing get what is unknown.
      names: of the features; ratings do not repeat the movies' texts, nor their posters.
    """
    ids = ratings["movie_id"].combine_chunks()
    given = [name for name in ("rating", "timestamp") if not ratings[name].null_count]
    who = ratings["user_id"].combine_chunks().dictionary_encode()
    return FeatureColumns(
        ratings={name: to_pieces(ratings[name].combine_chunks()) for name in given},
        events={
            name: to_pieces(_ages(name, ratings, movies, users))
            if name in names.ages
            else to_pieces(ratings[name].combine_chunks())
            for name in names.events
        },
        movies={
            name: to_pieces(_text(movies[name]))
            for name in movies.column_names
            if name not in (*names.texts, POSTER)
        },
        movie_of=_numbers(pc.index_in(ids, value_set=movies["movie_id"].combine_chunks())),
        users=_user_pieces(who.dictionary, users),
        user_of=_numbers(who.indices),
    )


def rating_examples(features: FeatureColumns, windows: Windows) -> list[bytes]:
    """Serialised Examples, one per window."""
    first = windows.targets[windows.target_offsets[:-1]]
    one_each = np.arange(len(first) + 1)
    targets = windows.targets, windows.target_offsets
    histories = windows.histories, windows.history_offsets
    seen = windows.seen, windows.seen_offsets
    movie_of = features.movie_of
    columns = {name: (p, features.user_of[first], one_each) for name, p in features.users.items()}
    columns |= {name: (p, movie_of[targets[0]], targets[1]) for name, p in features.movies.items()}
    columns |= {name: (p, *targets) for name, p in features.ratings.items()}
    columns |= {name: (p, *targets) for name, p in features.events.items()}
    columns |= {f"history_{name}": (p, *histories) for name, p in features.ratings.items()}
    for name, (rows, offsets) in (("history_movie_id", histories), ("seen_movie_id", seen)):
        columns[name] = features.movies["movie_id"], movie_of[rows], offsets
    return serialise(columns)


def catalogue_examples(movies: pa.Table) -> list[bytes]:
    """Serialised Examples, one per movie; several values stay a list."""
    one_each = np.arange(len(movies) + 1)
    columns = {}
    for name in movies.column_names:
        column, offsets = movies[name].combine_chunks(), one_each
        if pa.types.is_list(column.type):
            column, offsets = pc.list_flatten(column), _list_offsets(column)
        columns[name] = to_pieces(column), np.arange(len(column)), offsets
    return serialise(columns)


def _user_pieces(ids: pa.Array, users: pa.Table | None) -> dict[str, Pieces]:
    pieces = {"user_id": to_pieces(ids)}
    if users is None:
        return pieces
    places = pc.index_in(ids, value_set=users["user_id"].combine_chunks())
    for name in users.column_names:
        if name != "user_id":
            known = users[name].combine_chunks().take(places)
            number = pa.types.is_floating(known.type)
            pieces[name] = to_pieces(known.fill_null(np.nan if number else ""))
    return pieces


def _ages(name: str, ratings: pa.Table, movies: pa.Table, users: pa.Table | None) -> pa.Array:
    """How old the movie of each rating was, or how long its user was there: float32, NaN unknown.

    Args:
      name: of the age, after that of a date of movies or of users.
      ratings, movies, users: as `join` has them.
    """
    date, of_movies = date_of(name), date_of(name) in movies.column_names
    table, key = (movies, "movie_id") if of_movies else (users, "user_id")
    assert table is not None, "a date is a column of one of them"
    place = pc.index_in(ratings[key].combine_chunks(), value_set=table[key].combine_chunks())
    since = table[date].combine_chunks().take(place).fill_null(np.nan)
    moments = ratings["timestamp"].to_numpy()
    return pa.array(ages.years(moments) - since.to_numpy(zero_copy_only=False), pa.float32())


def _text(column: pa.ChunkedArray) -> pa.Array:
    """Several values as one text; anything else as it is."""
    values = column.combine_chunks()
    return pc.binary_join(values, SEPARATOR) if pa.types.is_list(values.type) else values


def _numbers(indices: pa.Array) -> Int64s:
    return indices.to_numpy().astype(np.int64)


def _list_offsets(lists: pa.Array) -> Int64s:
    lengths = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)

"""Everything that the served signatures read: the model's tables, the catalogue, the users."""

from collections import Counter
from typing import Any

import numpy as np
import tensorflow as tf

from components.exported.stored import StoredUsers, UserStore, row_table
from components.model import scoring
from components.model.context import latest
from components.model.facts import Facts
from components.model.features import Lookup
from components.model.protocol import Model
from components.model.tables import MovieTables
from components.model.window import Window
from schemas.features import SEPARATOR


class Catalogue(tf.Module):
    """The movies as a caller knows them: ids, titles, years, genres, and how often rated.

    The variables are public: whoever loads the model reads the catalogue from them.
    """

    def __init__(self, facts: Facts) -> None:
        super().__init__()
        movies = len(facts.movie_ids)
        years = facts.values.get("year", [[]] * movies)
        genres = facts.values.get("genres", [[]] * movies)
        names = sorted({name for own in genres for name in own})
        self.movie_id = tf.Variable(facts.movie_ids, trainable=False)
        self.movie_title = tf.Variable(facts.movie_titles, trainable=False)
        self.year = tf.Variable([int(own[0]) if own else 0 for own in years], trainable=False)
        joined = [SEPARATOR.encode().join(own) for own in genres]
        self.genre_names = tf.Variable(joined, trainable=False)
        self.ratings = tf.Variable(facts.counts.astype(np.int64), trainable=False)
        self._genre_rows = row_table({name: row for row, name in enumerate(names)}, -1)
        self._has_genre = tf.Variable(_genre_marks(names, genres), trainable=False)
        shared = Counter(facts.movie_titles)
        own = {t: row for row, t in enumerate(facts.movie_titles) if t and shared[t] == 1}
        self._titles = row_table(own, -1)

    def by_title(self, title: tf.Tensor) -> tf.Tensor:
        """Rows of exact titles, -1 where unknown or where several movies share one."""
        return self._titles.lookup(title)

    def has_genre(self, genres: tf.Tensor) -> tf.Tensor:
        """Movies with any of the genres, string [batch, genres]; none asked (''): all movies.

        Returns bool [batch, movies].
        """
        rows = self._genre_rows.lookup(genres)
        marks = tf.gather(self._has_genre, tf.maximum(rows, 0)) & (rows >= 0)[..., tf.newaxis]
        asked = tf.reduce_any(genres != "", 1, keepdims=True)
        return tf.reduce_any(marks, 1) | ~asked

    def within_years(self, first: tf.Tensor, last: tf.Tensor) -> tf.Tensor:
        """Movies from `first` to `last`, int32 [batch] each, 0 for open: bool [batch, movies].

        A movie of unknown year passes only where both ends are open.
        """
        year, first, last = self.year[tf.newaxis], first[:, tf.newaxis], last[:, tf.newaxis]
        dated = (year > 0) | ((first == 0) & (last == 0))
        return dated & (year >= first) & ((year <= last) | (last == 0))


def _genre_marks(names: list[bytes], genres: Any) -> Any:
    rows = {name: row for row, name in enumerate(names)}
    marks = np.zeros([max(1, len(names)), len(genres)], bool)
    for movie, own in enumerate(genres):
        marks[[rows[name] for name in own], movie] = True
    return marks


class Served:
    """What the signatures share. No tf.Module: Keras layers would be traced anew in saving."""

    def __init__(self, model: Model, lookup: Lookup, reach: int, users: StoredUsers) -> None:
        self.model, self.lookup, self.reach = model, lookup, reach
        self.catalogue = Catalogue(model.facts)
        unknown = [len(values) for values in model.facts.user_features.values()]
        self.users = UserStore(users, unknown, reach)
        self.variables = {
            name: tf.Variable(value, trainable=False, name=name)
            for name, value in model.movie_tables().by_name().items()
        }
        lengths = tf.norm(self.variables["vectors"], axis=1)
        self.lengths = tf.Variable(tf.maximum(lengths, 1e-9), trainable=False, name="lengths")

    @property
    def rates(self) -> bool:
        """Whether the model predicts ratings."""
        return self.model.facts.rates

    @property
    def tables(self) -> MovieTables:
        """What is known of every movie, frozen at export."""
        tables = {name: tf.convert_to_tensor(value) for name, value in self.variables.items()}
        return MovieTables.of(tables)

    def score(self, window: Window, earlier: tf.RaggedTensor | None = None) -> scoring.Scores:
        """What evaluation scores with: see `scoring.score`."""
        return scoring.score(self.model, self.tables, window, self.reach, earlier)

    def encode(self, window: Window) -> dict[str, tf.Tensor]:
        """The parts of `score` that depend on the user: see the signature `query`."""
        context = latest(window, self.reach, self.model.ordered)
        linear = tf.zeros([tf.shape(window.movie)[0], 0])
        if self.model.linear is not None:
            linear = self.model.linear.of_covered(context)
        query = self.model.query(self.tables, context)[:, 0]
        known = scoring.known_users(self.model.facts, window)
        return {"query": query, "linear": linear, "known": known}

    def rate(self, window: Window, rows: tf.Tensor) -> tf.Tensor:
        """What evaluation rates with: see `scoring.rate`."""
        return scoring.rate(self.model, self.tables, window, rows, self.reach)

    def movies(self, names: tf.Tensor) -> tf.Tensor:
        """Rows of movies by id or, failing that, by exact title; -1 where unknown."""
        rows = self.lookup.movie.lookup(names)
        return tf.where(rows >= 0, rows, self.catalogue.by_title(names))

    def names(self, rows: tf.Tensor, shown: tf.Tensor) -> dict[str, tf.Tensor]:
        """Ids and titles of rows, '' where not `shown`."""
        return {
            "movie_id": tf.where(shown, tf.gather(self.catalogue.movie_id, rows), ""),
            "movie_title": tf.where(shown, tf.gather(self.catalogue.movie_title, rows), ""),
        }

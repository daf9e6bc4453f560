"""The movies as a caller knows them, and what lists can be limited by."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from components.exported.categories import Categories
from components.exported.stored import row_table
from components.model.facts import Facts
from schemas.features import GENRES, POSTER, SEPARATOR, YEAR


class Catalogue(tf.Module):
    """Each movie's id, title, year, genres, and how often it was rated.

    The variables are public: whoever loads the model reads the catalogue from them. Year and genres
    are of the features that have these roles; 0 and '' where there are none. `poster` is there
    where the source names any. `categories` are all that the source declares, genres among them.
    """

    def __init__(self, facts: Facts, labels: Mapping[str, str] | None = None) -> None:
        """Builds the variables; `labels` are what people call features, by name."""
        super().__init__()
        movies = len(facts.movie_ids)
        years = facts.values.get(YEAR, [[]] * movies)
        genres = facts.values.get(GENRES, [[]] * movies)
        self.movie_id = tf.Variable(facts.movie_ids, trainable=False)
        self.movie_title = tf.Variable(facts.movie_titles, trainable=False)
        self.year = tf.Variable([int(own[0]) if own else 0 for own in years], trainable=False)
        joined = [SEPARATOR.encode().join(own) for own in genres]
        self.genre_names = tf.Variable(joined, trainable=False)
        if POSTER in facts.values:
            named = [own[0] if own else b"" for own in facts.values[POSTER]]
            self.poster = tf.Variable(named, trainable=False)
        self.ratings = tf.Variable(facts.counts.astype(np.int64), trainable=False)
        declared = [GENRES, *(name for name in facts.categories if name != GENRES)]
        values = {name: facts.values.get(name, [[]] * movies) for name in declared}
        self.categories = Categories(values, labels or {})
        shared = Counter(facts.movie_titles)
        own = {t: row for row, t in enumerate(facts.movie_titles) if t and shared[t] == 1}
        self._titles = row_table(own, -1)

    def by_title(self, title: tf.Tensor) -> tf.Tensor:
        """Rows of exact titles, -1 where unknown or where several movies share one."""
        return self._titles.lookup(title)

    def within_years(self, first: tf.Tensor, last: tf.Tensor) -> tf.Tensor:
        """Movies from `first` to `last`, int32 [batch] each, 0 for open: bool [batch, movies].

        A movie of unknown year passes only where both ends are open.
        """
        year, first, last = self.year[tf.newaxis], first[:, tf.newaxis], last[:, tf.newaxis]
        dated = (year > 0) | ((first == 0) & (last == 0))
        return dated & (year >= first) & ((year <= last) | (last == 0))

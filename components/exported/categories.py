"""Which movies have which values of their categories, such as a director or a country."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf

from components.exported.stored import row_table

Values = Mapping[str, Sequence[Sequence[bytes]]]  # by the name of a category: each movie's values


class Categories(tf.Module):
    """The categories of a catalogue, as variables: whoever loads the model reads them.

    names, labels: string [categories], what each is called in the source and by people.
    values: string [values], 'name=value' of all categories, sorted.
    value_rows, cells: int32 [pairs], for each value of each movie the row of `values`, and the
      movie's row times the number of categories plus the category's.
    """

    def __init__(self, values: Values, labels: Mapping[str, str]) -> None:
        """Builds the variables; `labels` are by name, default: the name with spaces."""
        super().__init__()
        names = sorted(values)
        words = [labels.get(name, name.replace("_", " ")) for name in names]
        pairs = list(_pairs(values, names))
        known = sorted({value for value, _ in pairs})
        rows = {value: row for row, value in enumerate(known)}
        self._movies = max(map(len, values.values()), default=0)
        self.names = tf.Variable(names, trainable=False, dtype=tf.string)
        self.labels = tf.Variable(words, trainable=False, dtype=tf.string)
        self.values = tf.Variable(known, trainable=False, dtype=tf.string)
        self.value_rows = _rows([rows[value] for value, _ in pairs])
        self.cells = _rows([cell for _, cell in pairs])
        self._value_row = row_table(rows, len(known))
        self._category = row_table({name.encode(): row for row, name in enumerate(names)}, -1)

    def fitting(self, having: tf.Tensor) -> tf.Tensor:
        """The movies that have, of each category that is named, any of the values.

        Args:
          having: string [batch, wishes], 'name=value' each; '' is padding.

        Returns:
          bool [batch, movies]. Of a category or a value that there is not, no movie has any.
        """
        shape = tf.stack([tf.shape(having)[0], self._movies])
        return tf.cond(
            tf.reduce_any(having != ""), lambda: self._having(having), lambda: tf.fill(shape, True)
        )

    def _having(self, having: tf.Tensor) -> tf.Tensor:
        """See `fitting`. The batch is the last axis: segments are of the first."""
        batch, width = tf.unstack(tf.shape(having))
        categories = self.names.shape[0]
        person = tf.reshape(tf.repeat(tf.range(batch), width), [-1])
        asked = tf.reshape(having, [-1])
        values = _marked(self._value_row.lookup(asked), person, self.values.shape[0] + 1, batch)
        held = tf.cast(tf.gather(values, self.value_rows), tf.uint8)
        cells = tf.math.unsorted_segment_max(held, self.cells, self._movies * categories)
        has = tf.reshape(cells > 0, [self._movies, categories, batch])
        named = tf.where(asked == "", categories + 1, self._named(asked))
        wanted = _marked(named, person, categories + 2, batch)
        fits = tf.reduce_all(has | ~wanted[:categories], 1) & ~wanted[categories]
        return tf.transpose(fits)

    def _named(self, asked: tf.Tensor) -> tf.Tensor:
        """The category of each wish, [wishes]; one behind the last where there is none so."""
        name = tf.strings.regex_replace(asked, r"=\C*", "")  # \C: any byte, be it text or not
        row = self._category.lookup(name)
        return tf.where(row < 0, self.names.shape[0], row)


def _pairs(values: Values, names: Sequence[str]) -> Iterator[tuple[bytes, int]]:
    """Each value of each movie, as 'name=value', and its cell."""
    for place, name in enumerate(names):
        for movie, own in enumerate(values[name]):
            for value in own:
                yield name.encode() + b"=" + value, movie * len(names) + place


def _rows(numbers: Sequence[int]) -> tf.Variable:
    return tf.Variable(np.array(numbers, np.int32), trainable=False)


def _marked(rows: tf.Tensor, person: tf.Tensor, height: int, batch: tf.Tensor) -> tf.Tensor:
    """Which rows each person has: bool [height, batch], of rows and people [n] in pairs."""
    marks = tf.zeros(tf.stack([height, batch]), tf.bool)
    places = tf.stack([rows, person], 1)
    return tf.tensor_scatter_nd_update(marks, places, tf.ones_like(rows, tf.bool))

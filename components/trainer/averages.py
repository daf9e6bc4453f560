"""The moving average of weights over an epoch's steps (Polyak and Juditsky, 1992)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import tensorflow as tf

from components.trainer.optimizer import Gradients


class Averages(tf.Module):
    """Averages of some weights, at the cost of the rows that a step changes.

    Every step moves an average towards its weight by one over the number of steps so far, at most
    those of an epoch. For a row that some steps left as it was, this is made up for before a step
    changes it.
    """

    def __init__(
        self, weights: Sequence[tf.Variable], tables: Sequence[tf.Variable], steps: int
    ) -> None:
        """Begins with the weights as they are.

        Args:
          weights: to average.
          tables: of all that is trained, that of which a step changes some rows.
          steps: of an epoch.
        """
        super().__init__()
        places = {table.ref(): place for place, table in enumerate(tables)}
        self._table = [places.get(weight.ref()) for weight in weights]
        self._weights, self._steps = list(weights), float(steps)
        self.values = [tf.Variable(weight, trainable=False) for weight in weights]
        # The last step that the average counts: of each row, or of the whole weight.
        shapes = [weight.shape[:1] if weight.ref() in places else [] for weight in weights]
        self.counted = [tf.Variable(tf.zeros(s, tf.int32), trainable=False) for s in shapes]

    @property
    def state(self) -> list[tf.Variable]:
        """All that it changes."""
        return [*self.values, *self.counted]

    def count(self, gradients: Gradients, step: tf.Tensor) -> None:
        """Counts the steps up to `step`, int32, of all that the gradients are about to change."""
        for number, place in enumerate(self._table):
            rows = None if place is None else gradients.rows[place].indices
            self._count(number, rows, step)

    def _count(self, number: int, rows: tf.Tensor | None, step: tf.Tensor) -> None:
        own = (self._weights[number], self.values[number], self.counted[number])
        weight, average, counted = (
            tf.convert_to_tensor(part) if rows is None else tf.gather(part, rows) for part in own
        )
        kept = self._kept(counted, step)
        kept = kept[:, tf.newaxis] if kept.shape.rank else kept
        moved, now = weight + kept * (average - weight), tf.fill(tf.shape(counted), step)
        for variable, value in ((own[1], moved), (own[2], now)):
            if rows is None:
                variable.assign(value)
            else:
                variable.scatter_update(tf.IndexedSlices(value, rows))

    def _kept(self, since: tf.Tensor, until: tf.Tensor) -> tf.Tensor:
        """The share of an average that the steps after `since`, up to `until`, leave of it."""
        return tf.exp(self._log_growth(since) - self._log_growth(until))

    def _log_growth(self, step: tf.Tensor) -> tf.Tensor:
        # The n-th step leaves 1 - 1/n, so that the first n leave 1/n: nothing of step 0.
        tiny, number = 1e-13, tf.cast(step, tf.float32)
        later = tf.maximum(number - self._steps, 0.0)
        first = tf.math.log(tf.maximum(tf.minimum(number, self._steps), tiny))
        return first - later * tf.math.log(tf.maximum(1.0 - 1.0 / self._steps, tiny))

    @contextmanager
    def in_place(self, step: tf.Variable) -> Iterator[None]:
        """Puts the averages, counted up to `step`, in place of their weights for a while."""
        for number in range(len(self._weights)):
            self._count(number, None, tf.convert_to_tensor(step))
        own = [tf.convert_to_tensor(weight) for weight in self._weights]
        for weight, average in zip(self._weights, self.values, strict=True):
            weight.assign(average)
        yield
        for weight, value in zip(self._weights, own, strict=True):
            weight.assign(value)

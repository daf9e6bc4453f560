"""What changes the weights: AdamW or Adagrad, at the cost of the rows that a step reads."""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf
import tf_keras as keras

from components.model.config import TrainingConfig

SECOND_MOMENT, EPSILON = 0.999, 1e-7  # of Adam, as Keras has them


class Gradients(NamedTuple):
    """The gradients of a step's loss.

    dense: of the weights that every step reads whole.
    rows: of the tables of which a step reads some rows, each row named once.
    """

    dense: list[tf.Tensor]
    rows: list[tf.IndexedSlices]


class RowAdam(tf.Module):
    """AdamW for tables of which a step reads some rows; it changes these and no other.

    As AdamW (Loshchilov and Hutter, 2019) without momentum, which would move the other rows as
    well. What happens to a row between two steps that read it, the decay of its second moment and
    of its weights, is made up for when it is read again.
    """

    def __init__(
        self,
        tables: Sequence[tf.Variable],
        rate: keras.optimizers.schedules.LearningRateSchedule,
        weight_decay: float,
    ) -> None:
        """Prepares for tables, float32 [rows, width] each."""
        super().__init__()
        self._tables, self._rate, self._weight_decay = list(tables), rate, weight_decay
        self.moments = [tf.Variable(tf.zeros_like(table), trainable=False) for table in tables]
        self.changed = [
            tf.Variable(tf.zeros(table.shape[:1], tf.int32), trainable=False) for table in tables
        ]

    def apply(self, gradients: Sequence[tf.IndexedSlices], step: tf.Tensor) -> None:
        """Changes the rows that have a gradient.

        Args:
          gradients: one for each table, its rows named once.
          step: int32, 1 for the first.
        """
        rate, steps = self._rate(step - 1), tf.cast(step, tf.float32)
        places = zip(self._tables, self.moments, self.changed, gradients, strict=True)
        for table, moments, changed, gradient in places:
            rows, slopes = gradient.indices, gradient.values
            passed = tf.cast(step - tf.gather(changed, rows), tf.float32)[:, tf.newaxis]
            moment = tf.gather(moments, rows) * tf.pow(SECOND_MOMENT, passed)
            moment += (1.0 - SECOND_MOMENT) * tf.square(slopes)
            root = tf.sqrt(moment / (1.0 - tf.pow(SECOND_MOMENT, steps)))
            decay = self._weight_decay * passed * tf.gather(table, rows)
            change = rate * (slopes / (root + EPSILON) + decay)
            table.scatter_sub(tf.IndexedSlices(change, rows))
            moments.scatter_update(tf.IndexedSlices(moment, rows))
            changed.scatter_update(tf.IndexedSlices(tf.fill(tf.shape(rows), step), rows))


class Optimizer(tf.Module):
    """The configured optimizer for a training of so many steps.

    step: int32, how many steps were taken.
    """

    def __init__(
        self,
        config: TrainingConfig,
        steps: int,
        variables: Sequence[tf.Variable],
        tables: Sequence[tf.Variable],
    ) -> None:
        """Prepares it.

        Args:
          config: how to learn.
          steps: of the whole training.
          variables: the weights that every step reads whole.
          tables: those of which a step reads some rows.
        """
        super().__init__()
        self._variables, self._tables = list(variables), list(tables)
        self.step = tf.Variable(0, trainable=False, dtype=tf.int32)
        self._clip_norm: float | None = None
        self.rows: RowAdam | None = None
        if config.optimizer == "adagrad":
            self.dense = keras.optimizers.Adagrad(config.learning_rate, jit_compile=False)
            self.dense.build([*variables, *tables])
            return
        rate = learning_rate(config.learning_rate, steps)
        self._clip_norm = config.clip_norm
        self.rows = RowAdam(tables, rate, config.weight_decay)
        self.dense = keras.optimizers.AdamW(
            rate, weight_decay=config.weight_decay, jit_compile=False
        )
        self.dense.build(variables)

    def gradients(self, tape: tf.GradientTape, loss: tf.Tensor) -> Gradients:
        """The gradients of a loss; those of AdamW are clipped by their common norm."""
        dense, rows = tape.gradient(
            loss, [self._variables, self._tables], unconnected_gradients="zero"
        )
        found = [*map(tf.convert_to_tensor, dense), *map(each_row_once, rows)]
        if self._clip_norm is not None:
            found, _ = tf.clip_by_global_norm(found, self._clip_norm)
        return Gradients(found[: len(dense)], found[len(dense) :])

    def apply(self, gradients: Gradients) -> None:
        """Takes a step."""
        self.step.assign_add(1)
        dense = list(zip(gradients.dense, self._variables, strict=True))
        if self.rows is None:
            dense += zip(gradients.rows, self._tables, strict=True)
        else:
            self.rows.apply(gradients.rows, self.step)
        self.dense.apply_gradients(dense)


def learning_rate(peak: float, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """A linear warm-up to the peak, then cosine decay to 0 at the last step."""
    warmup = max(1, steps // 20)
    return keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warmup), warmup_target=peak, warmup_steps=warmup
    )


def each_row_once(gradient: tf.Tensor | tf.IndexedSlices) -> tf.IndexedSlices:
    """The gradient of a table by row, those of the same row summed up."""
    if not isinstance(gradient, tf.IndexedSlices):
        return tf.IndexedSlices(gradient, tf.range(tf.shape(gradient)[0]))
    rows, place = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(gradient.values, place, tf.size(rows))
    return tf.IndexedSlices(values, rows)

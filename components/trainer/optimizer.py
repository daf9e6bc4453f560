"""What changes the weights: AdamW or Adagrad, at the cost of the rows that a step reads."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import tensorflow as tf
import tf_keras as keras

from components.model.config import TrainingConfig
from components.model.row_table import RowTable


class Gradients(NamedTuple):
    """The gradients of a step's loss.

    dense: of the weights that every step reads whole.
    rows: of the tables of which a step reads some rows, each row named once.
    """

    dense: list[tf.Tensor]
    rows: list[tf.IndexedSlices]

    def clipped(self, norm: float) -> "Gradients":
        """These, made smaller where their common norm is greater."""
        found, _ = tf.clip_by_global_norm([*self.dense, *self.rows], norm)
        return Gradients(found[: len(self.dense)], found[len(self.dense) :])


class Moments(NamedTuple):
    """How the mean square of an entry's gradients is kept, by whose root its steps are divided.

    kept: what a step leaves of it; 1 sums the squares up.
    start: of the sum.
    """

    kept: float
    start: float

    def added(self, past: tf.Tensor, slopes: tf.Tensor, passed: tf.Tensor) -> tf.Tensor:
        """The moments after a step, `passed` steps after the one that made the `past` ones."""
        gain = 1.0 - self.kept if self.kept < 1 else 1.0
        return past * tf.pow(self.kept, passed) + gain * tf.square(slopes)

    def root(self, moments: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
        """What slopes are divided by after so many steps of the whole training."""
        seen = 1.0 - tf.pow(self.kept, steps) if self.kept < 1 else 1.0
        return tf.sqrt(moments / seen) + EPSILON


EPSILON = 1e-7
# Of Adam (Kingma and Ba, 2015) and Adagrad (Duchi and others, 2011), as Keras has them.
MOMENTS = {"adamw": Moments(0.999, 0.0), "adagrad": Moments(1.0, 0.1)}


class RowOptimizer(tf.Module):
    """AdamW or Adagrad for tables of which a step reads some rows; it changes these and no other.

    There is no momentum: it would move the other rows as well. What happens to a row between two
    steps that read it (the decay of moments and weights, the pull of its regulariser) is made up
    for when it is read again. As weight decay is (Loshchilov and Hutter, 2019), the pull is kept
    out of the gradient: where a row is read now and then, its whole sum would come at once and
    swell the moments, which would hold back what the data say.
    """

    def __init__(
        self,
        tables: Sequence[RowTable],
        moments: Moments,
        rate: Callable[[tf.Tensor], tf.Tensor],
        weight_decay: float,
    ) -> None:
        """Prepares for the tables; `rate` maps the number of steps taken to the learning rate."""
        super().__init__()
        self._tables, self._kind = list(tables), moments
        self._rate, self._weight_decay = rate, weight_decay
        weights = [table.weight for table in tables]
        starts = [tf.fill(weight.shape, moments.start) for weight in weights]
        self.moments = [tf.Variable(start, trainable=False) for start in starts]
        self.changed = [
            tf.Variable(tf.zeros(weight.shape[:1], tf.int32), trainable=False) for weight in weights
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
            moment = self._kind.added(tf.gather(moments, rows), slopes, passed)
            pace = rate / self._kind.root(moment, steps)
            values = tf.gather(table.weight, rows) * (1.0 - rate * self._weight_decay * passed)
            if table.pull is None:
                values -= pace * slopes
            else:
                # Half of it before, half after: between two steps that read it, a row then has the
                # value that it would have in the middle of the pull.
                half = 0.5 * pace * passed
                values = table.pull(table.pull(values, half) - pace * slopes, half)
            table.weight.scatter_update(tf.IndexedSlices(values, rows))
            moments.scatter_update(tf.IndexedSlices(moment, rows))
            changed.scatter_update(tf.IndexedSlices(tf.fill(tf.shape(rows), step), rows))


class Optimizer(tf.Module):
    """The configured optimizer for a training of so many steps.

    step: int32, how many steps were taken.
    """

    def __init__(
        self,
        config: TrainingConfig,
        steps: int | tf.Variable,
        variables: Sequence[tf.Variable],
        tables: Sequence[RowTable],
        together: Callable[[Gradients], Gradients] = lambda own: own,
    ) -> None:
        """Prepares it.

        Args:
          config: how to learn.
          steps: of the whole training; a variable where that may change.
          variables: the weights that every step reads whole.
          tables: those of which a step reads some rows.
          together: makes one of this process's gradients and others'.
        """
        super().__init__()
        self._together = together
        self._variables, self._tables = list(variables), [table.weight for table in tables]
        self.step = tf.Variable(0, trainable=False, dtype=tf.int32)
        decay, rate = 0.0, config.learning_rate
        self._clip_norm: float | None = None
        if config.optimizer == "adamw":
            self._clip_norm, decay = config.clip_norm, config.weight_decay
            rate = learning_rate(config.learning_rate, steps)
            self.dense = keras.optimizers.AdamW(rate, weight_decay=decay, jit_compile=False)
        else:
            self.dense = keras.optimizers.Adagrad(rate, jit_compile=False)
        self.dense.build(self._variables)
        of_step = rate if callable(rate) else lambda step: rate
        self.rows = RowOptimizer(tables, MOMENTS[config.optimizer], of_step, decay)

    @property
    def state(self) -> list[tf.Variable]:
        """All that it changes but the weights."""
        return [self.step, *self.dense.variables, *self.rows.moments, *self.rows.changed]

    def gradients(self, tape: tf.GradientTape, loss: tf.Tensor) -> Gradients:
        """The gradients of a loss; those of AdamW are clipped by their common norm."""
        dense, rows = tape.gradient(
            loss, [self._variables, self._tables], unconnected_gradients="zero"
        )
        own = Gradients([*map(tf.convert_to_tensor, dense)], [*map(each_row_once, rows)])
        found = self._together(own)
        return found if self._clip_norm is None else found.clipped(self._clip_norm)

    def apply(self, gradients: Gradients) -> None:
        """Takes a step."""
        self.step.assign_add(1)
        self.dense.apply_gradients(zip(gradients.dense, self._variables, strict=True))
        self.rows.apply(gradients.rows, self.step)


class Replanned(keras.optimizers.schedules.LearningRateSchedule):
    """The same learning rate as `learning_rate`, for a number of steps that changes on the way."""

    def __init__(self, peak: float, steps: tf.Variable) -> None:
        """Takes the rate's peak and the variable, int32."""
        self._peak, self._steps = peak, steps

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """The learning rate of a step, float32."""
        steps = self._steps.read_value()
        warmup = tf.maximum(1, steps // 20)
        return _rising_and_falling(self._peak, warmup, tf.maximum(1, steps - warmup))(step)

    def get_config(self) -> dict[str, float]:
        """What Keras asks every schedule for."""
        return {"peak": self._peak}


def learning_rate(
    peak: float, steps: int | tf.Variable
) -> keras.optimizers.schedules.LearningRateSchedule:
    """A linear warm-up to the peak, then cosine decay to 0 at the last step."""
    if isinstance(steps, tf.Variable):
        return Replanned(peak, steps)
    warmup = max(1, steps // 20)
    return _rising_and_falling(peak, warmup, max(1, steps - warmup))


def _rising_and_falling(
    peak: float, rise: int | tf.Tensor, fall: int | tf.Tensor
) -> keras.optimizers.schedules.LearningRateSchedule:
    return keras.optimizers.schedules.CosineDecay(0.0, fall, warmup_target=peak, warmup_steps=rise)


def each_row_once(gradient: tf.Tensor | tf.IndexedSlices) -> tf.IndexedSlices:
    """The gradient of a table by row, those of the same row summed up."""
    if not isinstance(gradient, tf.IndexedSlices):
        return tf.IndexedSlices(gradient, tf.range(tf.shape(gradient)[0]))
    rows, place = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(gradient.values, place, tf.size(rows))
    return tf.IndexedSlices(values, rows)

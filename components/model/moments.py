"""What is known of the moment of a question, such as the device: part of the query."""

from collections.abc import Iterable

import tensorflow as tf
import tf_keras as keras

from components.model import randomness
from components.model.facts import Facts

SHOWN = 0.5  # share of moments of which anything is told in training


class MomentEmbedding(keras.layers.Layer):
    """A vector for each feature of a moment; all start at zero, so that history leads.

    In training half of the moments are shown as unknown, so that a list is as good where nothing is
    told. What is known only after a rating was given has no table: no query can depend on it.
    """

    def __init__(self, dims: int, facts: Facts, name: str = "moments") -> None:
        super().__init__(name=name)
        self.tables = [
            self.add_weight(f"{name}/{key}", [len(values) + 1, dims], initializer="zeros")
            for key, values in facts.asked.items()
        ]

    def parts(self, asked: tf.Tensor, training: bool = False) -> list[tf.Tensor]:
        """What each feature says of moments int32 [batch, places, features]: [..., dims] each."""
        return moment_parts(self.tables, asked, training)


def moment_parts(
    tables: Iterable[tf.Tensor], asked: tf.Tensor, training: bool = False
) -> list[tf.Tensor]:
    """What tables, float32 [values + 1, width], say of moments: [batch, places, width] each.

    The last row of each is that of what is unknown, -1 in `asked` int32 [batch, places, features].
    """
    own = list(tables)
    if not own:
        return []
    if training:
        shown = randomness.uniform(tf.shape(asked)[:2]) < SHOWN
        asked = tf.where(shown[..., tf.newaxis], asked, -1)
    rows = [asked[..., place] for place in range(len(own))]
    return [
        tf.gather(table, tf.where(row < 0, tf.shape(table)[0] - 1, row))
        for table, row in zip(own, rows, strict=True)
    ]

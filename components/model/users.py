"""The part of the query that does not come from history: the user's id and features."""

import tensorflow as tf
import tf_keras as keras

from components.model import randomness
from components.model.facts import Facts
from components.model.parts import user_parts
from components.model.row_table import RowTable


class UserEmbedding(keras.layers.Layer):
    """A vector for a user's id and for each feature; all start at zero, so that history leads.

    In training half of the users are shown as unknown, id and features, so that the unknown rows
    learn and no query depends on what serving may not know.
    """

    ID_DROPOUT = 0.5

    def __init__(self, dims: int, facts: Facts, name: str = "users") -> None:
        super().__init__(name=name)
        self.unknown = len(facts.user_ids)
        self.ids = self.add_weight(f"{name}/ids", [self.unknown + 1, dims], initializer="zeros")
        self._unknown_features = tuple(len(values) for values in facts.user_features.values())
        self.feature_tables = [
            self.add_weight(f"{name}/{key}", [len(values) + 1, dims], initializer="zeros")
            for key, values in facts.user_features.items()
        ]

    def by_row(self) -> list[RowTable]:
        """The tables whose rows are many: those of the ids."""
        return [RowTable(self.ids)]

    def parts(
        self, user: tf.Tensor, features: tf.Tensor, training: bool = False
    ) -> list[tf.Tensor]:
        """What id and features say, the id first: float32 [batch, dims] each.

        Args:
          user: int32 [batch], rows of the user table.
          features: int32 [batch, features], rows of each feature's table.
          training: whether some users are shown as unknown.
        """
        if training:
            shown = randomness.uniform(tf.shape(user)) >= self.ID_DROPOUT
            user = tf.where(shown, user, self.unknown)
            unknown = tf.constant(self._unknown_features, tf.int32)
            features = tf.where(shown[:, tf.newaxis], features, unknown)
        return [tf.gather(self.ids, user), *user_parts(self.feature_tables, features)]

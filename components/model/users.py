"""The part of the query that does not come from history: the user's id and features."""

import operator
from functools import reduce

import tensorflow as tf
import tf_keras as keras

from components.model.facts import Facts


class UserEmbedding(keras.layers.Layer):
    """Adds what the user's id and features say; starts at zero, so that history leads.

    In training half of the users are shown as unknown, id and features, so that the unknown rows
    learn and no query leans on what serving may not know.
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

    def call(self, user: tf.Tensor, features: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Maps users int32 [batch] and features int32 [batch, features] to [batch, dims]."""
        return reduce(operator.add, self.parts(user, features, training))

    def parts(
        self, user: tf.Tensor, features: tf.Tensor, training: bool = False
    ) -> list[tf.Tensor]:
        """Returns what is added up, the id's first, then each feature's: [batch, dims] each."""
        if training:
            shown = tf.random.uniform(tf.shape(user)) >= self.ID_DROPOUT
            user = tf.where(shown, user, self.unknown)
            unknown = tf.constant(self._unknown_features, tf.int32)
            features = tf.where(shown[:, tf.newaxis], features, unknown)
        said = [tf.gather(table, features[:, i]) for i, table in enumerate(self.feature_tables)]
        return [tf.gather(self.ids, user), *said]

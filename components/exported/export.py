"""The exported graph: a plain module of variables, tables and signatures.

It needs TensorFlow alone, no project code. The Keras layers stay out of the module's attributes:
tracked, they would each be traced anew while saving.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from components.exported.evaluation import evaluation
from components.exported.served import Served
from components.exported.signatures import make_signatures
from components.exported.stored import StoredUsers
from components.model.features import Lookup
from components.model.protocol import Model
from components.model.weights import Keepsake


class ExportedRecommender(tf.Module):
    """Signatures over one trained model.

    evaluate: serialized Examples to ratings and ranks of the model and of both baselines.
    The others serve; see `signatures`. `catalogue`, `user_ids`, `scale` (empty where it predicts no
    ratings) and `user_features` tell whoever loads the model what it knows; `tables`, `linear_rows`
    and `log_popularity` are what the signature `query` is multiplied with; from `keepsake` the next
    training may start.
    """

    def __init__(
        self, model: Model, lookup: Lookup, reach: int, users: StoredUsers | None = None
    ) -> None:
        """Builds the signatures.

        Args:
          model: trained.
          lookup: the tables that its input pipeline used.
          reach: how many of the newest events an ordered model reads.
          users: what is known of users by id; none: nothing but what the model learned.
        """
        super().__init__()
        facts = model.facts
        users = users or StoredUsers.none(len(facts.user_features))
        served = Served(model, lookup, reach, users)
        self.keepsake = Keepsake(model.variables, facts.keys, facts.trained_until)
        self._lookup = [lookup.movie, lookup.user, *lookup.user_features.values()]
        self._lengths = served.lengths
        self.tables = served.variables
        covered = model.linear.covered if model.linear is not None else np.zeros(0, np.int32)
        self.linear_rows = tf.Variable(covered, trainable=False)
        self.log_popularity = tf.Variable(facts.log_popularity, trainable=False)
        self._users = served.users
        self.catalogue = served.catalogue
        self.user_ids = tf.Variable(sorted({*facts.user_ids, *users.ids}), trainable=False)
        self.scale = tf.Variable(facts.scale or (), trainable=False, dtype=tf.float32)
        self.user_features = tf.Variable(
            list(facts.user_features), trainable=False, dtype=tf.string
        )
        self.functions = {"evaluate": _evaluate(served), **make_signatures(served)}


def _evaluate(served: Served) -> Any:
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "examples")], autograph=False)
    def evaluate(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        return evaluation(served.tables, served.model, served.lookup, served.reach, examples)

    return evaluate


def save(module: ExportedRecommender, path: str) -> None:
    """Writes a SavedModel with the module's signatures; `recommend` is the default one."""
    signatures = {**module.functions, "serving_default": module.functions["recommend"]}
    tf.saved_model.save(module, path, signatures)

"""The exported graph: a plain module of variables, tables and signatures.

It needs TensorFlow alone, no project code. The Keras layers stay out of the module's attributes:
tracked, they would each be traced anew while saving.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from components.exported.served import ServedModel
from components.exported.signatures import make_signatures
from components.exported.stored import StoredUsers
from components.exported.told import ToldFeatures
from components.model.parsing import Lookup
from components.model.protocol import Model
from components.model.weights import Keepsake
from schemas.words import MOVIE, Item


class ExportedRecommender(tf.Module):
    """Signatures over one trained model.

    `functions` are the signatures: `evaluate` is for the gates, the others serve. `catalogue`,
    `user_ids`, `scale` (empty where it predicts no ratings), `user_features` with what is `told` of
    them, `item` (a word for a movie, and for several) and `mix` (see `orders.chosen`) say to
    whoever loads the model what it knows; `tables`, `linear_rows` and `log_popularity` are what the
    signature `query` is multiplied with; from `keepsake` the next training may start.
    """

    def __init__(
        self,
        model: Model,
        lookup: Lookup,
        reach: int,
        users: StoredUsers | None = None,
        told: Sequence[str] = (),
        item: Item = MOVIE,
        labels: Mapping[str, str] | None = None,
        mix: float = 0.0,
    ) -> None:
        """Builds the signatures.

        Args:
          model: trained.
          lookup: the tables that its input pipeline used.
          reach: how many of the newest events an ordered model reads.
          users: what is known of users by id; default: nothing but what the model learned.
          told: what callers may say of a person or moment; default: what the model knows.
          item: what people call the movies.
          labels: what people call features, by name; default: their names.
          mix: by what lists are ordered for people who do not say: 0 is likely to watch alone.
        """
        super().__init__()
        facts = model.facts
        users = users or StoredUsers.none(len(facts.user_features))
        served = ServedModel(model, lookup, reach, users, told, labels)
        self.keepsake = Keepsake(model.variables, facts.keys, facts.trained_until)
        features = [*lookup.user_features.values(), *lookup.asked.values()]
        self._lookup = [lookup.movie, lookup.user, *features]
        self._lengths = served.lengths
        self.tables = served.variables
        covered = model.linear.covered if model.linear is not None else np.zeros(0, np.int32)
        self.linear_rows = tf.Variable(covered, trainable=False)
        self.log_popularity = tf.Variable(facts.popularity_baseline, trainable=False)
        self._users = served.users
        self.catalogue = served.catalogue
        self.user_ids = tf.Variable(sorted({*facts.user_ids, *users.ids}), trainable=False)
        self.scale = tf.Variable(facts.scale or (), trainable=False, dtype=tf.float32)
        self.user_features = tf.Variable(
            list(facts.user_features), trainable=False, dtype=tf.string
        )
        self.told = ToldFeatures(facts, labels or {})
        self.item = tf.Variable(item, trainable=False, dtype=tf.string)
        self.mix = tf.Variable(mix, trainable=False, dtype=tf.float32)
        self.functions = make_signatures(served)


def save(module: ExportedRecommender, path: str) -> None:
    """Writes a SavedModel with the module's signatures; `recommend` is the default one."""
    signatures = {**module.functions, "serving_default": module.functions["recommend"]}
    tf.saved_model.save(module, path, signatures)

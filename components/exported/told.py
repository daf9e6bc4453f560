"""What a form may ask of a newcomer: the features that the model knows, in people's words."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from components.examples.buckets import bounds_of
from components.model.facts import Facts
from schemas.features import SEPARATOR
from schemas.text import to_texts

MOST_VALUES = 200  # of a feature, the most frequent


class ToldFeatures(tf.Module):
    """The features of users, then those of moments, as variables that whoever loads it reads.

    names: string [features].
    labels: string [features].
    values: string [features], the most frequent values first, U+001F between them; of numbers ''.
    usual: float32 [features, 2], the lowest and the highest bound between a number's buckets; NaN
      of all others.
    """

    def __init__(self, facts: Facts, labels: Mapping[str, str]) -> None:
        """Builds the variables; `labels` are by name, default: the name with spaces."""
        super().__init__()
        features = {**facts.user_features, **facts.asked}
        words = [labels.get(name, name.replace("_", " ")) for name in features]
        values = [
            b"" if name in facts.numbers else SEPARATOR.encode().join(own[:MOST_VALUES])
            for name, own in features.items()
        ]
        usual = np.full([len(features), 2], np.nan, np.float32)
        for place, (name, own) in enumerate(features.items()):
            bounds = bounds_of(to_texts(own)) if name in facts.numbers else []
            if bounds:
                usual[place] = bounds[0], bounds[-1]
        self.names = tf.Variable(list(features), trainable=False, dtype=tf.string)
        self.labels = tf.Variable(words, trainable=False, dtype=tf.string)
        self.values = tf.Variable(values, trainable=False, dtype=tf.string)
        self.usual = tf.Variable(usual, trainable=False)

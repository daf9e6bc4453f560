"""The Transform node: vocabularies of everything the model looks up, from train alone."""

from collections.abc import Mapping

import tensorflow as tf
import tensorflow_transform as tft

from schemas.features import MOVIE_FEATURES, SEPARATOR, USER_FEATURES


def preprocessing_fn(
    inputs: Mapping[str, tf.Tensor | tf.SparseTensor],
) -> dict[str, tf.Tensor | tf.SparseTensor]:
    """Maps ids and features to rows of their vocabularies, most frequent first.

    The Trainer builds its tables from the vocabularies, and ignores the outputs. Unknown values go
    to rows behind the last known one. The node analyses train alone.
    """
    outputs = {}
    for name in ("user_id", "movie_id", *USER_FEATURES, *MOVIE_FEATURES):
        if name in inputs:
            outputs[f"{name}_row"] = _rows(name, inputs[name])
    return outputs


def _rows(name: str, values: tf.Tensor | tf.SparseTensor) -> tf.Tensor | tf.SparseTensor:
    if name == "genres":
        flat = tf.strings.split(values.values, SEPARATOR)
        values = flat.to_sparse()
    return tft.compute_and_apply_vocabulary(values, vocab_filename=name, num_oov_buckets=1)

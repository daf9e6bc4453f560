"""The Transform node: vocabularies of everything the model looks up, from train alone."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from schemas.features import SEPARATOR, Features


def preprocessing_fn(
    inputs: Mapping[str, tf.Tensor | tf.SparseTensor], custom_config: Mapping[str, Any]
) -> dict[str, tf.Tensor | tf.SparseTensor]:
    """Maps ids and features to rows of their vocabularies, most frequent first.

    The Trainer builds its tables from the vocabularies, and ignores the outputs. Unknown values go
    to rows behind the last known one. The node analyses train alone.

    Args:
      inputs: what Examples hold, by name.
      custom_config: `features` are the `Features` of the source, as plain values.
    """
    names = Features.model_validate(custom_config["features"])
    return {
        f"{name}_row": _rows(name, inputs[name], name in names.several)
        for name in ("user_id", "movie_id", *names.users, *names.movies)
    }


def _rows(
    name: str, values: tf.Tensor | tf.SparseTensor, several: bool
) -> tf.Tensor | tf.SparseTensor:
    if several:
        flat = tf.strings.split(values.values, SEPARATOR)
        values = flat.to_sparse()
    return tft.compute_and_apply_vocabulary(values, vocab_filename=name, num_oov_buckets=1)

"""The Transform node: vocabularies and quantiles of all that the model looks up, of train alone."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import tensorflow as tf
import tensorflow_transform as tft

from components.examples.buckets import BUCKETS
from schemas.features import SEPARATOR, Features

Transformed: TypeAlias = tft.TFTransformOutput
_ERROR = 1e-3  # of a quantile's share


def preprocessing_fn(
    inputs: Mapping[str, tf.Tensor | tf.SparseTensor], custom_config: Mapping[str, Any]
) -> dict[str, tf.Tensor | tf.SparseTensor]:
    """Maps ids and categories to rows of their vocabularies, most frequent first.

    The Trainer builds its tables from the vocabularies, and ignores these outputs. Unknown values
    go to rows behind the last known one. Numbers come out as the quantiles between their buckets,
    and those of movies as their mean and standard deviation as well, the same in each row. Texts
    are in the catalogue, which the node does not read, and what is known of a rating alone no model
    reads. The node analyses train alone.

    Args:
      inputs: what Examples hold, by name.
      custom_config: `features` are the `Features` of the source, as plain values.
    """
    names = Features.model_validate(custom_config["features"])
    others = {*names.numbers, *names.texts}
    categories = [name for name in names.read if name not in others]
    numbers = [name for name in names.read if name in names.numbers]
    rows = {
        f"{name}_row": _rows(name, inputs[name], name in names.several)
        for name in ("user_id", "movie_id", *categories)
    }
    spreads = {spread_of(name): _spread(inputs[name]) for name in names.movie_numbers}
    return {**rows, **{quantiles_of(name): _quantiles(inputs[name]) for name in numbers}, **spreads}


def transformed(folder: str) -> Transformed:
    """What the node left there: vocabularies, and the graph that transforms."""
    return Transformed(folder)


def quantiles_of(name: str) -> str:
    """The output that says the quantiles of a number: float32 [batch, BUCKETS - 1]."""
    return f"{name}_quantiles"


def spread_of(name: str) -> str:
    """The output that says the mean and the standard deviation of a number: float32 [batch, 2]."""
    return f"{name}_spread"


def _rows(
    name: str, values: tf.Tensor | tf.SparseTensor, several: bool
) -> tf.Tensor | tf.SparseTensor:
    if several:
        flat = tf.strings.split(values.values, SEPARATOR)
        values = flat.to_sparse()
    return tft.compute_and_apply_vocabulary(values, vocab_filename=name, num_oov_buckets=1)


def _quantiles(numbers: tf.Tensor | tf.SparseTensor) -> tf.Tensor:
    """The quantiles of the known numbers, in as many rows as there are Examples; NaN of none."""
    known = _known(numbers)
    quantiles = tft.quantiles(known, BUCKETS, _ERROR)
    return _in_each_row(tf.where(tft.size(known) > 0, quantiles, float("nan")), numbers)


def _spread(numbers: tf.Tensor | tf.SparseTensor) -> tf.Tensor:
    """Mean and standard deviation, likewise."""
    known = _known(numbers)
    spread = tf.stack([tft.mean(known), tf.sqrt(tft.var(known))])
    return _in_each_row(tf.where(tft.size(known) > 0, spread, float("nan")), numbers)


def _known(numbers: tf.Tensor | tf.SparseTensor) -> tf.Tensor:
    values = numbers.values if isinstance(numbers, tf.SparseTensor) else numbers
    return tf.boolean_mask(values, ~tf.math.is_nan(values))


def _in_each_row(values: tf.Tensor, numbers: tf.Tensor | tf.SparseTensor) -> tf.Tensor:
    rows = tf.shape(numbers)[0] if isinstance(numbers, tf.Tensor) else numbers.dense_shape[0]
    return tf.tile(tf.reshape(values, [1, -1]), [rows, 1])

"""A model's weights by name, and the keys of its tables' rows.

With both, what one model learned of a movie can be given to another one whose vocabulary has that
movie in another row.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from schemas.text import to_texts

VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"  # ends the name of a variable in a checkpoint
NO_TIME = np.iinfo(np.int64).max  # for the end of a train split that is not cut by time


def weight_name(variable: tf.Variable) -> str:
    """The variable's name: layer, table, and part of it, such as `rating/ids/mean`."""
    return str(variable.name.removesuffix(":0"))


def vocabulary_of(name: str, vocabularies: Collection[str]) -> str | None:
    """The vocabulary whose keys are a weight's rows; None where its rows are no keys.

    A feature's table has the feature's name, which is the name of no other table.
    """
    layer, table, *part = name.split("/")
    if part not in ([], ["mean"], ["log_spread"]):
        return None
    if table == "ids":
        return "user_id" if layer == "users" else "movie_id"
    if table == "raters":
        return "user_id"
    return table if table in vocabularies else None


class LearnedWeights(NamedTuple):
    """What an exported model learned, without its graph.

    weights: arrays by name.
    keys: by vocabulary, each row's key; further rows are for the unknown.
    trained_until: every rating of its train split is from before this, in microseconds since 1970;
      `NO_TIME` where the split was not cut by time.
    scale: lowest and highest rating (None: the model predicts no ratings).
    """

    weights: dict[str, NDArray[Any]]
    keys: dict[str, list[bytes]]
    trained_until: int
    scale: tuple[float, float] | None


class Keepsake(tf.Module):
    """The part of an exported model that `read_learned` reads."""

    def __init__(
        self,
        variables: Sequence[tf.Variable],
        keys: Mapping[str, Sequence[bytes]],
        trained_until: int | None,
    ) -> None:
        super().__init__()
        self.weights = list(variables)
        self.names = _constant([weight_name(variable) for variable in variables], tf.string)
        self.keys = {name: _constant(list(rows), tf.string) for name, rows in keys.items()}
        # Older models, which may still serve, have the same time in seconds under another name.
        self.until = _constant(NO_TIME if trained_until is None else trained_until, tf.int64)


def _constant(value: Any, dtype: tf.DType) -> tf.Variable:
    return tf.Variable(value, trainable=False, dtype=dtype)


def read_learned(path: str) -> LearnedWeights:
    """Reads a SavedModel's `keepsake` and scale out of its variables.

    Raises:
      ValueError: the model has none, because an earlier version exported it.
      tf.errors.OpError: there is no model.
    """
    reader = tf.train.load_checkpoint(f"{path}/variables/variables")
    stored = [name.removesuffix(VALUE) for name in reader.get_variable_to_shape_map()]
    if "keepsake/names" not in stored:
        raise ValueError("it keeps no names of its weights")
    if "keepsake/until" not in stored:
        raise ValueError("an earlier version exported it, which told times by the second")

    def value(name: str) -> Any:
        return reader.get_tensor(name + VALUE)

    names = to_texts(value("keepsake/names"))
    prefix = "keepsake/keys/"
    return LearnedWeights(
        weights={name: value(f"keepsake/weights/{place}") for place, name in enumerate(names)},
        keys={
            name.removeprefix(prefix): value(name).tolist()
            for name in stored
            if name.startswith(prefix)
        },
        trained_until=int(value("keepsake/until")),
        scale=tuple(value("scale").tolist()) or None,
    )

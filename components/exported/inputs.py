"""What the served signatures take: named, typed inputs, each with a batch axis.

An input of one row is shared by all rows of the batch. Where an input has a default, the
SavedModel says so (`SignatureDef.defaults`), for callers that can leave inputs out.
"""

from typing import Any

import tensorflow as tf

from components.exported.groups import MEAN
from components.exported.moments import Moment, Person, batch_of, moment, share
from components.exported.served import Served

K, RETRIEVE = 10, 200  # how many are shown, and retrieved before a mix orders them
Answer = dict[str, tf.Tensor]


def spec(name: str, dtype: tf.DType, rank: int | None = 1) -> tf.TensorSpec:
    """One input; a rank of none leaves it open."""
    return tf.TensorSpec(None if rank is None else [None] * rank, dtype, name)


def text(*names: str, rank: int = 1) -> list[tf.TensorSpec]:
    """Inputs of strings."""
    return [spec(name, tf.string, rank) for name in names]


HISTORY = [*text("history_movie_id", rank=2), spec("history_rating", tf.float32, 2)]
FEATURES = text("gender", "age", "occupation")
PERSON = [*text("user_id"), *HISTORY, *FEATURES]
WISHES = [
    *text("exclude_movie_id", "genres", rank=2),
    *(spec(name, tf.int32) for name in ("year_from", "year_to")),
    spec("keep_seen", tf.bool),
    spec("mix", tf.float32),
    spec("retrieve", tf.int32),
]
# A single k for all may also come with no batch axis.
COUNT = spec("k", tf.int32, None)

NOBODY, ANY = tf.constant([""]), tf.constant([[]], tf.string)
UNRATED = tf.constant([[]], tf.float32)
OPEN = tf.constant([0])
NO, TEN, SOME = tf.constant([False]), tf.constant([K]), tf.constant([RETRIEVE])
BY_WATCH, BY_RATING = tf.constant([0.0]), tf.constant([1.0])
EQUAL, AVERAGE = tf.constant([[1.0]]), tf.constant([MEAN])


def graph(*inputs: tf.TensorSpec) -> Any:
    """Makes a function a signature of these inputs."""
    return tf.function(input_signature=list(inputs), autograph=False)


def ask(served: Served, person: Person, *others: tf.Tensor) -> tuple[Moment, list[tf.Tensor]]:
    """Brings person and other inputs to one batch."""
    batch = batch_of(*person, *others)
    return moment(served, Person(*share(batch, *person))), share(batch, *others)

"""Signatures of named, typed inputs, each with a batch axis.

An input of one row is shared by all rows of the batch. Where an input has a default, the
SavedModel says so (`SignatureDef.defaults`), for callers that can leave inputs out.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import tensorflow as tf

from components.exported.served import ServedModel

Tensors = Mapping[str, tf.Tensor]  # a signature's inputs by name, [batch, ...] each
Answer = dict[str, tf.Tensor]


@dataclass(frozen=True)
class Input:
    """One input of a signature.

    name, dtype: as the SavedModel tells them.
    rank: its number of axes, the batch's included. None allows both [batch] and a scalar for all
      rows.
    default: its value where it is left out, as nested lists of one row; None where it is required.
    """

    name: str
    dtype: tf.DType
    rank: int | None = 1
    default: Any = None

    @property
    def inputs(self) -> Sequence["Input"]:
        """Itself: see `Part`."""
        return (self,)

    def read(self, tensors: Tensors) -> tf.Tensor:
        """Its tensor: see `Part`."""
        return tensors[self.name]

    @property
    def spec(self) -> tf.TensorSpec:
        """What TensorFlow has to know of it."""
        shape = None if self.rank is None else [None] * self.rank
        return tf.TensorSpec(shape, self.dtype, self.name)

    @property
    def parameter(self) -> inspect.Parameter:
        """What Python has to know of it."""
        kind, absent = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.empty
        default = absent if self.default is None else tf.constant(self.default, self.dtype)
        return inspect.Parameter(self.name, kind, default=default)


class Part(Protocol):
    """What a signature takes of one kind: a single input, or several that are read together."""

    @property
    def inputs(self) -> Sequence[Input]:
        """The inputs, in the signature's order."""

    def read(self, tensors: Tensors) -> Any:
        """Makes one value of those of the tensors that are its inputs."""


def signature(served: ServedModel, answer: Callable[..., Answer], **parts: Part) -> Any:
    """Makes a graph that takes the inputs of all parts, in their order, by name or by place.

    Args:
      served: what every answer reads.
      answer: gets `served` and what each part reads, by the part's keyword, all of one batch.
      parts: what the signature takes.
    """
    inputs = [own for part in parts.values() for own in part.inputs]

    def graph(*tensors: tf.Tensor) -> Answer:
        named = _batched(inputs, tensors)
        return answer(served, **{name: part.read(named) for name, part in parts.items()})

    graph.__name__ = answer.__name__
    parameters = [own.parameter for own in inputs]
    vars(graph).update(__signature__=inspect.Signature(parameters))  # TensorFlow asks for names
    return tf.function(graph, input_signature=[own.spec for own in inputs], autograph=False)


def _batched(inputs: Sequence[Input], tensors: Sequence[tf.Tensor]) -> Tensors:
    """Repeats inputs of one row for every row of the longest one."""
    pairs = zip(inputs, tensors, strict=True)
    rows = {own.name: tf.reshape(x, [-1]) if own.rank is None else x for own, x in pairs}
    shapes = {name: tf.unstack(tf.shape(x), x.shape.rank) for name, x in rows.items()}
    batch = tf.reduce_max(tf.stack([first for first, *_ in shapes.values()]))
    return {name: tf.broadcast_to(x, [batch, *shapes[name][1:]]) for name, x in rows.items()}

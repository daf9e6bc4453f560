"""What a signature takes of the person who asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import tensorflow as tf

from components.exported.inputs import Input, Tensors
from components.model.parsing import unknown_value


class Person(NamedTuple):
    """Who asks; everything may be left open ('' or no events).

    user_id: string [batch].
    history_movie_id: string [batch, events], ids or titles, newest last; '' is padding.
    history_rating: float32 [batch, events], NaN for what was seen and not rated.
    features: by name, string [batch] or, of numbers, float32; '' or NaN stands for what is stored
      of the user. What is known of the moment is among them, where '' or NaN is unknown.
    """

    user_id: tf.Tensor
    history_movie_id: tf.Tensor
    history_rating: tf.Tensor
    features: Mapping[str, tf.Tensor]


@dataclass(frozen=True)
class PersonPart:
    """The inputs that make a `Person`.

    features: the features of users and moments that can be given, with their types; the others of
      users are read as stored.
    required: whether id and history have to be given.
    axes: those ahead of the events: 1, the batch's, or 2, where each row holds several people.
    """

    features: Mapping[str, tf.DType] = field(default_factory=dict)
    required: bool = False
    axes: int = 1

    @property
    def inputs(self) -> Sequence[Input]:
        """Id, history, ratings of the history, and each feature."""
        nobody, nothing = self._of_one(""), self._of_one([])
        if self.required:
            nobody = nothing = None
        return (
            Input("user_id", tf.string, self.axes, nobody),
            Input("history_movie_id", tf.string, self.axes + 1, nothing),
            Input("history_rating", tf.float32, self.axes + 1, nothing),
            *(
                Input(name, dtype, self.axes, self._of_one(unknown_value(dtype)))
                for name, dtype in self.features.items()
            ),
        )

    def _of_one(self, value: Any) -> Any:
        """A value with the axes ahead of it, each of length 1."""
        for _ in range(self.axes):
            value = [value]
        return value

    def read(self, tensors: Tensors) -> Person:
        """Makes a person of the tensors."""
        user_id, history_movie_id, history_rating, *features = (
            tensors[own.name] for own in self.inputs
        )
        named = dict(zip(self.features, features, strict=True))
        return Person(user_id, history_movie_id, history_rating, named)

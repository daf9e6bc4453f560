"""What a signature takes of the person who asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import tensorflow as tf

from components.exported.inputs import Input, Tensors


class Person(NamedTuple):
    """Who asks; everything may be left open ('' or no events).

    user_id: string [batch].
    history_movie_id: string [batch, events], ids or titles, newest last; '' is padding.
    history_rating: float32 [batch, events], NaN for what was seen and not rated.
    features: by name, string [batch]; '' stands for what is stored of the user.
    """

    user_id: tf.Tensor
    history_movie_id: tf.Tensor
    history_rating: tf.Tensor
    features: Mapping[str, tf.Tensor]


@dataclass(frozen=True)
class PersonPart:
    """The inputs that make a `Person`.

    features: names of the user features that can be given; the others are read as stored.
    required: whether id and history have to be given.
    axes: those ahead of the events: 1, the batch's, or 2, where each row holds several people.
    """

    features: tuple[str, ...] = ()
    required: bool = False
    axes: int = 1

    @property
    def inputs(self) -> Sequence[Input]:
        """Id, history, ratings of the history, and each feature."""
        nobody: Any = ""
        nothing: Any = []
        for _ in range(self.axes):
            nobody, nothing = [nobody], [nothing]
        if self.required:
            nobody = nothing = None
        return (
            Input("user_id", tf.string, self.axes, nobody),
            Input("history_movie_id", tf.string, self.axes + 1, nothing),
            Input("history_rating", tf.float32, self.axes + 1, nothing),
            *(Input(name, tf.string, self.axes, nobody) for name in self.features),
        )

    def read(self, tensors: Tensors) -> Person:
        """Makes a person of the tensors."""
        user_id, history_movie_id, history_rating, *features = (
            tensors[own.name] for own in self.inputs
        )
        named = dict(zip(self.features, features, strict=True))
        return Person(user_id, history_movie_id, history_rating, named)

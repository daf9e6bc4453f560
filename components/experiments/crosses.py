"""Cross layers (DCN-v2): products of the parts of a movie, of a user, or of both."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs
import tf_keras as keras

from components.model.tables import RatingTables
from components.model.variational import VariationalTable

OUT_PRIOR = 0.1  # standard deviation of the prior of a rating's weights, where learning starts


class LowRankCross(tfrs.layers.dcn.Cross):
    """The library's low-rank cross layer, with named inner layers; it starts as the identity.

    The library names inner layers by a count over the process, and no later training would find
    their weights.
    """

    _dense_u: keras.layers.Dense
    _dense_v: keras.layers.Dense

    def build(self, input_shape: tf.TensorShape) -> None:
        """Makes both inner layers; the second one's kernel is zero."""
        super().build(input_shape)
        narrow, wide = self._dense_u.get_config(), self._dense_v.get_config()
        self._dense_u = keras.layers.Dense.from_config({**narrow, "name": "narrow"})
        start = {"name": "wide", "kernel_initializer": "zeros"}
        self._dense_v = keras.layers.Dense.from_config({**wide, **start})

    @property
    def kernel(self) -> tf.Tensor:
        """The product of both inner layers' kernels: float32 [width in, width out]."""
        return tf.matmul(self._dense_u.kernel, self._dense_v.kernel)

    @property
    def bias(self) -> tf.Tensor:
        """float32 [width out]."""
        return tf.convert_to_tensor(self._dense_v.bias)


class Crosses(keras.layers.Layer):
    """Cross layers over parts that lie side by side.

    With x the parts, layer l makes x * (W_l x_l + b_l) + x_l of x_l, from x_0 = x on: equations 1
    and 2 of Wang and others (2021). The rank of W is half of a part's width, so that the work grows
    with the number of parts and not with its square. It starts as the identity.
    """

    def __init__(self, parts: Sequence[str], width: int, layers: int, name: str) -> None:
        """Builds the stack.

        Args:
          parts: their names, in the order in which they are given.
          width: of each part.
          layers: how many.
          name: of the layer.
        """
        super().__init__(name=name)
        self.parts, self.width = tuple(parts), width
        self.stack = [LowRankCross(width // 2, name=f"cross_{place}") for place in range(layers)]

    def call(self, parts: Sequence[tf.Tensor]) -> tf.Tensor:
        """Maps parts [..., width] of equal shape to float32 [..., parts * width]."""
        crossed = beside = tf.concat(parts, -1)
        for layer in self.stack:
            crossed = layer(beside, crossed)
        return crossed

    def kernel(self) -> tf.Tensor:
        """K of x * (K x), the products of two entries in the output: float32 [in, out].

        The layers behind the first also multiply products of two, and make products of more than
        two entries: these are not counted.
        """
        total, reach = 0.0, tf.ones([len(self.parts) * self.width])
        for layer in self.stack:
            total += reach[:, tf.newaxis] * layer.kernel
            reach += layer.bias
        return total


class CrossedSum(Crosses):
    """Crosses parts, then maps them to one vector of a part's width; starts as their plain sum.

    A `Combination` for the towers.
    """

    def __init__(self, parts: Sequence[str], width: int, layers: int, name: str) -> None:
        super().__init__(parts, width, layers, name)
        start = np.tile(np.eye(width, dtype=np.float32), [len(parts), 1])
        self._sum = keras.layers.Dense(
            width, use_bias=False, kernel_initializer=keras.initializers.Constant(start), name="sum"
        )

    def call(self, groups: Sequence[Sequence[tf.Tensor]]) -> tf.Tensor:
        """Maps groups of parts [..., width], of the first one's shape, to float32 [..., width]."""
        return self._sum(super().call(side_by_side(groups)))

    def outward(self) -> tf.Tensor:
        """The map's weights: float32 [parts * width, width]."""
        return tf.convert_to_tensor(self._sum.kernel)


class CrossedRating(Crosses):
    """Crosses parts, then adds their entries up under learned weights, which start at zero.

    An `Interaction` for the rating head. The weights are variational, as all that the rating head
    learns of movies: those that the ratings say too little about stay near zero.
    """

    def __init__(self, parts: Sequence[str], width: int, layers: int, name: str) -> None:
        super().__init__(parts, width, layers, name)
        start = np.zeros([len(parts) * width, 1], np.float32)
        self._out = VariationalTable(start, OUT_PRIOR, name=f"{name}/out")

    def call(self, parts: Sequence[tf.Tensor], training: bool = False) -> tf.Tensor:
        """Maps parts [..., width] of equal shape to float32 [...]."""
        return tf.matmul(super().call(parts), self._out.draw(noise=training).values)[..., 0]

    def movie_table(self, parts: Sequence[tf.Tensor]) -> tf.Tensor:
        """The movies' parts beside each other: float32 [movies, parts, width]."""
        return tf.stack(parts, 1)

    def rating(
        self,
        tables: RatingTables,
        solved: tf.Tensor,
        features: Sequence[tf.Tensor],
        target: tf.Tensor,
        training: bool = False,
    ) -> tf.Tensor:
        """What crossing adds to every head's rating: see `Interaction`."""
        return self(rating_parts(tables.parts, solved, features, target), training=training)

    def divergence(self) -> tf.Tensor:
        """How far the weights are from their prior, in nats."""
        return tf.reduce_sum(self._out.draw(noise=False).nats)

    def outward(self) -> tf.Tensor:
        """The weights' means: float32 [parts * width, 1]."""
        return self._out.means()


def side_by_side(groups: Sequence[Sequence[tf.Tensor]]) -> list[tf.Tensor]:
    """All parts of all groups, broadcast to the shape of the first."""
    first, *others = (part for group in groups for part in group)
    return [first, *(tf.broadcast_to(part, tf.shape(first)) for part in others)]


def rating_parts(
    rows: tf.Tensor, solved: tf.Tensor, features: Sequence[tf.Tensor], target: tf.Tensor
) -> list[tf.Tensor]:
    """What `CrossedRating` crosses: the user's history and features, the movie's id and features.

    Args:
      rows: float32 [movies, parts, width], what the rating head learned of movies, part by part.
      solved: float32 [batch, heads, positions, width / heads], what it made of the histories.
      features: what it learned of each of the users' features, float32 [batch, width] each.
      target: int32 [batch, targets], rows of the catalogue; as many as positions, or those are 1.

    Returns:
      float32 [batch, targets, width] each.
    """
    movie = tf.unstack(tf.gather(rows, target), axis=2)
    batch, positions = tf.shape(solved)[0], tf.shape(solved)[2]
    history = tf.reshape(tf.transpose(solved, [0, 2, 1, 3]), [batch, positions, rows.shape[2]])
    user = [history, *(feature[:, tf.newaxis] for feature in features)]
    return [*(tf.broadcast_to(part, tf.shape(movie[0])) for part in user), *movie]

"""The randomness of training, all from one generator, whose state a checkpoint keeps.

So a training that goes on from a checkpoint draws what it would have drawn undisturbed. Operations
that draw without it count their draws in the process, which a killed one takes with it.
"""

import tensorflow as tf
import tf_keras as keras


def seed(number: int) -> None:
    """Begins anew, with all else in TensorFlow, numpy and Python that draws."""
    keras.utils.set_random_seed(number)
    state().reset_from_seed(number)


def state() -> tf.random.Generator:
    """What a checkpoint keeps."""
    return tf.random.get_global_generator()


def uniform(shape: tf.Tensor) -> tf.Tensor:
    """Draws float32 numbers from [0, 1)."""
    return state().uniform(shape)


def normal(shape: tf.Tensor) -> tf.Tensor:
    """Draws float32 numbers of the standard normal distribution."""
    return state().normal(shape)


def integers(number: int, below: int) -> tf.Tensor:
    """Draws int32 [number] from [0, below)."""
    return state().uniform([number], maxval=below, dtype=tf.int32)


def dropped(values: tf.Tensor, share: float, whole: bool = False) -> tf.Tensor:
    """Dropout (Srivastava and others, 2014): zeros for a share, the others made larger.

    `whole` drops or keeps all of the last axis at once.
    """
    shape = tf.shape(values)
    shape = tf.concat([shape[:-1], [1]], 0) if whole else shape
    return tf.nn.experimental.general_dropout(
        values, share, lambda shape, dtype: state().uniform(shape, dtype=dtype), shape
    )

"""Lists of variables."""

from collections.abc import Sequence

import tensorflow as tf


def others_than(
    tables: Sequence[tf.Variable], variables: Sequence[tf.Variable]
) -> list[tf.Variable]:
    """The variables without the tables."""
    left_out = {table.ref() for table in tables}
    return [variable for variable in variables if variable.ref() not in left_out]


def assign_all(to: Sequence[tf.Variable], values: Sequence[tf.Variable | tf.Tensor]) -> None:
    """Copies weights, one by one."""
    for variable, value in zip(to, values, strict=True):
        variable.assign(value)

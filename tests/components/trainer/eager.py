"""Trainings of a few steps, which take less time than the trace of one."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf


@contextmanager
def eagerly() -> Iterator[None]:
    """Runs operations one by one; what tf.data maps is traced all the same."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Even though the `tf.config.experimental_run_functions")
        tf.config.run_functions_eagerly(True)
        try:
            yield
        finally:
            tf.config.run_functions_eagerly(False)

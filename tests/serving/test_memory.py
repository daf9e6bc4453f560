"""Tests that a model that is out of service leaves nothing behind."""

import gc

import pytest
import tensorflow as tf

from serving.model import Model


def _tables(model):
    """The tables of a loaded model, found by what answers as one."""
    signatures = model._loaded.signatures.values()
    for resource in (tensor for one in signatures for tensor in one.captured_inputs):
        if resource.dtype == tf.resource:
            try:
                yield resource, int(tf.raw_ops.LookupTableSizeV2(table_handle=resource))
            except (tf.errors.NotFoundError, tf.errors.InvalidArgumentError):
                continue


def test_the_tables_of_a_model_go_with_it(light):
    """TensorFlow itself would keep them, megabytes of every version that was ever in service."""
    first, second = Model(light / "1"), Model(light / "1")
    gone, kept = list(_tables(first)), list(_tables(second))
    assert {size for _, size in gone} >= {60, 6}  # by the ids of movies and of users
    call = second.call
    del first, second
    gc.collect()
    for table, _ in gone:
        with pytest.raises(tf.errors.NotFoundError):
            tf.raw_ops.LookupTableSizeV2(table_handle=table)
    for table, size in kept:  # whoever still asks a model keeps it whole
        assert int(tf.raw_ops.LookupTableSizeV2(table_handle=table)) == size
    asked = {"user_id": ["1"], "history_movie_id": [[]], "history_rating": [[]], "k": 3}
    assert call("recommend", **asked)["movie_id"].shape == (1, 3)


@pytest.mark.parametrize("graph", ["function", "graph"])
def test_they_go_from_no_graph_that_is_being_built(light, graph):
    """Python may collect a model at any moment, that of tracing included."""
    model = Model(light / "1")
    tables = [table for table, _ in _tables(model)]
    held = [model]
    del model

    def build():
        held.clear()
        gc.collect()
        return tf.constant(1)

    if graph == "function":
        built = tf.function(build, autograph=False).get_concrete_function().graph
    else:
        with tf.Graph().as_default() as built:
            build()
    assert {operation.type for operation in built.get_operations()} <= {"Const", "Identity"}
    for table in tables:
        with pytest.raises(tf.errors.NotFoundError):
            tf.raw_ops.LookupTableSizeV2(table_handle=table)

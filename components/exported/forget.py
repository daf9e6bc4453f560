"""Takes people out of a SavedModel: their ids, what it stores of them, and the rows it learned.

A model finds users by tables from ids to rows, which are constants of its graph, and keeps the rest
in variables. Shapes stay as they are, so the graph does: an id gives way to '', which is nobody's.
"""

import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.core.framework import node_def_pb2
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from components.model.weights import VALUE, vocabulary_of
from schemas.manifest import FILE as MANIFEST
from schemas.manifest import GRAPH_FILE
from schemas.text import to_texts

VARIABLES = "variables/variables"  # of a SavedModel: the prefix of its checkpoint
FINGERPRINT = "fingerprint.pb"  # TensorFlow's hashes of the graph as it was
_STORED, _LEARNED = "_users/_rows", "_lookup/1"  # the tables from ids to rows, by their paths
_NOBODY = b""
Variables = dict[str, Any]


def knows(model: Path, users: Collection[bytes]) -> bool:
    """Whether a SavedModel holds the id of any of these users.

    Raises:
      tf.errors.OpError: it cannot be read.
    """
    reader = tf.train.load_checkpoint(str(model / VARIABLES))
    names = (name for name in reader.get_variable_to_shape_map() if _holds_ids(name))
    return any(not set(users).isdisjoint(reader.get_tensor(name).tolist()) for name in names)


def write_without(users: Collection[bytes], model: Path, to: Path) -> None:
    """Writes a SavedModel to a new folder without these users; the same in gives the same bytes.

    To the new one they are strangers. What the weights learned of all users together stays. It has
    no manifest yet.

    Raises:
      OSError, tf.errors.OpError: it cannot be read or written.
    """
    shutil.copytree(model, to, ignore=shutil.ignore_patterns(FINGERPRINT, MANIFEST, "variables.*"))
    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((model / GRAPH_FILE).read_bytes())
    variables = _read(model)
    for graph in saved.meta_graphs:
        for table in _tables(graph):
            rows = table.forget(set(users))
            if table.path.endswith(_STORED):
                _empty(variables, table.path.removesuffix("_rows"), rows)
    _forget_ids(variables, set(users))
    (to / GRAPH_FILE).write_bytes(saved.SerializeToString(deterministic=True))
    _write(to, variables)


@dataclass(frozen=True)
class _Table:
    """A table of the graph, by its path from the model's root, and the constants it is made of."""

    path: str
    keys: node_def_pb2.NodeDef
    rows: node_def_pb2.NodeDef

    def forget(self, users: set[bytes]) -> list[int]:
        """Makes these users strangers; returns the rows that they had."""
        keys = list(self.keys.attr["value"].tensor.string_val)
        rows = tf.make_ndarray(self.rows.attr["value"].tensor).copy()
        strangers = rows[keys.index(_NOBODY)] if _NOBODY in keys else len(keys)
        gone = [place for place, key in enumerate(keys) if key in users]
        had = rows[gone].tolist()
        rows[gone] = strangers  # a table may hold a key twice, if it is for the same row
        for place in gone:
            keys[place] = _NOBODY
        self.keys.attr["value"].tensor.string_val[:] = keys
        self.rows.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(rows))
        return list(had)


def _tables(graph: meta_graph_pb2.MetaGraphDef) -> Iterator[_Table]:
    """The tables of users, wherever in the model they are: an index has a model inside."""
    objects, nodes = graph.object_graph_def, {node.name: node for node in graph.graph_def.node}
    for path, number in _paths(objects):
        if not path.endswith((_STORED, _LEARNED)):
            continue
        children = {child.local_name: child.node_id for child in objects.nodes[number].children}
        (made,) = objects.nodes[children["_initialize"]].function.concrete_functions
        bound = (objects.nodes[i] for i in objects.concrete_functions[made].bound_inputs)
        constants = [nodes[o.constant.operation] for o in bound if o.HasField("constant")]
        by_type = {node.attr["dtype"].type: node for node in constants}
        yield _Table(path, by_type[tf.string.as_datatype_enum], by_type[tf.int32.as_datatype_enum])


def _paths(objects: Any) -> Iterator[tuple[str, int]]:
    """Every object's shortest path of names from the root, and its number."""
    paths, waiting = {0: ""}, [0]
    for number in waiting:  # grows on the way
        for child in objects.nodes[number].children:
            if child.node_id not in paths:
                paths[child.node_id] = f"{paths[number]}/{child.local_name}".lstrip("/")
                waiting.append(child.node_id)
    return ((path, number) for number, path in paths.items())


def _empty(variables: Variables, store: str, rows: list[int]) -> None:
    """Removes the events and features of some rows of a `UserStore`, which keep no length."""
    offsets = variables[f"{store}_offsets{VALUE}"]
    events = int(offsets[-1])
    counts = np.diff(offsets)
    owners = np.repeat(np.arange(len(counts)), counts)
    stays = ~np.isin(owners, rows)
    for name in ("_movies", "_ratings/_codes"):
        values = variables[f"{store}{name}{VALUE}"]
        kept = values[:events][stays]
        variables[f"{store}{name}{VALUE}"] = np.pad(kept, [0, len(values) - len(kept)])
    counts[rows] = 0
    variables[f"{store}_offsets{VALUE}"] = np.concatenate([[0], np.cumsum(counts)])
    features = variables[f"{store}_features{VALUE}"]
    features[rows] = features[-1]  # a stranger's


def _holds_ids(name: str) -> bool:
    return f"/{name}".endswith((f"/user_ids{VALUE}", f"/keepsake/keys/user_id{VALUE}"))


def _forget_ids(variables: Variables, users: set[bytes]) -> None:
    """Blanks ids where variables list them, and the rows that were learned of them."""
    for name in filter(_holds_ids, list(variables)):
        ids = variables[name].tolist()
        gone = [place for place, user in enumerate(ids) if user in users]
        for place in gone:
            ids[place] = _NOBODY
        if "/keys/" in name:
            _blank_learned(variables, name.partition("keys/")[0], gone)
        else:
            ids.sort()
        variables[name] = np.array(ids, object)


def _blank_learned(variables: Variables, keepsake: str, rows: list[int]) -> None:
    names = to_texts(variables[f"{keepsake}names{VALUE}"])
    for place, name in enumerate(names):
        if vocabulary_of(name, ()) == "user_id":
            learned: NDArray[Any] = variables[f"{keepsake}weights/{place}{VALUE}"]
            learned[[row for row in rows if row < len(learned)]] = 0


def _read(model: Path) -> Variables:
    """All variables by name, of strings as arrays of bytes."""
    reader = tf.train.load_checkpoint(str(model / VARIABLES))
    return {name: reader.get_tensor(name) for name in sorted(reader.get_variable_to_shape_map())}


def _write(model: Path, variables: Variables) -> None:
    """Writes a SavedModel's checkpoint, in one piece."""
    names = list(variables)
    tensors = [tf.constant(value, _dtype(value)) for value in variables.values()]
    tf.raw_ops.SaveV2(
        prefix=str(model / VARIABLES),
        tensor_names=names,
        shape_and_slices=[""] * len(names),
        tensors=tensors,
    )


def _dtype(value: Any) -> Any:
    is_text = isinstance(value, bytes) or value.dtype == object
    return tf.string if is_text else tf.as_dtype(value.dtype)

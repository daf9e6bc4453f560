"""JSON to tensors and back, as TensorFlow Serving's REST API defines it.

https://www.tensorflow.org/tfx/serving/api_rest: rows ("instances") and columns ("inputs"), base64
for bytes, and the tokens NaN and Infinity. Its error sentences are kept.
"""

import base64
import binascii
import json
from typing import Any

import numpy as np
import orjson
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import meta_graph_pb2

from schemas.text import to_text

MOST_AXES = 8
Inputs = Any  # the protobuf map of a signature's inputs


class Malformed(Exception):  # noqa: N818 (it is TensorFlow Serving's word)
    """A request that TensorFlow Serving answers with 400; its message is the sentence."""


def parse(body: bytes) -> dict[str, Any]:
    """Parses a request body; the tokens NaN and Infinity are numbers."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        try:
            content = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise Malformed(f"JSON Parse error: {error}") from error
    if not isinstance(content, dict):
        raise Malformed(f"JSON Value: {_shown(content)} Is not object")
    return content


def read(content: dict[str, Any], inputs: Inputs) -> tuple[dict[str, NDArray[Any]], bool]:
    """The tensors of a request, and whether it is in row format."""
    if "instances" in content and "inputs" in content:
        raise Malformed("Expecting only one of 'inputs' or 'instances' keys to exist")
    if "instances" in content:
        return _from_rows(content["instances"], inputs), True
    if "inputs" in content:
        return _from_columns(content["inputs"], inputs), False
    raise Malformed("Missing 'inputs' or 'instances' key")


def write(outputs: dict[str, NDArray[Any]], rows: int | None) -> bytes:
    """The response body: that many `rows`, or, if that is None, columns."""
    if rows is None:
        values = {name: _json(name, value) for name, value in outputs.items()}
        return orjson.dumps({"outputs": values if len(values) > 1 else next(iter(values.values()))})
    for name, value in outputs.items():
        if value.shape[:1] != (rows,):
            raise Malformed(
                f"Tensor name: {name} has inconsistent batch size: {len(value)} expecting: {rows}"
            )
    predictions: list[Any] = [
        {name: _json(name, value[row]) for name, value in outputs.items()} for row in range(rows)
    ]
    if len(outputs) == 1:
        predictions = [next(iter(one.values())) for one in predictions]
    return orjson.dumps({"predictions": predictions})


def _from_rows(rows: Any, inputs: Inputs) -> dict[str, NDArray[Any]]:
    if not isinstance(rows, list):
        raise Malformed("Excepting 'instances' to be an list/array")
    if not rows:
        raise Malformed("No values in 'instances' array")
    if len(inputs) == 1 and (not isinstance(rows[0], dict) or _is_base64(rows[0])):
        name = next(iter(inputs))
        rows = [{name: row} for row in rows]
    columns: dict[str, list[NDArray[Any]]] = {name: [] for name in inputs}
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise Malformed(
                "instances is a plain list, but expecting list of objects as multiple input tensors"
                " required as per tensorinfo_map"
            )
        _add_row(columns, number, row, inputs)
    return {name: np.stack(values) for name, values in columns.items()}


def _add_row(
    columns: dict[str, list[NDArray[Any]]], number: int, row: dict[str, Any], inputs: Inputs
) -> None:
    place = f"Failed to process element: {number}"
    for name, value in row.items():
        try:
            if name not in inputs:
                raise Malformed(f"JSON object: does not have named input: {name}")
            tensor = _tensor(value, inputs[name], skip=1)
            if columns[name] and columns[name][0].shape != tensor.shape:
                first, shape = columns[name][0].shape, tensor.shape
                raise Malformed(f"Expecting shape {list(first)} but got: {list(shape)}")
        except Malformed as error:
            raise Malformed(f"{place} key: {name} of 'instances' list. Error: {error}") from error
        columns[name].append(tensor)
    if row.keys() != set(inputs):
        raise Malformed(
            f"{place} of 'instances' list. JSON object: {_shown(row)} "
            f"keys must be equal to: {','.join(sorted(inputs))}"
        )


def _from_columns(columns: Any, inputs: Inputs) -> dict[str, NDArray[Any]]:
    if not isinstance(columns, dict) or _is_base64(columns):
        if len(inputs) > 1:
            raise Malformed(
                "inputs is a plain value/list, but expecting an object as multiple input tensors "
                "required as per tensorinfo_map"
            )
        return {name: _tensor(columns, info) for name, info in inputs.items()}
    for name in sorted(inputs):
        if name not in columns:
            raise Malformed(f"Missing named input: {name} in 'inputs' object.")
    return {name: _tensor(columns[name], info) for name, info in inputs.items()}


def _tensor(value: Any, info: meta_graph_pb2.TensorInfo, skip: int = 0) -> NDArray[Any]:
    shape: list[int] = []
    part = value
    while isinstance(part, list):
        shape.append(len(part))
        part = part[0] if part else None
        if len(shape) > MOST_AXES:
            raise Malformed(f"Tensor {info.name.rsplit(':', 1)[0]} has too many dimensions")
    wanted = info.tensor_shape
    if not wanted.unknown_rank and len(wanted.dim) - skip != len(shape):
        raise Malformed(
            f"Tensor {info.name.rsplit(':', 1)[0]} has {len(shape) + skip} dimensions, "
            f"expecting: {len(wanted.dim)}"
        )
    flat: list[Any] = []
    _fill(value, 0, shape, info.dtype, flat)
    dtype = object if info.dtype == types_pb2.DT_STRING else tf.as_dtype(info.dtype).as_numpy_dtype
    return np.array(flat, dtype).reshape(shape)


def _fill(value: Any, level: int, shape: list[int], dtype: int, flat: list[Any]) -> None:
    if not isinstance(value, list):
        if level != len(shape):
            raise Malformed(
                f"JSON Value: {_shown(value)} found at incorrect level: {level + 1} "
                f"in the JSON DOM. Expected at level: {len(shape)}"
            )
        flat.append(_leaf(value, dtype))
        return
    if level >= len(shape):
        raise Malformed(f"Encountered list at unexpected level: {level} expected < {len(shape)}")
    if len(value) != shape[level]:
        raise Malformed(
            f"Encountered list at unexpected size: {len(value)} at level: {level} "
            f"expected size: {shape[level]}"
        )
    for part in value:
        _fill(part, level + 1, shape, dtype, flat)


def _leaf(value: Any, dtype: int) -> Any:
    if dtype == types_pb2.DT_STRING:
        if _is_base64(value):
            return _decoded(value["b64"])
        fits = isinstance(value, str)
        value = value.encode("utf-8", "replace") if fits else value
    elif dtype == types_pb2.DT_BOOL:
        fits = isinstance(value, bool)
    elif dtype == types_pb2.DT_INT32:
        fits = isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31
    else:
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        if fits and abs(value) > np.finfo(np.float32).max and abs(value) != float("inf"):
            raise Malformed(
                f"Cannot convert JSON value: {_shown(value)} to float without loss of precision."
            )
    if not fits:
        kind = types_pb2.DataType.Name(dtype).removeprefix("DT_").lower()
        raise Malformed(f"JSON Value: {_shown(value)} is not of expected type: {kind}")
    return value


def _is_base64(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"b64"} and isinstance(value["b64"], str)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed("Unable to base64 decode") from error


def _json(name: str, value: Any) -> Any:
    value = np.asarray(value)
    if value.dtype.kind in "OS":
        return _strings(value.tolist(), name.endswith("_bytes"))
    if value.dtype.kind == "f" and not np.isfinite(value).all():
        return orjson.Fragment(json.dumps(value.tolist()).encode())
    plain = np.ascontiguousarray(value) if value.ndim else value[()]
    return orjson.Fragment(orjson.dumps(plain, option=orjson.OPT_SERIALIZE_NUMPY))


def _strings(value: Any, binary: bool) -> Any:
    if isinstance(value, list):
        return [_strings(part, binary) for part in value]
    if binary:
        return {"b64": to_text(base64.b64encode(value))}
    return to_text(value)


def _shown(value: Any) -> str:
    try:
        return json.dumps(value, default=str)[:100]
    except RecursionError:
        return "a value of many levels"

"""TensorFlow Serving's REST routes: status, metadata and predict.

https://www.tensorflow.org/tfx/serving/api_rest; a client written for it needs no change.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import orjson
import tensorflow as tf
from google.protobuf import json_format
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response

from schemas.stack import installed
from serving import tensors
from serving.guards import route_path
from serving.model import Arrays, Model
from serving.tensors import Malformed
from serving.versions import Versions
from serving.work import Work

# What one request may make the graph hold: rows (people), and rows times movies of an answer.
MOST_ROWS, MOST_CELLS = 256, 20_000
_PATH = re.compile(
    r"/v1/models/(?P<name>[^/:]+)(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[^/:]+))?"
    r"(?P<what>:(?:predict|classify|regress)|/metadata)?",
    re.IGNORECASE,
)
# One path for each kind of request, so that each is timed for itself.
PATHS = ("/v1/models/{model:path}:predict", "/v1/models/{model:path}/metadata",
         "/v1/models/{model:path}", "/v1/{rest:path}")  # fmt: skip
_COUNTED = ("k", "retrieve")
# Signatures with outputs [batch] and [batch, k] alone, whose requests may share a call.
SHARED = ("serving_default", "recommend", "recommend_filtered")
LONGEST_SENTENCE = 1000  # letters
SMALL = 1 << 14  # bytes of a body that is read in passing


class NotFound(Exception):  # noqa: N818 (TensorFlow's word)
    """A model or version that is not served."""


class TensorFlowServing:
    """The routes below /v1, for one model name."""

    def __init__(self, name: str, versions: Versions, work: Work) -> None:
        self._name, self._versions, self._work = name, versions, work

    async def __call__(self, request: Request) -> Response:
        """Answers any request below /v1."""
        try:
            body = await self._answer(request)
        except NotFound as error:
            return _error(404, error)
        except (Malformed, tf.errors.InvalidArgumentError) as error:
            return _error(400, getattr(error, "message", error))
        return Response(body, media_type="application/json")

    async def _answer(self, request: Request) -> bytes:
        path = route_path(request.scope)
        parts = _PATH.fullmatch(path)
        what = (parts["what"] or "").lower() if parts else ""
        if not parts or (request.method == "POST") != what.startswith(":"):
            raise Malformed(f"Malformed request: {request.method} {path}")
        name, version, label = parts["name"], parts["version"], parts["label"]
        if not what:
            return self._status(name, version, label)
        model = self._model(name, version, label)
        if what == "/metadata":
            return _json(_metadata(name, model))
        if what != ":predict":
            raise Malformed(f"Expected {what[1:]} signature method_name; this model has predict.")
        body = await request.body()
        if len(body) > SMALL:
            return await self._work.run(predict, model, body)
        wanted = read(model, body)
        if not wanted.by_row or wanted.signature not in SHARED:
            return await self._work.run(answer, model, wanted)
        run = partial(answer_many, model, wanted.signature)
        return await self._work.together((model, wanted.signature), run, wanted)

    def _model(self, name: str, version: str | None, label: str | None) -> Model:
        if label is not None:
            raise Malformed(f"Unrecognized servable version label: {label}")
        if name != self._name or self._versions.version is None:
            kind = f"Specific({name}, {version})" if version else f"Latest({name})"
            raise NotFound(f"Servable not found for request: {kind}")
        model = self._versions.current.model
        if version is not None and not _same(version, model.version):
            raise NotFound(f"Servable not found for request: Specific({name}, {version})")
        return model

    def _status(self, name: str, version: str | None, label: str | None) -> bytes:
        if label is not None:
            raise Malformed(f"Unrecognized servable version label: {label}")
        served = self._versions.version
        states = {
            number: ("END", "UNKNOWN", r.reason) for number, r in self._versions.refused.items()
        }
        if served is not None:
            states[served] = ("AVAILABLE", "OK", "")
        if name != self._name or not states:
            raise NotFound(f"Could not find any versions of model {name}")
        wanted = {n: s for n, s in states.items() if version is None or _same(n, version)}
        if not wanted:
            raise NotFound(f"Could not find version {version} of model {name}")
        listed = [
            {
                "version": number,
                "state": state,
                "status": {"error_code": code, "error_message": message},
            }
            for number, (state, code, message) in sorted(wanted.items(), reverse=True)
        ]
        return _json({"model_version_status": listed})


@dataclass(frozen=True)
class PredictRequest:
    """A predict request: its signature, its tensors, and whether it came in rows."""

    signature: str
    inputs: Arrays
    by_row: bool


def read(model: Model, body: bytes) -> PredictRequest:
    """Reads a request's body.

    Raises:
      Malformed: it does not fit the signature.
    """
    content = tensors.parse(body)
    signature = content.get("signature_name", "serving_default") or "serving_default"
    if not isinstance(signature, str):
        raise Malformed("'signature_name' key must be a string value.")
    if signature not in model.definitions:
        raise Malformed(f'Serving signature name: "{signature[:100]}" not found in signature def')
    inputs, by_row = tensors.read(content, model.definitions[signature].inputs)
    _check_size(inputs)
    return PredictRequest(signature, inputs, by_row)


def predict(model: Model, body: bytes) -> bytes:
    """Reads a request and answers it."""
    return answer(model, read(model, body))


def answer(model: Model, request: PredictRequest) -> bytes:
    """Calls the signature that was asked for; raises what TensorFlow says of the inputs."""
    outputs = model.call(request.signature, **request.inputs)
    return tensors.write(outputs, _rows(request) if request.by_row else None)


def answer_many(model: Model, signature: str, requests: Sequence[PredictRequest]) -> list[bytes]:
    """Answers requests in rows, for one of the `SHARED` signatures, in one call.

    Histories are padded to the longest; an answer is cut back to its own greatest k.
    """
    if sum(map(_rows, requests)) > MOST_ROWS:
        return [answer(model, one) for one in requests]
    joined = {name: _join([one.inputs[name] for one in requests]) for name in requests[0].inputs}
    outputs = model.call(signature, **joined)
    answers, first = [], 0
    for one in requests:
        rows, most = slice(first, first + _rows(one)), max(0, int(one.inputs["k"].max()))
        own = {name: v[rows, :most] if v.ndim > 1 else v[rows] for name, v in outputs.items()}
        answers.append(tensors.write(own, _rows(one)))
        first = rows.stop
    return answers


def _rows(request: PredictRequest) -> int:
    return len(next(iter(request.inputs.values())))


def _join(values: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Arrays below one another; what pads the narrower ones ('' or 0) is no movie."""
    if values[0].ndim == 1:
        return np.concatenate(values)
    width = max(value.shape[1] for value in values)
    padding: Any = "" if values[0].dtype == object else 0
    return np.concatenate([
        np.pad(value, ((0, 0), (0, width - value.shape[1])), constant_values=padding)
        for value in values
    ])  # fmt: skip


def _check_size(inputs: dict[str, Any]) -> None:
    sizes = {len(value) for value in inputs.values() if value.ndim} - {1}
    if len(sizes) > 1 or 0 in sizes:
        raise Malformed("The inputs' 0-th dimensions must be equal, or 1, and not 0.")
    people = {value.shape[1] for value in inputs.values() if value.ndim == 3} - {1}
    events = {value.shape for name, value in inputs.items() if name.startswith("history_")}
    if len(events) > 1 or len(people) > 1:
        raise Malformed("history_movie_id and history_rating must have the same shape.")
    rows = max(sizes, default=1) * max(people, default=1)
    wide = [int(inputs[name].max(initial=1)) for name in _COUNTED if name in inputs]
    wide += [
        value.shape[1] for name, value in inputs.items() if name == "movie_id" and value.ndim > 1
    ]
    if rows > MOST_ROWS or rows * max(wide, default=1) > MOST_CELLS:
        raise Malformed(
            f"At most {MOST_ROWS} rows, and {MOST_CELLS} movies in all rows, at a time."
        )


def _same(version: str, other: str) -> bool:
    """Whether two numbers are equal; a path may hold one that is too long to be read."""
    return version.lstrip("0") == other.lstrip("0")


def _metadata(name: str, model: Model) -> dict[str, Any]:
    options: dict[str, Any] = {installed().option_of_empty_fields: True}
    definitions = {
        key: json_format.MessageToDict(value, preserving_proto_field_name=True, **options)
        for key, value in model.declared.items()
    }
    return {
        "model_spec": {"name": name, "signature_name": "", "version": model.version},
        "metadata": {"signature_def": {"signature_def": definitions}},
    }


def _json(content: dict[str, Any]) -> bytes:
    return orjson.dumps(content)


def _error(status: int, error: object) -> Response:
    # TensorFlow adds the names of graph nodes in lines of their own; a path may be of any length.
    message = str(error).split("\n\t [[")[0][:LONGEST_SENTENCE]
    return Response(_json({"error": message}), status, media_type="application/json")

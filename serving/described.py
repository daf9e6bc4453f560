"""The description of the friendly routes for machines."""

import copy
from collections.abc import Collection, Sequence
from typing import Any

from fastapi import FastAPI
from pydantic import TypeAdapter

from serving.requests import Number


def describe(
    app: FastAPI, guarded: bool, features: Sequence[str], numbers: Collection[str] = ()
) -> dict[str, Any]:
    """FastAPI's description, less the status 422 that this server never gives.

    Args:
      app: with all its routes.
      guarded: whether it asks for a bearer token, which is then told.
      features: of users, which the model in service takes: fields of every person.
      numbers: those of them that are numbers; the others are words.
    """
    document = copy.deepcopy(app.openapi_schema or _described(app, guarded))
    for schema in document["components"]["schemas"].values():
        if schema.get("additionalProperties") is True:
            schema["properties"] = _with_fields(schema["properties"], features, numbers)
            schema["additionalProperties"] = False
    return document


def _with_fields(
    fields: dict[str, Any], features: Sequence[str], numbers: Collection[str]
) -> dict[str, Any]:
    """A person's fields, with one for each feature behind the history."""
    word = {**fields["user"], "description": "where the data has it"}
    number = {**word, "anyOf": TypeAdapter(Number | None).json_schema()["anyOf"]}
    told = {
        name: {**(number if name in numbers else word), "title": name.replace("_", " ").title()}
        for name in features
    }
    names = list(fields)
    behind = names.index("history") + 1
    first, last = ({name: fields[name] for name in own} for own in (names[:behind], names[behind:]))
    return {**first, **told, **last}


def _described(app: FastAPI, guarded: bool) -> dict[str, Any]:
    schema = FastAPI.openapi(app)
    operations = [one for path in schema["paths"].values() for one in path.values()]
    for operation in operations:
        operation["responses"].pop("422", None)
    for unused in ("HTTPValidationError", "ValidationError"):
        schema["components"]["schemas"].pop(unused, None)
    if guarded:
        schema["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        schema["security"] = [{"token": []}]
        for operation in operations:
            mistake = {**operation["responses"]["400"], "description": "no token, or a wrong one"}
            operation["responses"]["401"] = mistake
    app.openapi_schema = schema
    return schema

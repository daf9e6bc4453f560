"""The description of the friendly routes for machines."""

from typing import Any

from fastapi import FastAPI


def describe(app: FastAPI, guarded: bool) -> dict[str, Any]:
    """FastAPI's description, less the status 422 that this server never gives.

    Args:
      app: with all its routes.
      guarded: whether it asks for a bearer token, which is then told.
    """
    if app.openapi_schema:
        return app.openapi_schema
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

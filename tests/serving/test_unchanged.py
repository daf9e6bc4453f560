"""What is served has the shape that callers rely on; see also `test_without_ratings`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from tests.golden import check, without_texts
from tests.serving import shapes


def test_the_signatures_of_a_model(models: Path) -> None:
    check("signatures", shapes.signatures(models / "1"))


def test_the_variables_of_a_model(models: Path) -> None:
    """Servers, indexes and warm starts read them by these names out of models of any age."""
    check("variables", shapes.variables(models / "1"))


def test_the_document_of_the_friendly_routes(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    routes = {
        f"{method.upper()} {path}": _operation(operation)
        for path, methods in document.pop("paths").items()
        for method, operation in methods.items()
    }
    check("openapi", {"routes": routes, **without_texts(document)})


def test_the_names_of_the_metrics(client: httpx.Client) -> None:
    lines = client.get("/metrics").text.splitlines()
    check("metrics", sorted(line[7:] for line in lines if line.startswith("# TYPE greenlight")))


def _operation(operation: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters by name, and the schemas that the body and the answers have."""
    answers = {status: _schema(answer) for status, answer in operation["responses"].items()}
    body = operation.get("requestBody")
    return {
        "parameters": {
            parameter["name"]: {
                "in": parameter["in"],
                "required": parameter["required"],
                **without_texts(parameter["schema"]),
            }
            for parameter in operation.get("parameters", [])
        },
        "answers": answers,
        **({"body": _schema(body)} if body else {}),
    }


def _schema(content: Mapping[str, Any]) -> str:
    (schema,) = [kind["schema"] for kind in content["content"].values()]
    return str(schema["$ref"]).rpartition("/")[2]

"""What becomes of errors: a status and one sentence as JSON."""

from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from schemas.errors import UserError
from serving.budget import Busy, TooMuch
from serving.friendly import NotThere
from serving.model import Closed
from serving.versions import NoModel
from serving.work import TooLate

SOON = {"retry-after": "1"}
STATUS: dict[type[Exception], int] = {Closed: 403, NotThere: 404, TooMuch: 413}


async def _mistake(_: Request, error: Exception) -> Response:
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 400)
    return JSONResponse({"error": str(error)}, status)


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if part not in ("body", "query", "path"))
    reason = str(first["msg"]).removeprefix("Value error, ")
    return JSONResponse({"error": f"{place}: {reason}." if place else f"{reason}."}, 400)


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": f"{error.detail}."}, error.status_code, error.headers)


async def _no_model(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 503, SOON)


async def _busy(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 429, SOON)


async def _late(_: Request, __: Exception) -> Response:
    return JSONResponse({"error": "It took too long: try again."}, 503, SOON)


HANDLERS: dict[int | type[Exception], Any] = {
    UserError: _mistake,
    NoModel: _no_model,
    RequestValidationError: _invalid,
    HTTPException: _http,
    Busy: _busy,
    TooLate: _late,
}

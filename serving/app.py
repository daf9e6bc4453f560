"""The server as an ASGI application: its routes, and what stands before them."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute
from starlette.staticfiles import StaticFiles

from schemas.errors import UserError
from serving.bodies import Bodies
from serving.described import describe
from serving.friendly import friendly
from serving.guards import (
    BasePath,
    BearerToken,
    CloseWhenStopping,
    ContentType,
    Head,
    Hosts,
    Metrics,
)
from serving.mistakes import HANDLERS
from serving.posters import PATH, Posters
from serving.service import Limits, Server
from serving.tfserving import PATHS, TensorFlowServing

PAGE = Path(__file__).parent / "page"


def make_app(
    server: Server,
    name: str,
    limits: Limits,
    token: str | None = None,
    origins: list[str] | None = None,
    base: str = "",
    hosts: list[str] | None = None,
    lenient: bool = False,
) -> FastAPI:
    """Puts the application together.

    Args:
      server: which loads its model when the application starts, unless it has one.
      name: the model's, in TensorFlow Serving's routes.
      limits: see `Limits`.
      token: asked of every request for data; default: open to all.
      origins: pages of other hosts that may ask (CORS); default: no page may.
      base: the path below which a proxy shows all this, such as "/greenlight".
      hosts: names that it may be asked by, "*.NAME" for all below one; default: by any.
      lenient: whether what is posted with no or a form's content type is taken for JSON.

    Raises:
      UserError: the base path begins like a route.
    """
    app = FastAPI(
        title="Greenlight",
        description="Movies for one, for two, and for newcomers.",
        version="1",
        docs_url=None,
        redoc_url=None,
        lifespan=server.life,
        exception_handlers=HANDLERS,
        middleware=_middleware(server, limits, token, origins or [], base, hosts, lenient),
    )
    router = friendly(name, server.versions, server.work)
    app.include_router(router)
    _tensorflow_serving(app, name, server)
    _operation(app, server)
    _pages(app, base, server.versions.posters)
    _check_base(base, [*app.routes, *router.routes])
    versions = server.versions
    app.openapi = lambda: describe(  # type: ignore[method-assign]
        app, bool(token), versions.user_features, versions.numbers
    )
    return app


def _middleware(
    server: Server,
    limits: Limits,
    token: str | None,
    origins: list[str],
    base: str,
    hosts: list[str] | None,
    lenient: bool,
) -> list[Middleware]:
    """What a request passes on its way to a route, in that order."""
    cross_origin = Middleware(
        CORSMiddleware, allow_origins=origins, allow_methods=["GET", "HEAD", "POST"],
        allow_headers=["*"], expose_headers=["retry-after", "www-authenticate"],
    )  # fmt: skip
    return [
        Middleware(BasePath, path=base),
        Middleware(Metrics, registry=server.registry),
        Middleware(CloseWhenStopping, stopping=lambda: server.stopping),
        *([Middleware(Hosts, names=hosts)] if hosts is not None else []),
        Middleware(Head),
        *([cross_origin] if origins else []),
        *([Middleware(BearerToken, token=token)] if token else []),
        Middleware(ContentType, lenient=lenient),
        Middleware(Bodies, most=limits.body),
    ]


def _tensorflow_serving(app: FastAPI, name: str, server: Server) -> None:
    """The routes below /v1."""
    answer = TensorFlowServing(name, server.versions, server.work).__call__
    for path in PATHS:
        app.add_api_route(path, answer, methods=["GET", "POST"],
                          include_in_schema=False, response_class=Response)  # fmt: skip


def _check_base(base: str, routes: list[BaseRoute]) -> None:
    """Raises UserError if below the base path it cannot be told from a route's path."""
    taken = {getattr(route, "path", "/").split("/")[1] for route in routes}
    if base and base.split("/")[1] in taken:
        raise UserError(f"--root-path {base} begins like one of the server's own routes.")


def _operation(app: FastAPI, server: Server) -> None:
    """The routes for those who operate the server: is it alive, is it ready, its metrics."""

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> Response:
        return JSONResponse({"status": "alive"})

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        status = "ready" if server.ready else "stopping" if server.stopping else "no model yet"
        content = {"status": status, "version": server.versions.version}
        return JSONResponse(content, 200 if server.ready else 503)

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(server.registry), media_type=CONTENT_TYPE_LATEST)


def _pages(app: FastAPI, base: str, posters: Posters) -> None:
    """The pages name everything relative to where they are, or to the base path where one is."""
    head = f'<head>\n<base href="{base}/">' if base else "<head>"

    def show(name: str) -> Callable[[], Coroutine[Any, Any, Response]]:
        text = (PAGE / name).read_text(encoding="utf-8").replace("<head>", head, 1)

        async def page() -> Response:
            return HTMLResponse(text)

        return page

    app.add_api_route("/", show("index.html"), include_in_schema=False)
    app.add_api_route("/docs", show("docs.html"), include_in_schema=False)
    app.mount("/static", StaticFiles(directory=PAGE))
    if posters.folder is not None:
        app.mount(f"/{PATH}", StaticFiles(directory=posters.folder))

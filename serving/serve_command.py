"""The command `greenlight serve`."""

import errno
from pathlib import Path
from typing import Annotated

import typer

from schemas.imports import kept
from serving.announced import announced
from serving.budget import ceiling
from serving.commands import PUSHED, ModelDir, Version
from serving.folder import check_folder, require_version
from serving.listening import (
    TOKEN,
    bind,
    cannot_listen,
    checked_base,
    checked_hosts,
    checked_origins,
    checked_token,
    trusts,
)
from serving.loading import quiet
from serving.posters import checked


def serve(
    model_dir: ModelDir = PUSHED,
    version: Version = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="where there is no model yet, wait for the first")
    ] = False,
    host: Annotated[str, typer.Option(help="address to listen at")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8501,
    name: Annotated[str, typer.Option(help="the model's, in /v1/models/NAME")] = "greenlight",
    token: Annotated[
        str | None,
        typer.Option(envvar=TOKEN, help="bearer token to ask for; default: none asked"),
    ] = None,
    open_histories: Annotated[
        bool,
        typer.Option("--open-histories", help="tell ids and histories without a token, too"),
    ] = False,
    posters: Annotated[
        bool,
        typer.Option(
            "--posters", help="show pictures that the source has addresses of; their hosts see it"
        ),
    ] = False,
    poster_folder: Annotated[
        Path | None,
        typer.Option(help="show pictures that the source names as files of this folder"),
    ] = None,
    cors: Annotated[list[str] | None, typer.Option(help="origins whose pages may ask")] = None,
    allowed_hosts: Annotated[
        list[str] | None,
        typer.Option(help="names to be asked by; default: on loopback its own, elsewhere any"),
    ] = None,
    root_path: Annotated[
        str, typer.Option(help="path below which a proxy shows the server, such as /greenlight")
    ] = "",
    threads: Annotated[int, typer.Option(min=1, max=64, help="calls at a time")] = 2,
    queue: Annotated[int, typer.Option(min=1, help="calls that run or wait; beyond: 429")] = 128,
    seconds: Annotated[float, typer.Option(min=0.01, help="for one call; beyond: 503")] = 10.0,
    memory: Annotated[
        str | None,
        typer.Option(
            help="most memory to hold, such as 3G; beyond: 429; default: 80% of what is there"
        ),
    ] = None,
    connections: Annotated[int, typer.Option(min=1, help="open at a time; beyond: 503")] = 1000,
    connections_each: Annotated[
        int, typer.Option(min=1, help="of them from one address, a proxy's as well")
    ] = 250,
    drain: Annotated[
        float, typer.Option(min=0, help="seconds between SIGTERM, not ready from then, and the end")
    ] = 5.0,
) -> None:
    """Serves the newest pushed model over HTTP, and every newer one as it is pushed."""
    asked, base = checked_token(token), checked_base(root_path)
    origins, hosts = checked_origins(cors or []), checked_hosts(allowed_hosts or [], host)
    most_held, shown = ceiling(memory), checked(posters, poster_folder)
    if wait:
        check_folder(model_dir)
    else:
        require_version(model_dir, version)
    sockets = bind(host, port)
    quiet()
    from rich.console import Console

    with Console(stderr=True).status("Loading TensorFlow"), kept("tensorflow"):
        from serving.app import make_app
        from serving.connections import Bounds
        from serving.server import run
        from serving.service import Limits, Server

    limits = Limits(threads=threads, queue=queue, seconds=seconds, memory=most_held)
    trusted = trusts(asked, host)
    server = Server(model_dir, limits, version, wait, open_histories or trusted, shown)
    app = make_app(server, name, limits, asked, origins, base, hosts, lenient=trusted)
    bounds = Bounds(connections=connections, each=connections_each)
    try:
        with announced(model_dir, host, sockets[0].getsockname()[1]):
            run(server, app, limits, sockets, drain, bounds)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise cannot_listen(host, port, error) from error

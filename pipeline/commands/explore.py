"""`greenlight explore`: what the data are like, on one page."""

from typing import Annotated

import typer

from pipeline.commands.options import configured_by, run_options
from pipeline.config import Config
from pipeline.explore import explore_local


@configured_by(run_options)
def explore(
    config: Config,
    movie: Annotated[
        str | None, typer.Option(help="title or id of a movie to show alone, too")
    ] = None,
) -> None:
    """Describes the data on one page, and says what to know before training."""
    page, findings = explore_local(config, movie)
    for sentence in findings:
        typer.echo(f"- {sentence.text}")
    typer.echo(f"The data: {page}")

"""`greenlight tune`: a search for better settings on this machine."""

import typer

from pipeline.commands.options import configured_by, run_options
from pipeline.config import Config
from pipeline.tuning import tune_local


@configured_by(run_options)
def tune(config: Config) -> None:
    """Searches for better settings here, scored on valid; goes on where an earlier search ended."""
    tuning = config.tuning.model_copy(update={"enabled": True})
    tuned = tune_local(config.model_copy(update={"tuning": tuning}))
    for name, value in tuned.best.items():
        typer.echo(f"  --set {name}={value}")
    typer.echo(f"The trials: {tuned.page}")
    typer.echo(f"To train with the best: greenlight run --config {tuned.config}")

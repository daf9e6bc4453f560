"""What the commands share: their options, and how a run's verdict is told."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pipeline.local import Outcome

USER_ERROR = 2
NOT_BLESSED = 3

ConfigFile = Annotated[str | None, typer.Option(help="a YAML file with any of the settings")]
SourceName = Annotated[str | None, typer.Option(help="name of a source, or your own YAML file")]
DataDir = Annotated[str | None, typer.Option(help="where the source's files are")]
OutputDir = Annotated[str | None, typer.Option(help="where everything is written")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="one setting, such as split.kind=random; may be repeated"),
]


def conclude(outcome: "Outcome") -> None:
    """Prints verdict, report and reasons; exits with status 3 if the model is not blessed."""
    blessed = outcome.blessing["blessed"]
    typer.echo(f"{'Blessed and pushed' if blessed else 'NOT blessed'}: {outcome.report}")
    for reason in outcome.blessing["reasons"]:
        typer.echo(f"  {reason}.")
    if not blessed:
        raise typer.Exit(NOT_BLESSED)

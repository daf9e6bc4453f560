"""How a command ends: what it says of the model, and its exit status."""

from collections.abc import Sequence
from pathlib import Path

import typer

USER_ERROR = 2
NOT_BLESSED = 3


def conclude(blessed: bool, report: Path | str, reasons: Sequence[str] = ()) -> None:
    """Prints verdict, report and reasons; exits with status 3 if the model is not blessed.

    Args:
      blessed: the verdict.
      report: where the report is, or the command that fetches it.
      reasons: sentences without their full stops.
    """
    typer.echo(f"{'Blessed and pushed' if blessed else 'NOT blessed'}: {report}")
    for reason in reasons:
        typer.echo(f"  {reason}.")
    if not blessed:
        raise typer.Exit(NOT_BLESSED)

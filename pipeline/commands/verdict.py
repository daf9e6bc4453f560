"""How a command ends: what it says of the model, and its exit status."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

USER_ERROR = 2
NOT_BLESSED = 3
REACHED, RESTS_ON = ("lists", "ratings"), ("basis", "after a pause")  # of the summary


def closing_sentences(blessing: Mapping[str, Any]) -> list[str]:
    """What a terminal says of a run, beside its tables: sentences without their full stops.

    Why it was refused and what to do next, or what it reaches; then what the verdict rests on.
    """
    summary, failures = blessing.get("summary", []), blessing.get("failures", [])
    steps = dict.fromkeys(f"Next: {one['next']}" for one in failures)
    said = [one["sentence"] for one in failures] or _of(summary, REACHED)
    lines = [line.removesuffix(".") for line in (*said, *steps, *_of(summary, RESTS_ON))]
    return lines if said else [*blessing["reasons"], *lines]


def _of(summary: Sequence[Mapping[str, Any]], about: Sequence[str]) -> list[str]:
    return [one["sentence"] for one in summary if one["about"] in about]


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

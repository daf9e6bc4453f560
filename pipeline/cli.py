"""The command line. Heavy imports stay inside the commands that need them."""

import sys
from typing import Annotated

import typer

from pipeline.report import report
from pipeline.tune import tune
from schemas.errors import RunFailed, UserError
from serving.commands import register as register_serving
from serving.index_command import index

FAILED = 1
NOT_BLESSED = 3
USER_ERROR = 2
INTERRUPTED = 130

app = typer.Typer(
    name="greenlight",
    help="Trains, judges and ships movie recommenders.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def greenlight() -> None:
    """Trains, judges and ships movie recommenders."""


@app.command()
def run(
    config: Annotated[str | None, typer.Option(help="a YAML file with any of the settings")] = None,
    source: Annotated[
        str | None, typer.Option(help="name of a source, or your own YAML file")
    ] = None,
    data_dir: Annotated[str | None, typer.Option(help="where the source's files are")] = None,
    output_dir: Annotated[str | None, typer.Option(help="where everything is written")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="one setting, such as split.kind=random; may be repeated"),
    ] = None,
) -> None:
    """Runs the pipeline here. Exit status: 0 blessed and pushed, 3 finished but not blessed."""
    from pipeline.config import load_config
    from pipeline.local import run_local

    given = {"source": source, "data_dir": data_dir, "output_dir": output_dir}
    outcome = run_local(load_config(config, settings or [], **given))
    blessed = outcome.blessing["blessed"]
    typer.echo(f"{'Blessed and pushed' if blessed else 'NOT blessed'}: {outcome.report}")
    for reason in outcome.blessing["reasons"]:
        typer.echo(f"  {reason}.")
    if not blessed:
        raise typer.Exit(NOT_BLESSED)


register_serving(app)
app.command()(report)
app.command()(tune)
app.command()(index)


def main() -> None:
    """The console script: a user's mistake ends in one sentence and status 2."""
    try:
        app()
    except UserError as error:
        print(f"greenlight: {error}", file=sys.stderr)
        sys.exit(USER_ERROR)
    except RunFailed as error:
        print(f"greenlight: {error}", file=sys.stderr)
        sys.exit(FAILED)
    except (KeyboardInterrupt, SystemExit) as ended:
        # Typer turns Ctrl-C into an exit of its own, without a word.
        if getattr(ended, "code", INTERRUPTED) != INTERRUPTED:
            raise
        print("greenlight: stopped; the same command goes on from here.", file=sys.stderr)
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()

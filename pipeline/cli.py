"""The command line. Heavy imports stay inside the commands that need them."""

import importlib.metadata
import signal
import sys
from io import TextIOWrapper
from threading import current_thread, main_thread
from types import FrameType
from typing import Annotated

import typer

from pipeline.commands.clean import clean
from pipeline.commands.explore import explore
from pipeline.commands.forget import forget
from pipeline.commands.init import init
from pipeline.commands.kfp import kfp
from pipeline.commands.report import report
from pipeline.commands.run import run
from pipeline.commands.tune import tune
from pipeline.commands.verdict import USER_ERROR
from pipeline.commands.vertex import vertex
from schemas.errors import RunFailed, UserError, full_disk
from schemas.text import printable
from serving.commands import ListsOfValues
from serving.commands import register as register_serving
from serving.index_command import index
from serving.rollback_command import rollback
from serving.serve_command import serve

FAILED = 1
INTERRUPTED, TERMINATED = 130, 143  # by Ctrl-C, and by SIGTERM

app = typer.Typer(
    name="greenlight",
    help="Trains, judges and ships movie recommenders.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(asked: bool) -> None:
    if asked:
        print(f"greenlight {importlib.metadata.version('greenlight')}")
        raise typer.Exit


@app.callback()
def greenlight(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="say which this is"),
    ] = False,
) -> None:
    """Trains, judges and ships movie recommenders."""
    # A server ends in its own way, when it has answered what it was asked.
    if context.invoked_subcommand != "serve" and current_thread() is main_thread():
        signal.signal(signal.SIGTERM, _terminated)


def _terminated(number: int, frame: FrameType | None) -> None:
    """Ends as Ctrl-C does: temporary files are removed on the way."""
    sys.exit(TERMINATED)


app.command()(init)
app.command()(run)
register_serving(app)
app.command(cls=ListsOfValues)(serve)
app.command()(rollback)
app.command()(explore)
app.command()(report)
app.command()(tune)
app.command()(clean)
app.command()(forget)
app.command()(index)
app.add_typer(vertex)
app.add_typer(kfp)


def main() -> None:
    """The console script: a user's mistake ends in one sentence and status 2."""
    if isinstance(sys.stdout, TextIOWrapper):
        # A title may hold letters for which the terminal has no form.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app()
    except UserError as error:
        print(printable(f"greenlight: {error}"), file=sys.stderr)
        sys.exit(USER_ERROR)
    except RunFailed as error:
        print(printable(f"greenlight: {error}"), file=sys.stderr)
        sys.exit(FAILED)
    except (KeyboardInterrupt, SystemExit) as ended:
        # Typer turns Ctrl-C into an exit of its own, without a word.
        status = getattr(ended, "code", INTERRUPTED)
        if status not in (INTERRUPTED, TERMINATED):
            raise
        print("greenlight: stopped; the same command goes on from here.", file=sys.stderr)
        sys.exit(status)
    except Exception as error:
        sentence = full_disk(error)
        if sentence is None:
            raise
        print(printable(f"greenlight: {sentence}"), file=sys.stderr)
        sys.exit(USER_ERROR)


if __name__ == "__main__":
    main()

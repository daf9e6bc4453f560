"""The command line. Heavy imports stay inside the commands that need them."""

import sys
from io import TextIOWrapper

import typer

from pipeline.commands.explore import explore
from pipeline.commands.kfp import kfp
from pipeline.commands.report import report
from pipeline.commands.run import run
from pipeline.commands.tune import tune
from pipeline.commands.verdict import USER_ERROR
from pipeline.commands.vertex import vertex
from schemas.errors import RunFailed, UserError
from schemas.text import printable
from serving.commands import ListsOfValues
from serving.commands import register as register_serving
from serving.index_command import index
from serving.rollback_command import rollback
from serving.serve_command import serve

FAILED = 1
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


app.command()(run)
register_serving(app)
app.command(cls=ListsOfValues)(serve)
app.command()(rollback)
app.command()(explore)
app.command()(report)
app.command()(tune)
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
        if getattr(ended, "code", INTERRUPTED) != INTERRUPTED:
            raise
        print("greenlight: stopped; the same command goes on from here.", file=sys.stderr)
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()

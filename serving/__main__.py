"""Serves with nothing but an exported model at hand: `python -m serving --model-dir FOLDER`."""

import sys

import typer

from schemas.errors import UserError
from schemas.text import printable
from serving.serve_command import serve

if __name__ == "__main__":
    try:
        typer.run(serve)
    except UserError as error:
        print(printable(f"greenlight: {error}"), file=sys.stderr)
        sys.exit(2)

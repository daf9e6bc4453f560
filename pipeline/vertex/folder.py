"""Where commands for Vertex AI and Kubeflow write on this machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from pipeline.config import Config
from pipeline.output import logged, make_output
from schemas.errors import UserError

FOLDER = "vertex"


@contextmanager
def vertex_folder(config: Config) -> Iterator[tuple[Console, Path]]:
    """Makes the folder `vertex` of the output directory, and sends all noise to the log.

    Yields:
      The console that reaches the user, and the folder.

    Raises:
      UserError: the output directory cannot be made.
      RunFailed: for what nobody foresaw; see `logged`.
    """
    output = make_output(config)
    folder = output / FOLDER
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder} cannot be made: {error.strerror}; move it away.") from error
    with logged(output) as console:
        yield console, folder

"""The output directory of a run: its folders, its lock and its log."""

import datetime
import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from pipeline.config import Config
from pipeline.progress import quiet
from schemas.artifacts import LOG_FILE
from schemas.errors import RunFailed, UserError
from schemas.links import plain


class Folders:
    """Where a run's things are, all below the output directory."""

    def __init__(self, output: Path) -> None:
        self.output = output
        self.artifacts = plain(output) / "artifacts"  # the pipeline root
        self.checkpoints = plain(output) / "checkpoints"  # unfinished trainings
        self.metadata = output / "metadata.sqlite"  # the ML Metadata store
        self.reports = output / "reports"  # one folder per finished run, and `latest`
        self.explore = output / "explore"  # the newest data page
        self.tuning = output / "tuning"  # the newest search's page, trials and best settings
        self.serving = output / "serving_model"  # blessed models, one folder per version


def make_output(config: Config) -> Path:
    """Makes the output directory, if need be.

    Raises:
      UserError: it cannot be made.
    """
    if "://" in config.output_dir:
        raise UserError(
            f"The output directory {config.output_dir} is no folder of this machine: give one that "
            "is; runs that write there are for `greenlight vertex`."
        )
    path = Path(config.output_dir).resolve()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"The output directory {config.output_dir} cannot be made: {error.strerror}."
        ) from error
    return path


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Holds a folder for one run; the system frees it however the run ends.

    Raises:
      UserError: another run holds it.
    """
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(
                f"Another run is at work in {folder}: wait for it, or take another --output-dir."
            ) from error
        yield


@contextmanager
def logged(output: Path) -> Iterator[Console]:
    """Sends what libraries print, and the traceback of a failure, to the output directory's log.

    Yields:
      The console that still reaches the user.

    Raises:
      UserError, RunFailed: as they come.
      RunFailed: in place of every other error, in one sentence that names the log.
    """
    log = output / LOG_FILE
    with quiet(log) as console:
        try:
            yield console
        except (UserError, RunFailed):
            raise
        except Exception as error:
            logging.exception("The run failed.")
            first = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise RunFailed(f"The run failed: {first}. The log says more: {log}") from error


def new_run_id(reports: Path) -> str:
    """Names a run by its start, to the second and unique among the reports."""
    start = datetime.datetime.now(tz=datetime.timezone.utc).strftime("%Y%m%d-%H%M%S")
    taken = {path.name for path in reports.glob(f"{start}*")}
    return start if start not in taken else f"{start}-{len(taken)}"

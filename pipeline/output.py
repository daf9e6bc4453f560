"""The output directory of a run: its folders, its lock and its log."""

import datetime
import fcntl
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from pipeline.config import Config
from pipeline.progress import quiet
from schemas.artifacts import LATEST, LOCK_FILE, LOG_FILE
from schemas.errors import RunFailed, UserError, full_disk, worker_error
from schemas.links import plain

ROOM = 1 << 20  # bytes that there must be room for before a run begins


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
      UserError: it cannot be made or written to, has no room, or what a run writes is in the way.
    """
    path = find_output(config.output_dir)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"The output directory {config.output_dir} cannot be made: {error.strerror}."
        ) from error
    _check_places(path)
    _check_room(path)
    return path


def find_output(output_dir: str) -> Path:
    """The folder that an output directory's name stands for, whatever signs it holds.

    Raises:
      UserError: it can be none of this machine.
    """
    if not output_dir:
        raise UserError("The output directory has no name: give one, or leave --output-dir out.")
    if "://" in output_dir:
        raise UserError(
            f"The output directory {output_dir} is no folder of this machine: give one that "
            "is; runs that write there are for `greenlight vertex`."
        )
    try:
        return Path(output_dir).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: links in a circle
        raise UserError(f"The output directory {output_dir!r} cannot be: {error}.") from error


def _check_places(output: Path) -> None:
    """Raises UserError where a file or folder of a run has a name that is something else's."""
    folders = Folders(output)
    wanted = {
        "a file": [output / LOCK_FILE, output / LOG_FILE, folders.metadata],
        "a folder": [
            output / "artifacts", output / "checkpoints", folders.reports, folders.explore,
            folders.tuning, folders.serving,
        ],
        "a link": [folders.reports / LATEST],
    }  # fmt: skip
    kinds = {"a file": Path.is_file, "a folder": Path.is_dir, "a link": Path.is_symlink}
    for kind, paths in wanted.items():
        for path in paths:
            if os.path.lexists(path) and not kinds[kind](path):
                raise UserError(
                    f"{path} is not {kind}, which a run needs there: move it away, or take another "
                    "--output-dir."
                )


def _check_room(output: Path) -> None:
    """Raises UserError where nothing can be written; a run ends so anyway, but later."""
    try:
        with tempfile.TemporaryFile(dir=output) as probe:
            probe.write(bytes(ROOM))
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        raise UserError(f"{output} cannot be written to: {error.strerror}.") from error


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Holds a folder for one run; the system frees it however the run ends.

    Raises:
      UserError: another run holds it, or the lock cannot be written.
    """
    try:
        lock = (folder / LOCK_FILE).open("w")
    except OSError as error:
        raise UserError(f"{folder / LOCK_FILE} cannot be written: {error.strerror}.") from error
    with lock:
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
      UserError, RunFailed: as they come, also from workers; UserError also where the disk is full.
      RunFailed: in place of every other error, in one sentence that names the log.
    """
    log = output / LOG_FILE
    with quiet(log) as console:
        try:
            yield console
        except RunFailed:
            raise
        except Exception as error:
            there = worker_error(error)
            if isinstance(error, UserError) and not there:
                raise
            logging.exception("The run failed.")
            if sentence := full_disk(error):
                raise UserError(sentence) from error
            first = (str(error).strip() or type(error).__name__).splitlines()[0]
            if there:
                if there.kind == UserError.__name__:
                    raise UserError(there.text) from error
                first = f"{there.kind}: {there.text} (at Beam's step {there.step})"
            raise RunFailed(f"The run failed: {first}. The log says more: {log}") from error


def new_run_id(reports: Path) -> str:
    """Names a run by its start, to the second and unique among the reports."""
    start = datetime.datetime.now(tz=datetime.timezone.utc).strftime("%Y%m%d-%H%M%S")
    taken = {path.name for path in reports.glob(f"{start}*")}
    return start if start not in taken else f"{start}-{len(taken)}"

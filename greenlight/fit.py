"""Runs the pipeline on tables that a notebook holds."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias, cast

from greenlight.fitted import Fitted
from greenlight.tables import write_tables
from pipeline.commands.verdict import NOT_BLESSED, USER_ERROR
from pipeline.output import Folders, find_output
from schemas.artifacts import LATEST
from schemas.errors import RunFailed, UserError
from schemas.files import write_whole
from serving.loading import quiet

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    Table: TypeAlias = pd.DataFrame | pa.Table

TABLES, SOURCE = "tables", "source.yaml"
SAID = "greenlight: "  # before the sentence that a command fails with


def fit(
    ratings: "Table",
    movies: "Table | None" = None,
    users: "Table | None" = None,
    *,
    folder: str | Path = "runs/notebook",
    source: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Fitted:
    """Trains, judges and pushes a model, as `greenlight run` does, and says what it came to.

    The tables are stored in the folder as Parquet. What has not changed is taken from the cache.

    Args:
      ratings: who rated, saw or bought what, one event a row.
      movies: their titles and features, one a row.
      users: their features, one a row.
      folder: the run's output directory.
      source: a YAML file that says which column is what, with `ratings.parquet`, `movies.parquet`
        and `users.parquet` as its files; default: it is guessed, as `greenlight init` does, printed
        and written to `source.yaml` in the folder.
      settings: of the run, by dotted key, such as `{"training.epochs": 5}`.

    Raises:
      UserError: for what the caller can mend.
      RunFailed: for everything else; the folder's log then holds the traceback.
    """
    quiet()
    from pipeline.publish import read_blessing

    place = find_output(str(folder))
    data = place / TABLES
    files = write_tables(data, ratings=ratings, movies=movies, users=users)
    told = {str(key): json.dumps(value) for key, value in (settings or {}).items()}
    if source is None:
        source, guessed = place / SOURCE, _guess(files, place / SOURCE)
        told = {**guessed, **told}
    changed = [part for key, value in told.items() for part in ("--set", f"{key}={value}")]
    _run("--source", str(source), "--data-dir", str(data), "--output-dir", str(place), *changed)
    blessing = read_blessing(Folders(place).reports / LATEST)
    return Fitted(place, blessing["run_id"], blessing.get("pushed_version"))


def _run(*options: str) -> None:
    """Runs `greenlight run` in a process of its own, and prints what it says.

    In one process Transform's tables have names: the second of two fits, with features of other
    types, would find those of the first.
    """
    command = [sys.executable, "-m", "pipeline.cli", "run", *options]
    last = ""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1"},
    ) as process:  # fmt: skip
        try:
            for line in cast(IO[str], process.stdout):
                last = line.strip() or last
                if not last.startswith(SAID):
                    print(line, end="")
        except BaseException:  # Ctrl-C, which a notebook sends to this process alone
            process.terminate()
            raise
    if process.returncode not in (0, NOT_BLESSED):
        fault = UserError if process.returncode == USER_ERROR else RunFailed
        raise fault(last.removeprefix(SAID))


def _guess(files: list[Path], place: Path) -> dict[str, str]:
    """Writes the source that the tables look like; returns the settings that they need."""
    from components.guess.guess import guess_source

    guess = guess_source(files, files[0].parent)
    try:
        write_whole(place, guess.text)
    except OSError as error:
        raise UserError(f"{place} cannot be written: {error.strerror}.") from error
    for sentence in guess.said:
        print(f"- {sentence}")
    return dict(setting.split("=", 1) for setting in guess.settings)

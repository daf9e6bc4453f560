"""Runs the pipeline on tables that a notebook holds."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from greenlight.fitted import Fitted
from greenlight.tables import write_tables
from schemas.errors import UserError
from schemas.files import write_whole
from serving.commands import quiet

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    Table: TypeAlias = pd.DataFrame | pa.Table

TABLES, SOURCE = "tables", "source.yaml"


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
    from pipeline.config import load_config
    from pipeline.local import run_local

    place = Path(folder).absolute()
    data = place / TABLES
    files = write_tables(data, ratings=ratings, movies=movies, users=users)
    told = {str(key): json.dumps(value) for key, value in (settings or {}).items()}
    if source is None:
        source, guessed = place / SOURCE, _guess(files, place / SOURCE)
        told = {**guessed, **told}
    config = load_config(
        None,
        [f"{key}={value}" for key, value in told.items()],
        source=str(source),
        data_dir=str(data),
        output_dir=str(place),
    )
    blessing = run_local(config).blessing
    return Fitted(place, blessing["run_id"], blessing.get("pushed_version"))


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

"""The command `greenlight index`: an approximate model beside the pushed one, if it is worth it."""

import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from schemas.errors import UserError
from serving.commands import PUSHED, ModelDir, Version
from serving.folder import check_here, require_version
from serving.loading import quiet

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from serving.model import Model

NOT_WORTH_IT = 3
MOST_USERS, ROUNDS = 1000, 200


class Worth(NamedTuple):
    """What an index gives: the share of the exact lists that it finds, and both medians in ms."""

    recall: float
    exact_ms: float
    index_ms: float

    def passes(self, bound: float) -> bool:
        """Whether enough is found, and sooner."""
        return self.recall >= bound and self.index_ms < self.exact_ms


def index(
    output: Annotated[Path, typer.Option(help="where it is written to, as VERSION/")] = Path(
        "runs/default/serving_index"
    ),
    recall: Annotated[
        float, typer.Option(min=0, max=1, help="the share of the exact lists it must find")
    ] = 0.95,
    searched: Annotated[
        float, typer.Option(min=0.001, max=1, help="the share of the movies that is looked into")
    ] = 0.6,
    k: Annotated[int, typer.Option("-k", min=1, max=500, help="length of the lists")] = 10,
    model_dir: ModelDir = PUSHED,
    version: Version = None,
) -> None:
    """Makes lists from very large catalogues faster, if they stay the same. Exit status: 0, or 3.

    3 if it finds too little or is no faster than the exact model; nothing is written then.
    """
    check_here(output)
    if output.exists() and not output.is_dir():
        raise UserError(f"{output} is a file: give a folder to write the index into.")
    require_version(model_dir, version)
    quiet()
    from serving.approximate import Search, build
    from serving.model import Model
    from serving.versions import choose

    with _status("Loading the model"):
        exact = choose(model_dir, version).model
    place = output / exact.version
    aside = output / f".{exact.version}.{os.getpid()}"
    try:
        with _status("Building the index"):
            build(exact.path, Search(searched=searched)).save(aside)
        with _status("Holding it against the exact model"):
            worth = measure(exact, Model(aside), k)
        _show(worth, recall, k)
        if not worth.passes(recall):
            typer.echo("The index is not worth having: nothing was written.")
            raise typer.Exit(NOT_WORTH_IT)
        _replace(place, aside)
    finally:
        if aside.exists():
            shutil.rmtree(aside)
    typer.echo(f"{place}: serve it with `greenlight serve --model-dir {output}`.")


def _replace(place: Path, new: Path) -> None:
    """Puts a folder into a place at once: no reader ever sees half of the old or of the new."""
    old = new.with_name(f"{new.name}.old")
    if place.exists():
        place.rename(old)
    new.rename(place)
    if old.exists():
        shutil.rmtree(old)


def measure(exact: "Model", approximate: "Model", k: int) -> Worth:
    """Asks both for the lists of stored users, and one by one, in turns, for the time it takes."""
    import numpy as np

    from serving.batch import TOGETHER

    users = exact.users[:MOST_USERS] or [""]
    nobody = {"history_movie_id": [[]], "history_rating": [[]], "k": k}
    recalls = []
    for first in range(0, len(users), TOGETHER):
        some = users[first : first + TOGETHER]
        lists = [m.call("recommend", user_id=some, **nobody) for m in (exact, approximate)]
        ours, theirs = (one["movie_id"] for one in lists)
        shared = (ours[:, :, None] == theirs[:, None]) & (ours != b"")[:, :, None]
        recalls.append(shared.any(2).sum(1) / np.maximum((ours != b"").sum(1), 1))
    taken: list[list[float]] = [[], []]
    for number in range(ROUNDS):
        for model, times in zip((exact, approximate), taken, strict=True):
            started = time.perf_counter()
            model.call("recommend", user_id=[users[number % len(users)]], **nobody)
            times.append(1e3 * (time.perf_counter() - started))
    return Worth(float(np.concatenate(recalls).mean()), *(float(np.median(t)) for t in taken))


def _status(words: str) -> "AbstractContextManager[object]":
    from rich.console import Console

    return Console(stderr=True).status(words)


def _show(worth: Worth, bound: float, k: int) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for title in ("gate", "value", "bound", "verdict"):
        table.add_column(title)
    enough, sooner = worth.recall >= bound, worth.index_ms < worth.exact_ms
    rows = [
        (f"recall@{k} against exact", f"{worth.recall:.3f}", f"{bound:g}", enough),
        ("one request, median ms", f"{worth.index_ms:.2f}", f"{worth.exact_ms:.2f}", sooner),
    ]
    for name, value, least, passed in rows:
        table.add_row(name, value, least, "passed" if passed else "failed")
    Console().print(table)

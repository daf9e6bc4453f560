"""Prints answers to the terminal."""

from typing import TYPE_CHECKING, Any

import typer

from schemas.text import printable
from schemas.words import MOVIE, Item

if TYPE_CHECKING:
    from rich.table import Table

SOURCES = {
    "user": "what the user has seen",
    "history": "the movies you named",
    "popularity": "popularity alone",
}


def show(answer: dict[str, Any], item: Item = MOVIE, as_json: bool = False) -> None:
    """Prints an answer: a table and what it is based on, or all of it as JSON."""
    if as_json:
        import json
        import sys

        plain = (sys.stdout.encoding or "ascii").lower().replace("-", "") != "utf8"
        text = json.dumps(answer, ensure_ascii=plain)
        typer.echo("".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text))
        return
    from rich.console import Console

    console = Console()
    if not answer["movies"]:
        console.print(item.worded("No movie fits: limit the list less."), markup=False)
        return
    console.print(_table(answer["movies"], item))
    sources = dict.fromkeys(answer.get("sources") or [answer["source"]])
    basis = ", ".join(item.worded(SOURCES[source]) for source in sources)
    if meant := answer.get("history"):
        basis += f" ({printable('; '.join(movie['title'] for movie in meant))})"
    console.print(f"From {basis}; model {answer['version']}.", highlight=False, markup=False)


def _table(movies: list[dict[str, Any]], item: Item) -> "Table":
    """Movies in their order, with ratings where there are any."""
    from rich.table import Table
    from rich.text import Text

    table = Table()
    table.add_column("", justify="right")
    table.add_column(Text(printable(item.one)))
    table.add_column("id", justify="right", no_wrap=True)  # to be copied whole
    rated = any(movie["rating"] is not None for movie in movies)
    if rated:
        table.add_column("rating", justify="right")
    for place, movie in enumerate(movies, 1):
        rating = "" if movie["rating"] is None else f"{movie['rating']:.2f}"
        names = (Text(printable(movie[key])) for key in ("title", "movie_id"))
        cells: tuple[str | Text, ...] = (str(place), *names, rating)
        table.add_row(*cells[: 4 if rated else 3])
    return table

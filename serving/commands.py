"""The commands that ask a finished model: recommend, rate and batch."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from typer.core import TyperCommand

from schemas.errors import UserError
from schemas.files import plain_file
from serving.folder import check_here, require_version

if TYPE_CHECKING:
    from rich.table import Table

    from serving.answers import Answers

T = TypeVar("T")
ModelDir = Annotated[
    Path, typer.Option("--model-dir", help="where models are pushed to, as VERSION/")
]
PUSHED = Path("runs/default/serving_model")
Version = Annotated[
    int | None, typer.Option("--version", min=0, help="this version alone; default: the newest")
]
Liked = Annotated[
    list[str] | None,
    typer.Option(help="titles, as you type them, or TITLE=RATING"),
]
RankBy = Annotated[
    str, typer.Option(help="retrieval (likely to watch), rating (likely to like), or a mix, 0 to 1")
]


class ListsOfValues(TyperCommand):
    """Reads `--users A B` as `--users A --users B`; there are no arguments but options' values."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Repeats an option that takes many for each further value."""
        lists = {
            name: param.opts[0]
            for param in self.params
            if getattr(param, "multiple", False)
            for name in param.opts
        }
        spelled, option = list[str](), None
        for place, word in enumerate(args):
            if word.startswith("-") and not word[1:2].isdigit():
                option = lists.get(word)
            elif option and not args[place - 1].startswith("--"):
                spelled.append(option)
            spelled.append(word)
        return super().parse_args(ctx, spelled)


def register(app: typer.Typer) -> None:
    """Adds the commands to the command line."""
    for command in (recommend, rate, batch):
        app.command(cls=ListsOfValues)(command)


def recommend(
    user: Annotated[str | None, typer.Option(help="user id")] = None,
    liked: Liked = None,
    users: Annotated[
        list[str] | None, typer.Option(help="those who watch together, two or more")
    ] = None,
    weights: Annotated[
        list[float] | None, typer.Option(help="how much each one's taste counts")
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=500, help="how many movies")] = 10,
    rank_by: RankBy = "retrieval",
    rule: Annotated[
        str, typer.Option(help="for several: mean, least_misery or most_pleasure")
    ] = "mean",
    genre: Annotated[list[str] | None, typer.Option(help="any of these")] = None,
    year_from: Annotated[int | None, typer.Option(min=1, max=9999)] = None,
    year_to: Annotated[int | None, typer.Option(min=1, max=9999)] = None,
    keep_seen: Annotated[bool, typer.Option(help="also what was seen")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    model_dir: ModelDir = PUSHED,
    version: Version = None,
) -> None:
    """Recommends movies to a user, to a newcomer (--liked), or to several (--users A B)."""
    wishes = {"k": k, "mix": _mix(rank_by), "genres": genre or [], "year_from": year_from,
              "year_to": year_to, "keep_seen": keep_seen}  # fmt: skip
    if users and (user or liked):
        raise UserError("Say either --users, or --user and --liked.")
    if not users and (weights or rule != "mean"):
        raise UserError("--weights and --rule go with --users.")
    if weights and len(weights) != len(users or ()):
        raise UserError("Give as many --weights as --users.")
    if rule not in ("mean", "least_misery", "most_pleasure"):
        raise UserError("--rule is mean, least_misery or most_pleasure.")
    from serving import requests as ask

    answers = _answers(model_dir, version)
    if users:
        counts = weights or [1.0] * len(users)
        people = [{"user": _known(answers, one), "weight": weight}
                      for one, weight in zip(users, counts, strict=True)]  # fmt: skip
        group = _request(ask.GroupRequest, people=people, rule=rule, **wishes)
        _show(answers.group(group), as_json)
        return
    person = {"user": user and _known(answers, user), "history": _history(answers, liked)}
    _show(answers.recommend(_request(ask.RecommendRequest, **person, **wishes)), as_json)


def rate(
    movie: Annotated[list[str], typer.Option(help="titles or ids")],
    user: Annotated[str | None, typer.Option(help="user id")] = None,
    liked: Liked = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    model_dir: ModelDir = PUSHED,
    version: Version = None,
) -> None:
    """Predicts what a user, or a newcomer (--liked), would rate some movies."""
    from serving import requests as ask

    answers = _answers(model_dir, version)
    person = {"user": user and _known(answers, user), "history": _history(answers, liked)}
    _show(answers.rate(_request(ask.RateRequest, movies=movie, **person)), as_json)


def batch(
    output: Annotated[Path, typer.Option(help="the Parquet file to write")] = Path("batch.parquet"),
    k: Annotated[int, typer.Option("-k", min=1, max=500, help="movies for each user")] = 10,
    model_dir: ModelDir = PUSHED,
    version: Version = None,
) -> None:
    """Writes everyone's top k to a Parquet file."""
    import time

    check_here(output)
    if output.is_dir():
        raise UserError(f"{output} is a folder: give the file to write.")
    plain_file(output)  # before a model is loaded
    if not output.parent.is_dir():
        raise UserError(f"{output.parent} is not a folder.")
    require_version(model_dir, version)
    quiet()
    from serving.batch import write_batch
    from serving.versions import choose

    model = choose(model_dir, version).model
    started = time.monotonic()
    rows = write_batch(model, model.users, k, output)
    seconds = time.monotonic() - started
    each = len(model.users) / max(seconds, 1e-9)
    typer.echo(
        f"{output}: {rows:,} rows for {len(model.users):,} users in {seconds:.1f} s: {each:,.0f}/s"
    )


def quiet() -> None:
    """Keeps the libraries' warnings off the terminal."""
    import os
    import warnings

    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    warnings.filterwarnings("ignore", category=FutureWarning, module="google")


def _answers(folder: Path, version: int | None) -> "Answers":
    require_version(folder, version)
    quiet()
    from serving.versions import choose

    return choose(folder, version)


def _request(kind: type[T], **fields: Any) -> T:
    from pydantic import ValidationError

    try:
        return kind(**fields)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise UserError(f"{place}: {first['msg']}.") from error


def _known(answers: "Answers", user: str) -> str:
    if user not in answers.model.known_users:
        raise UserError(
            f"The model knows no user {user!r}; a newcomer is asked with --liked TITLE."
        )
    return user


def _history(answers: "Answers", liked: list[str] | None) -> list[dict[str, Any]]:
    """TITLE or TITLE=RATING; what follows the sign is part of the title unless it is a number."""
    history: list[dict[str, Any]] = []
    for text in liked or []:
        title, _, rating = text.rpartition("=")
        if answers.titles.names(text):
            title = ""
        try:
            history.append({"movie": title, "rating": float(rating)} if title else {"movie": text})
        except ValueError:
            history.append({"movie": text})
    return history


def _mix(rank_by: str) -> float:
    known = {"retrieval": 0.0, "rating": 1.0}
    try:
        mix = known[rank_by] if rank_by in known else float(rank_by)
    except ValueError:
        mix = -1.0
    if not 0 <= mix <= 1:
        raise UserError("--rank-by is retrieval, rating, or a number from 0 to 1.")
    return mix


SOURCES = {
    "user": "what the user has seen",
    "history": "the movies you named",
    "popularity": "popularity alone",
}


def _show(answer: dict[str, Any], as_json: bool) -> None:
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
    console.print(_table(answer["movies"]))
    sources = dict.fromkeys(answer.get("sources") or [answer["source"]])
    basis = ", ".join(SOURCES[source] for source in sources)
    console.print(f"From {basis}; model {answer['version']}.", highlight=False)


def _table(movies: list[dict[str, Any]]) -> "Table":
    """Movies in their order, with ratings where there are any."""
    from rich.table import Table
    from rich.text import Text

    from schemas.text import printable

    table = Table()
    table.add_column("", justify="right")
    table.add_column("movie")
    table.add_column("id", justify="right")
    rated = any(movie["rating"] is not None for movie in movies)
    if rated:
        table.add_column("rating", justify="right")
    for place, movie in enumerate(movies, 1):
        rating = "" if movie["rating"] is None else f"{movie['rating']:.2f}"
        names = (Text(printable(movie[key])) for key in ("title", "movie_id"))
        cells: tuple[str | Text, ...] = (str(place), *names, rating)
        table.add_row(*cells[: 4 if rated else 3])
    return table

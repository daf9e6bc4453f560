"""The commands that ask a finished model: recommend, rate and batch."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeVar

import typer
from typer.core import TyperCommand

from schemas.errors import UserError
from schemas.files import plain_file
from schemas.words import Item
from serving.folder import check_here, in_order, require_version
from serving.loading import loaded_for_one
from serving.shown import show

if TYPE_CHECKING:
    from serving.answers import Answers
    from serving.remote import Remote

Asked: TypeAlias = "Answers | Remote"
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
Url = Annotated[
    str | None,
    typer.Option(help="a server to ask; default: one that serves --model-dir here, if there is"),
]
Load = Annotated[bool, typer.Option("--load", help="ask no server, but load the model")]
RankBy = Annotated[
    str | None,
    typer.Option(
        help="retrieval (likely to watch), rating (likely to like), or a mix, 0 to 1; default: the "
        "mix that the model's training found to cost few hits"
    ),
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
    k: Annotated[int, typer.Option("-k", min=1, max=500, help="how many to show")] = 10,
    rank_by: RankBy = None,
    rule: Annotated[
        str, typer.Option(help="for several: mean, least_misery or most_pleasure")
    ] = "mean",
    genre: Annotated[list[str] | None, typer.Option(help="any of these")] = None,
    having: Annotated[
        list[str] | None,
        typer.Option(help="a category and one of its values: director='Jane Campion'"),
    ] = None,
    year_from: Annotated[int | None, typer.Option(min=1, max=9999, help="no older ones")] = None,
    year_to: Annotated[int | None, typer.Option(min=1, max=9999, help="no newer ones")] = None,
    keep_seen: Annotated[bool, typer.Option(help="also what was seen")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    model_dir: ModelDir = PUSHED,
    version: Version = None,
    url: Url = None,
    load: Load = False,
) -> None:
    """Recommends movies to a user, to a newcomer (--liked), or to several (--users A B)."""
    mix = None if rank_by is None else _mix(rank_by)
    wishes = {"k": k, "genres": genre or [], "having": _having(having), "year_from": year_from,
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

    def answer(asked: Asked) -> dict[str, Any]:
        wished = {**wishes, "mix": asked.mix if mix is None else mix}
        if users:
            counts = weights or [1.0] * len(users)
            people = [{"user": _known(asked, one), "weight": weight}
                          for one, weight in zip(users, counts, strict=True)]  # fmt: skip
            return asked.group(request_of(ask.GroupRequest, people=people, rule=rule, **wished))
        return asked.recommend(
            request_of(ask.RecommendRequest, **_person(asked, user, liked), **wished)
        )

    show(*_answered(answer, model_dir, version, url, load), as_json)


def rate(
    movie: Annotated[list[str], typer.Option(help="titles or ids")],
    user: Annotated[str | None, typer.Option(help="user id")] = None,
    liked: Liked = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    model_dir: ModelDir = PUSHED,
    version: Version = None,
    url: Url = None,
    load: Load = False,
) -> None:
    """Predicts what a user, or a newcomer (--liked), would rate some movies."""
    from serving import requests as ask

    def answer(asked: Asked) -> dict[str, Any]:
        return asked.rate(request_of(ask.RateRequest, movies=movie, **_person(asked, user, liked)))

    show(*_answered(answer, model_dir, version, url, load), as_json)


def batch(
    output: Annotated[Path, typer.Option(help="the Parquet file to write")] = Path("batch.parquet"),
    k: Annotated[int, typer.Option("-k", min=1, max=500, help="how many for each user")] = 10,
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
    model = loaded_for_one(model_dir, version).model
    from rich.console import Console

    from serving.batch import write_batch

    started = time.monotonic()
    with Console(stderr=True).status("Writing everyone's list"):
        rows = write_batch(model, model.users, k, output)
    seconds = time.monotonic() - started
    each = len(model.users) / max(seconds, 1e-9)
    typer.echo(
        f"{output}: {rows:,} rows for {len(model.users):,} users in {seconds:.1f} s: {each:,.0f}/s"
    )


def _answered(
    answer: Callable[[Asked], dict[str, Any]],
    folder: Path,
    version: int | None,
    url: str | None,
    load: bool,
) -> tuple[dict[str, Any], Item]:
    """What a server answers, if there is one; else what the model does, once it is loaded.

    Returns the answer, and what people call the movies.
    """
    from serving.announced import find_server
    from serving.remote import Remote, Unanswered

    if url:
        try:
            remote = Remote(url)
            if version is not None and remote.version != str(version):
                raise UserError(f"{url} serves version {remote.version}, not {version}.")
            return answer(remote), remote.item
        except Unanswered as error:
            raise UserError(f"{str(error)[0].upper()}{str(error)[1:]}.") from error
    require_version(folder, version)
    found = None if load else find_server(folder)
    if found:
        with suppress(Unanswered):
            remote = Remote(found)
            # One that is about to change its version, or serves another one alone, is not asked.
            if remote.version == in_order(folder, version)[0].name:
                return answer(remote), remote.item
    loaded = loaded_for_one(folder, version)
    return answer(loaded), loaded.item


def request_of(kind: type[T], **fields: Any) -> T:
    """A request of a kind; raises UserError where it takes no such field or value."""
    from pydantic import ValidationError

    try:
        return kind(**fields)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise UserError(f"{place}: {first['msg']}.") from error


def _person(asked: Asked, user: str | None, liked: list[str] | None) -> dict[str, Any]:
    return {"user": user and _known(asked, user), "history": _history(asked, liked)}


def _known(asked: Asked, user: str) -> str:
    if not asked.knows(user):
        raise UserError(
            f"The model knows no user {user!r}; a newcomer is asked with --liked TITLE."
        )
    return user


def _history(asked: Asked, liked: list[str] | None) -> list[dict[str, Any]]:
    """TITLE or TITLE=RATING; what follows the sign is part of the title unless it is a number."""
    return [_event(asked, text) for text in liked or []]


def _event(asked: Asked, text: str) -> dict[str, Any]:
    title, _, rating = text.rpartition("=")
    try:
        mark = float(rating) if title else None
    except ValueError:
        mark = None
    if mark is None or asked.names(text):
        return {"movie": text}
    return {"movie": title, "rating": mark}


def _having(told: list[str] | None) -> dict[str, list[str]]:
    """Values by category, of texts such as 'director=Jane Campion'."""
    found: dict[str, list[str]] = {}
    for text in told or []:
        name, sign, value = text.partition("=")
        if not sign:
            raise UserError(f"--having takes a category and a value, NAME=VALUE, not {text!r}.")
        found.setdefault(name, []).append(value)
    return found


def _mix(rank_by: str) -> float:
    known = {"retrieval": 0.0, "rating": 1.0}
    try:
        mix = known[rank_by] if rank_by in known else float(rank_by)
    except ValueError:
        mix = -1.0
    if not 0 <= mix <= 1:
        raise UserError("--rank-by is retrieval, rating, or a number from 0 to 1.")
    return mix

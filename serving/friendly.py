"""The friendly routes: plain JSON in, plain JSON out, described by OpenAPI."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Query
from starlette.convertors import Convertor, register_url_convertor
from starlette.responses import Response

from schemas.errors import UserError
from serving import requests as ask
from serving.versions import Versions
from serving.work import Work

MISTAKE = {"model": ask.Error, "description": "a mistake in the request, in one sentence"}
BUSY = {"model": ask.Error, "description": "too much is waiting, or it took too long"}
MISTAKES: dict[int | str, dict[str, Any]] = {
    **dict.fromkeys((400, 413, 415), MISTAKE),
    **dict.fromkeys((429, 503), BUSY),
}
PRIVATE = {"model": ask.Error, "description": "ids and histories of users are closed here"}
TELLS: dict[int | str, dict[str, Any]] = {403: PRIVATE}
Name = Annotated[str, Query(min_length=1, examples=["7"])]
Typed = Annotated[str, Query(description="what is typed", examples=["toy"])]
Category = Annotated[str, Query(min_length=1, description="its name", examples=["genres"])]
Begins = Annotated[str, Query(description="how the ids begin", examples=["7"])]


class AnyText(Convertor[str]):
    """A part of a path that may hold anything, escaped: slashes and line breaks, too."""

    regex = "(?s:.+)"

    def convert(self, value: str) -> str:
        """The text, which the server has unescaped."""
        return value

    def to_string(self, value: str) -> str:
        """The text."""
        return value


register_url_convertor("any", AnyText())


class NotThere(UserError):  # noqa: N818 (it is an outcome)
    """What a path names does not exist."""


def json(content: Any) -> Response:
    """A response of plain JSON."""
    return Response(orjson.dumps(content), media_type="application/json")


def friendly(name: str, versions: Versions, work: Work) -> APIRouter:
    """The routes over the version in service; `name` is the model's."""
    router = APIRouter(responses=MISTAKES)
    _people(router, versions, work)
    _lookups(router, versions, work)
    _histories(router, versions, work)

    @router.get("/about", response_model=ask.About)
    async def about() -> Response:
        """What the served model is."""
        return json(versions.current.about(name))

    return router


def _people(router: APIRouter, versions: Versions, work: Work) -> None:
    """The routes that answer for a person or several."""

    @router.post("/recommend", response_model=ask.Recommended)
    async def recommend(request: ask.RecommendRequest) -> Response:
        """The best movies for a user, a history, or both."""
        answers = versions.current
        asked = answers.prepare(request)
        return json(await work.together(answers, answers.recommend_many, asked))

    @router.post("/rank", response_model=ask.Recommended)
    async def rank(request: ask.RankRequest) -> Response:
        """The movies that the caller names, in order."""
        return json(await work.run(versions.current.rank, request))

    @router.post("/rate", response_model=ask.Recommended)
    async def rate(request: ask.RateRequest) -> Response:
        """The ratings that somebody would give."""
        return json(await work.run(versions.current.rate, request))

    @router.post("/group", response_model=ask.Group)
    async def group(request: ask.GroupRequest) -> Response:
        """Movies for people who watch together."""
        return json(await work.run(versions.current.group, request))

    @router.post("/explain", response_model=ask.Explained, responses=TELLS)
    async def explain(request: ask.ExplainRequest) -> Response:
        """Which movies of a history moved a recommendation, measured by leaving each out."""
        return json(await work.run(versions.current.explain, request))


def _lookups(router: APIRouter, versions: Versions, work: Work) -> None:
    """The routes that find movies and users."""

    @router.get("/similar", response_model=ask.Similar)
    async def similar(
        movie: Annotated[
            str, Query(min_length=1, description="id or title", examples=["toy story"])
        ],
        k: Annotated[int, Query(ge=1, le=ask.MOST_K)] = 10,
    ) -> Response:
        """Movies near a movie."""
        return json(await work.run(versions.current.similar, movie, k))

    @router.get("/movies", response_model=ask.Found)
    async def movies(q: Typed = "", k: Annotated[int, Query(ge=1, le=100)] = 10) -> Response:
        """Movies that fit what is typed, the most rated first."""
        answers = versions.current
        rows = await work.run(answers.titles.search, q, k)
        return json({"movies": [answers.movie(row) for row in rows]})

    @router.get("/values", response_model=ask.Values)
    async def values(
        category: Category, q: Typed = "", k: Annotated[int, Query(ge=1, le=100)] = 10
    ) -> Response:
        """Values of a category of movies that hold what is typed, the most frequent first."""
        found = versions.current.category(category)
        return json({"values": await work.run(found.search, q, k)})

    @router.get("/users", response_model=ask.Users, responses=TELLS)
    async def users(q: Begins = "", k: Annotated[int, Query(ge=1, le=100)] = 20) -> Response:
        """User ids that start with what is typed."""
        versions.current.model.check_open()
        known = versions.current.model.users
        fitting = [user for user in known if user.startswith(q)]
        shown = sorted(fitting, key=lambda user: (len(user), user))[:k]
        return json({"total": len(fitting), "users": shown})


def _histories(router: APIRouter, versions: Versions, work: Work) -> None:
    """The routes to what is stored of a user, whose id stands in the path or behind it."""

    @router.get("/users/{user:any}/history", response_model=ask.UserHistory,
                responses={**TELLS, 404: MISTAKE})  # fmt: skip
    async def user_history(user: Annotated[str, Path(examples=["7"])]) -> Response:
        """All that is stored of a user, newest first; for the ids '.' and '..' see /history."""
        return await history(user)

    @router.get("/history", response_model=ask.UserHistory, responses={**TELLS, 404: MISTAKE})
    async def history(user: Name) -> Response:
        """All that is stored of a user, newest first, whatever the id is made of."""
        answers = versions.current
        answers.model.check_open()
        if user not in answers.model.known_users:
            raise NotThere(f"There is no user {user[:100]!r}.")
        events = await work.run(answers.history, user)
        return json({"version": answers.model.version, "user": user, "history": events})

"""Holds the server's answers against the graph's, name by name."""

import http.client
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import quote

from components.evaluation.server.process import Json, Refused, Server

SCORE_TOLERANCE = 1e-3  # between a score or rating of the server and of the graph
Pair = Mapping[str, Any]


class Asked(NamedTuple):
    """What to ask for.

    pairs: users and movies, with what the graph answers: see `reload.served.as_served`.
    histories: the ids that each of those users has rated.
    titles: of movies.
    genres: names.
    """

    pairs: Sequence[Mapping[str, Any]]
    histories: Mapping[str, set[str]]
    titles: Sequence[str]
    genres: Sequence[str]

    @property
    def names(self) -> int:
        """How many different names are asked for."""
        sides = ({pair[side] for pair in self.pairs} for side in ("user", "movie"))
        return sum(map(len, sides)) + len(self.titles) + len(self.genres)


def first_fault(server: Server, asked: Asked) -> str | None:
    """The first name for which the server does not answer as the graph does, in a sentence."""
    try:
        server.wait()
    except Refused as error:
        return str(error)
    for words, ask in _questions(asked):
        try:
            fault = ask(server)
        except (Refused, OSError, http.client.HTTPException, KeyError) as error:
            fault = f"{error}" if isinstance(error, Refused) else f"{type(error).__name__}: {error}"
        if fault:
            return f"the server does not answer as the graph does {words}: {fault}"
    return None


def _questions(asked: Asked) -> Iterator[tuple[str, Callable[[Server], str | None]]]:
    """What is asked for, in words, and the question."""
    for pair in asked.pairs:
        user, movie = pair["user"], pair["movie"]
        words = f"for the user {user[:100]!r} and the movie {movie[:100]!r}"
        yield words, partial(_pair, pair=pair, rated=asked.histories[user])
    for title in asked.titles:
        yield f"for the title {title[:100]!r}", partial(_title, title=title)
    for genre in asked.genres:
        yield f"for the genre {genre[:100]!r}", partial(_genre, genre=genre)


def _pair(server: Server, pair: Pair, rated: set[str]) -> str | None:
    """The first fault in what the server says of a user and a movie.

    `rated` are the ids that the user has rated.
    """
    return next(filter(None, _faults(server, pair, rated)), None)


def _faults(server: Server, pair: Pair, rated: set[str]) -> Iterator[str | None]:
    """Asks one question after another."""
    user = pair["user"]
    yield _recommend(server, pair)
    yield _predict(server, pair)
    if "rating" in pair:
        yield _rate(server, pair)
    if user not in {".", ".."}:  # clients take these for folders
        events = server.get(f"/users/{quote(user, safe='')}/history")["history"]
        yield _history("the history", events, rated)
    yield _history("/history", server.get("/history", user=user)["history"], rated)
    yield None if user in server.get("/users", q=user)["users"] else "/users does not find the id"
    yield _similar(server, pair)
    if "explained" in pair:
        yield _explain(server, pair)


def _recommend(server: Server, pair: Pair) -> str | None:
    k = max(1, len(pair["listed"]))
    listed = _scored(server.post("/recommend", {"user": pair["user"], "k": k}))
    if _same(listed, pair["listed"]):
        return None
    return f"/recommend lists {listed}, and the graph {pair['listed']}"


def _predict(server: Server, pair: Pair) -> str | None:
    k = max(1, len(pair["listed"]))
    row = {"user_id": pair["user"], "history_movie_id": [], "history_rating": [], "k": k}
    body = {"signature_name": "recommend", "instances": [row]}
    answer = server.post("/v1/models/greenlight:predict", body)["predictions"][0]
    listed = [p for p in zip(answer["movie_id"], answer["score"], strict=True) if p[0]]
    if _same(listed, pair["listed"]):
        return None
    return f":predict lists {listed}, and the graph {pair['listed']}"


def _rate(server: Server, pair: Pair) -> str | None:
    body = {"user": pair["user"], "movies": [pair["movie"]]}
    movie = server.post("/rate", body)["movies"][0]
    if movie["movie_id"] == pair["movie"] and _close(movie["rating"], pair["rating"]):
        return None
    return f"/rate says {movie['rating']} of {movie['movie_id']!r}, the graph {pair['rating']}"


def _history(name: str, events: Json, rated: set[str]) -> str | None:
    if {event["movie_id"] for event in events} == rated:
        return None
    return f"{name} has {len(events)} ratings, and the rating files have {len(rated)}"


def _similar(server: Server, pair: Pair) -> str | None:
    k = max(1, len(pair["similar"]))
    similar = _scored(server.get("/similar", movie=pair["movie"], k=k))
    if _same(similar, pair["similar"]):
        return None
    return f"/similar lists {similar}, and the graph {pair['similar']}"


def _explain(server: Server, pair: Pair) -> str | None:
    body = {"user": pair["user"], "movie": pair["movie"]}
    events = server.post("/explain", body)["history"]
    if {event["movie_id"] for event in events} == {*pair["explained"]}:
        return None
    return "/explain names other movies than the graph does"


def _title(server: Server, title: str) -> str | None:
    movie = server.get("/similar", movie=title, k=1)["movie"]
    if title in (movie["title"], movie["movie_id"]):
        return None
    return f"it stands for the movie {movie['movie_id']!r}, {movie['title']!r}"


def _genre(server: Server, genre: str) -> str | None:
    movies = server.post("/recommend", {"genres": [genre]})["movies"]
    own = sum(genre in movie["genres"] for movie in movies)
    return None if movies and own == len(movies) else f"of {len(movies)} movies, {own} are of it"


def _scored(answer: Json) -> list[tuple[str, float]]:
    return [(movie["movie_id"], movie["score"]) for movie in answer["movies"]]


def _same(one: Sequence[tuple[str, float]], other: Sequence[Sequence[Any]]) -> bool:
    """Whether two lists are the same but for the order of movies whose scores are."""
    scores, ours = [score for _, score in other], dict(one)
    return (
        len(one) == len(other)
        and all(_close(a, b) for (_, a), b in zip(one, scores, strict=True))
        and all(_close(ours.get(movie, score), score) for movie, score in other)
    )


def _close(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= SCORE_TOLERANCE

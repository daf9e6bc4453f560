"""From a request to an answer: the one path of the command line, the server and the batch."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from schemas.errors import UserError
from schemas.text import to_text, to_texts
from schemas.titles import Titles
from schemas.words import Item
from serving import requests as ask
from serving.model import NO_RATINGS, Arrays, Category, Model, padded
from serving.posters import NONE

Json = dict[str, Any]
Events = list[tuple[int, float | None]]  # rows of movies with ratings; None: seen but not rated
SHOWN = 200  # values of a category that `about` tells; /values finds the others
# What the signature `recommend` takes, and what each input is when nothing is told.
PLAIN: Json = {
    "user_id": [""], "history_movie_id": [[]], "history_rating": [[]], "k": [10],
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """A request whose names are resolved: each event's row and rating, and the exclusions."""

    request: ask.RecommendRequest
    events: Events
    exclude: list[str]


class Answers:
    """Answers requests from one version of the model.

    Raises everywhere:
      UserError: a movie, genre or rating that there is not, or ratings asked of a model that was
        trained without.
    """

    def __init__(self, model: Model) -> None:
        movies = model.catalogue
        self.model, self.genres, self.posters = model, movies.genre_names, NONE
        self.titles = Titles(movies.ids, movies.titles, movies.years, movies.ratings, model.item)

    def prepare(self, request: ask.RecommendRequest) -> Asked:
        """Resolves the names of a request."""
        self._check_features(request)
        self._check_wishes(request)
        return Asked(request, self._events(request), self._ids(request.exclude))

    @property
    def version(self) -> str:
        """The model's version."""
        return self.model.version

    @property
    def item(self) -> Item:
        """What people call the model's movies."""
        return self.model.item

    @property
    def mix(self) -> float:
        """By what lists are ordered for people who do not say: `requests.About`."""
        return self.model.mix

    def knows(self, user: str) -> bool:
        """Whether there is a user of this id."""
        return user in self.model.known_users

    def names(self, typed: str) -> bool:
        """Whether this is the id or the title of a movie, to the letter."""
        return self.titles.names(typed)

    def recommend(self, request: ask.RecommendRequest) -> Json:
        """Movies for one person: `requests.Recommended`."""
        return self.recommend_many([self.prepare(request)])[0]

    def recommend_many(self, asked: Sequence[Asked]) -> list[Json]:
        """Movies for several people, in one call of the graph."""
        wishes = _wishes([one.request for one in asked], [one.exclude for one in asked])
        people = self._people([(one.request, one.events) for one in asked])
        outputs = self._listed({**people, **wishes})
        return [
            {
                "version": self.model.version,
                "source": to_text(outputs["source"][row]),
                "history": self._shown_events(one.events),
                "movies": self._scored(outputs, row),
            }
            for row, one in enumerate(asked)
        ]

    def _listed(self, told: Arrays) -> Arrays:
        """Plain requests go to `recommend`, which may have an index."""
        if told.keys() <= PLAIN.keys():
            return self.model.call("recommend", **{**PLAIN, **told})
        return self.model.call("recommend_filtered", **told)

    def rank(self, request: ask.RankRequest) -> Json:
        """The caller's candidates in order: `requests.Recommended`."""
        self._check_features(request)
        by_rating = 0.0 if self.model.scale is None else 1.0
        mix = by_rating if request.mix is None else request.mix
        self._check_mix(mix)
        return self._candidates("rank", request, mix=[mix])

    def rate(self, request: ask.RateRequest) -> Json:
        """Ratings in the caller's order: `requests.Recommended`, with no scores."""
        self._check_features(request)
        if self.model.scale is None:
            raise UserError(NO_RATINGS)
        rows = [self.titles.find(name) for name in request.movies]
        events = self._events(request)
        ids = [[self.model.catalogue.ids[row] for row in rows]]
        outputs = self.model.call("rate_as", movie_id=ids, **self._people([(request, events)]))
        ratings = outputs["rating"][0].tolist()
        movies = [
            {**self.movie(row), "score": None, "rating": rating}
            for row, rating in zip(rows, ratings, strict=True)
        ]
        return self._answer(outputs, events, movies)

    def group(self, request: ask.GroupRequest) -> Json:
        """Movies for several people together: `requests.Group`."""
        for place, member in enumerate(request.people):
            self._check_features(member, f"people.{place}.")
        self._check_wishes(request)
        members = [(member, self._events(member)) for member in request.people]
        people = {name: value[np.newaxis] for name, value in self._people(members).items()}
        outputs = self.model.call(
            "recommend_group",
            **people,
            weights=[[member.weight for member in request.people]],
            rule=[request.rule],
            **_wishes([request], [self._ids(request.exclude)]),
        )
        movies = self._scored(outputs, 0)
        rated = "person_rating" in outputs
        each = outputs["person_rating"][0].tolist() if rated else [None] * len(movies)
        movies = [
            {**movie, "ratings": ratings} for movie, ratings in zip(movies, each, strict=False)
        ]
        sources = to_texts(outputs["source"][0])
        return {"version": self.model.version, "sources": sources, "movies": movies}

    def explain(self, request: ask.ExplainRequest) -> Json:
        """What moved a recommendation: `requests.Explained`."""
        self._check_features(request)
        row, events = self.titles.find(request.movie), self._events(request)
        ids = [self.model.catalogue.ids[row]]
        outputs = self.model.call("explain", movie_id=ids, **self._people([(request, events)]))
        history = [
            {
                **self._named(movie),
                "rating": _number(outputs, "history_rating", i),
                "effect": float(outputs["effect"][0, i]),
                "rating_effect": _number(outputs, "rating_effect", i),
            }
            for i, movie in enumerate(outputs["history_movie_id"][0])
            if movie
        ]
        source = to_text(outputs["source"][0])
        named = {"version": self.model.version, "source": source, "movie": self.movie(row)}
        return {**named, "history": history}

    def similar(self, movie: str, k: int) -> Json:
        """Movies near one: `requests.Similar`."""
        row = self.titles.find(movie)
        outputs = self.model.call("similar", movie_id=[self.model.catalogue.ids[row]], k=[k])
        near = self._scored(outputs, 0)
        return {"version": self.model.version, "movie": self.movie(row), "movies": near}

    def history(self, user: str) -> list[Json]:
        """What is stored of a user, newest first: `requests.Event`s."""
        outputs = self.model.call("history", user_id=[user])
        return [
            {**self._named(movie), "rating": _number(outputs, "rating", i)}
            for i, movie in enumerate(outputs["movie_id"][0])
            if movie
        ]

    def about(self, name: str) -> Json:
        """What the model is: `requests.About`."""
        years = [year for year in self.model.catalogue.years if year]
        return {
            "model": name,
            "version": self.model.version,
            "scale": self.model.scale,
            "movies": len(self.model.catalogue.ids),
            "users": len(self.model.users),
            "genres": self.genres,
            "categories": [
                {
                    "name": name,
                    "label": own.label,
                    "total": len(own.values),
                    "values": own.values[:SHOWN],
                }
                for name, own in self.model.catalogue.categories.items()
            ],
            "years": (min(years), max(years)) if years else None,
            "user_features": self.model.user_features,
            "asked": [
                {**asdict(own), "number": own.name in self.model.numbers}
                for own in self.model.asked
            ],
            "item": list(self.model.item),
            "mix": self.mix,
        }

    def movie(self, row: int) -> Json:
        """A movie of the catalogue: `requests.Movie`."""
        catalogue = self.model.catalogue
        poster = self.posters.address(catalogue.posters[row])
        return {
            "movie_id": catalogue.ids[row],
            "title": catalogue.titles[row],
            "year": catalogue.years[row] or None,
            "genres": catalogue.genres[row],
            **({"poster": poster} if poster else {}),
        }

    def _named(self, movie: bytes) -> Json:
        return self.movie(self.model.catalogue.rows[to_text(movie)])

    def _scored(self, outputs: Arrays, row: int) -> list[Json]:
        ids, scores = (outputs[name][row].tolist() for name in ("movie_id", "score"))
        return [
            {**self._named(movie), "score": score, "rating": _number(outputs, "rating", i, row)}
            for i, (movie, score) in enumerate(zip(ids, scores, strict=True))
            if movie
        ]

    def _candidates(self, signature: str, request: ask.RankRequest, **inputs: Any) -> Json:
        events = self._events(request)
        people = self._people([(request, events)])
        ids = [self._ids(request.movies)]
        outputs = self.model.call(signature, movie_id=ids, **people, **inputs)
        return self._answer(outputs, events, self._scored(outputs, 0))

    def _answer(self, outputs: Arrays, events: Events, movies: list[Json]) -> Json:
        return {
            "version": self.model.version,
            "source": to_text(outputs["source"][0]),
            "history": self._shown_events(events),
            "movies": movies,
        }

    def _ids(self, names: Iterable[str]) -> list[str]:
        return [self.model.catalogue.ids[self.titles.find(name)] for name in names]

    def _shown_events(self, events: Events) -> list[Json]:
        return [{**self.movie(row), "rating": rating} for row, rating in events]

    def _events(self, person: ask.Person) -> Events:
        return [(self.titles.find(event.movie), self._rating(event)) for event in person.history]

    def _rating(self, event: ask.Rated) -> float | None:
        """The rating of an event: the highest if it is left out, None if the request says null.

        A model that was trained without ratings reads none.
        """
        if self.model.scale is None:
            return None
        low, high = self.model.scale
        if "rating" not in event.model_fields_set:
            return high
        if event.rating is not None and not low <= event.rating <= high:
            raise UserError(f"The rating {event.rating:g} is off the scale, {low:g} to {high:g}.")
        return event.rating

    def _people(self, people: Sequence[tuple[ask.Person, Events]]) -> Arrays:
        ids = self.model.catalogue.ids
        inputs = {
            "user_id": np.array([person.user or "" for person, _ in people], object),
            "history_movie_id": padded([[ids[r] for r, _ in own] for _, own in people], "", object),
        }
        inputs = _telling(inputs) | self._features([person for person, _ in people])
        if "history_movie_id" in inputs:
            ratings = [
                [np.nan if rating is None else rating for _, rating in own] for _, own in people
            ]
            inputs["history_rating"] = padded(ratings, 0.0, np.float32)
        return inputs

    def _features(self, people: Sequence[ask.Person]) -> Arrays:
        """The features that are told of anyone: '' or NaN where nothing is told of the person."""
        features = {}
        for name in self.model.told_features:
            told = [person.features.get(name) for person in people]
            if all(value is None for value in told):
                continue
            number = name in self.model.numbers
            nothing, dtype = (np.nan, np.float32) if number else ("", object)
            features[name] = np.array([nothing if v is None else v for v in told], dtype)
        return features

    def _check_features(self, person: ask.Person, place: str = "") -> None:
        ask.check_features(person, self.model.told_features, self.model.numbers, place)

    def _check_mix(self, mix: float) -> None:
        if mix and self.model.scale is None:
            raise UserError(f"{NO_RATINGS[:-1]}, so there is nothing to mix: leave mix at 0.")

    def _check_wishes(self, wishes: ask.Wishes) -> None:
        self._check_genres(wishes.genres)
        self._check_mix(wishes.mix)
        for name, values in wishes.having.items():
            known = self.category(name).known
            for value in values:
                if value not in known:
                    raise UserError(f"No {self.item.one} has {name} {value[:50]!r}.")

    def category(self, name: str) -> Category:
        """A category of the movies.

        Raises:
          UserError: there is none of this name.
        """
        known = self.model.catalogue.categories
        if name not in known:
            names = ", ".join(known) or "none"
            raise UserError(f"There is no category {name[:50]!r}; the categories are: {names}.")
        return known[name]

    def _check_genres(self, genres: Sequence[str]) -> None:
        for genre in genres:
            if genre not in self.genres:
                known = ", ".join(self.genres) or "none"
                raise UserError(f"There is no genre {genre[:50]!r}; the genres are: {known}.")


def _number(outputs: Arrays, name: str, place: int, row: int = 0) -> float | None:
    """A number of an answer; None where there is none, or where the model has no such output."""
    value = float(outputs[name][row, place]) if name in outputs else np.nan
    return None if np.isnan(value) else value


def _wishes(requests: Sequence[ask.Wishes], exclude: list[list[str]]) -> Arrays:
    told = {
        "k": np.array([one.k for one in requests], np.int32),
        "exclude_movie_id": padded(exclude, "", object),
        "genres": padded([one.genres for one in requests], "", object),
        "having": padded([_pairs(one.having) for one in requests], "", object),
        "year_from": np.array([one.year_from or 0 for one in requests], np.int32),
        "year_to": np.array([one.year_to or 0 for one in requests], np.int32),
        "keep_seen": np.array([one.keep_seen for one in requests]),
        "mix": np.array([one.mix for one in requests], np.float32),
    }
    told = _telling(told)
    if "mix" in told:
        told["retrieve"] = np.array([one.retrieve for one in requests], np.int32)
    return told


def _pairs(having: Mapping[str, Sequence[str]]) -> list[str]:
    """Wishes as the graph takes them."""
    return [f"{name}={value}" for name, values in having.items() for value in values]


def _telling(inputs: Arrays) -> Arrays:
    """Those inputs that say more than their defaults: each tensor made costs a call its time."""
    return {name: value for name, value in inputs.items() if any(value.flat)}

"""What the friendly routes and the command line ask and answer."""

from collections.abc import Collection
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StrictBool,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)
from pydantic.config import JsonDict

from schemas.errors import UserError

MOST_K, MOST_EVENTS, MOST_PEOPLE = 500, 1000, 10


def _number(value: Any) -> Any:
    """Refuses what pydantic would turn into a number: JSON tells numbers from all else."""
    if isinstance(value, bool | str):
        raise ValueError("Input should be a valid number")
    return value


Whole = Annotated[int, BeforeValidator(_number)]
Real = Annotated[float, BeforeValidator(_number)]
Number = Annotated[Real, Field(ge=-1e38, le=1e38)]  # of 32 bits
Year = Annotated[int, Field(ge=1, le=9999), BeforeValidator(_number)]
Share = Annotated[float, Field(ge=0, le=1), BeforeValidator(_number)]
# As long as the data's names are: what bounds a request is the size of its body.
Name = Annotated[str, StringConstraints(min_length=1)]


class Body(BaseModel):
    """A request; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Rated(Body):
    """A movie of a history."""

    movie: Name = Field(description="id or title")
    rating: Real | None = Field(
        None, description="on the data's scale; left out: its highest; null: seen, not rated"
    )


class Person(Body, extra="allow"):
    """Somebody: a user id, a history, both or neither. A history given replaces the stored one.

    Further fields are features of users, which the model has: see `check_features`.
    """

    user: Name | None = Field(None, description="user id")
    history: list[Rated] = Field([], max_length=MOST_EVENTS, description="newest last")

    @property
    def features(self) -> dict[str, str | float | None]:
        """What is told of the person beside id and history, by name."""
        return self.model_extra or {}


_WORD = TypeAdapter[Any](Name | None)
_NUMBER = TypeAdapter[Any](Number | None)


def check_features(
    person: Person, known: Collection[str], numbers: Collection[str] = (), place: str = ""
) -> None:
    """Refuses what is told of a person where it is no feature of users, or not of its kind.

    Args:
      person: as they were asked for.
      known: the names of the features.
      numbers: those of them that are numbers; the others are words.
      place: of the person in the request, with a point behind it.

    Raises:
      UserError: says the field and what is wrong with it.
    """
    for name, value in person.features.items():
        if name not in known:
            raise UserError(f"{place}{name}: Extra inputs are not permitted.")
        try:
            (_NUMBER if name in numbers else _WORD).validate_python(value)
        except ValidationError as error:
            raise UserError(f"{place}{name}: {error.errors()[0]['msg']}.") from error


class Wishes(Body):
    """Which movies, how many, and in what order."""

    k: Whole = Field(10, ge=1, le=MOST_K, description="how many movies")
    exclude: list[Name] = Field([], max_length=MOST_EVENTS, description="ids or titles")
    genres: list[Name] = Field([], max_length=50, description="any of these")
    having: dict[Name, Annotated[list[Name], Field(max_length=50)]] = Field(
        {},
        max_length=50,
        description="of each category of movies that is named any of the values",
    )
    year_from: Year | None = None
    year_to: Year | None = None
    keep_seen: StrictBool = Field(False, description="whether movies of the history may be shown")
    mix: Real = Field(0.0, ge=0, le=1, description="0: likely to watch first; 1: best rated first")
    retrieve: Whole = Field(
        200, ge=1, le=1000, description="movies retrieved before mix orders them"
    )


def _example(**content: Any) -> JsonDict:
    """A body that any model can answer, for the description of the routes."""
    return {"examples": [content]}


_LIKED: list[JsonValue] = [{"movie": "toy story"}, {"movie": "heat", "rating": 4}]


class RecommendRequest(
    Person, Wishes, extra="allow", json_schema_extra=_example(history=_LIKED, k=5)
):
    """Movies for one person."""


class RankRequest(Person, json_schema_extra=_example(history=_LIKED, movies=["jumanji", "casino"])):
    """The caller's candidates in order, for one person."""

    movies: list[Name] = Field(min_length=1, max_length=MOST_EVENTS, description="ids or titles")
    mix: Share | None = Field(
        None,
        description="0: likely to watch first; 1: best rated first; default: 1, without ratings 0",
    )


class RateRequest(Person, json_schema_extra=_example(history=_LIKED, movies=["jumanji", "casino"])):
    """What one person would rate some movies."""

    movies: list[Name] = Field(min_length=1, max_length=MOST_EVENTS, description="ids or titles")


class ExplainRequest(Person, json_schema_extra=_example(history=_LIKED, movie="jumanji")):
    """Which of a person's movies moved a recommendation most."""

    movie: Name = Field(description="id or title")


class Member(Person):
    """One of a group."""

    weight: Real = Field(1.0, ge=0, le=1e6, description="how much this taste counts")


class GroupRequest(
    Wishes,
    json_schema_extra=_example(people=[{"history": _LIKED[:1]}, {"user": "7", "weight": 2}], k=5),
):
    """Movies for people who watch together."""

    people: list[Member] = Field(min_length=1, max_length=MOST_PEOPLE)
    rule: Literal["mean", "least_misery", "most_pleasure"] = "mean"


class Movie(BaseModel):
    """A movie as it is listed."""

    movie_id: str
    title: str
    year: int | None
    genres: list[str]
    poster: str | None = Field(
        None, description="where its picture is; only where the server shows any"
    )


class Scored(Movie):
    """A movie with what the model thinks of it; null: nothing."""

    score: float | None
    rating: float | None


class Shared(Scored):
    """A movie for a group, with each one's predicted rating; null: the model predicts none."""

    ratings: list[float] | None


class Event(Movie):
    """A movie that somebody rated; null: seen, and not rated."""

    rating: float | None


class Effect(Event):
    """A movie of a history, and what it did to another's log probability and predicted rating."""

    effect: float
    rating_effect: float | None


Source = Literal["user", "history", "popularity"]


class Recommended(BaseModel):
    """Best first; `source` says what they come from, `history` which movies were meant."""

    version: str
    source: Source
    history: list[Event]
    movies: list[Scored]


class Group(BaseModel):
    """Best first; one source per person."""

    version: str
    sources: list[Source]
    movies: list[Shared]


class Explained(BaseModel):
    """Greatest effect first."""

    version: str
    source: Source
    movie: Movie
    history: list[Effect]


class Similar(BaseModel):
    """Nearest first; `score` in standard deviations, `rating` always null."""

    version: str
    movie: Movie
    movies: list[Scored]


class Found(BaseModel):
    """Movies that fit what was typed."""

    movies: list[Movie]


class Users(BaseModel):
    """User ids that start as asked, and how many there are of them."""

    total: int
    users: list[str]


class UserHistory(BaseModel):
    """What is stored of a user, newest first."""

    version: str
    user: str
    history: list[Event]


class UserFeature(BaseModel):
    """What may be told of a person, for a form."""

    name: str
    label: str
    number: bool
    values: list[str] = Field(description="to choose from, the most frequent first")
    usual: list[float] | None = Field(
        min_length=2, max_length=2, description="between which numbers most lie; null: not known"
    )


class Category(BaseModel):
    """A category of movies, by whose values lists can be limited."""

    name: str
    label: str
    total: int = Field(description="how many values there are")
    values: list[str] = Field(description="those that most movies have, the most frequent first")


class Values(BaseModel):
    """Values of a category that hold what was typed, the most frequent first."""

    values: list[str]


class About(BaseModel):
    """What the served model is."""

    model: str
    version: str
    scale: list[float] | None = Field(
        min_length=2, max_length=2, description="null: trained without ratings"
    )
    movies: int
    users: int
    genres: list[str]
    categories: list[Category] = Field(
        description="of movies, by whose values lists can be limited"
    )
    years: list[int] | None = Field(description="the first and the last that is known")
    user_features: list[str]
    asked: list[UserFeature] = Field(description="the same, as a form asks for them")
    item: list[str] = Field(
        min_length=2, max_length=2, description="what one of its movies is called, and several"
    )
    mix: float = Field(
        description="the mix of the page and the command line, by what valid has shown"
    )


class Error(BaseModel):
    """One sentence."""

    error: str

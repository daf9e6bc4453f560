"""What a source of ratings looks like: which column of which file is what.

A source is a YAML file: one of `schemas/sources/` by its name, or a user's own by its path.
`docs/sources.md` explains every key.
"""

from pathlib import Path
from typing import Annotated

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from schemas.errors import UserError
from schemas.features import Features, age_of
from schemas.source_mistakes import sentence
from schemas.source_parts import (
    Date,
    Declared,
    Finite,
    Listed,
    Number,
    Part,
    Several,
    Text,
    labels_of,
)
from schemas.source_tables import (
    Credits,
    Links,
    Movies,
    Ratings,
    Table,
    Users,
    checked_scale,
)
from schemas.source_yaml import read_yaml
from schemas.words import MOVIE, Item, item_of

LONGEST_WORD = 30
_FOLDER = Path(__file__).parent / "sources"


class Source(BaseModel):
    """The files of one source and how to read them; travels as JSON between components.

    `scale` is the lowest and the highest rating; there is none where the source has no ratings.
    `real_ids` are ids that look like words for nothing, such as `none`. `item` is what people call
    what is recommended, one and, where that is irregular, several.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    aliases: Listed = ()
    real_ids: Listed = ()
    item: Annotated[Listed, Field(min_length=1, max_length=2)] = (MOVIE.one,)
    ratings: Ratings
    scale: Annotated[tuple[Finite, Finite] | None, Field(validate_default=True)] = None
    movies: Movies | None = None
    credits: Credits | None = None
    links: Links | None = None
    users: Users | None = None

    @field_validator("item")
    @classmethod
    def _words(cls, item: tuple[str, ...]) -> tuple[str, ...]:
        if not all(item) or any(len(word) > LONGEST_WORD for word in item):
            raise ValueError("write a word for one, such as board game, or for one and for several")
        return item

    @field_validator("scale")
    @classmethod
    def _of_the_ratings(
        cls, scale: tuple[float, float] | None, validated: ValidationInfo
    ) -> tuple[float, float] | None:
        ratings = validated.data.get("ratings")
        return scale if ratings is None else checked_scale(scale, ratings)

    @model_validator(mode="after")
    def _consistent(self) -> "Source":
        if self.movies is None and (self.links or self.credits):
            raise ValueError("links and credits need a movies table that they belong to")
        names = self.features
        if both := sorted({*names.users} & {*names.movies}):
            raise ValueError(f"users.features.{both[0]}: movies have a feature of this name")
        if both := sorted({*self.ratings.features} & {*names.users, *names.movies}):
            raise ValueError(
                f"ratings.features.{both[0]}: users or movies have a feature of this name"
            )
        dated = self._dated()
        made = {name for own, part in dated for name in [*labels_of(own, part)][1:]}
        made |= {age_of(name) for name, _ in dated}
        if twice := sorted(made & {name for table in self._tables() for name in table.features}):
            raise ValueError(f"features.{twice[0]}: a date makes a feature of this name")
        kinds: dict[str, type[Part]] = {}
        for table in self._movie_tables():
            for name, part in table.declared().items():
                if kinds.setdefault(name, _kind(part)) is not _kind(part):
                    raise ValueError(f"credits.features.{name}: in movies it is of another kind")
        return self

    @property
    def has_ratings(self) -> bool:
        """Whether any row says how much it was liked; without, rows say what was seen."""
        return self.ratings.columns.rating is not None

    @property
    def has_timestamps(self) -> bool:
        """Whether every rating says when it was given."""
        return self.ratings.columns.timestamp is not None

    @property
    def has_posters(self) -> bool:
        """Whether it says where the movies' pictures are."""
        return self.movies is not None and self.movies.columns.poster is not None

    @property
    def features(self) -> Features:
        """The names of all features."""
        parts = self._parts()
        several = [name for name, part in parts if isinstance(part, Several)]
        movies = [name for own, part in parts for name in labels_of(own, part)]
        users = self.users.features if self.users else {}
        events = self.ratings.features
        declared = [*users.items(), *parts, *events.items()]
        numbers = [name for name, part in declared if isinstance(part, Number | Date)]
        dated = self._dated() if self.has_timestamps else []
        ages = [age_of(name) for name, _ in dated]
        asked = [name for name, part in events.items() if part.known_when_asked]
        return Features(
            users=tuple(name for own, part in users.items() for name in labels_of(own, part)),
            movies=_once(movies),
            events=_once([*events, *ages]),
            asked=_once([*asked, *(age_of(name) for name, _ in dated if name in users)]),
            ages=_once(ages),
            several=_once(several),
            numbers=_once([*numbers, *ages]),
            texts=_once([name for name, part in parts if isinstance(part, Text)]),
        )

    @property
    def labels(self) -> dict[str, str]:
        """What people call the features of movies, users and ratings, by name."""
        declared = {name: part for table in self._tables() for name, part in table.features.items()}
        labels = [labels_of(name, part) for name, part in declared.items()]
        told = {name: label for own in labels for name, label in own.items()}
        return told | {age_of(name): f"{told[name]}: age" for name, _ in self._dated()}

    @property
    def items(self) -> Item:
        """What is recommended, in words: one, and several."""
        return item_of(self.item)

    def _parts(self) -> list[tuple[str, Declared]]:
        return [part for table in self._movie_tables() for part in table.declared().items()]

    def _dated(self) -> list[tuple[str, Date]]:
        """The dates of movies and users, by name."""
        users = [*self.users.features.items()] if self.users else []
        return [(name, part) for name, part in (*self._parts(), *users) if isinstance(part, Date)]

    def _tables(self) -> list[Movies | Credits | Users | Ratings]:
        tables: list[Movies | Credits | Users | Ratings] = [*self._movie_tables(), self.ratings]
        return [*tables, *([self.users] if self.users else [])]

    def _movie_tables(self) -> list[Movies | Credits]:
        return [table for table in (self.movies, self.credits) if table is not None]

    def tables(self) -> dict[str, Table]:
        """The tables that this source has, by name: ratings, movies, credits, links, users."""
        tables = {
            "ratings": self.ratings,
            "movies": self.movies,
            "credits": self.credits,
            "links": self.links,
            "users": self.users,
        }
        return {name: table for name, table in tables.items() if table is not None}

    def patterns(self) -> dict[str, list[str]]:
        """Globs relative to the data directory, by table: every file whose bytes matter."""
        return {name: table.patterns() for name, table in self.tables().items()}


def _kind(part: Part) -> type[Part]:
    return Several if isinstance(part, Several) else type(part)


def _once(names: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def source_names() -> list[str]:
    """The names that `load_source` knows, aliases included, sorted."""
    return sorted(_known())


def load_source(name_or_path: str) -> Source:
    """The source of that name, or the one that the YAML file at that path describes.

    Raises:
      UserError: the name is unknown, the file is missing, or a key of it is wrong.
    """
    if name_or_path.endswith((".yaml", ".yml")):
        return _read(Path(name_or_path), Path(name_or_path).stem)
    known = _known()
    if name_or_path not in known:
        raise UserError(
            f"There is no source named {name_or_path!r}: take one of {', '.join(sorted(known))}, "
            "or the path of a .yaml file that describes your own."
        )
    return _read(known[name_or_path], name_or_path)


def _known() -> dict[str, Path]:
    known = {}
    for path in _FOLDER.glob("*.yaml"):
        known[path.stem] = path
        known.update(dict.fromkeys(read_yaml(path).get("aliases", []), path))
    return known


def _read(path: Path, name: str) -> Source:
    try:
        return Source.model_validate({"name": name} | read_yaml(path))
    except ValidationError as error:
        raise UserError(f"{path}: {sentence(error, Source)}.") from error

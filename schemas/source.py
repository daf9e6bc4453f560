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
from schemas.features import MOVIE_FEATURES, USER_FEATURES
from schemas.source_mistakes import sentence
from schemas.source_parts import Finite, Listed
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

_FOLDER = Path(__file__).parent / "sources"


class Source(BaseModel):
    """The files of one source and how to read them; travels as JSON between components.

    `scale` is the lowest and the highest rating; there is none where the source has no ratings.
    `real_ids` are ids that look like words for nothing, such as `none`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    aliases: Listed = ()
    real_ids: Listed = ()
    ratings: Ratings
    scale: Annotated[tuple[Finite, Finite] | None, Field(validate_default=True)] = None
    movies: Movies | None = None
    credits: Credits | None = None
    links: Links | None = None
    users: Users | None = None

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
    def user_features(self) -> list[str]:
        """The user features that the users table has, in the order of `USER_FEATURES`."""
        if self.users is None:
            return []
        columns = self.users.columns
        return [name for name in USER_FEATURES if getattr(columns, name)]

    @property
    def movie_features(self) -> list[str]:
        """The movie features that the movie tables have, in the order of `MOVIE_FEATURES`."""
        tables = (self.movies, self.credits)
        return [
            name for name in MOVIE_FEATURES if any(getattr(table, name, None) for table in tables)
        ]

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

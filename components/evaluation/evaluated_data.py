"""What the Evaluator reads of the data: splits, catalogue, and the names to ask the model for."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.evaluation.rated import count_users
from components.evaluation.unusual_names import pick_names
from components.examples.activity import Movies, read_movies
from components.examples.arrow import filled
from components.examples.catalogue import Catalogue
from components.examples.paths import split_files as files_of_split
from components.examples.rows import read_rows
from components.tfx.artifacts import Artifacts, folder, split_files
from schemas.artifacts import CATALOGUE, UNJUDGED
from schemas.text import to_texts

MOST_ACTIVE = 100  # users with the most ratings, whose lists are checked beside a sample's


@dataclass(frozen=True)
class EvaluatedData:
    """The data of one evaluation.

    splits: TFRecord files by split, with those that are in none, too many to judge by.
    catalogue_files: TFRecord files of the catalogue, in order.
    catalogue: ids, titles and genres of every movie.
    movies: what is known of the catalogue's movies, aligned.
    before: whether an eval history holds what came earlier, rather than all that is not in eval.
    """

    splits: dict[str, list[str]]
    catalogue_files: list[str]
    catalogue: Catalogue
    movies: Movies
    before: bool

    @property
    def movie_ids(self) -> pa.Array:
        """The ids of the catalogue's movies: binary."""
        return self.catalogue.ids


def read_data(inputs: Artifacts) -> EvaluatedData:
    """Reads the node's examples and catalogue."""
    examples = inputs["examples"]
    uri = folder(examples)
    splits = {split: split_files(examples, split) for split in ("train", "valid", "eval")}
    splits[UNJUDGED] = files_of_split(uri, UNJUDGED)
    files = split_files(inputs[CATALOGUE], CATALOGUE)
    catalogue, movies = read_movies(files, splits["train"])
    before = read_rows(uri)["history"] == "before"
    return EvaluatedData(splits, files, catalogue, movies, before)


class Names(NamedTuple):
    """What to ask for by name: users, those with the most ratings, movies, titles and genres."""

    users: list[str]
    most_active: list[str]
    movies: list[str]
    titles: list[str]
    genres: list[str]

    def pairs(self) -> list[tuple[str, str]]:
        """Users and movies side by side, each of the fewer as often as there are others."""
        count = max(len(self.users), len(self.movies)) if self.users and self.movies else 0
        rows = range(count)
        return [(self.users[i % len(self.users)], self.movies[i % len(self.movies)]) for i in rows]


def choose_names(data: EvaluatedData) -> Names:
    """Chooses names of every kind, and those who rated most."""
    users, counts = count_users(data.splits)
    most_active = users.take(pa.array(np.argsort(-counts, kind="stable")[:MOST_ACTIVE]))
    return Names(
        pick_names(users),
        to_texts(filled(most_active)),
        pick_names(data.movie_ids),
        pick_names(pc.unique(data.catalogue.titles)),
        pick_names(pc.unique(data.catalogue.known("genres")[1])),
    )

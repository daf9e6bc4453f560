"""The catalogue: what is known of every movie, in the order of the catalogue's Examples."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from tensorflow_metadata.proto.v0 import schema_pb2

from components.examples.arrow import filled
from components.examples.tables import tables
from components.examples.terms import frequent_terms
from schemas.features import YEAR

_TEXT = pa.large_binary()
_UNKNOWN_YEAR, _UNKNOWN_NUMBER = b"0", b"nan"  # '' stands for other unknown values


@dataclass(frozen=True)
class Catalogue:
    """The movies, one row each: the rows by which all other parts number movies.

    ids, titles: large_binary [movies].
    features: by name, what is known of each movie: lists of large_binary [movies], numbers as
      text; what stands for an unknown value ('', year 0, NaN) is left out.
    numbers: the features that are numbers, but for the year.
    """

    ids: pa.LargeBinaryArray
    titles: pa.LargeBinaryArray
    features: Mapping[str, pa.Array]
    numbers: Collection[str] = ()

    def __len__(self) -> int:
        """How many movies there are."""
        return len(self.ids)

    def known(self, feature: str) -> tuple[NDArray[np.int64], pa.LargeBinaryArray]:
        """The values of a feature one by one: the row of each one's movie, and the value: [values].

        Nothing where the catalogue lacks the feature.
        """
        if feature not in self.features:
            return np.zeros(0, np.int64), pa.array([], _TEXT)
        lists = self.features[feature]
        return pc.list_parent_indices(lists).to_numpy().astype(np.int64), pc.list_flatten(lists)

    def with_terms(
        self, texts: Sequence[str], counted: NDArray[np.bool_]
    ) -> tuple["Catalogue", dict[str, list[bytes]]]:
        """The same with terms in place of each text, and their vocabularies: see `frequent_terms`.

        Args:
          texts: the features that are texts.
          counted: bool [movies].
        """
        there = [name for name in texts if name in self.features]
        found = {name: frequent_terms(self.features[name], counted) for name in there}
        terms = {name: lists for name, (lists, _) in found.items()}
        vocabularies = {name: vocabulary for name, (_, vocabulary) in found.items()}
        return replace(self, features={**self.features, **terms}), vocabularies

    def known_features(self) -> "Catalogue":
        """The same without the features of which no movie has a value."""
        known = {name: own for name, own in self.features.items() if len(pc.list_flatten(own))}
        return replace(self, features=known)

    def values(self, feature: str) -> list[list[bytes]]:
        """The values of a feature by movie; empty lists where the catalogue lacks the feature."""
        held = self.features.get(feature)
        return [[] for _ in range(len(self))] if held is None else filled(held)


def read_catalogue(
    files: Sequence[str], features: Sequence[str] = (), numbers: Collection[str] = ()
) -> Catalogue:
    """Reads the files of the catalogue's Examples, in their order.

    Args:
      files: TFRecord files.
      features: those to read.
      numbers: those that are numbers.
    """
    read = ("movie_id", "movie_title", *features)
    parts = list(tables(files, read, _schema(read, numbers)))
    unknown = {**dict.fromkeys(numbers, _UNKNOWN_NUMBER), YEAR: _UNKNOWN_YEAR}
    columns = {name: _column(parts, name) for name in read}
    return Catalogue(
        ids=pc.list_flatten(columns["movie_id"]),
        titles=pc.list_flatten(columns["movie_title"]),
        features={name: _without(columns[name], unknown.get(name, b"")) for name in features},
        numbers=tuple(name for name in features if name in numbers),
    )


def _schema(names: Sequence[str], numbers: Collection[str]) -> schema_pb2.Schema:
    kinds = dict.fromkeys(names, schema_pb2.BYTES) | dict.fromkeys(numbers, schema_pb2.FLOAT)
    kinds = {name: kinds[name] for name in names} | (
        {YEAR: schema_pb2.INT} if YEAR in names else {}
    )
    features = [schema_pb2.Feature(name=name, type=kind) for name, kind in kinds.items()]
    return schema_pb2.Schema(feature=features)


def _column(parts: Sequence[pa.Table], name: str) -> pa.ListArray:
    """A column of all parts as lists of text, empty where an Example has no value."""
    chunks = [chunk for part in parts for chunk in part[name].chunks]
    lengths = [pc.fill_null(pc.list_value_length(chunk), 0).to_numpy() for chunk in chunks]
    values = [_text(pc.list_flatten(chunk)) for chunk in chunks]
    return _lists(pa.concat_arrays([pa.array([], _TEXT), *values]), _joined(lengths))


def _text(values: pa.Array) -> pa.Array:
    binary = pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type)
    return (values if binary else values.cast(pa.large_string())).cast(_TEXT)


def _without(lists: pa.ListArray, value: bytes) -> pa.ListArray:
    """The lists without this value."""
    flat, owners = pc.list_flatten(lists), pc.list_parent_indices(lists).to_numpy()
    kept = pc.not_equal(flat, pa.scalar(value, _TEXT))
    own = owners[kept.to_numpy(zero_copy_only=False)]
    return _lists(flat.filter(kept), np.bincount(own, minlength=len(lists)))


def _lists(values: pa.Array, lengths: NDArray[Any]) -> pa.ListArray:
    """Consecutive values as lists of these lengths."""
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), values)


def _joined(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate([np.zeros(0, np.int64), *arrays])

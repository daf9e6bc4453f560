"""One version of an exported model, loaded: its signatures, its catalogue, its users."""

import weakref
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2
from tensorflow.python.eager import context

from schemas.errors import UserError
from schemas.features import SEPARATOR
from schemas.links import plain
from schemas.manifest import GRAPH_FILE, fault
from schemas.stack import installed
from schemas.text import to_texts
from schemas.words import MOVIE, Item
from serving.budget import Budget, price

NO_RATINGS = "This model was trained without ratings: it cannot predict any."
CLOSED = (
    "Histories and user ids are closed here: start the server with a token, or with "
    "--open-histories."
)
# Signatures that return what is stored of the users whose ids they are given.
_TELLING = ("history", "explain", "query")
_NO_FEATURES = {"user_id", "history_movie_id", "history_rating", "movie_id"}  # of `explain`
Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Catalogue:
    """The movies, row by row: ids, titles, years (0 unknown), genres, and ratings in train.

    posters: where each one's picture is, as the source says; '' unknown.
    categories: by which lists can be limited.
    held: how many values the graph holds against the wishes for categories.
    """

    ids: list[str]
    titles: list[str]
    years: list[int]
    genres: list[list[str]]
    ratings: NDArray[Any]
    rows: Mapping[str, int]
    posters: list[str]
    categories: Mapping[str, "Category"]
    held: int

    @property
    def genre_names(self) -> list[str]:
        """Every genre there is, sorted."""
        return sorted({name for own in self.genres for name in own})


@dataclass(frozen=True)
class Category:
    """A category of movies: what people call it, and its values, those of most movies first."""

    label: str
    values: list[str]

    @cached_property
    def known(self) -> frozenset[str]:
        """All values."""
        return frozenset(self.values)

    def search(self, typed: str, k: int) -> list[str]:
        """At most k of the values that hold what is typed, in any case."""
        typed = typed.casefold().strip()
        fitting = (value for value in self.values if typed in value.casefold())
        return list(islice(fitting, k))


class Closed(UserError):  # noqa: N818 (it is a state)
    """Histories are not told to those who may ask."""

    def __init__(self) -> None:
        super().__init__(CLOSED)


class Model:
    """A loaded version. Calls are thread-safe; what they raise is TensorFlow's.

    `scale` is its lowest and highest rating, or None if it was trained without ratings. Of the
    features that callers may tell of a person, `told_features`, it knows `user_features`;
    `numbers` are those that are numbers. `asked` says what a form may ask of a person. `item` is
    what people call its movies, `mix` by what lists are ordered for people who do not say.
    """

    def __init__(self, path: Path) -> None:
        """Loads the SavedModel at `path`, a folder named by its version.

        Raises:
          UserError: it is not a model that Greenlight exported, or not as it was pushed.
          Exception: whatever TensorFlow says of files that are broken or missing.
        """
        if wrong := fault(path):
            raise UserError(f"{wrong[0].upper()}{wrong[1:]}.")
        self.path, self.version = path, path.name
        self.budget: Budget | None = None  # of the server, once it has tried the model
        self.open_histories = True  # whether it tells what is stored of whom
        self._loaded = load(path)
        self.declared = read_definitions(path)
        self.definitions = {
            name: declared for name, declared in self.declared.items() if name[:2] != "__"
        }
        if "recommend_filtered" not in self.definitions or not hasattr(self._loaded, "catalogue"):
            raise UserError(f"{path} is not a model that Greenlight exported.")
        self._calls = dict(self._loaded.signatures)
        self._defaults = {
            name: {key: tf.constant(tf.make_ndarray(value)) for key, value in d.defaults.items()}
            for name, d in self.definitions.items()
        }
        self.catalogue = _read_catalogue(self._loaded.catalogue)
        # Where somebody was forgotten, the place of the id is empty.
        self.users = [user for user in to_texts(self._loaded.user_ids.numpy()) if user]
        self.known_users = frozenset(self.users)
        low_high = self._loaded.scale.numpy().tolist()
        self.scale = (low_high[0], low_high[1]) if low_high else None
        self.user_features = to_texts(self._loaded.user_features.numpy())
        # Earlier versions knew of movies alone.
        self.item = (
            Item(*to_texts(self._loaded.item.numpy())) if hasattr(self._loaded, "item") else MOVIE
        )
        self.asked = _read_asked(self._loaded, self.user_features)
        # Earlier versions ordered by likely to watch alone.
        self.mix = (
            round(float(self._loaded.mix.numpy()), 3) if hasattr(self._loaded, "mix") else 0.0
        )
        inputs = self.definitions["explain"].inputs
        taken = {*inputs} - _NO_FEATURES
        self.told_features = list(dict.fromkeys([*self.user_features, *sorted(taken)]))
        self.numbers = {name for name in taken if inputs[name].dtype == types_pb2.DT_FLOAT}

    def call(self, signature: str, /, **inputs: Any) -> Arrays:
        """Calls a signature; inputs left out have their defaults.

        Args:
          signature: its name.
          **inputs: arrays, tensors or nested lists of the input's type.

        Returns:
          Its outputs, by name.

        Raises:
          Closed: it would tell a stored history, and is not to.
          TooMuch, Busy: see `Budget`, where there is one.
        """
        if signature in _TELLING and {*np.ravel(inputs.get("user_id", ""))} - {"", b""}:
            self.check_open()
        wanted = self.definitions[signature].inputs
        tensors = dict(self._defaults[signature])
        for name, value in inputs.items():
            tensors[name] = tf.constant(value, tf.as_dtype(wanted[name].dtype))
        with self._paid(signature, tensors):
            outputs = self._calls[signature](**tensors)
            return {name: tensor.numpy() for name, tensor in outputs.items()}

    def check_open(self) -> None:
        """Raises Closed where ids and histories of users are not told."""
        if not self.open_histories:
            raise Closed

    def _paid(self, signature: str, tensors: Mapping[str, Any]) -> AbstractContextManager[None]:
        if self.budget is None:
            return nullcontext()
        shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
        if signature == "evaluate" and shapes["examples"][0]:
            # An event takes three bytes at least: a letter of its movie's id, and what marks it.
            longest = int(tf.reduce_max(tf.strings.length(tensors["examples"])))
            shapes["examples"] += (longest // 3,)
        size = len(self.catalogue.ids), self.catalogue.held
        return self.budget.spend(price(signature, shapes, *size), price(signature, {}, *size))


@dataclass(frozen=True)
class UserFeature:
    """A user feature as a form asks for it.

    values: those to choose from, the most frequent first; none of a number.
    usual: between which numbers most lie; None of words, and where nothing is known of it.
    """

    name: str
    label: str
    values: list[str]
    usual: list[float] | None


def load(path: Path) -> Any:
    """Loads a SavedModel and, before it, what operations it needs.

    Raises:
      UserError: they are not installed.
    """
    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((path / GRAPH_FILE).read_bytes())
    operations = saved.meta_graphs[0].meta_info_def.stripped_op_list.op
    if any(operation.name.startswith("Scann>") for operation in operations):
        load_ops()
    loaded = tf.saved_model.load(str(plain(path.absolute())))
    finalizer = weakref.finalize(loaded, _destroy, _tables(loaded.signatures.values()))
    finalizer.atexit = False
    return loaded


def _tables(signatures: Iterable[Any]) -> list[tf.Tensor]:
    """The lookup tables that signatures read: TensorFlow keeps them when the model is gone."""
    tables = dict[int, tf.Tensor]()
    for signature in signatures:
        variables = {id(variable.handle) for variable in signature.variables}
        for tensor in signature.captured_inputs:
            if tensor.dtype == tf.resource and id(tensor) not in variables:
                tables[id(tensor)] = tensor
    return list(tables.values())


def _destroy(resources: Iterable[tf.Tensor]) -> None:
    """Destroys resources, even where Python collects garbage while a graph is built."""
    with context.eager_mode():  # as TensorFlow does for variables; `init_scope` leaves no tf.Graph
        for resource in resources:
            tf.raw_ops.DestroyResourceOp(resource=resource)


def load_ops() -> Any:
    """ScaNN's operations, which only approximate models need.

    Raises:
      UserError: they are not installed.
    """
    try:
        from scann.scann_ops.py import scann_ops
    except (ImportError, tf.errors.NotFoundError) as error:  # not there, or of another TensorFlow
        advice = "pip install 'greenlight[index]'"
        if not installed().has_scann:
            advice = (
                f"no release of it is built for TensorFlow {tf.__version__}, so take the older "
                "stack, by GREENLIGHT_STACK=tfx1.16"
            )
        raise UserError(f"This needs ScaNN: {advice}.") from error
    return scann_ops


def read_definitions(path: Path) -> dict[str, meta_graph_pb2.SignatureDef]:
    """The signatures that a SavedModel declares, by name; TensorFlow's own begin with "__"."""
    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((path / GRAPH_FILE).read_bytes())
    declared = saved.meta_graphs[0].signature_def
    return {name: declared[name] for name in sorted(declared)}


def _read_catalogue(saved: Any) -> Catalogue:
    ids = to_texts(saved.movie_id.numpy())
    return Catalogue(
        ids,
        to_texts(saved.movie_title.numpy()),
        saved.year.numpy().tolist(),
        _genres(saved),
        saved.ratings.numpy(),
        {movie: row for row, movie in enumerate(ids)},
        to_texts(saved.poster.numpy()) if hasattr(saved, "poster") else [""] * len(ids),
        *(_categories(saved.categories, len(ids)) if hasattr(saved, "categories") else ({}, 0)),
    )


def _categories(saved: Any, movies: int) -> tuple[dict[str, Category], int]:
    """The categories, and how many values are held against a wish: see `exported.categories`."""
    names, labels, pairs = (
        to_texts(own.numpy()) for own in (saved.names, saved.labels, saved.values)
    )
    found = {name: Category(label, []) for name, label in zip(names, labels, strict=True)}
    counts = np.bincount(saved.value_rows.numpy(), minlength=len(pairs))
    for row in np.argsort(-counts, kind="stable"):
        name, value = pairs[row].split("=", 1)
        found[name].values.append(value)
    held = len(pairs) + int(counts.sum()) + movies * len(names)
    return {name: category for name, category in found.items() if category.values}, held


def _read_asked(saved: Any, names: Sequence[str]) -> list[UserFeature]:
    if not hasattr(saved, "told"):  # earlier versions
        return []
    labels, values = (to_texts(own.numpy()) for own in (saved.told.labels, saved.told.values))
    if hasattr(saved.told, "names"):  # earlier versions told of users alone
        names = to_texts(saved.told.names.numpy())
    usual = saved.told.usual.numpy().tolist()
    return [
        UserFeature(
            name, label, text.split(SEPARATOR) if text else [], None if isnan(ends[0]) else ends
        )
        for name, label, text, ends in zip(names, labels, values, usual, strict=True)
    ]


def _genres(saved: Any) -> list[list[str]]:
    # Earlier versions exported `genres`, in which no name could hold the mark between them.
    names, mark = (
        (saved.genre_names, SEPARATOR) if hasattr(saved, "genre_names") else (saved.genres, "|")
    )
    return [text.split(mark) if text else [] for text in to_texts(names.numpy())]


def padded(lists: list[list[Any]], padding: Any, dtype: Any) -> NDArray[Any]:
    """Lists of different lengths as one array, padded behind."""
    width = max(map(len, lists), default=0)
    rows = [own + [padding] * (width - len(own)) for own in lists]
    return np.array(rows, dtype).reshape([len(lists), width])

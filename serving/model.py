"""One version of an exported model, loaded: its signatures, its catalogue, its users."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from schemas.errors import UserError
from schemas.links import plain

GRAPH_FILE = "saved_model.pb"
Arrays = dict[str, NDArray[Any]]


class NoModel(UserError):  # noqa: N818 (it is a state)
    """A folder holds no complete version."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"There is no model in {folder}: `greenlight run` pushes one there.")


@dataclass(frozen=True)
class Catalogue:
    """The movies, row by row: ids, titles, years (0 unknown), genres, and ratings in train."""

    ids: list[str]
    titles: list[str]
    years: list[int]
    genres: list[list[str]]
    ratings: NDArray[Any]
    rows: Mapping[str, int]

    @property
    def genre_names(self) -> list[str]:
        """Every genre there is, sorted."""
        return sorted({name for own in self.genres for name in own})


class Model:
    """A loaded version. Calls are thread-safe; what they raise is TensorFlow's."""

    def __init__(self, path: Path) -> None:
        """Loads the SavedModel at `path`, a folder named by its version.

        Raises:
          UserError: it is not a model that Greenlight exported.
          Exception: whatever TensorFlow says of files that are broken or missing.
        """
        self.path, self.version = path, path.name
        self._loaded = load(path)
        self.definitions = read_definitions(path)
        if "recommend_filtered" not in self.definitions or not hasattr(self._loaded, "catalogue"):
            raise UserError(f"{path} is not a model that Greenlight exported.")
        self._calls = dict(self._loaded.signatures)
        self._defaults = {
            name: {key: tf.constant(tf.make_ndarray(value)) for key, value in d.defaults.items()}
            for name, d in self.definitions.items()
        }
        self.catalogue = _read_catalogue(self._loaded.catalogue)
        self.users = self._loaded.user_ids.numpy().astype(str).tolist()
        self.known_users = frozenset(self.users)
        self.scale = tuple(map(float, self._loaded.scale.numpy()))
        self.user_features = self._loaded.user_features.numpy().astype(str).tolist()

    def call(self, signature: str, **inputs: Any) -> Arrays:
        """Calls a signature; inputs left out have their defaults.

        Args:
          signature: its name.
          **inputs: arrays, tensors or nested lists of the input's type.

        Returns:
          Its outputs, by name.
        """
        wanted = self.definitions[signature].inputs
        tensors = dict(self._defaults[signature])
        for name, value in inputs.items():
            tensors[name] = tf.constant(value, tf.as_dtype(wanted[name].dtype))
        outputs = self._calls[signature](**tensors)
        return {name: tensor.numpy() for name, tensor in outputs.items()}


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
    return tf.saved_model.load(str(plain(path.absolute())))


def load_ops() -> Any:
    """ScaNN's operations, which only approximate models need.

    Raises:
      UserError: they are not installed.
    """
    try:
        from scann.scann_ops.py import scann_ops
    except ImportError as error:
        raise UserError("This needs ScaNN: pip install 'greenlight[index]'.") from error
    return scann_ops


def read_definitions(path: Path) -> dict[str, meta_graph_pb2.SignatureDef]:
    """The signatures that a SavedModel declares, by name, without TensorFlow's own."""
    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((path / GRAPH_FILE).read_bytes())
    found = saved.meta_graphs[0].signature_def
    return {name: found[name] for name in sorted(found) if not name.startswith("__")}


def _read_catalogue(saved: Any) -> Catalogue:
    ids = _text(saved.movie_id)
    return Catalogue(
        ids,
        _text(saved.movie_title),
        saved.year.numpy().tolist(),
        [text.split("|") if text else [] for text in _text(saved.genres)],
        saved.ratings.numpy(),
        {movie: row for row, movie in enumerate(ids)},
    )


def _text(variable: tf.Variable) -> list[str]:
    return [value.decode("utf-8", "replace") for value in variable.numpy()]


def newest_model(folder: Path) -> Model:
    """Loads the newest complete version beneath `folder`.

    Raises:
      UserError: there is none.
    """
    found = complete_versions(folder)
    if not found:
        raise NoModel(folder)
    return Model(found[-1])


def complete_versions(folder: Path) -> list[Path]:
    """Folders named by a number that hold a graph file, which is written last; oldest first."""
    if not folder.is_dir():
        return []
    numbered = (path for path in folder.iterdir() if path.name.isdecimal())
    complete = (path for path in numbered if (path / GRAPH_FILE).is_file())
    return sorted(complete, key=lambda path: int(path.name))


def padded(lists: list[list[Any]], padding: Any, dtype: Any) -> NDArray[Any]:
    """Lists of different lengths as one array, padded behind."""
    width = max(map(len, lists), default=0)
    rows = [own + [padding] * (width - len(own)) for own in lists]
    return np.array(rows, dtype).reshape([len(lists), width])

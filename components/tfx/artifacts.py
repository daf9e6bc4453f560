"""TFX's artifacts: their folders, and the files within."""

from typing import Any, TypeAlias

from google.protobuf.message import Message
from tensorflow_metadata.proto.v0.schema_pb2 import Schema
from tfx.types import Artifact, artifact_utils
from tfx.utils import io_utils, path_utils

from components.examples.paths import listed

__all__ = ["Artifact", "Artifacts", "copy_folder", "folder", "is_blessed", "of_store", "only",
           "read_schema", "saved_model", "saved_model_in", "split_files", "split_folder",
           "split_names", "write_proto", "write_text"]  # fmt: skip

Artifacts: TypeAlias = dict[str, list[Artifact]]  # a node's inputs or outputs, by their names


def only(artifacts: list[Artifact]) -> Artifact:
    """The one artifact there is.

    Raises:
      ValueError: there are more, or none.
    """
    return artifact_utils.get_single_instance(artifacts)


def folder(artifacts: list[Artifact]) -> str:
    """The folder of the one artifact there is; raises as `only`."""
    return artifact_utils.get_single_uri(artifacts)


def split_names(artifact: Artifact) -> list[str]:
    """The splits that the artifact has."""
    return artifact_utils.decode_split_names(artifact.split_names)


def split_folder(artifacts: list[Artifact], split: str) -> str:
    """The folder of one split.

    Raises:
      ValueError: there are more artifacts, or none, or it has no such split.
    """
    return artifact_utils.get_split_uri(artifacts, split)


def split_files(artifacts: list[Artifact], split: str) -> list[str]:
    """The files of one split, sorted; raises as `split_folder`."""
    return listed(io_utils.all_files_pattern(split_folder(artifacts, split)))


def saved_model(artifacts: list[Artifact]) -> str:
    """The folder of the SavedModel that is to be served; raises as `only`."""
    model = only(artifacts)
    return path_utils.serving_model_path(model.uri, path_utils.is_old_model_artifact(model))


def saved_model_in(uri: str) -> str:
    """The folder of the SavedModel within the folder of a Model."""
    return path_utils.serving_model_path(uri)


def read_schema(artifacts: list[Artifact]) -> Schema:
    """The schema in the one artifact there is; raises as `only`."""
    return io_utils.SchemaReader().read(io_utils.get_only_uri_in_dir(folder(artifacts)))


def is_blessed(blessing: Artifact) -> bool:
    """Whether a ModelBlessing says so."""
    return blessing.get_int_custom_property("blessed") == 1


def of_store(kind: Any, stored: Any) -> Artifact:
    """What ML Metadata stores of an artifact, and of its type, as the artifact."""
    return artifact_utils.deserialize_artifact(kind, stored)


def write_text(path: str, text: str) -> None:
    """Writes a file, here or in a store elsewhere, and the folders that it lacks."""
    io_utils.write_string_file(path, text)


def write_proto(path: str, message: Message) -> None:
    """Writes a message as text; else as `write_text`."""
    io_utils.write_pbtxt_file(path, message)


def copy_folder(source: str, target: str) -> None:
    """Copies a folder, here or in a store elsewhere, over what may be there."""
    io_utils.copy_dir(source, target)

"""Pushes a blessed model into the folder of served versions, whole and above all others."""

import json
import re
import time
from os import fsdecode
from pathlib import Path
from posixpath import join
from typing import Any

from tfx.components.evaluator.constants import ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY
from tfx.components.pusher import executor as pusher_executor
from tfx.dsl.io import fileio
from tfx.proto import pusher_pb2
from tfx.types import Artifact, artifact_utils
from tfx.types.standard_component_specs import (
    MODEL_BLESSING_KEY,
    PUSH_DESTINATION_KEY,
    PUSHED_MODEL_KEY,
)
from tfx.utils import io_utils, proto_utils

from schemas.files import own_folder, sync_tree
from schemas.manifest import FILE, GRAPH_FILE, digest

MODEL_ID = ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY
IN_SERVICE = "in_service"  # property of a PushedModel that names its model


class Executor(pusher_executor.Executor):
    """TFX's Pusher, but for the version's number and how it is copied: see `push`."""

    def Do(  # noqa: N802 (TFX's name)
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Pushes the model if it is blessed, and keeps a copy of it as the node's output."""
        self._log_startup(input_dict, output_dict, exec_properties)
        pushed = artifact_utils.get_single_instance(output_dict[PUSHED_MODEL_KEY])
        if not self.CheckBlessing(input_dict):
            self._MarkNotPushed(pushed)
            return
        destination = pusher_pb2.PushDestination()
        proto_utils.json_to_proto(exec_properties[PUSH_DESTINATION_KEY], destination)
        folder, model = destination.filesystem.base_directory, self.GetModelPath(input_dict)
        version = push(model, folder)
        io_utils.copy_dir(model, pushed.uri)
        self._MarkPushed(pushed, join(folder, version), version)
        name_model(pushed, artifact_utils.get_single_instance(input_dict[MODEL_BLESSING_KEY]))


def name_model(pushed: Artifact, blessing: Artifact) -> None:
    """Writes down which model it is, where Vertex AI's look-up of the model in service finds it.

    It is the name that the blessing has it by: there a text, on this machine a number.
    """
    if blessing.has_custom_property(MODEL_ID):
        pushed.set_int_custom_property(IN_SERVICE, 1)
        pushed.set_string_custom_property(MODEL_ID, str(blessing.get_custom_property(MODEL_ID)))


def push(model: str, folder: str, version: str | None = None) -> str:
    """Copies a SavedModel into a folder of versions, local or remote; returns its number.

    On this machine it is written aside, and has its name once all of it is on the disk. In a store
    that cannot rename a folder at once, the graph's file, which servers wait for, comes last. The
    manifest tells them whether all files are as they were meant to be. What was copied when it
    fails is removed. A folder that is not there yet is made for its owner's eyes. `version` is a
    number that is free; default: one above all others.

    Raises:
      OSError, tf.errors.OpError: it cannot be read, or the folder not be written to.
    """
    version = version or next_version(folder)
    place = join(folder, version)
    local = "://" not in folder
    aside = join(folder, f".{version}") if local else place
    if local:
        own_folder(Path(folder))
    try:
        io_utils.copy_dir(model, aside, deny_regex_patterns=[re.escape(GRAPH_FILE)])
        with fileio.open(join(aside, FILE), "w") as file:
            file.write(json.dumps({"sha256": digests(model)}, indent=1) + "\n")
        fileio.copy(join(model, GRAPH_FILE), join(aside, GRAPH_FILE))
        if local:
            sync_tree(Path(aside))
            Path(aside).rename(place)
    except BaseException:
        if fileio.exists(aside):
            fileio.rmtree(aside)
        raise
    return version


def digests(model: str) -> dict[str, str]:
    """The SHA-256 of each file of a SavedModel, local or remote, by its path in it."""
    found = {}
    for folder, _, names in fileio.walk(model):
        for name in names:
            path = join(fsdecode(folder), fsdecode(name))
            with fileio.open(path, "rb") as file:
                found[path[len(model) :].lstrip("/")] = digest(file)
    return dict(sorted(found.items()))


def next_version(folder: str) -> str:
    """The seconds since 1970, or one more than the newest version: what is pushed is the newest."""
    names = fileio.listdir(folder) if fileio.exists(folder) else []
    numbers = [int(name) for name in (str(name).rstrip("/") for name in names) if name.isdecimal()]
    return str(max([int(time.time()), *(number + 1 for number in numbers)]))

"""Asks the exported models in fresh processes and says what their answers are worth."""

import json
import logging
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from tfx import types
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.types import standard_component_specs as specs
from tfx.utils import io_utils, path_utils

from components.evaluation import checks, measures
from components.evaluation.activity import read_movies
from components.evaluation.gates import GatesConfig
from components.example_gen.files import listed

HISTORY_FILE = "history.json"
Inputs = dict[str, list[types.Artifact]]
logger = logging.getLogger("greenlight.progress")


class Review:
    """Asks the models of one evaluation and says what their answers are worth."""

    def __init__(self, inputs: Inputs, settings: dict[str, Any], valid_rows: int) -> None:
        """Takes the node's inputs, the settings of its metric, and what training measured."""
        self._inputs = inputs
        self._config = GatesConfig.model_validate(settings["gates"])
        self._seed, self._scale = settings["seed"], tuple(settings["scale"])
        examples = inputs[specs.EXAMPLES_KEY]
        self._splits = {
            split: listed(io_utils.all_files_pattern(artifact_utils.get_split_uri(examples, split)))
            for split in ("train", "valid", "eval")
        }
        catalogue = artifact_utils.get_split_uri(inputs["catalogue"], "catalogue")
        self._catalogue, self._movies = read_movies(
            listed(io_utils.all_files_pattern(catalogue)), self._splits["train"]
        )
        self._valid_rows = valid_rows
        self._trained = trained_metrics(artifact_utils.get_single_uri(inputs["model_run"]))

    def ask(self, key: str) -> tuple[checks.Answers | None, str]:
        """The answers of a model in a fresh process, or none and the fault."""
        model = artifact_utils.get_single_instance(self._inputs[key])
        logger.info("asking the exported model in a fresh process", extra={"done": 0.1})
        with tempfile.TemporaryDirectory() as folder:
            output = f"{folder}/answers.npz"
            own = key == specs.MODEL_KEY and self._trained is not None
            job = {
                "model": path_utils.serving_model_path(
                    model.uri, path_utils.is_old_model_artifact(model)
                ),
                "examples": self._splits["eval"],
                "users": self._config.list_users,
                "k": self._config.k,
                "outputs": [*measures.OUTPUTS, *measures.FACTS],
                "valid": self._splits["valid"] if own else [],
                "valid_rows": self._valid_rows,
                "output": output,
            }
            path = Path(folder) / "job.json"
            path.write_text(json.dumps(job), encoding="utf-8")
            command = [sys.executable, "-m", "components.evaluation.reload", str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
                return None, lines[-1]
            with np.load(output) as found:
                return dict(found), ""

    def judge(self, found: checks.Answers | None, fault: str) -> dict[str, Any]:
        """The content of `checks.json` for the candidate's answers."""
        content: dict[str, Any] = {"gates": [], "notes": [], "lists": {}}
        if found is None:
            content["gates"].append(checks.failed_reload(fault))
            return content
        content["gates"].append(checks.reloaded())
        if "movies" not in found:
            content["notes"].append("No user could be asked: the eval split is empty")
            return content
        measured = self._measures(found)
        content["lists"]["candidate"] = measured
        content["gates"] += [
            *checks.sanity_gates(found, self._catalogue),
            *checks.agreement_gates(found, self._trained),
            *checks.list_gates(self._config, measured),
        ]
        return content

    def compare(self, inputs: Inputs, content: dict[str, Any]) -> Inputs:
        """Asks the blessed model; leaves it out of the inputs, and notes why, if it is no match."""
        found, fault = self.ask(specs.BASELINE_MODEL_KEY)
        why = checks.incomparable(found, fault, self._scale)
        if why is not None:
            content["notes"].append(
                f"The candidate was not compared with the latest blessed model: {why}"
            )
            return inputs | {specs.BASELINE_MODEL_KEY: []}
        if found and "movies" in found:
            content["lists"]["blessed"] = self._measures(found)
        return inputs

    def _measures(self, found: checks.Answers) -> dict[str, list[float | None]]:
        return checks.measures(found, self._catalogue, self._movies, self._config, self._seed)


def trained_metrics(model_run: str) -> dict[str, float] | None:
    """What training measured on valid, or none where it measured nothing.

    That of the model as it was exported, if the history says it (`exported`). Else the RMSE of the
    epoch that was kept: what is added to retrieval after the epochs leaves ratings as they were.
    """
    with fileio.open(f"{model_run}/{HISTORY_FILE}") as file:
        history = json.load(file)
    names = {"valid_hit_rate@10", "valid_rmse"}
    found = history.get("exported")
    if found is None and 0 < history["best_epoch"] <= len(history["epochs"]):
        found, names = history["epochs"][history["best_epoch"] - 1], {"valid_rmse"}
    return {name: found[name] for name in names if name in found} or None if found else None

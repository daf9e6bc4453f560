"""Asks the exported models in fresh processes and says what their answers are worth."""

import json
import logging
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tfx import types
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.types import standard_component_specs as specs
from tfx.utils import io_utils, path_utils

from components.evaluation import checks, doors, measures
from components.evaluation.gates import RATING, RETRIEVAL, GatesConfig
from components.evaluation.kinds import pick
from components.evaluation.rated import Ratings, count_users, ratings_of
from components.examples.activity import read_movies
from components.examples.paths import listed
from components.examples.rows import read_rows
from schemas.artifacts import CATALOGUE, HISTORY_FILE
from schemas.text import to_texts

TASKS = (RETRIEVAL, RATING)
OUTPUTS = (*measures.OUTPUTS, *measures.FACTS)
MOST_ACTIVE = 100  # users with the most ratings, whose lists are checked beside a sample's
Inputs = dict[str, list[types.Artifact]]
logger = logging.getLogger("greenlight.progress")


class Names(NamedTuple):
    """Whom and what to ask for: users, those with the most ratings, movies, titles and genres."""

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


class Review:
    """Asks the models of one evaluation and says what their answers are worth."""

    def __init__(self, inputs: Inputs, settings: dict[str, Any], valid_rows: int) -> None:
        """Takes the node's inputs, the settings of its metric, and what training measured."""
        self._inputs = inputs
        self._config = GatesConfig.model_validate(settings["gates"])
        model_run = artifact_utils.get_single_uri(inputs["model_run"])
        self.off = tasks_off(model_run)
        self._rates = RATING not in self.off
        self._seed = settings["seed"]
        self._scale = tuple(settings["scale"]) if self._rates else None
        examples = inputs[specs.EXAMPLES_KEY]
        self._splits = {
            split: listed(io_utils.all_files_pattern(artifact_utils.get_split_uri(examples, split)))
            for split in ("train", "valid", "eval")
        }
        catalogue = artifact_utils.get_split_uri(inputs[CATALOGUE], CATALOGUE)
        self._catalogue_files = sorted(listed(io_utils.all_files_pattern(catalogue)))
        self._catalogue, self._movies = read_movies(self._catalogue_files, self._splits["train"])
        rows = read_rows(artifact_utils.get_single_uri(examples))
        self._before = rows["history"] == "before"
        self._valid_rows = valid_rows
        self._trained = trained_metrics(model_run)
        self._asked = self._names()

    def _names(self) -> Names:
        """Chooses whom and what to ask for: names of every kind, and those who rated most."""
        users, counts = count_users(self._splits)
        most = users.take(pa.array(np.argsort(-counts, kind="stable")[:MOST_ACTIVE]))
        movies = self._catalogue
        return Names(
            pick(users),
            to_texts(most.to_pylist()),
            pick(movies.ids),
            pick(pc.unique(movies.titles)),
            pick(pc.unique(movies.known("genres")[1])),
        )

    def ask(self, key: str) -> tuple[checks.Answers | None, str]:
        """The answers of a model in a fresh process, or none and the fault."""
        logger.info("asking the exported model in a fresh process", extra={"done": 0.1})
        with tempfile.TemporaryDirectory() as folder:
            own = key == specs.MODEL_KEY
            measured = own and self._trained is not None
            job = {
                "model": self._path(key),
                "catalogue": self._catalogue_files,
                "examples": self._splits["eval"],
                "users": self._config.list_users,
                "k": self._config.k,
                "outputs": [name for name in OUTPUTS if name not in measures.RATED_OUTPUTS],
                "rated_outputs": measures.RATED_OUTPUTS,
                "rates": self._rates if own else None,
                "valid": self._splits["valid"] if measured else [],
                "valid_rows": self._valid_rows,
                "people": [*self._asked.most_active, *self._asked.users] if own else [],
                "pairs": self._asked.pairs() if own else [],
                "output": f"{folder}/answers.npz",
                "told": f"{folder}/told.json",
            }
            path = Path(folder) / "job.json"
            path.write_text(json.dumps(job), encoding="utf-8")
            command = [sys.executable, "-m", "components.evaluation.reload", str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
                return None, lines[-1]
            with np.load(f"{folder}/answers.npz") as found:
                told = json.loads(Path(folder, "told.json").read_text(encoding="utf-8"))
                return {**found, **told}, ""

    def _path(self, key: str) -> str:
        model = artifact_utils.get_single_instance(self._inputs[key])
        return str(
            path_utils.serving_model_path(model.uri, path_utils.is_old_model_artifact(model))
        )

    def judge(self, found: checks.Answers | None, fault: str) -> dict[str, Any]:
        """The content of `checks.json` for the candidate's answers."""
        content: dict[str, Any] = {"gates": [], "notes": [], "lists": {}}
        if found is None:
            content["gates"].append(checks.failed_reload(fault))
            return content
        content["gates"].append(checks.reloaded())
        off = {**self._config.off, **self.off}
        if len(off) == len(TASKS):
            content["gates"].append(checks.nothing_judged(off))
        people = pa.array([name.encode() for name in found["people"]], pa.large_binary())
        ids = self._catalogue.ids
        rated = ratings_of(self._splits, people, ids)
        content["gates"].append(checks.served_gate(found["served"], rated, found["people"]))
        content["gates"].append(self._through_the_server(found, rated))
        if "movies" not in found:
            content["notes"].append("No user could be asked: the eval split is empty")
            return content
        measured = self._measures(found)
        content["lists"]["candidate"] = measured
        earlier = checks.earlier(rated, len(found["movies"]), self._before)
        content["gates"] += [
            *checks.sanity_gates(found, len(ids), earlier),
            *checks.agreement_gates(found, self._trained),
            *([] if RETRIEVAL in off else checks.list_gates(self._config, measured)),
        ]
        return content

    def _through_the_server(self, found: checks.Answers, rated: Ratings) -> checks.Gate:
        """Starts the server on the export and asks it for names of every kind."""
        logger.info("asking the server, started on the export", extra={"done": 0.2})
        ids = to_texts(self._catalogue.ids.to_pylist())
        histories: dict[str, set[str]] = {}
        for user in {pair["user"] for pair in found["pairs"]}:
            own = rated.movie[rated.owner == found["people"].index(user)]
            histories[user] = {ids[movie] for movie in own.tolist()}
        asked = doors.Asked(found["pairs"], histories, self._asked.titles, self._asked.genres)
        with doors.running(self._path(specs.MODEL_KEY)) as server:
            return checks.doors_gate(asked.names, doors.fault(server, asked))

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
            if "rated" in found and not self._rates and self._config.rating:
                content["gates"].append(checks.lost_ratings(self.off[RATING]))
        return inputs

    def _measures(self, found: checks.Answers) -> dict[str, list[float | None]]:
        return checks.measures(found, self._movies, self._config, self._seed)


def tasks_off(model_run: str) -> dict[str, str]:
    """The tasks that training found nothing to learn of, each with the reason in words."""
    with fileio.open(f"{model_run}/{HISTORY_FILE}") as file:
        off: dict[str, str] = json.load(file).get("off", {})
    return off


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

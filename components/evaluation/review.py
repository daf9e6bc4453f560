"""Asks the exported models in fresh processes and says what their answers are worth."""

import json
import logging
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa

from components.evaluation import audience, export_checks, list_checks, measures
from components.evaluation.check_results import CheckResults, ListMeasures
from components.evaluation.eval_config import EvaluationSettings
from components.evaluation.evaluated_data import choose_names, read_data
from components.evaluation.list_checks import Answers
from components.evaluation.metric_name import RATING, RETRIEVAL
from components.evaluation.rated import Ratings, ratings_of
from components.evaluation.reload.job import Job
from components.evaluation.server import process, questions
from components.evaluation.training_run import tasks_off, trained_metrics
from components.evaluation.verdicts import Outcome
from components.examples.arrow import filled
from components.tfx.artifacts import Artifacts, folder, saved_model
from components.tfx.nodes import BASELINE_MODEL_KEY, MODEL_KEY
from schemas.temporary import temporary_folder
from schemas.text import to_texts

TASKS = (RETRIEVAL, RATING)
OUTPUTS = (*measures.OUTPUTS, *measures.FACTS)
logger = logging.getLogger("greenlight.progress")


class Review:
    """Asks the models of one evaluation and says what their answers are worth.

    off: the tasks that training found nothing to learn of, each with the reason in words.
    data: what is evaluated on.
    """

    def __init__(self, inputs: Artifacts, settings: EvaluationSettings, valid_rows: int) -> None:
        """Takes the node's inputs and settings, and how many rows of valid training measured."""
        self._inputs, self._settings, self._valid_rows = inputs, settings, valid_rows
        model_run = folder(inputs["model_run"])
        self.off, self._trained = tasks_off(model_run), trained_metrics(model_run)
        self._rates = RATING not in self.off
        self.data = read_data(inputs)
        self._names = choose_names(self.data)
        self._candidate: Answers | None = None

    def ask(self, key: str) -> tuple[Answers | None, str]:
        """The answers of a model in a fresh process; or None and why it gave none."""
        logger.info("asking the exported model in a fresh process", extra={"done": 0.1})
        with temporary_folder() as work:
            job, path = self._job(key, str(work)), work / "job.json"
            path.write_text(json.dumps(asdict(job)), encoding="utf-8")
            command = [sys.executable, "-m", "components.evaluation.reload", str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
                return None, lines[-1]
            with np.load(job.arrays) as arrays:
                texts = json.loads(Path(job.texts).read_text(encoding="utf-8"))
                return {**arrays, **texts}, ""

    def _job(self, key: str, folder: str) -> Job:
        """What to ask a model; only the candidate is held against training and the server."""
        is_candidate = key == MODEL_KEY
        measured = is_candidate and self._trained is not None
        names, gates = self._names, self._settings.gates
        return Job(
            model=saved_model(self._inputs[key]),
            catalogue=self.data.catalogue_files,
            examples=self.data.splits["eval"],
            users=gates.list_users,
            k=gates.k,
            outputs=[name for name in OUTPUTS if name not in measures.RATED_OUTPUTS],
            rated_outputs=measures.RATED_OUTPUTS,
            rates=self._rates if is_candidate else None,
            valid=self.data.splits["valid"] if measured else [],
            valid_rows=self._valid_rows,
            people=[*names.most_active, *names.users] if is_candidate else [],
            pairs=names.pairs() if is_candidate else [],
            arrays=f"{folder}/answers.npz",
            texts=f"{folder}/texts.json",
        )

    def judge(self, answers: Answers | None, fault: str) -> CheckResults:
        """What the candidate's answers show."""
        if answers is None:
            return CheckResults([export_checks.reload_outcome(fault)])
        results = CheckResults([export_checks.reload_outcome(None)])
        off = {**self._settings.gates.off, **self.off}
        if len(off) == len(TASKS):
            results.outcomes.append(export_checks.nothing_judged(off))
        people = pa.array([name.encode() for name in answers["people"]], pa.large_binary())
        rated = ratings_of(self.data.splits, people, self.data.movie_ids)
        results.outcomes.append(
            list_checks.served_outcome(answers["served"], rated, answers["people"])
        )
        results.outcomes.append(self._ask_the_server(answers, rated))
        if "movies" not in answers:
            results.notes.append("No user could be asked: the eval split is empty")
            return results
        self._judge_lists(answers, rated, RETRIEVAL not in off, results)
        return results

    def _judge_lists(
        self, answers: Answers, rated: Ratings, bounded: bool, results: CheckResults
    ) -> None:
        """Adds what the lists show; `bounded` says whether their measures are judged."""
        self._candidate = answers
        measured = results.lists["candidate"] = self._measure_lists(answers)
        for name, rows in (("candidate", "movies"), ("history", "history")):
            results.exposure[name] = audience.exposure(answers[rows], self.data.movies.counts)
        earlier = list_checks.earlier(rated, len(answers["movies"]), self.data.before)
        results.outcomes.extend([
            *list_checks.sanity_outcomes(answers, len(self.data.movie_ids), earlier),
            *export_checks.agreement_outcomes(answers, self._trained),
            *(list_checks.list_outcomes(self._settings.gates, measured) if bounded else ()),
        ])  # fmt: skip

    def _ask_the_server(self, answers: Answers, rated: Ratings) -> Outcome:
        """Starts the server on the export and asks it for names of every kind."""
        logger.info("asking the server, started on the export", extra={"done": 0.2})
        ids = to_texts(filled(self.data.movie_ids))
        histories: dict[str, set[str]] = {}
        for user in {pair["user"] for pair in answers["pairs"]}:
            own = rated.movie[rated.owner == answers["people"].index(user)]
            histories[user] = {ids[movie] for movie in own.tolist()}
        names = self._names
        asked = questions.Asked(answers["pairs"], histories, names.titles, names.genres)
        with process.running(saved_model(self._inputs[MODEL_KEY])) as server:
            fault = questions.first_fault(server, asked)
            return export_checks.server_outcome(asked.names, fault)

    def compare(self, inputs: Artifacts, results: CheckResults) -> Artifacts:
        """Asks the blessed model; leaves it out of the inputs, and notes why, if it is no match."""
        answers, fault = self.ask(BASELINE_MODEL_KEY)
        why = export_checks.incomparable(
            answers, fault, self._settings.scale if self._rates else None
        )
        if why is not None:
            results.notes.append(
                f"The candidate was not compared with the latest blessed model: {why}"
            )
            return inputs | {BASELINE_MODEL_KEY: []}
        if answers and "movies" in answers:
            results.lists["blessed"] = self._measure_lists(answers)
            counts = self.data.movies.counts
            results.exposure["blessed"] = audience.exposure(answers["movies"], counts)
            if self._candidate is not None:
                k = self._settings.gates.k
                results.changes.extend(audience.changes(self._candidate, answers, k))
            if "rated" in answers and not self._rates and self._settings.gates.rating:
                results.outcomes.append(export_checks.lost_ratings(self.off[RATING]))
        return inputs

    def _measure_lists(self, answers: Answers) -> ListMeasures:
        settings = self._settings
        return list_checks.measure_lists(answers, self.data.movies, settings.gates, settings.seed)

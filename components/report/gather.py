"""Gathers what a report says from the artifacts of one run."""

import datetime
import json
import math
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from components.evaluation.export_checks import ANSWERS
from components.evaluation.gates import GatesConfig
from components.evaluation.metric_name import RATING, MetricName, Subject, metrics_in
from components.evaluation.slices import OVERALL
from components.examples.activity import count_train
from components.examples.rows import read_rows
from components.report import provenance
from components.report.blessing import blessing
from components.report.distributions import distributions
from components.report.evaluator_output import Evaluation, read_evaluation
from components.report.exported import load, of_model, peers
from components.report.naming import without_ids
from components.report.page import MADE
from components.report.rating_bands import rating_rows
from components.report.shifts import shifts
from components.report.slice_differences import slice_rows
from components.tfx.artifacts import Artifacts, folder, is_blessed, only, split_files
from schemas.artifacts import (
    CROSSES_FILE,
    FINDINGS_FILE,
    HISTORY_FILE,
    IMPORTANCE_FILE,
    ORDERS_FILE,
)
from schemas.words import MOVIE, Item

Content = dict[str, Any]


def gather(inputs: Artifacts, properties: Mapping[str, Any]) -> tuple[Content, Content]:
    """Reads the artifacts of one run.

    Args:
      inputs: those of the node, by key.
      properties: `run_id` (empty: the time names the run), `config` (JSON), `scale` (JSON) and, but
        for older runs, `item` (JSON).

    Returns:
      The contents of blessing.json, but for the seconds, and of facts.json.
    """
    uri = {key: folder(value) for key, value in inputs.items()}
    verdict = only(inputs["blessing"])
    config, scale = json.loads(properties["config"]), json.loads(properties["scale"])
    rows = read_rows(uri["examples"])
    training = _read(f"{uri['model_run']}/{HISTORY_FILE}")
    evaluation = read_evaluation(uri["evaluation"])
    now = datetime.datetime.now(tz=datetime.timezone.utc)
    content = blessing(
        run_id=run_name(properties["run_id"], now),
        blessed=is_blessed(verdict),
        config=config,
        rows=rows,
        drift=_read(f"{uri['anomalies']}/{FINDINGS_FILE}")["drift"],
        training=training,
        evaluation=evaluation,
    )
    item = Item(*json.loads(properties.get("item", json.dumps(MOVIE))))
    word(content, item)
    content["orders"] = measured(uri["model_run"], ORDERS_FILE) or None
    gates = GatesConfig.model_validate(config["gates"])
    model = load(inputs) if is_answering(evaluation) else None
    mix = (content["orders"] or {}).get("mix", 0.0)
    content["peers"] = peers(inputs, config, bool(training.get("refit")), mix, model)
    content["made"] = now.strftime(MADE)
    facts = {
        "item": item,
        "scale": None if RATING in training.get("off", {}) else scale,
        **_of_evaluation(evaluation, gates, scale and tuple(scale)),
        **of_model(inputs, gates.k, content["orders"], model),
        "importance": measured(uri["model_run"], IMPORTANCE_FILE),
        "crosses": measured(uri["model_run"], CROSSES_FILE),
        "data": distributions(count_train(split_files(inputs["examples"], "train")), rows),
        "shifts": shifts(*(split_files(inputs["examples"], split) for split in ("train", "eval"))),
        **_provenance(inputs),
    }
    if not config.get("report", {}).get("users"):
        without_ids(content, facts, rows)
    return content, facts


def word(content: Content, item: Item) -> None:
    """Puts the source's word for movies into the sentences of blessing.json, and the word itself.

    The names of gates stay as they are: settings and programs know them.
    """
    content["item"] = list(item)
    content["reasons"] = [item.worded(reason) for reason in content["reasons"]]
    for gate in content["gates"]:
        gate["reason"] = item.worded(gate["reason"])
    for one in (*content["summary"], *content["failures"]):
        one["sentence"] = item.worded(one["sentence"])
    content["notes"] = [item.worded(note) for note in content["notes"]]


def run_name(run_id: str, now: datetime.datetime) -> str:
    """The run's id, or its time where it is empty: a schedule starts all runs with the same one."""
    return run_id or now.strftime("%Y%m%d-%H%M%S")


def is_answering(evaluation: Evaluation) -> bool:
    """Whether the exported model answered the Evaluator at all."""
    outcomes = evaluation.checks.outcomes
    return all(outcome.passed for outcome in outcomes if outcome.gate.metric == ANSWERS)


def _of_evaluation(
    evaluation: Evaluation, gates: GatesConfig, scale: tuple[float, float] | None
) -> Content:
    return {
        "slices": slice_rows(gates, evaluation),
        "gains": slice_rows(gates, evaluation, Subject.GAIN),
        "intervals": baseline_intervals(evaluation),
        "bands": rating_rows(evaluation.bands, scale),
    }


def baseline_intervals(evaluation: Evaluation) -> dict[str, dict[str, list[float]]]:
    """The intervals of the overall metrics of popularity, bias and the blessed model."""
    values = evaluation.candidate.get(OVERALL, {})
    by_baseline = {
        subject.value: {
            str(name.of(Subject.MODEL)): ends
            for name, ends in _intervals(values).items()
            if name.subject is subject
        }
        for subject in (Subject.POPULARITY, Subject.BIAS)
    }
    if evaluation.blessed is not None:
        blessed = _intervals(evaluation.blessed[OVERALL])
        by_baseline["blessed"] = {str(name): ends for name, ends in blessed.items()}
    return by_baseline


def _intervals(values: Mapping[str, float]) -> dict[MetricName, list[float]]:
    """The ends of every metric whose both ends are numbers."""
    metrics = metrics_in(values)
    pairs = {n: [metrics.get(end, math.nan) for end in n.ends] for n in metrics if n.has_interval}
    return {name: ends for name, ends in pairs.items() if all(map(math.isfinite, ends))}


def measured(model_run: str, name: str) -> Content:
    """What the Trainer measured of the model, by the file's name; empty where it did not."""
    path = f"{model_run}/{name}"
    return _read(path) if tf.io.gfile.exists(path) else {}


def _provenance(inputs: Artifacts) -> Content:
    verdict = only(inputs["blessing"])
    examples = only(inputs["examples"])
    return {
        "versions": provenance.versions(),
        "lineage": provenance.lineage(inputs),
        "compared": provenance.compared_with(verdict),
        "fingerprint": provenance.fingerprint(examples),
    }


def _read(path: str) -> Content:
    with tf.io.gfile.GFile(path) as file:
        content: Content = json.load(file)
    return content

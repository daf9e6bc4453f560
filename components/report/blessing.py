"""The content of blessing.json: what was measured, which gates passed, and why."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from components.evaluation.gates import GatesConfig
from components.evaluation.metric_name import (
    CALIBRATION_ERROR,
    MetricName,
    Subject,
    metrics_in,
)
from components.evaluation.slices import OVERALL
from components.evaluation.verdicts import Outcome
from components.report.evaluator_output import Evaluation
from components.report.gates import gate_outcomes
from components.report.next_steps import failures
from components.report.notes import notes
from components.report.slice_differences import slice_order
from components.report.summary import Judged, summary

COUNTED = ("read", "kept", "rated", "dropped", "samples")  # of the rows, what blessing.json repeats


def blessing(
    run_id: str,
    blessed: bool,
    config: Mapping[str, Any],
    rows: Mapping[str, Any],
    drift: list[str],
    training: Mapping[str, Any],
    evaluation: Evaluation,
) -> dict[str, Any]:
    """Puts blessing.json together; `schemas/blessing.schema.json` describes it.

    Args:
      run_id: names the run.
      blessed: the Evaluator's verdict.
      config: the run's whole configuration.
      rows: what the example gen counted.
      drift: sentences on drift from the last run.
      training: the best epoch, and every epoch's losses.
      evaluation: what the Evaluator found.
    """
    settings = GatesConfig.model_validate(config["gates"])
    off, history = training.get("off", {}), rows["history"]
    outcomes = gate_outcomes(settings, evaluation, off)
    sizes = slice_sizes(evaluation, settings)
    judged = Judged(settings, history, {**settings.off, **off}, evaluation, sizes)
    metrics = {name: own_metrics(values) for name, values in evaluation.candidate.items()}
    content = {
        "run_id": run_id,
        "blessed": blessed,
        "reasons": reasons(outcomes, blessed),
        "summary": summary(judged),
        "failures": failures(outcomes, evaluation.candidate, config, history),
        "notes": notes(config, rows, training, evaluation),
        "config": config,
        "split": {"kind": config["split"]["kind"], "history": history, **rows["splits"]},
        "metrics": {OVERALL: {}, **metrics},
        "intervals": intervals(evaluation.candidate.get(OVERALL, {})),
        "slices": sizes,
        "lists": evaluation.checks.lists,
        "exposure": evaluation.checks.exposure,
        "changes": evaluation.checks.changes,
        "baselines": baselines(evaluation),
        "gates": [outcome.to_json() for outcome in outcomes],
        "training": training,
        "drift": drift,
        "rows": {key: rows[key] for key in COUNTED if key in rows},
        "seconds": {},
    }
    return {key: _finite(value) for key, value in content.items()}


def reasons(outcomes: Sequence[Outcome], blessed: bool) -> list[str]:
    """One sentence per gate that decided: those that passed if blessed, else those that failed."""
    decided = [outcome for outcome in outcomes if outcome.judged and outcome.passed == blessed]
    if blessed:
        # What is sound goes without saying, and the bounds of slices are many.
        decided = [outcome for outcome in decided if outcome.gate.is_decisive]
    if decided:
        return [outcome.reason for outcome in decided]
    return ["the Evaluator refused the model, though every gate that it names holds"]


def slice_sizes(evaluation: Evaluation, gates: GatesConfig) -> dict[str, dict[str, Any]]:
    """How many users and ratings each slice holds, and whether it has the users to be judged."""
    parts = evaluation.candidate
    return {
        name: {
            "users": int(part["users"]),
            "ratings": int(part["ratings"]),
            **({"rated": int(part["rated"])} if part["rated"] < part["ratings"] else {}),
            "judged": name == OVERALL or part["users"] >= gates.slice_users,
        }
        for name, part in sorted(parts.items(), key=lambda e: slice_order(e[0], gates))
    }


def own_metrics(values: Mapping[str, float]) -> dict[str, float]:
    """The model's own metrics among all."""
    calibration = MetricName(CALIBRATION_ERROR)
    named = metrics_in(values).items()
    return {str(name): value for name, value in named if name.is_own or name == calibration}


def intervals(values: Mapping[str, float]) -> dict[str, list[float]]:
    """The intervals of the model's own metrics."""
    return {
        str(name): [values[str(end)] for end in name.ends]
        for name in metrics_in(values)
        if name.is_own
    }


def baselines(evaluation: Evaluation) -> dict[str, dict[str, dict[str, float]]]:
    """Metrics by baseline and slice: popularity, bias, and the blessed model where there is one."""
    candidate = evaluation.candidate
    by_baseline = {
        subject.value: {
            OVERALL: {},
            **{name: metrics_of_baseline(subject, values) for name, values in candidate.items()},
        }
        for subject in (Subject.POPULARITY, Subject.BIAS)
    }
    if evaluation.blessed is not None:
        blessed = evaluation.blessed.items()
        by_baseline["blessed"] = {name: own_metrics(values) for name, values in blessed}
    return by_baseline


def metrics_of_baseline(subject: Subject, values: Mapping[str, float]) -> dict[str, float]:
    """The metrics of a baseline, under the names that the model's own have."""
    return {
        str(name.of(Subject.MODEL)): value
        for name, value in metrics_in(values).items()
        if name.subject is subject and name.has_interval
    }


def _finite(value: Any) -> Any:
    """Puts None for what is no number: JSON has no way to write it."""
    if isinstance(value, Mapping):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

"""The content of blessing.json: what was measured, which gates held, and why."""

import math
from collections.abc import Mapping
from typing import Any

from components.evaluation.gates import GatesConfig, is_gated
from components.evaluation.rules import OVERALL
from components.report.evaluation import Evaluation
from components.report.facts import slice_order
from components.report.gates import gate_rows

COUNTED = ("read", "kept", "rated", "dropped", "samples")


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
    off = training.get("off", {})
    gates, sizes = gate_rows(settings, evaluation, off), slices(evaluation, settings.slice_users)
    metrics = {name: own(values) for name, values in evaluation.candidate.items()}
    content = {
        "run_id": run_id,
        "blessed": blessed,
        "reasons": reasons(gates, blessed),
        "notes": [
            *rows.get("findings", []),
            *unlearned(config, off, settings),
            *starts(training),
            *notes(evaluation, sizes),
        ],
        "config": config,
        "split": {"kind": config["split"]["kind"], "history": rows["history"], **rows["splits"]},
        "metrics": {OVERALL: {}, **metrics},
        "intervals": intervals(evaluation.candidate.get(OVERALL, {})),
        "slices": sizes,
        "lists": evaluation.checks["lists"],
        "baselines": baselines(evaluation),
        "gates": gates,
        "training": training,
        "drift": drift,
        "rows": {key: rows[key] for key in COUNTED if key in rows},
        "seconds": {},
    }
    return {key: _finite(value) for key, value in content.items()}


def reasons(gates: list[dict[str, Any]], blessed: bool) -> list[str]:
    """One sentence per gate that decided: those that hold if blessed, those that fail if not."""
    decided = [gate for gate in gates if gate["judged"] and gate["passed"] == blessed]
    if blessed:
        # What is sound goes without saying, and the bounds of slices are many.
        decided = [g for g in decided if g["kind"] not in ("sanity", "reload")]
    if decided:
        return [gate["reason"] for gate in decided]
    return ["the Evaluator refused the model, though every gate that it names holds"]


WITHOUT = {
    "retrieval": "model.retrieval_weight is 0: lists were not learned, and yet they are served.",
    "rating": "model.rating_weight is 0: ratings were not learned, and yet they are predicted.",
}


def unlearned(config: Mapping[str, Any], off: Mapping[str, str], gates: GatesConfig) -> list[str]:
    """Sentences on the tasks that the model cannot do, did not learn, or is not judged by."""
    found = [
        f"The model retrieves alone, as {why}; the gates on ratings are off."
        for why in off.values()
    ]
    for task, words in WITHOUT.items():
        if task not in off and config.get("model", {}).get(f"{task}_weight") == 0:
            found.append(f"{words} With gates.{task}=false they are left out of the verdict.")
    return [*found, *(f"The gates on {task} are off: {why}." for task, why in gates.off.items())]


def starts(training: Mapping[str, Any]) -> list[str]:
    """A sentence on what the training started from, where a warm start was asked for."""
    return [training["start"]] if training.get("start") else []


def notes(evaluation: Evaluation, sizes: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Sentences on what a reader should know beside the gates."""
    found = [f"{note}." for note in evaluation.checks["notes"]]
    whole = evaluation.candidate.get(OVERALL, {})
    if whole.get("outside"):
        found.append(
            f"{whole['outside']:,.0f} of {whole['ratings']:,.0f} evaluated ratings are of movies "
            "that the catalogue lacks: they count as ranked last and rated with the mean."
        )
    small = [name for name, part in sizes.items() if not part["judged"]]
    if small:
        found.append(
            f"{len(small)} of {len(sizes) - 1} slices hold too few users to be "
            "judged: they are shown only."
        )
    return found


def slices(evaluation: Evaluation, least: int) -> dict[str, dict[str, Any]]:
    """How many users and ratings each slice holds, and whether `least` users are there."""
    return {
        name: {
            "users": int(part["users"]),
            "ratings": int(part["ratings"]),
            **({"rated": int(part["rated"])} if part["rated"] < part["ratings"] else {}),
            "judged": name == OVERALL or part["users"] >= least,
        }
        for name, part in sorted(evaluation.candidate.items(), key=lambda e: slice_order(e[0]))
    }


def _finite(value: Any) -> Any:
    """Puts None for what is no number: JSON has no way to write it."""
    if isinstance(value, Mapping):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def own(values: Mapping[str, float]) -> dict[str, float]:
    """The model's own metrics among all."""
    return {name: v for name, v in values.items() if is_gated(name) or name == "calibration_error"}


def intervals(values: Mapping[str, float]) -> dict[str, list[float]]:
    """The intervals of the model's own metrics."""
    return {
        name: [values[f"{name}/low"], values[f"{name}/high"]] for name in values if is_gated(name)
    }


def baselines(evaluation: Evaluation) -> dict[str, dict[str, dict[str, float]]]:
    """Metrics by baseline and slice: popularity, bias, and the blessed model where there is one."""
    found = {
        prefix: {
            OVERALL: {},
            **{name: _of(prefix, values) for name, values in evaluation.candidate.items()},
        }
        for prefix in ("popularity", "bias")
    }
    if evaluation.blessed is not None:
        found["blessed"] = {name: own(values) for name, values in evaluation.blessed.items()}
    return found


def _of(prefix: str, values: Mapping[str, float]) -> dict[str, float]:
    plain = {
        name.removeprefix(f"{prefix}/"): value
        for name, value in values.items()
        if name.startswith(f"{prefix}/")
    }
    return {name: value for name, value in plain.items() if is_gated(name)}

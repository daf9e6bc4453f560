"""From the sums of a slice to its metrics, their intervals, and how its gates stand."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation import bands, bootstrap, measures
from components.evaluation.eval_config import EvaluationSettings
from components.evaluation.gate_kinds import MetricGate
from components.evaluation.measure_sums import COUNTS, SliceSums
from components.evaluation.metric_name import (
    CALIBRATION_ERROR,
    RATING,
    RETRIEVAL,
    MetricName,
    Subject,
)
from components.evaluation.rules import UNCHECKED, gates_of, judged_gates
from components.evaluation.slices import OVERALL
from components.evaluation.verdicts import Kind

Resampled = dict[MetricName, NDArray[Any]]  # float64 [1 + replicates], the value first


def metrics_of(
    settings: EvaluationSettings, own: SliceSums, blessed: SliceSums | None
) -> dict[str, Any]:
    """Reads everything from the sums of one slice.

    Args:
      settings: the Evaluator's.
      own: of the model itself.
      blessed: of the blessed model; None where the model is it or there is none.

    Returns:
      By name: metrics, ends of intervals, counts, clearances of gates and, where something is
      rated, the sums by band.
    """
    values, users = resampled(settings, own), {RETRIEVAL: own.users, RATING: own.raters}
    if blessed is not None:
        values |= _changes(values, resampled(settings, blessed))
    metrics = {name: float(value[0]) for name, value in values.items()}
    metrics |= _intervals(values, users, settings.gates.level)
    shown: dict[str, Any] = dict(zip(COUNTS, own.sums[0], strict=False))
    shown |= {"users": own.users, "rated_users": own.raters}
    if own.raters:
        shown[bands.BANDS] = own.bands
        metrics[MetricName(CALIBRATION_ERROR)] = bands.calibration_error(own.bands)
    clearances = _clearances(settings, metrics, users, blessed)
    return {**{str(name): value for name, value in metrics.items()}, **shown, **clearances}


def resampled(settings: EvaluationSettings, slice_sums: SliceSums) -> Resampled:
    """The metrics of sums, plain and resampled; without those on ratings if nothing is rated."""
    ratings, rated = slice_sums.count("ratings"), slice_sums.count("rated")
    columns = slice_sums.sums[:, len(COUNTS) :]
    values = measures.metrics(columns, ratings, tuple(settings.gates.ks), rated)
    return {name: value for name, value in values.items() if rated[0] or name.task != RATING}


def _changes(own: Resampled, blessed: Resampled) -> Resampled:
    """The model's values less the blessed model's, on the same users in each replicate."""
    both = [name for name in own if name.is_own and name in blessed]
    return {name.of(Subject.CHANGE): own[name] - blessed[name] for name in both}


def _intervals(
    values: Resampled, users: Mapping[str, int], level: float
) -> dict[MetricName, float]:
    """The ends of every interval; no numbers where a single user leaves nothing to resample.

    `users` is how many are behind the metrics of each task.
    """
    names = [name for name in values if name.has_interval]
    table = np.stack([values[name][1:] for name in names], axis=1)
    table = np.where([users[name.task] > 1 for name in names], table, np.nan)
    low, high = bootstrap.interval(table, level)
    ends = {name.ends[0]: float(end) for name, end in zip(names, low, strict=True)}
    return ends | {name.ends[1]: float(end) for name, end in zip(names, high, strict=True)}


def _clearances(
    settings: EvaluationSettings,
    metrics: Mapping[MetricName, float],
    users: Mapping[str, int],
    blessed: SliceSums | None,
) -> dict[str, float]:
    """How far each gate is from failing, by its key; `UNCHECKED` where it is not judged."""
    judged = judged_gates(settings.gates, settings.off)
    clearances = {}
    for gate in gates_of(settings.gates, compared=True):
        alone = gate.kind is Kind.BLESSED and not _compared(gate, blessed)
        small = gate.slice != OVERALL and users[gate.task] < settings.gates.slice_users
        unchecked = gate not in judged or alone or small
        clearances[gate.key] = UNCHECKED if unchecked else gate.clearance(metrics)
    return clearances


def _compared(gate: MetricGate, blessed: SliceSums | None) -> bool:
    """Whether there is a blessed model that does what the gate judges."""
    return blessed is not None and (gate.task != RATING or blessed.count("rated")[0] > 0)

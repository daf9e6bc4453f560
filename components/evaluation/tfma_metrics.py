"""The measures as one TensorFlow Model Analysis metric, gates and all.

One combiner per model sums everything that is measured, plain and resampled. Out of those sums, the
candidate's beside the blessed model's, come every metric, its interval, its change and how far each
gate is from failing.
"""

from collections.abc import Container, Iterable, Mapping
from typing import Any, TypeAlias

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma
from numpy.typing import NDArray
from tensorflow_model_analysis.metrics import metric_types

from components.evaluation import bands, bootstrap, measures
from components.evaluation.gates import (
    CALIBRATION,
    RATING,
    RETRIEVAL,
    GatesConfig,
    has_interval,
    is_gated,
    task_of,
)
from components.evaluation.rules import OVERALL, UNCHECKED, Gate, gates_of, judged_gates

# Rows not yet summed, sums, bands' sums, users met, users with a rated example.
Accumulator = tuple[
    list[NDArray[Any]], NDArray[Any], NDArray[Any], NDArray[np.int64], NDArray[np.int64]
]
MetricKey: TypeAlias = metric_types.MetricKey
FLUSH = 4096  # batches or examples kept before they are summed up
COUNTS = ("ratings", "outside", "rated")
NOBODY = np.zeros(0, np.int64)


class MeasureSums(beam.CombineFn):
    """Sums all columns over examples, with bootstrap replicates over users.

    The sums are float64 [1 + replicates, 3 + columns], whose first columns count examples, those
    outside the catalogue and those that are rated.
    """

    def __init__(
        self, model_name: str, key: MetricKey, gates: GatesConfig, seed: int,
        scale: tuple[float, float] | None,
    ) -> None:  # fmt: skip
        self.model_name, self.key = model_name, key
        self.ks, self.replicates = tuple(gates.ks), gates.replicates
        self.seed, self.scale = seed, scale

    def create_accumulator(self) -> Accumulator:
        """Returns empty rows and zero sums."""
        columns = len(COUNTS) + len(measures.column_names(self.ks))
        zeros = np.zeros([1 + self.replicates, columns])
        return [], zeros, bands.none(self.scale), NOBODY, NOBODY

    def add_input(
        self, accumulator: Accumulator, element: metric_types.StandardMetricInputs
    ) -> Accumulator:
        """Adds one example's, or one batch's, outputs of the model."""
        found = element.get_predictions(model_name=self.model_name)
        rows = accumulator[0]
        columns = [np.ravel(found[name]).astype(np.float64) for name in measures.OUTPUTS[1:]]
        users = np.ravel(found["user"]).astype(np.int64).view(np.float64)
        rows.append(np.stack([users, *columns]))
        return self._summed(accumulator) if len(rows) >= FLUSH else accumulator

    def merge_accumulators(self, accumulators: Iterable[Accumulator]) -> Accumulator:
        """Adds up accumulators."""
        parts = [self._summed(accumulator) for accumulator in accumulators]
        _, sums, banded, *users = zip(*parts, strict=True)
        met, raters = (np.unique(np.concatenate(some)) for some in users)
        return [], np.sum(sums, axis=0), np.sum(banded, axis=0), met, raters

    def compact(self, accumulator: Accumulator) -> Accumulator:
        """Sums up the rows before they travel."""
        return self._summed(accumulator)

    def extract_output(self, accumulator: Accumulator) -> dict[MetricKey, Any]:
        """Returns sums, the bands' sums and both numbers of users under the private key."""
        _, sums, banded, met, raters = self._summed(accumulator)
        return {self.key: (sums, banded, len(met), len(raters))}

    def _summed(self, accumulator: Accumulator) -> Accumulator:
        rows, sums, banded, met, raters = accumulator
        if not rows:
            return accumulator
        table = np.concatenate(rows, axis=1)
        outputs = dict(zip(measures.OUTPUTS, table, strict=True))
        outside, rated = 1.0 - outputs["known_movie"], measures.is_rated(outputs["label"])
        columns = measures.columns(outputs, self.ks)
        counts = [np.ones(table.shape[1]), outside, rated]
        matrix = np.stack([*counts, *columns.values()], axis=1)
        users = np.ascontiguousarray(table[0]).view(np.int64)
        added = bootstrap.replicate_sums(users, matrix, self.replicates, self.seed)
        banded = banded + bands.sums(outputs, self.scale)
        met, raters = np.union1d(met, users), np.union1d(raters, users[rated])
        return [], sums + added, banded, met, raters


class RecommenderMetrics(tfma.metrics.Metric):
    """All of the measures' metrics, by name; `/low` and `/high` behind it are its interval's ends.

    `change/NAME` is the candidate's value less the blessed model's, on the same users of each
    replicate; `gate/...` is a gate's clearance (`rules.Gate`); `users`, `ratings`, `outside`
    (targets that the model's catalogue lacks), `rated` and `rated_users` (targets with a rating)
    count; `bands` is what `bands.sums` adds up. Where nothing is rated there are no metrics of
    ratings.
    """

    def __init__(
        self,
        name: str,
        gates: dict[str, Any],
        seed: int,
        scale: list[float] | None,
        off: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        """Builds the metrics.

        Args:
          name: of the bundle.
          gates: the gates' configuration.
          seed: of the resamples.
          scale: lowest and highest rating, where the source has ratings.
          off: the tasks that are not judged, with the reasons.
          **kwargs: what TFMA adds.
        """
        super().__init__(
            _computations, name=name, gates=gates, seed=seed, scale=scale, off=off or {}, **kwargs
        )  # fmt: skip


def _computations(
    gates: dict[str, Any],
    seed: int,
    scale: list[float] | None,
    off: dict[str, str],
    eval_config: tfma.EvalConfig | None = None,
    model_names: list[str] | None = None,
    name: str = "",
) -> metric_types.MetricComputations:
    config = GatesConfig.model_validate(gates)
    shared = {m: MetricKey(name="_measures", model_name=m) for m in model_names or [""]}
    specs = eval_config.model_specs if eval_config else []
    blessed = next((spec.name for spec in specs if spec.is_baseline), None)
    ends = None if scale is None else (scale[0], scale[1])

    def result(found: dict[MetricKey, Any]) -> dict[MetricKey, Any]:
        values: dict[MetricKey, Any] = {}
        for model, key in shared.items():
            beside = None if blessed is None or blessed == model else found[shared[blessed]][0]
            sums, banded, users, rated_users = found[key]
            read = metrics_of(config, off, sums, banded, users, rated_users, beside)
            values |= {_key(n, model): v for n, v in read.items()}
        return values

    sums = [
        metric_types.MetricComputation(
            keys=[key],
            preprocessors=[metric_types.StandardMetricInputsPreprocessor()],
            combiner=MeasureSums(model, key, config, seed, ends),
        )
        for model, key in shared.items()
    ]
    keys = [_key("users", model) for model in shared]
    return [*sums, metric_types.DerivedMetricComputation(keys=keys, result=result)]


def _key(name: str, model: str) -> MetricKey:
    """The key that TFMA looks a threshold of this name up by."""
    return MetricKey(name=name, model_name=model, example_weighted=None)


def metrics_of(
    config: GatesConfig,
    off: Container[str],
    sums: NDArray[Any],
    banded: NDArray[Any],
    users: int,
    rated_users: int,
    blessed: NDArray[Any] | None,
) -> dict[str, Any]:
    """Reads everything from `MeasureSums`' outputs of one slice.

    Args:
      config: the gates'.
      off: the tasks that training found nothing to learn of.
      sums, banded, users, rated_users: of the model itself.
      blessed: the blessed model's sums, or none where the model is it or there is none.
    """
    values, behind = _values(config, sums), {RETRIEVAL: users, RATING: rated_users}
    if blessed is not None:
        theirs = _values(config, blessed)
        both = {name: value for name, value in values.items() if is_gated(name) and name in theirs}
        values |= {f"change/{name}": value - theirs[name] for name, value in both.items()}
    found: dict[str, Any] = {name: float(value[0]) for name, value in values.items()}
    found |= _intervals(values, behind, config.level)
    found |= {
        **dict(zip(COUNTS, sums[0], strict=False)),
        "users": users,
        "rated_users": rated_users,
    }
    if rated_users:
        found |= {"bands": banded, CALIBRATION: bands.calibration_error(banded)}
    judged = judged_gates(config, off)
    for gate in gates_of(config, compared=True):
        alone = gate.kind == "blessed" and not _compared(gate, blessed)
        small = gate.slice != OVERALL and behind[gate.task] < config.slice_users
        unchecked = gate not in judged or alone or small
        found[gate.key] = UNCHECKED if unchecked else gate.clearance(found)
    return found


def _values(config: GatesConfig, sums: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """The metrics of sums, plain and resampled; none on ratings where nothing is rated."""
    rated, first = sums[:, COUNTS.index("rated")], len(COUNTS)
    values = measures.metrics(sums[:, first:], sums[:, 0], tuple(config.ks), rated)
    return {name: v for name, v in values.items() if rated[0] or not measures.on_ratings(name)}


def _compared(gate: Gate, blessed: NDArray[Any] | None) -> bool:
    """Whether there is a blessed model that does what the gate judges."""
    rates = blessed is not None and blessed[0, COUNTS.index("rated")] > 0
    return blessed is not None and (rates or gate.task != RATING)


def _intervals(
    values: Mapping[str, NDArray[Any]], users: Mapping[str, int], level: float
) -> dict[str, float]:
    """The ends of every interval; no numbers where a single user leaves nothing to resample.

    `users` is how many are behind the metrics of each task.
    """
    names = [name for name in values if has_interval(name)]
    table = np.stack([values[name][1:] for name in names], axis=1)
    table = np.where([users[task_of(name)] > 1 for name in names], table, np.nan)
    low, high = bootstrap.interval(table, level)
    ends = {f"{name}/low": float(end) for name, end in zip(names, low, strict=True)}
    return ends | {f"{name}/high": float(end) for name, end in zip(names, high, strict=True)}

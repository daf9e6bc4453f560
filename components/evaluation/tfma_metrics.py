"""The measures as a TensorFlow Model Analysis metric, thresholds and all.

One combiner sums everything that is measured, plain and resampled; every metric named in an
EvalConfig then reads its own number from those sums. TFMA recognises the shared combiner by
equality and runs it once per model and slice.
"""

from collections.abc import Iterable
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma
from numpy.typing import NDArray
from tensorflow_model_analysis.metrics import metric_types, metric_util

from components.evaluation import bootstrap, measures

Accumulator = tuple[list[NDArray[Any]], NDArray[Any]]
FLUSH = 4096  # examples kept before they are summed up


class MeasureSums(beam.CombineFn):
    """Sums all columns over examples, with bootstrap replicates over users.

    An accumulator holds rows not yet summed and the sums, float64 [1 + replicates, 1 + columns]
    whose first column counts examples.
    """

    def __init__(
        self, model_name: str, key: metric_types.MetricKey, ks: tuple[int, ...],
        replicates: int, seed: int,
    ) -> None:  # fmt: skip
        self.model_name, self.key = model_name, key
        self.settings = (ks, replicates, seed)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MeasureSums) and (
            (self.model_name, self.settings) == (other.model_name, other.settings)
        )

    def __hash__(self) -> int:
        return hash((self.model_name, self.settings))

    def create_accumulator(self) -> Accumulator:
        """Returns empty rows and zero sums."""
        ks, replicates, _ = self.settings
        return [], np.zeros([1 + replicates, 1 + len(measures.column_names(ks))])

    def add_input(
        self, accumulator: Accumulator, element: metric_types.StandardMetricInputs
    ) -> Accumulator:
        """Adds one example's, or one batch's, outputs of the model."""
        found = element.get_predictions(model_name=self.model_name)
        rows, sums = accumulator
        columns = [np.ravel(found[name]).astype(np.float64) for name in measures.OUTPUTS[1:]]
        users = np.ravel(found["user"]).astype(np.int64).view(np.float64)
        rows.append(np.stack([users, *columns]))
        return self._summed(rows, sums) if len(rows) >= FLUSH else (rows, sums)

    def merge_accumulators(self, accumulators: Iterable[Accumulator]) -> Accumulator:
        """Adds up accumulators."""
        parts = [self._summed(*accumulator)[1] for accumulator in accumulators]
        return [], np.sum(parts, axis=0)

    def compact(self, accumulator: Accumulator) -> Accumulator:
        """Sums up the rows before they travel."""
        return self._summed(*accumulator)

    def extract_output(self, accumulator: Accumulator) -> dict[metric_types.MetricKey, Any]:
        """Returns the sums under the private key."""
        return {self.key: self._summed(*accumulator)[1]}

    def _summed(self, rows: list[NDArray[Any]], sums: NDArray[Any]) -> Accumulator:
        if not rows:
            return [], sums
        ks, replicates, seed = self.settings
        table = np.concatenate(rows, axis=1)
        outputs = dict(zip(measures.OUTPUTS, table, strict=True))
        columns = measures.columns(outputs, ks)
        matrix = np.stack([np.ones(table.shape[1]), *columns.values()], axis=1)
        users = np.ascontiguousarray(table[0]).view(np.int64)
        return [], sums + bootstrap.replicate_sums(users, matrix, replicates, seed)


class RecommenderMetric(tfma.metrics.Metric):
    """One of the measures' metrics, by name; `/low` or `/high` behind it is its interval's end."""

    def __init__(
        self,
        name: str,
        ks: list[int],
        replicates: int = 500,
        level: float = 0.95,
        seed: int = 42,
        **kwargs: Any,
    ) -> None:
        """Builds the metric.

        Args:
          name: such as 'hit_rate@10', 'unmasked/mrr', 'gain/rmse', 'gain/rmse/low'.
          ks: lengths of the lists that are measured.
          replicates: how many bootstrap resamples the intervals rest on.
          level: the intervals' level.
          seed: of the resamples.
          **kwargs: what TFMA adds.
        """
        super().__init__(
            metric_util.merge_per_key_computations(_computations),
            name=name, ks=ks, replicates=replicates, level=level, seed=seed, **kwargs,
        )  # fmt: skip


def _computations(
    name: str,
    ks: list[int],
    replicates: int,
    level: float,
    seed: int,
    model_name: str = "",
    output_name: str = "",
    example_weighted: bool = False,
) -> metric_types.MetricComputations:
    lengths = tuple(ks)
    shared = metric_types.MetricKey(name=f"_measures_{seed}", model_name=model_name)
    key = metric_types.MetricKey(
        name=name,
        model_name=model_name,
        output_name=output_name,
        example_weighted=example_weighted,
    )

    def result(found: dict[metric_types.MetricKey, Any]) -> dict[metric_types.MetricKey, float]:
        return {key: read(found[shared], name, lengths, level)}

    sums = metric_types.MetricComputation(
        keys=[shared],
        preprocessors=None,
        combiner=MeasureSums(model_name, shared, lengths, replicates, seed),
    )
    return [sums, metric_types.DerivedMetricComputation(keys=[key], result=result)]


def read(sums: NDArray[Any], name: str, ks: tuple[int, ...], level: float) -> float:
    """Reads a metric, or an end of its interval, from `MeasureSums`' output."""
    if name == "example_count":
        return float(sums[0, 0])
    plain, _, end = name.rpartition("/")
    values = measures.metrics(sums[:, 1:], sums[:, 0], ks)
    if end not in ("low", "high"):
        return float(values[name][0])
    return bootstrap.interval(values[plain][1:], level)[end == "high"]

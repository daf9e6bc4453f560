"""Sums of what is measured of examples, plain and resampled, as a Beam combiner."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
from numpy.typing import NDArray

from components.evaluation import bands, bootstrap, measures
from components.evaluation.eval_config import EvaluationSettings
from components.evaluation.tfma import MetricKey, StandardMetricInputs

BATCHES = 4096  # batches kept before they are summed up
COUNTS = ("ratings", "outside", "rated")
NO_USERS = np.zeros(0, np.int64)


class Accumulator(NamedTuple):
    """What has been added so far.

    rows: batches that are not summed up yet, float64 [outputs, examples] each.
    sums: float64 [1 + replicates, counts and columns].
    bands: as `bands.sums` adds up.
    users: int64, every user met.
    raters: int64, the users with a rated example.
    """

    rows: list[NDArray[Any]]
    sums: NDArray[Any]
    bands: NDArray[Any]
    users: NDArray[np.int64]
    raters: NDArray[np.int64]


class SliceSums(NamedTuple):
    """The sums of one model in one slice: as in `Accumulator`, users only counted."""

    sums: NDArray[Any]
    bands: NDArray[Any]
    users: int
    raters: int

    def count(self, name: str) -> Any:
        """One of `COUNTS`: float64 [1 + replicates]."""
        return self.sums[:, COUNTS.index(name)]


class MeasureSums(beam.CombineFn):
    """Sums all columns over examples, with bootstrap replicates over users.

    The sums are float64 [1 + replicates, 3 + columns], whose first columns count examples, those
    outside the catalogue and those that are rated.
    """

    def __init__(self, model_name: str, key: MetricKey, settings: EvaluationSettings) -> None:
        self.model_name, self.key = model_name, key
        self.ks, self.replicates = tuple(settings.gates.ks), settings.gates.replicates
        self.seed, self.scale = settings.seed, settings.scale

    def create_accumulator(self) -> Accumulator:
        """Returns empty rows and zero sums."""
        columns = len(COUNTS) + len(measures.column_names(self.ks))
        zeros = np.zeros([1 + self.replicates, columns])
        return Accumulator([], zeros, bands.zeros(self.scale), NO_USERS, NO_USERS)

    def add_input(self, accumulator: Accumulator, element: StandardMetricInputs) -> Accumulator:
        """Adds one example's, or one batch's, outputs of the model."""
        outputs: Any = element.get_predictions(model_name=self.model_name)
        columns = [np.ravel(outputs[name]).astype(np.float64) for name in measures.OUTPUTS[1:]]
        users = np.ravel(outputs["user"]).astype(np.int64).view(np.float64)
        accumulator.rows.append(np.stack([users, *columns]))
        return self._summed(accumulator) if len(accumulator.rows) >= BATCHES else accumulator

    def merge_accumulators(self, accumulators: Iterable[Accumulator]) -> Accumulator:
        """Adds up accumulators."""
        parts = [self._summed(accumulator) for accumulator in accumulators]
        return Accumulator(
            [],
            np.sum([part.sums for part in parts], axis=0),
            np.sum([part.bands for part in parts], axis=0),
            np.unique(np.concatenate([part.users for part in parts])),
            np.unique(np.concatenate([part.raters for part in parts])),
        )

    def compact(self, accumulator: Accumulator) -> Accumulator:
        """Sums up the rows before they travel."""
        return self._summed(accumulator)

    def extract_output(self, accumulator: Accumulator) -> dict[MetricKey, SliceSums]:
        """Returns the sums under the private key."""
        _, sums, banded, users, raters = self._summed(accumulator)
        return {self.key: SliceSums(sums, banded, len(users), len(raters))}

    def _summed(self, accumulator: Accumulator) -> Accumulator:
        if not accumulator.rows:
            return accumulator
        table = np.concatenate(accumulator.rows, axis=1)
        outputs = dict(zip(measures.OUTPUTS, table, strict=True))
        outside, rated = 1.0 - outputs["known_movie"], measures.is_rated(outputs["label"])
        counts = [np.ones(table.shape[1]), outside, rated]
        matrix = np.stack([*counts, *measures.columns(outputs, self.ks).values()], axis=1)
        users = np.ascontiguousarray(table[0]).view(np.int64)
        sums = bootstrap.replicate_sums(users, matrix, self.replicates, self.seed)
        return Accumulator(
            [],
            accumulator.sums + sums,
            accumulator.bands + bands.sums(outputs, self.scale),
            np.union1d(accumulator.users, users),
            np.union1d(accumulator.raters, users[rated]),
        )

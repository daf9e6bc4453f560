"""From Arrow batches of Examples to the model's outputs, slice by slice, without leaving batches.

The Evaluator loads `custom_extractors` by name. A batch is split into its slices at once, so that
what follows costs by batch and slice, not by rating and slice.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import apache_beam as beam
import numpy as np
from numpy.typing import NDArray

from components.evaluation import measures, tfma
from components.evaluation.eval_config import read_settings
from components.evaluation.slices import slice_rows

BATCH = 512  # examples that go through the models at once
Extracts = dict[str, Any]
Outputs = Mapping[str, NDArray[Any]]


def custom_extractors(
    eval_shared_model: Any, eval_config: tfma.EvalConfig, tensor_adapter_config: Any
) -> list[Any]:
    """The Evaluator's extractors: the models' answers, then the slices of each batch."""
    specs = {spec.name: spec.is_baseline for spec in eval_config.model_specs}
    candidate = next((name for name, baseline in specs.items() if not baseline), "")
    name = candidate if len(specs) > 1 else None
    gates = read_settings(eval_config).gates
    return [
        tfma.Extractor("Inputs", beam.ParDo(Serialized())),
        tfma.PredictionsExtractor(eval_config, eval_shared_model),
        tfma.Extractor(
            tfma.SLICE_KEY_EXTRACTOR_STAGE_NAME,
            beam.ParDo(Slices(name, gates.sliced_by, gates.crosses)),
        ),
    ]


class Serialized(beam.DoFn):
    """Hands on the serialized Examples, with the record batch that they were read into."""

    def process(self, extracts: Extracts) -> Iterator[Extracts]:
        """Yields extracts with the models' input beside the record batch."""
        rows = extracts[tfma.ARROW_RECORD_BATCH_KEY]
        for start in range(0, len(rows), BATCH):
            batch = rows.slice(start, BATCH)
            column = batch.schema.get_field_index(tfma.ARROW_INPUT_COLUMN)
            serialized = np.asarray(batch.column(column).flatten())
            yield {
                tfma.ARROW_RECORD_BATCH_KEY: batch,
                tfma.INPUT_KEY: serialized,
                tfma.FEATURES_KEY: {},
            }


class Slices(beam.DoFn):
    """Splits a batch's outputs by slice.

    model: the candidate's name where there are two models; its outputs say the slices of both.
    """

    def __init__(self, model: str | None, names: list[str], crosses: list[list[str]]) -> None:
        self._model, self._names, self._crosses = model, names, crosses

    def process(self, extracts: Extracts) -> Iterator[Extracts]:
        """Yields one extract per slice, whose predictions are those of the slice's rows."""
        predictions = extracts[tfma.PREDICTIONS_KEY]
        models = {"": predictions} if self._model is None else predictions
        batch = extracts[tfma.ARROW_RECORD_BATCH_KEY]
        own = {name: np.ravel(value) for name, value in models[self._model or ""].items()}
        for key, rows in slice_rows(batch, own, self._names, self._crosses).items():
            parts = {model: _rows(outputs, rows) for model, outputs in models.items()}
            yield {
                tfma.SLICE_KEY_TYPES_KEY: tfma.slice_keys_to_numpy_array([key]),
                tfma.PREDICTIONS_KEY: parts[""] if self._model is None else parts,
                tfma.LABELS_KEY: np.zeros(0),
            }


def _rows(outputs: Outputs, rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """The outputs that are measured, of some rows; NaN for what a model without ratings lacks."""
    nothing = np.full(len(rows), np.nan)
    return {
        name: np.ravel(outputs[name])[rows]
        if name in outputs or name not in measures.RATED_OUTPUTS
        else nothing
        for name in measures.OUTPUTS
    }

"""What this project takes of TensorFlow Model Analysis, all in one place."""

from tensorflow_model_analysis import EvalConfig, load_eval_result, load_validation_result
from tensorflow_model_analysis.constants import (
    ARROW_INPUT_COLUMN,
    ARROW_RECORD_BATCH_KEY,
    FEATURES_KEY,
    INPUT_KEY,
    LABELS_KEY,
    PREDICTIONS_KEY,
    SLICE_KEY_TYPES_KEY,
)
from tensorflow_model_analysis.extractors import Extractor, PredictionsExtractor
from tensorflow_model_analysis.extractors.slice_key_extractor import SLICE_KEY_EXTRACTOR_STAGE_NAME
from tensorflow_model_analysis.metrics import Metric
from tensorflow_model_analysis.metrics.metric_types import (
    DerivedMetricComputation,
    MetricComputation,
    MetricComputations,
    MetricKey,
    StandardMetricInputs,
    StandardMetricInputsPreprocessor,
)
from tensorflow_model_analysis.slicer.slicer_lib import slice_keys_to_numpy_array

__all__ = [
    "ARROW_INPUT_COLUMN",
    "ARROW_RECORD_BATCH_KEY",
    "FEATURES_KEY",
    "INPUT_KEY",
    "LABELS_KEY",
    "PREDICTIONS_KEY",
    "SLICE_KEY_EXTRACTOR_STAGE_NAME",
    "SLICE_KEY_TYPES_KEY",
    "DerivedMetricComputation",
    "EvalConfig",
    "Extractor",
    "Metric",
    "MetricComputation",
    "MetricComputations",
    "MetricKey",
    "PredictionsExtractor",
    "StandardMetricInputs",
    "StandardMetricInputsPreprocessor",
    "load_eval_result",
    "load_validation_result",
    "slice_keys_to_numpy_array",
]

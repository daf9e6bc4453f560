"""The measures as one TensorFlow Model Analysis metric, gates and all.

One combiner per model sums everything that is measured, plain and resampled. Out of those sums, the
candidate's beside the blessed model's, come every metric, its interval, its change and how far each
gate is from failing.
"""

from functools import partial
from typing import Any

from components.evaluation import tfma
from components.evaluation.eval_config import EvaluationSettings
from components.evaluation.measure_sums import MeasureSums, SliceSums
from components.evaluation.slice_metrics import metrics_of


class RecommenderMetrics(tfma.Metric):
    """All of the measures' metrics, each by the text of its `MetricName`.

    Beside them stand `gate/...`, a gate's clearance (`MetricGate`); the counts `users`,
    `ratings`, `outside` (targets that the model's catalogue lacks), `rated` and `rated_users`
    (targets with a rating); and `bands`, what `bands.sums` adds up. Where nothing is rated there
    are no metrics of ratings.
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
          gates, seed, scale, off: the fields of `EvaluationSettings`, as JSON has them.
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
) -> tfma.MetricComputations:
    settings = EvaluationSettings.model_validate(
        {"gates": gates, "seed": seed, "scale": scale, "off": off}
    )
    shared = {m: tfma.MetricKey(name="_measures", model_name=m) for m in model_names or [""]}
    specs = eval_config.model_specs if eval_config else []
    blessed = next((spec.name for spec in specs if spec.is_baseline), None)
    sums = [
        tfma.MetricComputation(
            keys=[key],
            preprocessors=[tfma.StandardMetricInputsPreprocessor()],
            combiner=MeasureSums(model, key, settings),
        )
        for model, key in shared.items()
    ]
    keys = [_key("users", model) for model in shared]
    result = partial(_result, settings, shared, blessed)
    return [*sums, tfma.DerivedMetricComputation(keys=keys, result=result)]


def _result(
    settings: EvaluationSettings,
    shared: dict[str, tfma.MetricKey],
    blessed: str | None,
    sums: dict[tfma.MetricKey, SliceSums],
) -> dict[tfma.MetricKey, Any]:
    """The metrics of each model; `shared` is the key of its sums, `blessed` the blessed one."""
    values: dict[tfma.MetricKey, Any] = {}
    for model, key in shared.items():
        beside = None if blessed is None or blessed == model else sums[shared[blessed]]
        metrics = metrics_of(settings, sums[key], beside)
        values |= {_key(name, model): value for name, value in metrics.items()}
    return values


def _key(name: str, model: str) -> tfma.MetricKey:
    """The key that TFMA looks a threshold of this name up by."""
    return tfma.MetricKey(name=name, model_name=model, example_weighted=None)

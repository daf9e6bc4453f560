"""The Evaluator node: TFX's own, after the exported model has answered in a fresh process.

One verdict comes out, over TFMA's gates and over what the reloaded model's lists and answers show.
"""

import json
from typing import Any

import tensorflow as tf
from tfx.components.evaluator import constants, executor
from tfx.components.evaluator.component import Evaluator
from tfx.types import standard_component_specs as specs
from tfx.utils import json_utils, proto_utils

from components.evaluation import tfma
from components.evaluation.eval_config import EvaluationSettings, eval_config, read_settings
from components.evaluation.review import Review
from components.tfx.artifacts import Artifact, Artifacts, folder, only, write_text
from components.tfx.nodes import (
    BaseChannel,
    BeamExecutorSpec,
    Channel,
    ChannelParameter,
    ComponentSpec,
    ExecutionParameter,
    standard_artifacts,
)  # fmt: skip
from schemas.artifacts import CATALOGUE, CHECKS_FILE

VALID_ROWS = "valid_rows"


class MovieEvaluatorExecutor(executor.Executor):
    """Asks the exported model in a fresh process, then lets TFMA judge."""

    def Do(  # noqa: N802 (TFX's name)
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]
    ) -> None:
        """Writes TFMA's evaluation, `checks.json` beside it, and the blessing over both."""
        config = tfma.EvalConfig()
        proto_utils.json_to_proto(exec_properties[specs.EVAL_CONFIG_KEY], config)
        settings = read_settings(config)
        review = Review(input_dict, settings, exec_properties[VALID_ROWS])
        candidate, fault = review.ask(specs.MODEL_KEY)
        results = review.judge(candidate, fault)
        if input_dict.get(specs.BASELINE_MODEL_KEY) and candidate is not None:
            input_dict = review.compare(input_dict, results)
        if review.off:
            judged = without(settings, review.off)
            exec_properties = {**exec_properties, specs.EVAL_CONFIG_KEY: judged}
        uri = folder(output_dict[specs.EVALUATION_KEY])
        blessing = only(output_dict[specs.BLESSING_KEY])
        if candidate is not None:
            super().Do(input_dict, output_dict, exec_properties)
        content = json.dumps(results.to_json(), indent=1, allow_nan=False)
        write_text(f"{uri}/{CHECKS_FILE}", content)
        if not results.passed:
            refuse(blessing, input_dict[specs.MODEL_KEY][0])


def without(settings: EvaluationSettings, off: dict[str, str]) -> str:
    """TFMA's configuration with no gate on the tasks that are off, as JSON."""
    judged = eval_config(settings.gates, settings.seed, settings.scale, off)
    return str(proto_utils.proto_to_json(judged))


def refuse(blessing: Artifact, model: Artifact) -> None:
    """Writes a refusal, over a blessing if there is one."""
    blessed = f"{blessing.uri}/{constants.BLESSED_FILE_NAME}"
    if tf.io.gfile.exists(blessed):
        tf.io.gfile.remove(blessed)
    write_text(f"{blessing.uri}/{constants.NOT_BLESSED_FILE_NAME}", "")
    blessing.set_int_custom_property(
        constants.ARTIFACT_PROPERTY_BLESSED_KEY, constants.NOT_BLESSED_VALUE
    )
    blessing.set_string_custom_property(
        constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY, model.uri
    )
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model.id)


class MovieEvaluatorSpec(ComponentSpec):
    """See `MovieEvaluator`."""

    PARAMETERS = {
        **specs.EvaluatorSpec.PARAMETERS,
        VALID_ROWS: ExecutionParameter(type=int),
    }
    INPUTS = {
        **specs.EvaluatorSpec.INPUTS,
        CATALOGUE: ChannelParameter(type=standard_artifacts.Examples),
        "model_run": ChannelParameter(type=standard_artifacts.ModelRun),
    }
    OUTPUTS = specs.EvaluatorSpec.OUTPUTS


class MovieEvaluator(Evaluator):
    """Judges the exported model against baselines, blessed model and bounds.

    Outputs `evaluation` and `blessing`, as TFX's Evaluator.
    """

    SPEC_CLASS = MovieEvaluatorSpec  # type: ignore[assignment]  # TFX asks no more of it
    EXECUTOR_SPEC = BeamExecutorSpec(MovieEvaluatorExecutor)

    def __init__(
        self,
        examples: BaseChannel,
        catalogue: BaseChannel,
        model: BaseChannel,
        model_run: BaseChannel,
        baseline_model: BaseChannel | None,
        eval_config: Any,
        valid_rows: int,
    ) -> None:
        """Makes the node.

        Args:
          examples: with the splits train, valid and eval.
          catalogue: one Example per movie.
          model, model_run: the candidate, and how its training went.
          baseline_model: the latest blessed model; an empty channel or None where there is none.
          eval_config: as `eval_config.eval_config` builds it.
          valid_rows: how many rows of valid the training measured.
        """
        spec = MovieEvaluatorSpec(
            examples=examples,
            catalogue=catalogue,
            model=model,
            model_run=model_run,
            baseline_model=baseline_model,
            eval_config=eval_config,
            valid_rows=valid_rows,
            example_splits=json_utils.dumps(["eval"]),
            module_path="components.evaluation.extractors",
            evaluation=Channel(type=standard_artifacts.ModelEvaluation),
            blessing=Channel(type=standard_artifacts.ModelBlessing),
        )
        super(Evaluator, self).__init__(spec=spec)

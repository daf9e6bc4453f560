"""What the example gen's node runs: TFX's view of `generate`."""

from collections.abc import Mapping
from typing import Any

from tfx import types
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.proto import example_gen_pb2, range_config_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import proto_utils

from components.example_gen.config import SplitConfig
from components.example_gen.generate import LOCAL_BEAM_ARGS, generate
from components.example_gen.inputs import SpanWindowProcessor, resolved
from components.example_gen.read.spans import names_span
from components.example_gen.split.splits import SPLITS
from schemas.artifacts import CATALOGUE
from schemas.forgotten import NOBODY, Forgotten
from schemas.source import Source

__all__ = ["LOCAL_BEAM_ARGS", "RatingExampleGenExecutor", "generate"]

EXAMPLES_KEY = standard_component_specs.EXAMPLES_KEY
SOURCE_KEY = "source"
SPLIT_KEY = "split"
FORGOTTEN_KEY = "forgotten"


class RatingExampleGenExecutor(base_beam_executor.BaseBeamExecutor):
    """Writes the examples of the splits, and those of the catalogue."""

    def Do(  # noqa: N802 (TFX's name)
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Runs the graph.

        Args:
          input_dict: nothing.
          output_dict: the artifacts `examples` and `catalogue`.
          exec_properties: `input_base`; `input_config` with the patterns as the driver resolved
            them, else `range_config` says how many spans to read; `source` and `split` as JSON,
            and `forgotten`, where there is somebody.

        Raises:
          UserError: see `generate`.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        examples = artifact_utils.get_single_instance(output_dict[EXAMPLES_KEY])
        catalogue = artifact_utils.get_single_instance(output_dict[CATALOGUE])
        files = example_gen_pb2.Input()
        proto_utils.json_to_proto(exec_properties[standard_component_specs.INPUT_CONFIG_KEY], files)
        resolve_patterns(files, exec_properties)
        source = Source.model_validate_json(exec_properties[SOURCE_KEY])
        split = SplitConfig.model_validate_json(exec_properties[SPLIT_KEY])
        forgotten = exec_properties.get(FORGOTTEN_KEY)
        generate(
            source,
            split,
            exec_properties[standard_component_specs.INPUT_BASE_KEY],
            examples.uri,
            catalogue.uri,
            self._beam_pipeline_args,
            resolved(source, files),
            forgotten=Forgotten.from_json(forgotten) if forgotten else NOBODY,
        )
        _describe(examples, list(SPLITS))
        _describe(catalogue, [CATALOGUE])


def resolve_patterns(files: example_gen_pb2.Input, exec_properties: Mapping[str, Any]) -> None:
    """Resolves the patterns in place where no driver has, as on open-source Kubeflow."""
    if not any(names_span(entry.pattern) for entry in files.splits):
        return
    range_config = range_config_pb2.RangeConfig()
    proto_utils.json_to_proto(
        exec_properties[standard_component_specs.RANGE_CONFIG_KEY], range_config
    )
    base = exec_properties[standard_component_specs.INPUT_BASE_KEY]
    processor = SpanWindowProcessor(base, files.splits, range_config)
    span, version = processor.resolve_span_and_version()
    for entry in files.splits:
        entry.pattern = processor.get_pattern_for_span_version(entry.pattern, span, version)


def _describe(artifact: types.Artifact, splits: list[str]) -> None:
    artifact.split_names = artifact_utils.encode_split_names(splits)
    examples_utils.set_payload_format(artifact, example_gen_pb2.FORMAT_TF_EXAMPLE)
    examples_utils.set_file_format(artifact, "tfrecords_gzip")

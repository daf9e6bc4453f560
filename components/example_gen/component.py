"""The node that turns files of ratings into tf.train.Examples."""

from tfx import types
from tfx.components.example_gen.component import FileBasedExampleGen
from tfx.dsl.components.base import executor_spec
from tfx.proto import example_gen_pb2, range_config_pb2
from tfx.types import component_spec, standard_artifacts, standard_component_specs

from components.example_gen import executor
from components.example_gen.config import SplitConfig
from components.example_gen.driver import RatingDriver
from components.example_gen.inputs import input_config
from schemas.artifacts import CATALOGUE
from schemas.forgotten import NOBODY, Forgotten
from schemas.source import Source


class RatingExampleGenSpec(types.ComponentSpec):
    """The spec of TFX's file-based example gen, with a second output, the source and the split."""

    PARAMETERS = {
        **standard_component_specs.FileBasedExampleGenSpec.PARAMETERS,
        executor.SOURCE_KEY: component_spec.ExecutionParameter(type=str),
        executor.SPLIT_KEY: component_spec.ExecutionParameter(type=str),
        executor.FORGOTTEN_KEY: component_spec.ExecutionParameter(type=str, optional=True),
    }
    INPUTS: dict[str, component_spec.ChannelParameter] = {}
    OUTPUTS = {
        **standard_component_specs.FileBasedExampleGenSpec.OUTPUTS,
        CATALOGUE: component_spec.ChannelParameter(type=standard_artifacts.Examples),
    }


class RatingExampleGen(FileBasedExampleGen):
    """Reads a source's ratings, movies and users.

    Outputs:
      examples: Examples with the splits train, valid and eval; `rows.json` beside them says what
        was read, kept and dropped.
      catalogue: Examples with the split catalogue, one per movie.

    The node is taken from the cache while no file that it reads changes (size and time of change),
    nor the source's description, nor the split, nor who is forgotten.
    """

    SPEC_CLASS = RatingExampleGenSpec  # type: ignore[assignment]  # TFX asks no more of it
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.RatingExampleGenExecutor)
    DRIVER_CLASS = RatingDriver  # type: ignore[assignment]  # TFX asks no more of it

    def __init__(
        self,
        input_base: str,
        source: Source,
        split: SplitConfig,
        spans: int = 1,
        forgotten: Forgotten = NOBODY,
    ) -> None:
        """Makes the node.

        Args:
          input_base: the data directory; local or, say, gs://.
          source: what its files hold; patterns may name a span, see `spans`.
          split: how ratings are split.
          spans: how many of the newest spans are read together.
          forgotten: whose ratings are left out.

        Raises:
          UserError: the source's patterns do not say of which span a file is.
        """
        spec = RatingExampleGenSpec(
            input_base=input_base,
            input_config=input_config(source, split),
            range_config=range_config_pb2.RangeConfig(
                rolling_range=range_config_pb2.RollingRange(num_spans=spans)
            ),
            output_config=example_gen_pb2.Output(),
            output_data_format=example_gen_pb2.FORMAT_TF_EXAMPLE,
            output_file_format=example_gen_pb2.FORMAT_TFRECORDS_GZIP,
            source=source.model_dump_json(exclude={"item"}),  # a word changes no Example
            split=split.model_dump_json(),
            forgotten=forgotten.to_json() if forgotten.people else None,
            examples=types.Channel(type=standard_artifacts.Examples),
            catalogue=types.Channel(type=standard_artifacts.Examples),
        )
        # FileBasedExampleGen's own constructor knows of one output only.
        super(FileBasedExampleGen, self).__init__(spec=spec)

"""Decides, before the node runs, which files it reads: here and on Vertex AI.

`python -m components.example_gen.driver` is the driver's command on Vertex AI. It is TFX's own with
this project's reading of spans; TFX names its input processor in the code.
"""

from collections.abc import Iterable

from absl import app
from tfx.components.example_gen import driver, input_processor
from tfx.orchestration.kubeflow.v2.file_based_example_gen import driver as vertex_driver
from tfx.proto import example_gen_pb2, range_config_pb2

from components.example_gen.inputs import SpanWindowProcessor


class RatingDriver(driver.Driver):
    """Resolves the window of spans and the fingerprint of its files, for local runs."""

    def get_input_processor(
        self,
        splits: Iterable[example_gen_pb2.Input.Split],
        range_config: range_config_pb2.RangeConfig | None = None,
        input_base_uri: str | None = None,
    ) -> SpanWindowProcessor:
        """The project's processor in place of TFX's."""
        return SpanWindowProcessor(str(input_base_uri), splits, range_config)


def main() -> None:
    """Runs TFX's driver for Vertex AI with the project's processor."""
    # TFX's driver takes its processor from there.
    input_processor.FileBasedInputProcessor = SpanWindowProcessor  # type: ignore[misc, assignment]
    app.run(vertex_driver.main, flags_parser=vertex_driver._parse_flags)


if __name__ == "__main__":
    main()

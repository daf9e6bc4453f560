"""Beam's options for the configured engine."""

import importlib.metadata
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.config import Config
from pipeline.engine_config import runner_of
from schemas.errors import UserError

# As Beam spells them; each runs in this process.
_HERE = {"", "FnApiRunner", "DirectRunner", "BundleBasedDirectRunner", "SwitchingDirectRunner"}


def beam_options(config: Config) -> list[str]:
    """Beam's options for all nodes: the engine's, and then those that are given.

    Raises:
      UserError: Prism is to be started, and is not to be found.
    """
    from components.example_gen.generate import LOCAL_BEAM_ARGS

    engine = config.engine
    needs_prism = engine.kind == "prism" and not engine.endpoint
    own = engine.beam_args(find_prism() if needs_prism else None)
    return [*own, *config.beam_args] or list(LOCAL_BEAM_ARGS)


def is_elsewhere(config: Config, beam_args: Sequence[str]) -> bool:
    """Whether nodes of a run on this machine are for an engine outside of this process.

    Raises:
      UserError: they are for Dataflow, whose workers see nothing of this machine.
    """
    runner = (runner_of(beam_args) or "").rpartition(".")[2]
    if config.engine.kind == "dataflow" or runner == "DataflowRunner":
        raise UserError(
            "Dataflow's workers see no folder of this machine: `greenlight vertex` submits the "
            "same run to Google Cloud, or take another engine.kind."
        )
    return runner not in _HERE


def find_prism() -> str:
    """Where Prism's program is: beside this environment's Python, or on PATH.

    Raises:
      UserError: it is in neither.
    """
    folders = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    found = shutil.which("prism", path=os.pathsep.join(folders))
    if not found:
        version = importlib.metadata.version("apache-beam")
        raise UserError(
            "engine.kind=prism needs Beam's program prism on PATH, or the engine.endpoint of one "
            "that runs: where Go is, `go install "
            f"github.com/apache/beam/sdks/v2/go/cmd/prism@v{version}` makes it."
        )
    return found

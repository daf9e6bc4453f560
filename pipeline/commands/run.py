"""`greenlight run`: the whole pipeline on this machine."""

from pipeline.commands.options import configured_by, run_options
from pipeline.commands.verdict import closing_sentences, conclude
from pipeline.config import Config
from pipeline.local import run_local


@configured_by(run_options)
def run(config: Config) -> None:
    """Runs the pipeline here. Exit status: 0 blessed and pushed, 3 finished but not blessed."""
    outcome = run_local(config)
    said = [*closing_sentences(outcome.blessing), *outcome.notes]
    conclude(outcome.blessing["blessed"], outcome.report, said)

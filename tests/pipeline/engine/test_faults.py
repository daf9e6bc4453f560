"""What a worker finds wrong is told as if this process had found it, whichever engine it is of."""

from pathlib import Path

import apache_beam as beam
import psutil  # type: ignore[import-untyped]
import pytest

from components.example_gen.generate import LOCAL_BEAM_ARGS
from pipeline.engine.options import find_prism
from pipeline.output import logged
from schemas.errors import RunFailed, UserError
from tests import engines

SENTENCE = "ratings.csv:7: the rating 'x' is no number: mend it, or set split.max_bad_share."


@pytest.fixture(params=["here", *engines.NAMES])
def beam_args(request: pytest.FixtureRequest) -> list[str]:
    here = request.param == "here"
    return list(LOCAL_BEAM_ARGS) if here else engines.beam_args_of(request.param)


class Failing(beam.DoFn):
    """Raises what it is given."""

    def process(self, error: Exception) -> None:
        raise error


def run(beam_args: list[str], error: Exception, folder: Path) -> None:
    """A job that ends with an error of a worker, as a node of a run."""
    with logged(folder), beam.Pipeline(argv=beam_args) as pipeline:
        _ = pipeline | beam.Create([error]) | "Read" >> beam.ParDo(Failing())


# A thread of Beam's for the workers in this process outlives the job that failed.
@pytest.mark.filterwarnings("ignore:Exception in thread read_grpc_client_inputs")
def test_a_users_mistake_stays_its_sentence(beam_args: list[str], tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        run(beam_args, UserError(SENTENCE), tmp_path)
    assert str(caught.value) == SENTENCE


@pytest.mark.filterwarnings("ignore:Exception in thread read_grpc_client_inputs")
def test_another_fault_is_named_with_its_step(beam_args: list[str], tmp_path: Path) -> None:
    with pytest.raises(RunFailed) as caught:
        run(beam_args, ZeroDivisionError("division by zero"), tmp_path)
    message = str(caught.value)
    assert message.startswith("The run failed: ZeroDivisionError: division by zero (at Beam's step")
    assert "Read" in message and "\n" not in message and message.count("ZeroDivision") == 1


def test_a_server_that_another_job_started_is_not_asked_again(tmp_path: Path) -> None:
    """Beam keeps one server of Prism for a process, also one that never began: not for ours."""
    own = engines.beam_args_of("prism")
    other = tmp_path / "other"
    other.symlink_to(find_prism())
    for beam_args in ([*own[:1], f"--prism_location={other}"], own):
        with beam.Pipeline(argv=beam_args) as pipeline:
            _ = pipeline | beam.Create([1])
    began = [child.cmdline()[0] for child in psutil.Process().children()]
    assert {str(other), find_prism()} <= set(began)

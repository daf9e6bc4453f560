"""An engine outside of this process is tried before the first node is given to it."""

import json
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

import apache_beam as beam
import grpc
from apache_beam.options.pipeline_options import PipelineOptions, PortableOptions
from apache_beam.portability.api import beam_job_api_pb2, beam_job_api_pb2_grpc
from apache_beam.runners.runner import PipelineState

from pipeline.engine.probe import Wanted, build, code_digest, results, versions
from schemas.errors import UserError

ANSWER_SECONDS, JOB_SECONDS = 10.0, 45.0  # together well below a minute
MOST_FILES = 100  # of the data directory, that workers must see
_HINT = (
    "see that engine.workers is right, and that workers have this project's environment first in "
    "PATH (a pool calls a bare `python`)"
)
_FAULT = re.compile(r"WorkerFault: (.*?)\.?(?: \[while running|\\n|\n|$)")
_MISSING = re.compile(r"ModuleNotFoundError: (No module named '[\w.]+')")


def check_engine(beam_args: Sequence[str], folder: Path, data_dir: str) -> None:
    """Sends a small job through an engine and looks at what came of it.

    Args:
      beam_args: Beam's options for the engine.
      folder: of the artifacts, which workers write to.
      data_dir: what they read from.

    Raises:
      UserError: the engine does not answer or does not do the job, its workers are not as this
        process is or do not see its files, or what came out is wrong.
    """
    endpoint = PipelineOptions(list(beam_args)).view_as(PortableOptions).job_endpoint
    if endpoint and endpoint != "embed":
        check_endpoint(endpoint)
    with tempfile.TemporaryDirectory(prefix=".engine-", dir=folder) as work:
        (Path(work) / "seen").write_text("by workers", encoding="utf-8")
        files = {str(path): path.stat().st_size for path in _some_files(work, data_dir)}
        wanted = Wanted(work, files, versions(), code_digest())
        _run(beam_args, wanted)
        check_results(work)


def check_endpoint(endpoint: str) -> None:
    """Raises UserError where no Beam job server answers, HOST:PORT."""
    with grpc.insecure_channel(endpoint) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=ANSWER_SECONDS)
            beam_job_api_pb2_grpc.JobServiceStub(channel).DescribePipelineOptions(
                beam_job_api_pb2.DescribePipelineOptionsRequest(), timeout=ANSWER_SECONDS
            )
        except grpc.FutureTimeoutError as error:
            raise UserError(
                f"No engine answers at {endpoint}: start its job server there, or mend the "
                "endpoint in the configuration."
            ) from error
        except grpc.RpcError as error:
            raise UserError(
                f"What answers at {endpoint} is no job server of Beam: mend the endpoint in the "
                "configuration."
            ) from error


def check_results(folder: str) -> None:
    """Raises UserError where the job's files in `folder` do not hold what they must."""
    for name, wanted in results().items():
        path = Path(folder) / name
        if not path.exists():
            raise UserError(
                f"The engine says that it is done, but a file that its workers wrote is not in "
                f"{folder}: all must have the output directory on one share, under the same path."
            )
        if json.loads(path.read_text(encoding="utf-8")) != wanted:
            raise UserError(
                "The engine counts wrong: it gave another answer to a small sum than the right "
                "one, so its runner cannot be used."
            )


def failure(text: str) -> str:
    """One sentence on a job that failed, out of all that the engine says of it."""
    if fault := _FAULT.search(text):
        return f"{fault[1]}."
    if missing := _MISSING.search(text):
        return (
            f"The engine's workers lack a module ({missing[1]}): give them this "
            "machine's locked packages and greenlight, or this version's image."
        )
    lines = [line.strip() for line in text.splitlines() if line.strip()] or ["it says nothing"]
    return f"The engine failed at a small job ({lines[-1][:300]}): its own log says more."


def _run(beam_args: Sequence[str], wanted: Wanted) -> None:
    """Runs the job; raises UserError where it fails or takes too long."""
    options = PipelineOptions(
        [*beam_args, f"--job_server_timeout={JOB_SECONDS + ANSWER_SECONDS:.0f}"]
    )
    pipeline = beam.Pipeline(options=options)
    build(pipeline, wanted)
    try:
        result = pipeline.run()
        state = result.wait_until_finish(duration=int(JOB_SECONDS * 1000))
    except grpc.RpcError as error:
        raise UserError(
            f"The engine ended in the middle of a small job ({error.details()}), as Prism does "
            f"where no worker starts: {_HINT}."
        ) from error
    except (RuntimeError, OSError) as error:
        raise UserError(failure(str(error))) from error
    if state != PipelineState.DONE:
        result.cancel()
        raise UserError(
            f"The engine did not finish a small job in {JOB_SECONDS:.0f} seconds, so no worker "
            f"started or there are too few slots: {_HINT}."
        )


def _some_files(work: str, data_dir: str) -> list[Path]:
    """Files that workers must see: one just written, and some of the data, if they are files."""
    here = [] if "://" in data_dir else [Path(entry.path) for entry in os.scandir(data_dir)]
    return [Path(work) / "seen", *sorted(path for path in here if path.is_file())[:MOST_FILES]]

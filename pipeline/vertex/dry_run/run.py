"""Runs the compiled job on this machine: the containers' commands, in a clean environment."""

import json
import socket
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from pipeline.config import Config, find_data
from pipeline.local import Outcome
from pipeline.metadata import NodeRun
from pipeline.output import new_run_id
from pipeline.publish import closing_tables
from pipeline.vertex.compile import compile_job
from pipeline.vertex.dry_run.environment import Environment
from pipeline.vertex.dry_run.interpreter import GS, EndedStep, Interpreter
from pipeline.vertex.dry_run.store import Store
from pipeline.vertex.steps import steps_in_order
from pipeline.vertex_config import DataflowConfig
from schemas.artifacts import BLESSING_FILE, Node
from schemas.errors import RunFailed, UserError


class Folders:
    """Where a dry run's things are, all below the folder of the dry runs."""

    def __init__(self, base: Path) -> None:
        self.bucket = base / "gs"  # what stands for gs://; each of its folders is a bucket
        self.logs = base / "logs"  # what each step printed
        self.environment = base / "environment"  # the clean environment
        self.metadata = base / "metadata.json"  # the artifacts of all dry runs


def dry_run(config: Config, local_data: str | None, base: Path, console: Console) -> Outcome:
    """Takes the job through all its steps, or up to the first that fails.

    Args:
      config: as for a submission; what is missing is filled in.
      local_data: a folder with the files that `data_dir` has on gs://; None if that is local.
      base: the folder of all dry runs that share cache and blessed model.
      console: shows which step is at work.

    Raises:
      UserError: the data is not to be found.
      RunFailed: a step's command failed; the message names its log.
    """
    folders = Folders(base)
    for folder in (folders.bucket, folders.logs):
        folder.mkdir(parents=True, exist_ok=True)
    chosen = filled_in(config)
    mount(folders.bucket, str(chosen.data_dir), data_folder(config, local_data))
    with console.status("Compiling"):
        run_id = new_run_id(folders.logs)
        job = compile_job(chosen, run_id)
    with console.status("Building the package and its environment"):
        environment = Environment(folders.environment)
    runner = CommandRunner(environment, folders.logs / run_id)
    store = Store(folders.metadata)
    interpreter = Interpreter(job, f"dry-run-{run_id}", store, folders.bucket, runner)
    ended = list[EndedStep]()
    steps = steps_in_order(job["pipelineSpec"])
    for number, step in enumerate(steps, 1):
        place = f"[{number}/{len(steps)}] {step.name}"
        if not console.is_terminal:
            console.print(place, markup=False, highlight=False)
        with console.status(place.replace("[", r"\[")):
            ended.append(interpreter.follow(step))
    return outcome(ended, folders.bucket, console)


def filled_in(config: Config) -> Config:
    """The configuration with what a submission needs and a dry run does not, and on one machine."""
    vertex = config.vertex.model_copy(
        update={
            "pipeline_root": config.vertex.pipeline_root or f"{GS}dry-run/greenlight",
            "image": config.vertex.image or "greenlight:dry-run",
            "dataflow": DataflowConfig(),
        }
    )
    remote = (config.data_dir or "").startswith(GS)
    data_dir = config.data_dir if remote else f"{GS}dry-run/data"
    return config.model_copy(update={"vertex": vertex, "data_dir": data_dir})


def data_folder(config: Config, local_data: str | None) -> Path:
    """The folder whose files stand for those on gs://.

    Raises:
      UserError: it is not said, or is not there.
    """
    if local_data is None and (config.data_dir or "").startswith(GS):
        raise UserError(f"Say where a copy of {config.data_dir} is: --local-data FOLDER.")
    return Path(find_data(config.model_copy(update={"data_dir": local_data or config.data_dir})))


def mount(bucket: Path, url: str, folder: Path) -> None:
    """Makes a folder readable as a gs:// one."""
    place = bucket / url.removeprefix(GS).rstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    place.symlink_to(folder, target_is_directory=True)


class CommandRunner:
    """Runs steps' commands, each with a log of its own."""

    def __init__(self, environment: Environment, logs: Path) -> None:
        self._environment, self._logs = environment, logs
        self._work = logs / "work"  # an empty folder, so that nothing of the checkout is in reach
        self._work.mkdir(parents=True)

    def __call__(self, name: str, command: Sequence[str], replicas: int = 1) -> None:
        """Runs a command to its end, in so many processes that know of one another.

        Raises:
          RunFailed: it failed in the first of them; the message has the last line that it printed.
        """
        clusters = cluster(replicas) if replicas > 1 else [{}]
        paths = [self._logs / f"{name}{f'-{place}' * (place > 0)}.log" for place in range(replicas)]
        pairs = zip(paths, clusters, strict=True)
        processes = [self._started(command, path, variables) for path, variables in pairs]
        try:
            status = processes[0].wait()
        finally:
            for process in processes[1:]:
                process.kill()
        if status:
            lines = paths[0].read_text(encoding="utf-8", errors="replace").strip().splitlines()
            last = lines[-1] if lines else f"exit status {status}"
            raise RunFailed(f"{name} failed: {last.rstrip('.')}. The log says more: {paths[0]}")

    def _started(
        self, command: Sequence[str], path: Path, variables: Mapping[str, str]
    ) -> "subprocess.Popen[bytes]":
        with path.open("wb") as log:
            return subprocess.Popen(
                self._environment.command([*command]),
                env={**self._environment.variables(), **variables},
                cwd=self._work,
                stdout=log,
                stderr=subprocess.STDOUT,
            )


def cluster(replicas: int) -> list[dict[str, str]]:
    """What the service tells each process of a job of several pools: the chief, then the others."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(replicas)]
        for one in sockets:
            one.bind(("localhost", 0))
        addresses = [f"localhost:{one.getsockname()[1]}" for one in sockets]
    told = {"chief": addresses[:1], "worker": addresses[1:]}
    tasks = [("chief", 0), *(("worker", place) for place in range(replicas - 1))]
    return [
        {"TF_CONFIG": json.dumps({"cluster": told, "task": {"type": kind, "index": index}})}
        for kind, index in tasks
    ]


def outcome(ended: Sequence[EndedStep], bucket: Path, console: Console) -> Outcome:
    """Shows the closing tables; returns the verdict and where its report is."""
    (report,) = next(step for step in ended if step.name == Node.REPORT).outputs["report"]
    place = bucket / report["uri"].removeprefix(GS)
    blessing = json.loads((place / BLESSING_FILE).read_text(encoding="utf-8"))
    runs = [NodeRun(step.name, step.state, step.seconds, 0) for step in ended]
    for table in closing_tables(runs, blessing):
        console.print(table)
    return Outcome(blessing, place)

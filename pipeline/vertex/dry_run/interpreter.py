"""Takes a compiled job through its steps as Vertex AI does: look-ups, drivers, cache, commands."""

import hashlib
import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from pipeline.vertex.dry_run.conditions import holds
from pipeline.vertex.dry_run.store import Outputs, Store, new_name
from pipeline.vertex.steps import Spec, Step, awaited, container_of, replicas_of

RunCommand = Callable[[str, Sequence[str], int], None]
GS = "gs://"
SKIPPED = "skipped"
_INVOCATION = "{{$}}"
_PROPERTY = re.compile(r"\{\{\$\.inputs\.artifacts\['(\w+)'\]\.metadata\['(\w+)'\]\}\}")


@dataclass(frozen=True)
class EndedStep:
    """How a step ended, in how many seconds, and its outputs.

    The state is `done`, `cached` or `skipped`; of a look-up it is `found` or `none yet`.
    """

    name: str
    state: str
    seconds: float
    outputs: Outputs


class Interpreter:
    """Takes one job through its steps."""

    def __init__(self, job: Spec, job_id: str, store: Store, bucket: Path, run: RunCommand) -> None:
        """Begins a job.

        Args:
          job: a PipelineJob.
          job_id: names the job among those of its pipeline root.
          store: what earlier jobs left behind.
          bucket: the folder that stands for gs://; buckets are its folders.
          run: runs a named command; raises RunFailed where that fails.
        """
        self._runtime: Spec = job["runtimeConfig"]
        self._folder = f"{self._runtime['gcsOutputDirectory']}/1/{job_id}"
        self._store, self._local, self._run = store, f"{bucket}/", run
        self._made: dict[str, Outputs] = {}

    def follow(self, step: Step) -> EndedStep:
        """Looks up, takes from the cache or runs what a step makes."""
        started = time.monotonic()
        inputs = self._inputs(step)
        if self._skipped(step, inputs):
            return EndedStep(step.name, SKIPPED, 0.0, {})
        if "resolver" in step.executor:
            outputs = self._look_up(step, inputs)
            state = "found" if all(outputs.values()) else "none yet"
        else:
            state, outputs = self._execute(step, inputs)
        self._made[step.name] = outputs
        return EndedStep(step.name, state, time.monotonic() - started, outputs)

    def _skipped(self, step: Step, inputs: Spec) -> bool:
        """Whether the step's condition fails, or it awaits a step that was skipped itself."""
        condition = step.task.get("triggerPolicy", {}).get("condition")
        if awaited(step.task) <= set(self._made):
            return bool(condition) and not holds(condition, inputs)
        return True

    def _inputs(self, step: Step) -> Spec:
        """What earlier steps made for a step, and its parameters, as ExecutorInput has them."""
        wired = step.task.get("inputs", {})
        artifacts = {}
        for key, source in wired.get("artifacts", {}).items():
            origin = source["taskOutputArtifact"]
            made = self._made.get(origin["producerTask"], {})  # nothing, if that was skipped
            if produced := made.get(origin["outputArtifactKey"]):
                artifacts[key] = {"artifacts": produced}
        parameters = {
            key: self._value(source) for key, source in wired.get("parameters", {}).items()
        }
        return {"artifacts": artifacts, "parameterValues": parameters}

    def _value(self, source: Spec) -> Any:
        if "componentInputParameter" in source:
            return self._runtime["parameterValues"][source["componentInputParameter"]]
        return source["runtimeValue"]["constant"]

    def _look_up(self, step: Step, inputs: Spec) -> Outputs:
        """What a resolver finds in the store."""
        outputs = {}
        for key, query in step.executor["resolver"]["outputArtifactQueries"].items():
            filled = fill(query["filter"], inputs["artifacts"])
            outputs[key] = self._store.find(filled) if filled else []
        return outputs

    def _execute(self, step: Step, inputs: Spec) -> tuple[str, Outputs]:
        """Takes a step's outputs from the cache, or runs it; returns its state with them."""
        container = container_of(step.executor)
        call = {"inputs": inputs, "outputs": self._places(step)}
        driver = container.get("lifecycle", {}).get("preCacheCheck")
        if driver:
            self._call(f"{step.name}-driver", driver, call)
        key = cache_key(step, inputs)
        if step.task.get("cachingOptions", {}).get("enableCache"):
            before = self._store.cached(key)
            if before is not None:
                return "cached", before
        self._call(step.name, container, call, replicas_of(step.executor))
        made = {name: of["artifacts"] for name, of in call["outputs"]["artifacts"].items()}
        self._store.keep(key, made)
        return "done", made

    def _places(self, step: Step) -> Spec:
        """Where a step writes: a folder of its own for each output, and a file of facts."""
        folder = f"{self._folder}/{step.name}_{time.time_ns()}"
        artifacts = {
            key: {"artifacts": [{
                "name": new_name(),
                "type": declared["artifactType"],
                "uri": f"{folder}/{key}",
                "metadata": declared.get("metadata", {}),
            }]}
            for key, declared in step.component["outputDefinitions"]["artifacts"].items()
        }  # fmt: skip
        return {"artifacts": artifacts, "outputFile": f"{folder}/executor_output.json"}

    def _call(self, name: str, container: Spec, call: Spec, replicas: int = 1) -> None:
        """Runs a command, in so many processes, then takes over the facts of its output file."""
        message = json_format.ParseDict(call, pipeline_spec_pb2.ExecutorInput())
        invocation = json_format.MessageToJson(message)
        command = [*container["command"], *container["args"]]
        words = (invocation if word == _INVOCATION else word for word in command)
        self._run(name, [word.replace(GS, self._local) for word in words], replicas)
        written = Path(call["outputs"]["outputFile"].replace(GS, self._local))
        facts = json.loads(written.read_text(encoding="utf-8").replace(self._local, GS))
        call["inputs"]["parameterValues"] |= facts.get("parameterValues", {})
        for key, of in facts.get("artifacts", {}).items():
            (ours,), (theirs,) = call["outputs"]["artifacts"][key]["artifacts"], of["artifacts"]
            ours["metadata"] = {**ours["metadata"], **theirs.get("metadata", {})}


def fill(query: str, artifacts: Spec) -> str | None:
    """A query with the properties of input artifacts filled in; None if an artifact is missing."""
    for key, name in _PROPERTY.findall(query):
        if key not in artifacts:
            return None
        (artifact,) = artifacts[key]["artifacts"]
        query = _PROPERTY.sub(str(artifact["metadata"][name]), query, count=1)
    return query


def cache_key(step: Step, inputs: Spec) -> str:
    """What decides whether a step has run before: its container, interface and inputs."""
    names = {
        key: [one["name"] for one in of["artifacts"]] for key, of in inputs["artifacts"].items()
    }
    executed = container_of(step.executor)
    container = {key: executed[key] for key in ("image", "command", "args")}
    facts = [container, step.component, names, inputs["parameterValues"]]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

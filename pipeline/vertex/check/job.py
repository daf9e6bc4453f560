"""Finds before a submission what TFX's compiler and Google's client let through in silence."""

import re
from collections.abc import Iterator
from pathlib import Path

from google.cloud.aiplatform_v1.types import CustomJob, PipelineJob
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from pipeline.config import Config
from pipeline.vertex.check.code import code_findings
from pipeline.vertex.check.settings import image_findings, setting_findings
from pipeline.vertex.lock import CHECKOUT, locked
from pipeline.vertex.steps import Spec, awaited, producers
from schemas.stack import STACKS, Stack

_BUCKET = re.compile(r"gs://[a-z0-9][a-z0-9._-]{1,61}[a-z0-9](/.*)?")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,127}")
_LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LABEL_VALUE = re.compile(r"[a-z0-9_-]{0,63}")
_CONDITION_INPUT = re.compile(r"inputs\.(artifacts|parameters)\['([^']+)'\]")
_MOST_LABELS = 64


def job_findings(job: Spec, config: Config) -> list[str]:
    """What would go wrong with a PipelineJob on Vertex AI, a sentence each; empty if nothing."""
    spec = job["pipelineSpec"]
    return [
        *schema_findings(job),
        *wiring_findings(spec),
        *code_findings(spec),
        *path_findings(job),
        *parameter_findings(job),
        *name_findings(job),
        *image_findings(spec),
        *setting_findings(config.vertex),
        *beam_findings(CHECKOUT),
    ]


def kfp_findings(spec: Spec) -> list[str]:
    """What open-source Kubeflow Pipelines cannot run of a PipelineSpec."""
    lookups = [
        f"Kubeflow Pipelines cannot run {label.removesuffix('_executor')}, since it has no "
        "resolvers: build for it without them."
        for label, executor in spec["deploymentSpec"]["executors"].items()
        if "resolver" in executor
    ]
    return [*lookups, *wiring_findings(spec), *code_findings(spec), *image_findings(spec)]


def schema_findings(job: Spec) -> Iterator[str]:
    """Whether job, spec, deployment and custom jobs parse strictly as what Vertex AI reads."""
    spec = job["pipelineSpec"]
    executors = spec["deploymentSpec"]["executors"].values()
    for content, message in (
        (job, PipelineJob.pb(PipelineJob())),
        (spec, pipeline_spec_pb2.PipelineSpec()),
        (spec["deploymentSpec"], pipeline_spec_pb2.PipelineDeploymentConfig()),
        *(
            (executor["customJob"]["customJob"], CustomJob.pb(CustomJob()))
            for executor in executors
            if "customJob" in executor
        ),
    ):
        try:
            json_format.ParseDict(content, message)
        except json_format.ParseError as error:
            yield f"This is no {type(message).__name__}: {str(error).splitlines()[0]}"


def wiring_findings(spec: Spec) -> Iterator[str]:
    """References of tasks, inputs and conditions to what there is not."""
    tasks, components = spec["root"]["dag"]["tasks"], spec["components"]
    made = {
        (name, key)
        for name, task in tasks.items()
        for key in outputs_of(components.get(task["componentRef"]["name"], {}))
    }
    for name, task in tasks.items():
        if task["componentRef"]["name"] not in components:
            yield f"{name} is a {task['componentRef']['name']}, which the spec does not define."
        for other in sorted(awaited(task) - set(tasks)):
            yield f"{name} waits for {other}, which is no step of the pipeline."
        for other, key in producers(task):
            if other in tasks and (other, key) not in made:
                yield f"{name} reads the output {key} of {other}, which does not make it."
        yield from condition_findings(name, task)


def outputs_of(component: Spec) -> set[str]:
    """The keys of all that a component makes."""
    declared = component.get("outputDefinitions", {})
    return {*declared.get("artifacts", {}), *declared.get("parameters", {})}


def condition_findings(name: str, task: Spec) -> Iterator[str]:
    """Inputs that a step's condition reads and the step does not have."""
    condition = task.get("triggerPolicy", {}).get("condition", "")
    for kind, key in _CONDITION_INPUT.findall(condition):
        if key not in task.get("inputs", {}).get(kind, {}):
            yield (
                f"The condition of {name} reads the input {key}, which {name} does not have: a "
                "condition on a channel that is an input as well is compiled wrongly."
            )


def path_findings(job: Spec) -> Iterator[str]:
    """Paths that a container cannot reach."""
    paths = {"pipeline root": job["runtimeConfig"]["gcsOutputDirectory"]}
    for task in job["pipelineSpec"]["root"]["dag"]["tasks"].values():
        parameters = task.get("inputs", {}).get("parameters", {})
        if "input_base" in parameters:
            paths["data directory"] = parameters["input_base"]["runtimeValue"]["constant"]
    for what, path in paths.items():
        if not _BUCKET.fullmatch(path):
            yield f"The {what} {path} is not on Cloud Storage: name one that begins with gs://."


def parameter_findings(job: Spec) -> Iterator[str]:
    """Runtime parameters without a value, and values without a parameter."""
    declared = job["pipelineSpec"]["root"].get("inputDefinitions", {}).get("parameters", {})
    values = job["runtimeConfig"].get("parameterValues", {})
    for name in sorted(set(declared) - set(values)):
        yield f"The runtime parameter {name} has no value, and defaults are not compiled: send one."
    for name in sorted(set(values) - set(declared)):
        yield f"{name} is given a value, but is no runtime parameter of the pipeline."


def name_findings(job: Spec) -> Iterator[str]:
    """Names and labels that Vertex AI refuses."""
    name = job["pipelineSpec"]["pipelineInfo"]["name"]
    if not _NAME.fullmatch(name):
        yield (
            f"The pipeline's name {name!r} must be 1 to 128 lower-case letters, digits and hyphens."
        )
    labels = job.get("labels", {})
    if len(labels) > _MOST_LABELS:
        yield f"There are {len(labels)} labels; at most {_MOST_LABELS} are allowed."
    for key, value in labels.items():
        if not _LABEL_KEY.fullmatch(key) or not _LABEL_VALUE.fullmatch(value):
            yield (
                f"The label {key}={value} must be of lower-case letters, digits, _ and -, at most "
                "63 each, and begin with a letter."
            )


def beam_findings(checkout: Path) -> Iterator[str]:
    """Whether each image's Beam is its lock's; Dataflow's workers would fail with another."""
    dockerfile = checkout / "Dockerfile"
    if not dockerfile.exists():  # an installed package brings none along
        return
    text = dockerfile.read_text(encoding="utf-8")
    for stack in STACKS:
        wanted = _locked_beam(checkout, stack)
        for version in re.findall(rf"apache/beam_python{stack.image_python}_sdk:([\w.]+)", text):
            if version != wanted:
                yield (
                    f"The Dockerfile has Beam {version}, but {stack.lock} {wanted}: make them "
                    "equal."
                )


def _locked_beam(checkout: Path, stack: Stack) -> str:
    (version,) = (
        str(pin.specifier).removeprefix("==")
        for pin in locked(checkout / stack.lock)
        if pin.name == "apache-beam"
    )
    return version

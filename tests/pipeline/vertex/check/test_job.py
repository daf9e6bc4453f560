"""Each thing that the check is there to find, seeded; and nothing found where nothing is wrong."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tfx import v1 as tfx
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component

from pipeline import cli
from pipeline.config import Config
from pipeline.vertex.check import job as check
from pipeline.vertex.lock import CHECKOUT
from schemas.stack import STACKS, TFX_1_16

Spec = dict[str, Any]


def tasks(job: Spec) -> Spec:
    found: Spec = job["pipelineSpec"]["root"]["dag"]["tasks"]
    return found


def container(job: Spec, name: str) -> Spec:
    found: Spec = job["pipelineSpec"]["deploymentSpec"]["executors"][f"{name}_executor"]
    return found["container"]


def constant(job: Spec, name: str, key: str, value: str) -> None:
    tasks(job)[name]["inputs"]["parameters"][key] = {"runtimeValue": {"constant": value}}


def executor(job: Spec, path: str) -> None:
    container(job, "Pusher")["args"][1] = path


def origin(job: Spec) -> Spec:
    found: Spec = tasks(job)["Pusher"]["inputs"]["artifacts"]["model"]["taskOutputArtifact"]
    return found


def report_type(job: Spec) -> Spec:
    report = job["pipelineSpec"]["components"]["BlessingReport"]["outputDefinitions"]["artifacts"]
    found: Spec = report["report"]["artifactType"]
    return found


def condition(job: Spec, text: str) -> None:
    tasks(job)["Pusher"]["triggerPolicy"] = {"condition": text}


SEEDS: dict[str, tuple[Callable[[Spec], Any], str]] = {
    "a task that is awaited": (
        lambda job: tasks(job)["Pusher"]["dependentTasks"].append("Tuner"),
        "Pusher waits for Tuner, which is no step",
    ),
    "a task that is read from": (
        lambda job: origin(job).update(producerTask="MovieTrainer_task"),
        "Pusher waits for MovieTrainer_task, which is no step",
    ),
    "an output that is read": (
        lambda job: origin(job).update(outputArtifactKey="weights"),
        "Pusher reads the output weights of MovieTrainer, which does not make it",
    ),
    "a component": (
        lambda job: tasks(job)["Pusher"]["componentRef"].update(name="Pusher2"),
        "Pusher is a Pusher2, which the spec does not define",
    ),
    "an input of a condition": (
        lambda job: condition(job, "inputs.artifacts['blessing'].artifacts[0].uri == 'x'"),
        "The condition of Pusher reads the input blessing, which Pusher does not have",
    ),
    "__main__": (
        lambda job: executor(job, "__main__.Executor"),
        "Pusher runs __main__.Executor, which no container can import",
    ),
    "a module of the checkout only": (
        lambda job: executor(job, "tests.browser.Tab"),
        "Pusher runs tests.browser.Tab, which no installed package holds",
    ),
    "a class that is not there": (
        lambda job: executor(job, "tfx.components.pusher.executor.Pushed"),
        "which cannot be imported",
    ),
    "a function that is not there": (
        lambda job: constant(job, "MovieTrainer", "run_fn", "components.trainer.run.fit_all"),
        "MovieTrainer runs components.trainer.run.fit_all, which cannot be imported",
    ),
    "a module that is not there": (
        lambda job: constant(job, "Evaluator", "module_path", "components.evaluation.none"),
        "Evaluator runs components.evaluation.none, which cannot be imported",
    ),
    "an artifact type that is not there": (
        lambda job: report_type(job).update(instanceSchema="title: nowhere.Report\n"),
        "BlessingReport runs nowhere.Report, which no installed package holds",
    ),
    "a module file": (
        lambda job: constant(job, "Transform", "module_file", "transform.py"),
        "Transform takes a module_file",
    ),
    "a local pipeline root": (
        lambda job: job["runtimeConfig"].update(gcsOutputDirectory="runs/default"),
        "The pipeline root runs/default is not on Cloud Storage",
    ),
    "a local data directory": (
        lambda job: constant(job, "RatingExampleGen", "input_base", "/data"),
        "The data directory /data is not on Cloud Storage",
    ),
    "a bucket that cannot be": (
        lambda job: job["runtimeConfig"].update(gcsOutputDirectory="gs://My_Bucket/x"),
        "The pipeline root gs://My_Bucket/x is not on Cloud Storage",
    ),
    "a missing parameter": (
        lambda job: job["runtimeConfig"]["parameterValues"].clear(),
        "The runtime parameter run_id has no value",
    ),
    "an unknown parameter": (
        lambda job: job["runtimeConfig"]["parameterValues"].update(epochs=3),
        "epochs is given a value, but is no runtime parameter",
    ),
    "a name": (
        lambda job: job["pipelineSpec"]["pipelineInfo"].update(name="Greenlight_1"),
        "The pipeline's name 'Greenlight_1' must be",
    ),
    "a label's key": (lambda job: job["labels"].update(Team="x"), "The label Team=x must be"),
    "a label's value": (lambda job: job["labels"].update(team="A b"), "The label team=A b must be"),
    "too many labels": (
        lambda job: job["labels"].update({f"l{number}": "x" for number in range(64)}),
        "There are 67 labels",
    ),
    "an image without a tag": (
        lambda job: container(job, "Pusher").update(image="registry:5000/greenlight/cpu"),
        "The image registry:5000/greenlight/cpu has no tag of its own",
    ),
    "a field that there is not": (
        lambda job: container(job, "Pusher").update(images="x"),
        "This is no PipelineDeploymentConfig",
    ),
}


def test_nothing_is_found_where_nothing_is_wrong(
    vertex_job: Spec, kfp_spec: Spec, vertex_config: Config
) -> None:
    assert check.job_findings(vertex_job, vertex_config) == []
    assert check.kfp_findings(kfp_spec) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seeded_fault_is_one_sentence(vertex_job: Spec, vertex_config: Config, seed: str) -> None:
    change, words = SEEDS[seed]
    job = copy.deepcopy(vertex_job)
    change(job)
    (found,) = check.job_findings(job, vertex_config)
    assert words in found
    assert found.endswith(".") and "\n" not in found


def test_resolvers_are_found_in_a_build_for_kubeflow(vertex_job: Spec) -> None:
    found = check.kfp_findings(vertex_job["pipelineSpec"])
    assert len(found) == 3
    assert any("cannot run LastStatistics" in sentence for sentence in found)


def test_another_beam_in_the_image_is_found(tmp_path: Path) -> None:
    for stack in STACKS:
        (tmp_path / stack.lock).write_text("apache-beam==2.74.0\n")
    assert list(check.beam_findings(tmp_path)) == []  # installed, with no Dockerfile
    (tmp_path / "Dockerfile").write_text("FROM apache/beam_python3.10_sdk:2.73.0 AS beam\n")
    (found,) = check.beam_findings(tmp_path)
    assert "Beam 2.73.0" in found and f"{TFX_1_16.lock} 2.74.0" in found
    assert list(check.beam_findings(CHECKOUT)) == []


@component
def Make(value: OutputArtifact[tfx.types.standard_artifacts.Integer]) -> None:  # noqa: N802
    """Makes a number."""
    value.value = 1


@component
def Read(value: InputArtifact[tfx.types.standard_artifacts.Integer]) -> None:  # noqa: N802
    """Reads a number."""


@component
def Take(number: Parameter[int] = 0) -> None:  # noqa: N802
    """Takes a number."""


def compiled(*components: Any) -> Spec:
    runner = tfx.orchestration.experimental.KubeflowV2DagRunner(
        tfx.orchestration.experimental.KubeflowV2DagRunnerConfig(
            default_image="image:1", use_pipeline_spec_2_1=True
        )
    )
    graph = tfx.dsl.Pipeline(
        pipeline_name="two", pipeline_root="gs://bucket/two", components=list(components)
    )
    job: Spec = runner.run(graph, write_out=False)
    return job


def test_a_condition_on_an_input_is_found() -> None:
    """Compiled in silence with an input that the step does not have."""
    make = Make()
    with tfx.dsl.Cond(make.outputs["value"].future()[0].uri == "x"):
        read = Read(value=make.outputs["value"])
    with tfx.dsl.Cond(make.outputs["value"].future()[0].uri == "x"):
        take = Take()
    found = list(check.wiring_findings(compiled(make, read, take)["pipelineSpec"]))
    assert len(found) == 1 and "The condition of Read reads the input" in found[0]


def test_a_parameter_taken_from_a_channel_is_found() -> None:
    """Compiled in silence with a producer that there is not."""
    make = Make()
    job = compiled(make, Take(number=make.outputs["value"].future()[0].value))
    found = list(check.wiring_findings(job["pipelineSpec"]))
    assert found == ["Take waits for Make_task, which is no step of the pipeline."]


def test_the_command_lists_all_findings_and_ends_with_status_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = ("vertex.image=greenlight", "vertex.pipeline_root=/root", "data_dir=.")
    words = [word for setting in settings for word in ("--set", setting)]
    arguments = ["greenlight", "vertex", "check", "--output-dir", str(tmp_path), *words]
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit) as caught:
        cli.main()
    out, err = capfd.readouterr()
    assert caught.value.code == 2 and out == ""
    assert len(err.splitlines()) == 5
    assert all(line.startswith("greenlight: ") for line in err.splitlines())
    for word in (
        "pipeline root /root", "data directory", "image greenlight has no tag",
        "vertex.project is not set", "vertex.job.service_account is not set",
    ):  # fmt: skip
        assert word in err

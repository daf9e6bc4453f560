"""What the compiled pipeline says, and that Vertex AI and Kubeflow can read it."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.options.pipeline_options_validator import PipelineOptionsValidator
from apache_beam.runners.dataflow.dataflow_runner import DataflowRunner
from google.cloud.aiplatform_v1.types import PipelineJob
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from pipeline.commands.forget import forget
from pipeline.config import Config, load_config
from pipeline.vertex.check.job import wiring_findings
from pipeline.vertex.compile import compile_job, write_job, write_kfp
from pipeline.vertex.dry_run.store import matches
from pipeline.vertex.folder import FOLDER
from pipeline.vertex.nodes import dataflow_args
from schemas.artifacts import Node
from schemas.errors import UserError
from schemas.forgotten import Forgotten
from tests.pipeline.vertex import golden
from tests.pipeline.vertex.conftest import RUN_ID, SETTINGS

Spec = dict[str, Any]


def containers(spec: Spec) -> dict[str, Spec]:
    return {
        label.removesuffix("_executor"): executor["container"]
        for label, executor in spec["deploymentSpec"]["executors"].items()
        if "container" in executor
    }


def test_the_graph_is_the_one_agreed_to(vertex_job: Spec) -> None:
    agreed = golden.AGREED.read_text(encoding="utf-8")
    assert golden.text(vertex_job) == agreed, "if meant: python -m tests.pipeline.vertex.golden"


def test_who_is_forgotten_here_is_left_out_there(
    vertex_config: Config, tmp_path: Path, capsys: Any
) -> None:
    (tmp_path / FOLDER).mkdir()
    forget(["u7"], str(tmp_path))
    assert "submit and schedule anew" in capsys.readouterr().out
    config = vertex_config.model_copy(update={"output_dir": str(tmp_path)})
    task = compile_job(config, RUN_ID)["pipelineSpec"]["root"]["dag"]["tasks"][Node.EXAMPLE_GEN]
    told = task["inputs"]["parameters"]["forgotten"]["runtimeValue"]["constant"]
    assert "u7" in Forgotten.from_json(told) and "u8" not in Forgotten.from_json(told)


def test_files_parse_strictly(
    vertex_job: Spec, kfp_spec: Spec, vertex_config: Config, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr("pipeline.vertex.compile.compile_job", lambda *_: vertex_job)
    monkeypatch.setattr("pipeline.vertex.compile.compile_kfp", lambda *_: kfp_spec)
    written = write_job(vertex_config, "", tmp_path).read_text(encoding="utf-8")
    json_format.Parse(written, PipelineJob.pb(PipelineJob()))
    bare = yaml.safe_load(write_kfp(vertex_config, tmp_path).read_text(encoding="utf-8"))
    for spec in (json.loads(written)["pipelineSpec"], bare):
        assert spec["schemaVersion"] == "2.1.0"
        json_format.ParseDict(spec, pipeline_spec_pb2.PipelineSpec())
        deployment = pipeline_spec_pb2.PipelineDeploymentConfig()
        json_format.ParseDict(spec["deploymentSpec"], deployment)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kubeflow.yaml", "pipeline.json"]


def test_every_node_gets_its_machine_the_example_gen_included(vertex_job: Spec) -> None:
    found = {name: c["resources"] for name, c in containers(vertex_job["pipelineSpec"]).items()}
    assert found.pop("RatingExampleGen") == {"cpuLimit": 4, "memoryLimit": 8}
    gpu = {"type": "NVIDIA_TESLA_T4", "count": "1"}
    assert found.pop("MovieTrainer") == {"cpuLimit": 8, "memoryLimit": 32, "accelerator": gpu}
    assert all(one == {"cpuLimit": 4, "memoryLimit": 16} for one in found.values())
    assert len(found) == 8


def test_only_the_node_with_a_gpu_gets_the_gpu_image(vertex_job: Spec) -> None:
    images = {name: c["image"] for name, c in containers(vertex_job["pipelineSpec"]).items()}
    assert images.pop("MovieTrainer") == "registry/greenlight/gpu:1"
    assert set(images.values()) == {"registry/greenlight/cpu:1"}


def test_beam_runs_on_dataflow_only_where_it_is_told(vertex_job: Spec) -> None:
    args = {name: c["args"] for name, c in containers(vertex_job["pipelineSpec"]).items()}
    on_dataflow = {name for name, words in args.items() if "--runner=DataflowRunner" in words}
    assert on_dataflow == {"Transform"}
    assert args["Transform"][6:] == [
        "--runner=DataflowRunner",
        "--project=project",
        "--region=us-central1",
        "--temp_location=gs://bucket/greenlight/dataflow",
        "--sdk_container_image=registry/greenlight/cpu:1",
        "--sdk_location=container",
        "--machine_type=n2-standard-4",
        "--max_num_workers=9",
        "--disk_size_gb=50",
        "--service_account_email=runner@project.iam.gserviceaccount.com",
        "--no_use_public_ips",
    ]
    assert args["Evaluator"][6:] == [
        "--runner=FnApiRunner", "--sdk_container_image=none", "--no_pipeline_type_check",
        "--direct_num_workers=2",
    ]  # fmt: skip


def test_every_parameter_is_sent(vertex_job: Spec) -> None:
    declared = vertex_job["pipelineSpec"]["root"]["inputDefinitions"]["parameters"]
    assert set(declared) == {"run_id"}
    assert vertex_job["runtimeConfig"]["parameterValues"] == {"run_id": RUN_ID}


def test_the_last_statistics_are_the_ratings_that_were_accepted(vertex_job: Spec) -> None:
    spec = vertex_job["pipelineSpec"]
    look_up = spec["deploymentSpec"]["executors"]["LastStatistics_executor"]["resolver"]
    query = look_up["outputArtifactQueries"]["statistics"]["filter"]
    found = {}
    makers = {"statistics": ("StatisticsGen", "CatalogueStatistics"), "accepted": ["DataValidator"]}
    for name, key in ((name, key) for key, names in makers.items() for name in names):
        made = spec["components"][name]["outputDefinitions"]["artifacts"][key]
        artifact = {"type": made["artifactType"], "metadata": made.get("metadata", {})}
        found[name] = matches(artifact, query)
    assert found == {
        "StatisticsGen": False, "CatalogueStatistics": False, "DataValidator": True,
    }  # fmt: skip


def test_the_model_in_service_is_the_one_that_was_pushed(vertex_job: Spec) -> None:
    """The artifacts' properties are those that `components.pusher` writes."""
    spec = vertex_job["pipelineSpec"]
    look_up = spec["deploymentSpec"]["executors"]["BlessedModel-model-blessing-resolver_executor"]
    query = look_up["resolver"]["outputArtifactQueries"]["model_blessing"]["filter"]
    made = {
        node: spec["components"][node]["outputDefinitions"]["artifacts"][key]["artifactType"]
        for node, key in (("Pusher", "pushed_model"), ("Evaluator", "blessing"))
    }
    assert matches({"type": made["Pusher"], "metadata": {"in_service": 1.0}}, query)
    assert not matches({"type": made["Pusher"], "metadata": {"pushed": 0.0}}, query)
    assert not matches({"type": made["Evaluator"], "metadata": {"blessed": 1.0}}, query)
    assert list(wiring_findings(spec)) == []


def test_the_build_for_kubeflow_looks_nothing_up(vertex_job: Spec, kfp_spec: Spec) -> None:
    kinds = [set(one) for one in kfp_spec["deploymentSpec"]["executors"].values()]
    assert kinds == [{"container"}] * 10
    tasks = kfp_spec["root"]["dag"]["tasks"]
    assert set(vertex_job["pipelineSpec"]["root"]["dag"]["tasks"]) - set(tasks) == {
        "LastStatistics", "BlessedModel-model-blessing-resolver", "BlessedModel-model-resolver",
    }  # fmt: skip
    assert "baseline_model" not in tasks["Evaluator"]["inputs"]["artifacts"]
    before = containers(vertex_job["pipelineSpec"])
    for name, container in containers(kfp_spec).items():
        if name not in ("Evaluator", "DataValidator"):  # they have an input less
            assert container == before[name]
    # Without a driver nothing there would notice that the data changed.
    cached = {name for name, task in tasks.items() if task["cachingOptions"].get("enableCache")}
    assert cached == set(tasks) - {"RatingExampleGen"}


def test_beam_s_own_parser_understands_what_dataflow_gets() -> None:
    args = ["--no_use_public_ips", "--subnetwork=regions/us-central1/subnetworks/own"]
    settings = [*SETTINGS, f"vertex.dataflow.args={args}"]
    vertex = load_config(None, settings).vertex
    given = dataflow_args(vertex, "gs://bucket/greenlight", "registry/greenlight/cpu:1")
    # Or Beam asks the bucket for its policy: two minutes where there is no network.
    options = PipelineOptions([*given, "--dry_run=true"])
    assert PipelineOptionsValidator(options, DataflowRunner()).validate() == []
    read = options.get_all_options(drop_default=True)
    names = {arg.partition("=")[0].removeprefix("--").removeprefix("no_") for arg in given}
    assert names <= read.keys() - {"worker_machine_type"} | {"machine_type"}
    assert (read["use_public_ips"], read["max_num_workers"]) == (False, 9)
    assert read["sdk_location"] == "container"  # the image has the package, so nothing is staged


def test_the_dataflow_engine_is_for_every_node_with_a_beam_part() -> None:
    settings = [s for s in SETTINGS if not s.startswith("vertex.dataflow=")]
    job = compile_job(load_config(None, [*settings, "engine.kind=dataflow"]), "")
    args = {name: c["args"] for name, c in containers(job["pipelineSpec"]).items()}
    assert {name for name, words in args.items() if "--runner=DataflowRunner" in words} == {
        "RatingExampleGen", "StatisticsGen", "CatalogueStatistics", "Transform", "Evaluator",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("vertex.pipeline_root=", "vertex.pipeline_root=gs://"),
        ("vertex.image=", "vertex.image="),
        ("vertex.project=", "vertex.project=PROJECT"),
        ("vertex.nodes.Trainer={cpu: 1}", "There is no node Trainer"),
        ("vertex.dataflow.nodes=[MovieTrainer]", "MovieTrainer has no Beam part"),
        ("vertex.nodes.Pusher={beam_args: [--x]}", "Pusher has no Beam part"),
        ("vertex.dataflow.args=[--subnetwrok=x]", "args: --subnetwrok=x is no option of Beam."),
        ("vertex.dataflow.args=[--disk_size_gb=x]", "args: argument --disk_size_gb"),
        ("engine={kind: prism, endpoint: 'a:1'}", "engine.kind=prism is for runs on this machine"),
    ],
)
def test_a_mistake_is_one_sentence(setting: str, words: str) -> None:
    with pytest.raises(UserError) as caught:
        compile_job(load_config(None, [*SETTINGS, setting]), "")
    assert words in str(caught.value)

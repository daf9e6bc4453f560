"""Compiles the pipeline to what Vertex AI and Kubeflow Pipelines run."""

import json
from pathlib import Path
from typing import Any

import yaml
from tfx import v1 as tfx
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec

from pipeline.config import Config
from pipeline.local import find_data
from pipeline.pipeline import STATISTICS_OF, create_pipeline
from pipeline.vertex.config import NodeConfig, VertexConfig
from pipeline.vertex.job import set_custom_jobs, set_job
from schemas.artifacts import Node
from schemas.errors import UserError
from schemas.source import load_source

RUN_ID = "run_id"
DRIVER = "components.example_gen.driver"
_DEFAULT_IMAGE = "default_image_path"  # the runner's name for the image of all other nodes

Spec = dict[str, Any]


def compile_job(config: Config, run_id: str) -> Spec:
    """The PipelineJob that Vertex AI takes, with every parameter's value.

    Args:
      config: everything a user may choose.
      run_id: names the run in its report; empty: the report names itself by its time.

    Raises:
      UserError: a setting is missing, or names a node that there is not.
    """
    job = _compile(config, {RUN_ID: run_id}, resolve=True)
    set_custom_jobs(job, config.vertex)
    set_job(job, config.vertex)
    return job


def compile_kfp(config: Config) -> Spec:
    """The PipelineSpec that open-source Kubeflow Pipelines takes; experimental.

    Its backend runs neither resolvers nor drivers. So there is no comparison with the blessed
    model or the last statistics, and the example gen is never taken from the cache, since nothing
    there would notice new data.

    Raises:
      UserError: as `compile_job`.
    """
    spec: Spec = _compile(config, {}, resolve=False)["pipelineSpec"]
    spec["root"]["dag"]["tasks"][Node.EXAMPLE_GEN]["cachingOptions"] = {}
    return spec


def write_job(config: Config, run_id: str, folder: Path) -> Path:
    """Writes `pipeline.json`; see `compile_job`."""
    content = json.dumps(compile_job(config, run_id), indent=1, sort_keys=True)
    return _write(folder / "pipeline.json", content)


def write_kfp(config: Config, folder: Path) -> Path:
    """Writes `kubeflow.yaml`; see `compile_kfp`."""
    return _write(folder / "kubeflow.yaml", yaml.safe_dump(compile_kfp(config)))


def _write(path: Path, content: str) -> Path:
    aside = path.with_name(f".{path.name}")
    aside.write_text(content, encoding="utf-8")
    return aside.replace(path)


def _compile(config: Config, parameters: dict[str, str], resolve: bool) -> Spec:
    vertex = config.vertex
    root, image = vertex.given("pipeline_root", "image")
    graph = create_pipeline(
        config,
        load_source(config.source),
        find_data(config),
        pipeline_name=vertex.pipeline_name,
        pipeline_root=root,
        serving_dir=f"{root}/serving_model",
        checkpoints=f"{root}/checkpoints",
        run_id=tfx.dsl.experimental.RuntimeParameter(name=RUN_ID, ptype=str),
        resolve=resolve,
    )
    _set_beam_args(graph, vertex, root, image)
    _check_machines(vertex)
    images = {name: vertex.gpu_image or image for name, node in vertex.nodes.items() if node.gpu}
    runner = tfx.orchestration.experimental.KubeflowV2DagRunner(
        tfx.orchestration.experimental.KubeflowV2DagRunnerConfig(
            default_image={_DEFAULT_IMAGE: image, **images}, use_pipeline_spec_2_1=True
        )
    )
    job: Spec = runner.run(graph, parameter_values=parameters, write_out=False)
    executors = job["pipelineSpec"]["deploymentSpec"]["executors"]
    _set_resources(executors, vertex)
    _set_retries(job["pipelineSpec"]["root"]["dag"]["tasks"], executors, vertex)
    _set_driver(executors)
    if resolve:
        # TFX leaves out who made the statistics, so that the catalogue's could be found as well.
        query = executors[f"{Node.LAST_STATISTICS}_executor"]["resolver"]["outputArtifactQueries"]
        query["statistics"]["filter"] += f' AND metadata.{STATISTICS_OF}.string_value="ratings"'
    return job


def _set_beam_args(graph: Any, vertex: VertexConfig, root: str, image: str) -> None:
    """Gives each Beam node its options: Dataflow's in place of the pipeline's, then its own.

    Raises:
      UserError: a node is named that is none, or that has no Beam part.
    """
    nodes = {node.id: node for node in graph.components}
    beam = {
        n: node for n, node in nodes.items() if isinstance(node.executor_spec, BeamExecutorSpec)
    }
    for name in (*vertex.nodes, *vertex.dataflow.nodes):
        if name not in nodes:
            raise UserError(f"There is no node {name}: the nodes are {', '.join(sorted(nodes))}.")
    told = {name for name, node in vertex.nodes.items() if node.beam_args}
    for name in sorted({*told, *vertex.dataflow.nodes} - set(beam)):
        raise UserError(f"{name} has no Beam part; those that have are {', '.join(sorted(beam))}.")
    for name in vertex.dataflow.nodes:
        beam[name].executor_spec.beam_pipeline_args = dataflow_args(vertex, root, image)
    for name in told:
        beam[name].with_beam_pipeline_args(vertex.nodes[name].beam_args)


def dataflow_args(vertex: VertexConfig, root: str, image: str) -> list[str]:
    """Beam's options for a node on Dataflow; workers run the very image of the node.

    Raises:
      UserError: no project is set.
    """
    (project,) = vertex.given("project")
    return [
        "--runner=DataflowRunner",
        f"--project={project}",
        f"--region={vertex.region}",
        f"--temp_location={root}/dataflow",
        f"--sdk_container_image={image}",
        "--sdk_location=container",
        f"--machine_type={vertex.dataflow.machine_type}",
        f"--max_num_workers={vertex.dataflow.max_workers}",
        f"--disk_size_gb={vertex.dataflow.disk_gb}",
        *_of_job(vertex),
        *vertex.dataflow.args,
    ]


def _of_job(vertex: VertexConfig) -> list[str]:
    """What Dataflow's workers share with the job: account and key."""
    shared = {
        "service_account_email": vertex.job.service_account,
        "dataflow_kms_key": vertex.job.encryption_key,
    }
    return [
        f"--{name}={value}"
        for name, value in shared.items()
        if value and not any(word.startswith(f"--{name}") for word in vertex.dataflow.args)
    ]


def _set_resources(executors: Spec, vertex: VertexConfig) -> None:
    """Writes cores, memory and GPUs into the containers.

    TFX's own way, a platform config on the node, is dropped without a word for a file-based
    example gen.
    """
    for label, executor in executors.items():
        if "container" not in executor:
            continue
        node = vertex.nodes.get(label.removesuffix("_executor"), NodeConfig())
        resources: Spec = {
            "cpuLimit": node.cpu or vertex.cpu,
            "memoryLimit": node.memory_gb or vertex.memory_gb,
        }
        if node.gpu:
            # Protobuf's JSON form of a 64-bit integer is a string.
            resources["accelerator"] = {"type": node.gpu, "count": "1"}
        executor["container"]["resources"] = resources


def _set_retries(tasks: Spec, executors: Spec, vertex: VertexConfig) -> None:
    """Lets failed nodes be tried again; look-ups are not."""
    for name, task in tasks.items():
        own = vertex.nodes.get(name, NodeConfig()).retries
        retries = vertex.retries if own is None else own
        if retries and "resolver" not in executors[f"{name}_executor"]:
            task["retryPolicy"] = {"maxRetryCount": retries}


def _check_machines(vertex: VertexConfig) -> None:
    """Raises UserError where a node's machine cannot be had as it is asked for."""
    for name, node in vertex.nodes.items():
        if node.chosen_machine and name == Node.EXAMPLE_GEN:
            raise UserError(
                f"{name} has a driver, which custom jobs have not: give it cpu and memory_gb."
            )
        if node.chosen_machine and not node.machine_type:
            raise UserError(f"Name the machine_type of {name}: its other settings need one.")


def _set_driver(executors: Spec) -> None:
    """Lets the example gen look up its window of spans; TFX writes its own driver's name there."""
    container = executors[f"{Node.EXAMPLE_GEN}_executor"]["container"]
    container["lifecycle"]["preCacheCheck"]["command"] = ["python", "-m", DRIVER]

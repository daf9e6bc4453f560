"""What each node of a compiled pipeline gets: Beam's options, cores, memory, GPU and retries."""

from argparse import ArgumentParser
from collections.abc import Sequence
from contextlib import redirect_stderr
from io import StringIO
from typing import Any

from apache_beam.options.pipeline_options import PipelineOptions

from components.tfx.nodes import BeamExecutorSpec
from pipeline.config import Config
from pipeline.vertex.steps import Spec
from pipeline.vertex_config import NodeConfig, VertexConfig
from schemas.artifacts import Node
from schemas.errors import UserError


def set_beam_args(graph: Any, config: Config, root: str, image: str) -> None:
    """Gives each Beam node its options: Dataflow's in place of the pipeline's, then its own.

    With engine.kind=dataflow all of them get Dataflow's, unless vertex.dataflow names some.

    Raises:
      UserError: a node is named that is none, or that has no Beam part.
    """
    if config.engine.kind == "prism":
        raise UserError("engine.kind=prism is for runs on this machine: leave it out here.")
    vertex, nodes = config.vertex, {node.id: node for node in graph.components}
    beam = {
        n: node for n, node in nodes.items() if isinstance(node.executor_spec, BeamExecutorSpec)
    }
    for name in (*vertex.nodes, *vertex.dataflow.nodes):
        if name not in nodes:
            raise UserError(f"There is no node {name}: the nodes are {', '.join(sorted(nodes))}.")
    with_args = {name for name, node in vertex.nodes.items() if node.beam_args}
    for name in sorted({*with_args, *vertex.dataflow.nodes} - set(beam)):
        raise UserError(f"{name} has no Beam part; those that have are {', '.join(sorted(beam))}.")
    everywhere = beam if config.engine.kind == "dataflow" else ()
    for name in vertex.dataflow.nodes or everywhere:
        beam[name].executor_spec.beam_pipeline_args = dataflow_args(vertex, root, image)
    for name in with_args:
        beam[name].with_beam_pipeline_args(vertex.nodes[name].beam_args)


def dataflow_args(vertex: VertexConfig, root: str, image: str) -> list[str]:
    """Beam's options for a node on Dataflow; workers run the very image of the node.

    Raises:
      UserError: no project is set, or Beam knows no option of a name in vertex.dataflow.args.
    """
    (project,) = vertex.required("project")
    _check_options(vertex.dataflow.args)
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
        *_shared_with_job(vertex),
        *vertex.dataflow.args,
    ]


def _check_options(args: Sequence[str]) -> None:
    """Raises UserError for options that Beam would leave out without a word, or not understand."""
    parsers: list[ArgumentParser] = []
    with StringIO() as said, redirect_stderr(said):
        try:
            PipelineOptions(list(args)).get_all_options(add_extra_args_fn=parsers.append)
        except SystemExit as error:
            reason = said.getvalue().strip().splitlines()[-1].partition("error: ")[2]
            raise UserError(f"vertex.dataflow.args: {reason}.") from error
    for unknown in parsers[0].parse_known_args(list(args))[1][:1]:
        raise UserError(f"vertex.dataflow.args: {unknown} is no option of Beam.")


def _shared_with_job(vertex: VertexConfig) -> list[str]:
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


def set_resources(executors: Spec, vertex: VertexConfig) -> None:
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


def set_retries(tasks: Spec, executors: Spec, vertex: VertexConfig) -> None:
    """Lets failed nodes be tried again; look-ups are not."""
    for name, task in tasks.items():
        own = vertex.nodes.get(name, NodeConfig()).retries
        retries = vertex.retries if own is None else own
        if retries and "resolver" not in executors[f"{name}_executor"]:
            task["retryPolicy"] = {"maxRetryCount": retries}


def check_machines(vertex: VertexConfig) -> None:
    """Raises UserError where a node's machine cannot be had as it is asked for."""
    for name, node in vertex.nodes.items():
        if node.chosen_machine and name == Node.EXAMPLE_GEN:
            raise UserError(
                f"{name} has a driver, which custom jobs have not: give it cpu and memory_gb."
            )
        if node.chosen_machine and not node.machine_type:
            raise UserError(f"Name the machine_type of {name}: its other settings need one.")
        if node.replicas > 1 and name != Node.TRAINER:
            raise UserError(f"{name} runs on one machine: only {Node.TRAINER} can have replicas.")

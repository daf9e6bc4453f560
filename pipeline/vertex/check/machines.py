"""Which machines take which GPUs: what the service's documentation says and no client library."""

import re
from collections.abc import Iterator

from google.cloud.aiplatform_v1.types import AcceleratorType, Scheduling

from pipeline.vertex_config import NodeConfig, VertexConfig
from schemas.artifacts import Node

MOST_CORES, MOST_GB = 96, 624  # of a step's machine
# Less than a core there is no machine of; TensorFlow and TFX take more than a gigabyte.
LEAST_CORES, LEAST_GB = 1, 2
GPU_NODES = (Node.TRAINER, Node.TUNER, Node.EVALUATOR)  # whose work TensorFlow does
ATTACHED = {  # family: the GPUs that its machines may be given
    "n1": ("NVIDIA_TESLA_K80", "NVIDIA_TESLA_P100", "NVIDIA_TESLA_V100", "NVIDIA_TESLA_P4",
           "NVIDIA_TESLA_T4"),
}  # fmt: skip
BUILT_IN = {  # family: the GPU that its machines have
    "a2-highgpu": "NVIDIA_TESLA_A100",
    "a2-ultragpu": "NVIDIA_A100_80GB",
    "a3-highgpu": "NVIDIA_H100_80GB",
    "a3-megagpu": "NVIDIA_H100_MEGA_80GB",
    "a3-ultragpu": "NVIDIA_H200_141GB",
    "a4-highgpu": "NVIDIA_B200",
    "a4x-highgpu": "NVIDIA_GB200",
    "g2-standard": "NVIDIA_L4",
    "g4-standard": "NVIDIA_RTX_PRO_6000",
}
ONE_GPU_CORES = {"g2-standard": 32, "g4-standard": 48}  # with more cores there are several GPUs
_MACHINE = re.compile(r"(?P<family>[a-z]+\d+[a-z]*-[a-z]+)-(?P<size>\d+)(?P<unit>[a-z]?)")
_WORKER = re.compile(r"[a-z]+\d+[a-z]*(-[a-z0-9]+)+")


def gpu_names() -> list[str]:
    """The GPUs that the installed client knows."""
    return [name for name in AcceleratorType.__members__ if name.startswith("NVIDIA_")]


def strategies() -> list[str]:
    """How the installed client can ask for a machine."""
    return [name for name, one in Scheduling.Strategy.__members__.items() if one]


def machine_findings(vertex: VertexConfig) -> Iterator[str]:
    """Cores, memory, GPUs and machines that cannot be had, or that nothing would use."""
    yield from _size("vertex", vertex.cpu, vertex.memory_gb)
    for name, node in vertex.nodes.items():
        yield from _size(f"vertex.nodes.{name}", node.cpu, node.memory_gb)
        if node.gpu:
            yield from _gpu(name, node.gpu, vertex)
        if node.machine_type:
            yield from _machine(name, node.machine_type, node)
        if node.strategy and node.strategy.upper() not in strategies():
            yield (
                f"The strategy {node.strategy} of {name} is none of Vertex AI's: it has "
                f"{', '.join(strategies())}."
            )
    workers = vertex.dataflow
    if workers.nodes and not _WORKER.fullmatch(workers.machine_type):
        yield f"vertex.dataflow.machine_type={workers.machine_type} is no machine's name."


def _size(where: str, cores: float | None, memory_gb: float | None) -> Iterator[str]:
    if cores is not None and not LEAST_CORES <= cores <= MOST_CORES:
        yield f"{where}.cpu={cores:g}: a step has {LEAST_CORES} to {MOST_CORES} cores."
    if memory_gb is not None and not LEAST_GB <= memory_gb <= MOST_GB:
        yield f"{where}.memory_gb={memory_gb:g}: a step has {LEAST_GB} to {MOST_GB} GB."


def _gpu(name: str, gpu: str, vertex: VertexConfig) -> Iterator[str]:
    if gpu not in gpu_names():
        yield f"{name} asks for a GPU {gpu}; Vertex AI has {', '.join(gpu_names())}."
    if name not in GPU_NODES:
        yield f"{name} asks for a GPU, which only {', '.join(GPU_NODES)} can use."
    if name in vertex.dataflow.nodes:
        yield f"{name} runs on Dataflow, where its GPU is of no use: leave one of them out."
    if not vertex.gpu_image:
        yield f"{name} asks for a GPU, but vertex.gpu_image is not set."


def _machine(name: str, machine: str, node: NodeConfig) -> Iterator[str]:
    if node.cpu or node.memory_gb:
        yield f"{name} has a machine_type, which says how big it is: leave cpu and memory_gb out."
    parts = _MACHINE.fullmatch(machine)
    if not parts:
        yield f"The machine_type {machine} of {name} is no machine's name, such as n1-standard-8."
        return
    family, size = parts["family"], int(parts["size"])
    if several_gpus(family, size, parts["unit"]):
        yield f"{machine} has several GPUs, of which {name} uses one: choose a smaller machine."
    built_in = BUILT_IN.get(family)
    if built_in and node.gpu != built_in:
        yield f"{machine} has the GPU {built_in}: say gpu: {built_in} for {name}."
    takes = ATTACHED.get(family.partition("-")[0], ())
    if not built_in and node.gpu in gpu_names() and node.gpu not in takes:
        yield f"{machine} takes no {node.gpu}: choose another machine_type or gpu for {name}."


def several_gpus(family: str, size: int, unit: str) -> bool:
    """Whether a machine has more than one GPU, by the parts of its name."""
    return (unit == "g" and size > 1) or size > ONE_GPU_CORES.get(family, size)

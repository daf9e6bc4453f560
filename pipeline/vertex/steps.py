"""The steps of a compiled pipeline, in the order in which they can run."""

import graphlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Spec = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """One task of the job: how it is wired, its interface, and what executes it."""

    name: str
    task: Spec
    component: Spec
    executor: Spec


def steps_in_order(spec: Spec) -> list[Step]:
    """The tasks of a PipelineSpec, each after those that it awaits; look-ups come first.

    Raises:
      KeyError: the spec refers to what it does not hold.
    """
    steps = {name: _step(name, task, spec) for name, task in spec["root"]["dag"]["tasks"].items()}
    order = graphlib.TopologicalSorter({name: awaited(one.task) for name, one in steps.items()})
    order.prepare()
    ordered: list[Step] = []
    while order.is_active():
        ready = sorted(
            order.get_ready(), key=lambda name: ("resolver" not in steps[name].executor, name)
        )
        ordered += (steps[name] for name in ready)
        order.done(*ready)
    return ordered


def _step(name: str, task: Spec, spec: Spec) -> Step:
    component = spec["components"][task["componentRef"]["name"]]
    return Step(
        name, task, component, spec["deploymentSpec"]["executors"][component["executorLabel"]]
    )


def container_of(executor: Spec) -> Spec:
    """The image, command and arguments of an executor: its own, or its custom job's.

    Empty for a look-up.
    """
    if "customJob" not in executor:
        return dict(executor.get("container", {}))
    container = dict(_pools(executor)[0]["containerSpec"])
    return {"image": container.pop("imageUri"), **container}


def replicas_of(executor: Spec) -> int:
    """On how many machines its container runs."""
    if "customJob" not in executor:
        return 1
    return sum(int(pool["replicaCount"]) for pool in _pools(executor))


def _pools(executor: Spec) -> list[Spec]:
    pools: list[Spec] = executor["customJob"]["customJob"]["jobSpec"]["workerPoolSpecs"]
    return pools


def awaited(task: Spec) -> set[str]:
    """The tasks whose outputs or whose end a task awaits."""
    return {*task.get("dependentTasks", ()), *(producer for producer, _ in producers(task))}


def producers(task: Spec) -> Iterator[tuple[str, str]]:
    """The task and the output key behind each input of a task that another one makes."""
    inputs = task.get("inputs", {})
    for wired in inputs.get("artifacts", {}).values():
        origin = wired["taskOutputArtifact"]
        yield origin["producerTask"], origin["outputArtifactKey"]
    for wired in inputs.get("parameters", {}).values():
        if "taskOutputParameter" in wired:
            origin = wired["taskOutputParameter"]
            yield origin["producerTask"], origin["outputParameterKey"]

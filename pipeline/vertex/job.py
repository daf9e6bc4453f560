"""What a compiled job says beside its graph: as whom, in which network, on which machines."""

from pipeline.vertex.steps import Spec
from pipeline.vertex_config import NodeConfig, VertexConfig


def set_job(job: Spec, vertex: VertexConfig) -> None:
    """Writes the settings of `vertex.job` into a PipelineJob in its JSON form."""
    own = vertex.job
    if not own.caching:
        for task in job["pipelineSpec"]["root"]["dag"]["tasks"].values():
            task["cachingOptions"] = {}
    job["displayName"] = job.get("displayName") or vertex.pipeline_name
    job["labels"] = {**job.get("labels", {}), **own.labels}
    policy = f"PIPELINE_FAILURE_POLICY_FAIL_{own.failure_policy.upper()}"
    job["runtimeConfig"]["failurePolicy"] = policy
    job.update(_given({
        "serviceAccount": own.service_account,
        "network": own.network,
        "reservedIpRanges": own.reserved_ip_ranges,
        "pscInterfaceConfig": _given({"networkAttachment": own.network_attachment}),
        "encryptionSpec": _given({"kmsKeyName": own.encryption_key}),
    }))  # fmt: skip


def set_custom_jobs(job: Spec, vertex: VertexConfig) -> None:
    """Makes custom jobs of the nodes that ask for a machine by its name.

    The service gives machines by name, spot machines and persistent resources to custom jobs
    alone. Account, network and key are the pipeline's; a custom job within it may not name them.
    """
    executors = job["pipelineSpec"]["deploymentSpec"]["executors"]
    for name, node in vertex.nodes.items():
        if node.chosen_machine:
            container = executors[f"{name}_executor"].pop("container")
            executors[f"{name}_executor"]["customJob"] = {
                "customJob": custom_job(name, node, container)
            }


def custom_job(name: str, node: NodeConfig, container: Spec) -> Spec:
    """A node's container as a CustomJob in its JSON form.

    The first pool is the chief's, which ends the job; the service tells all of them by TF_CONFIG
    where the others are.
    """
    machine = _given({"machineType": node.machine_type, "acceleratorType": node.gpu})
    if node.gpu:
        machine["acceleratorCount"] = 1
    pool = {
        "machineSpec": machine,
        "replicaCount": "1",  # protobuf's JSON form of a 64-bit integer is a string
        "containerSpec": {
            "imageUri": container["image"],
            "command": container["command"],
            "args": container["args"],
        },
    }
    others = {**pool, "replicaCount": str(node.replicas - 1)}
    strategy = (node.strategy or "").upper()
    spec = _given({
        "persistentResourceId": node.persistent_resource,
        "workerPoolSpecs": [pool, others] if node.replicas > 1 else [pool],
        "scheduling": _given({"strategy": strategy}),
    })  # fmt: skip
    return {"displayName": name, "jobSpec": spec}


def _given(content: Spec) -> Spec:
    return {key: value for key, value in content.items() if value}

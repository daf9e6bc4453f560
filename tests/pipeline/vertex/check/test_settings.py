"""Settings that Vertex AI would refuse or nothing would use, each seeded into good ones."""

import copy
from typing import Any

import pytest
from google.cloud.aiplatform_v1.types import CustomJob, PipelineJob
from google.protobuf import json_format

from pipeline.config import Config, load_config
from pipeline.vertex.check import job as check
from pipeline.vertex.check import machines
from pipeline.vertex.check.settings import REGIONS, image_findings, setting_findings
from pipeline.vertex.compile import compile_job, compile_kfp
from pipeline.vertex.nodes import dataflow_args
from pipeline.vertex.steps import container_of, replicas_of
from schemas.errors import UserError
from schemas.stack import STACKS, installed
from tests.pipeline.vertex.conftest import SETTINGS

Spec = dict[str, Any]
(OTHER,) = (stack for stack in STACKS if stack != installed())
DIGEST = "0123456789abcdef" * 4
KEY = "projects/project/locations/{}/keyRings/films/cryptoKeys/taste"
ATTACHMENT = "projects/project/regions/{}/networkAttachments/inner"
NETWORK = "vertex.job.network=projects/12/global/networks/inner"


def node(text: str, name: str = "MovieTrainer") -> str:
    return f"vertex.nodes.{name}={{{text}}}"


WRONG = {
    "vertex.region=us-central1-a": "is a zone: name its region, us-central1",
    "vertex.region=us-centrall1": "is no region of Vertex AI: did you mean us-central1?",
    "vertex.region=mars": "is no region of Vertex AI",
    "vertex.region=global": "is no region of Vertex AI",
    "vertex.region=US-CENTRAL1": "is no region of Vertex AI",
    "vertex.project=": "vertex.project is not set",
    "vertex.project=My Project": "is no project's id",
    "vertex.job.service_account=": "vertex.job.service_account is not set",
    "vertex.job.service_account=me@example.com": "is no service account's address",
    "vertex.job.reserved_ip_ranges=[taste]": "set vertex.job.network too",
    f"vertex.job.encryption_key={KEY.format('europe-west4')}": "not in vertex.region=us-central1",
    f"vertex.job.network_attachment={ATTACHMENT.format('us-east1')}": "is not in vertex.region",
    "vertex.cpu=1000": "vertex.cpu=1000: a step has 1 to 96 cores",
    "vertex.cpu=0.01": "vertex.cpu=0.01: a step has 1 to 96 cores",
    "vertex.cpu=.inf": "vertex.cpu=inf",
    "vertex.memory_gb=0.1": "vertex.memory_gb=0.1: a step has 2 to 624 GB",
    "vertex.memory_gb=5000": "vertex.memory_gb=5000",
    node("cpu: 97"): "vertex.nodes.MovieTrainer.cpu=97",
    node("memory_gb: 1", "Pusher"): "vertex.nodes.Pusher.memory_gb=1",
    node("gpu: TESLA_T4"): "MovieTrainer asks for a GPU TESLA_T4; Vertex AI has NVIDIA_TESLA_",
    node("gpu: nvidia-tesla-t4"): "asks for a GPU nvidia-tesla-t4",
    node("gpu: TPU_V3"): "asks for a GPU TPU_V3",
    node("gpu: ACCELERATOR_TYPE_UNSPECIFIED"): "asks for a GPU ACCELERATOR",
    node("gpu: NVIDIA_L4", "Pusher"): "Pusher asks for a GPU, which only MovieTrainer",
    node("machine_type: big"): "The machine_type big of MovieTrainer is no machine's name",
    node("machine_type: n1-standard-8, cpu: 8"): "leave cpu and memory_gb out",
    node("machine_type: e2-standard-8, gpu: NVIDIA_TESLA_T4"): "takes no NVIDIA_TESLA_T4",
    node("machine_type: n1-standard-8, gpu: NVIDIA_L4"): "takes no NVIDIA_L4",
    node("machine_type: g2-standard-8, gpu: NVIDIA_TESLA_T4"): "has the GPU NVIDIA_L4: say gpu",
    node("machine_type: a2-highgpu-1g"): "has the GPU NVIDIA_TESLA_A100: say gpu",
    node("machine_type: a2-highgpu-4g, gpu: NVIDIA_TESLA_A100"): "has several GPUs, of which",
    node("machine_type: g2-standard-96, gpu: NVIDIA_L4"): "has several GPUs, of which",
    node("machine_type: n1-standard-8, strategy: cheap"): "is none of Vertex AI's: it has",
    "vertex.dataflow={nodes: [Transform], machine_type: n2 standard}": "is no machine's name",
}  # fmt: skip

RIGHT = [
    "vertex.region=europe-west4",
    "vertex.project=example.com:movies",
    f"vertex.job.encryption_key={KEY.format('us-central1')}",
    f"vertex.job.network_attachment={ATTACHMENT.format('us-central1')}",
    NETWORK,
    "vertex.cpu=96",
    "vertex.memory_gb=624",
    node("gpu: NVIDIA_TESLA_T4"),
    node("machine_type: n1-standard-8, gpu: NVIDIA_TESLA_V100, strategy: spot"),
    node("machine_type: g2-standard-32, gpu: NVIDIA_L4, retries: 3"),
    node("machine_type: a2-highgpu-1g, gpu: NVIDIA_TESLA_A100, persistent_resource: films"),
    node("machine_type: e2-highmem-16", "Evaluator"),
    "vertex.dataflow={nodes: [Transform], machine_type: n2-custom-4-16384}",
]


@pytest.mark.parametrize("setting", WRONG)
def test_a_wrong_setting_is_one_sentence(setting: str) -> None:
    (found,) = setting_findings(load_config(None, [*SETTINGS, setting]).vertex)
    assert WRONG[setting] in found
    assert found[-1] in ".?" and "\n" not in found


@pytest.mark.parametrize("setting", RIGHT)
def test_a_right_setting_is_none(setting: str) -> None:
    assert setting_findings(load_config(None, [*SETTINGS, setting]).vertex) == []


def test_a_job_takes_one_network() -> None:
    attachment = f"vertex.job.network_attachment={ATTACHMENT.format('us-central1')}"
    (found,) = setting_findings(load_config(None, [*SETTINGS, NETWORK, attachment]).vertex)
    assert "a network and a network_attachment" in found


@pytest.mark.parametrize(
    "setting",
    [
        node("gpu: NVIDIA_TESLA_T4, gpus: 4"),  # the training uses one
        node("persistent_resource: Films"),
        node("retries: 99"),
        "vertex.job.network=inner",
        "vertex.job.encryption_key=taste",
        "vertex.job.network_attachment=inner",
        "vertex.job.service_account=greenlight",
    ],
)
def test_what_has_no_meaning_is_refused_at_once(setting: str) -> None:
    with pytest.raises(UserError, match=setting.partition("=")[0]):
        load_config(None, [*SETTINGS, setting])


def test_every_gpu_of_the_installed_client_has_its_machines() -> None:
    known = {*machines.BUILT_IN.values(), *(gpu for of in machines.ATTACHED.values() for gpu in of)}
    assert known == set(machines.gpu_names())


@pytest.mark.parametrize("region", ["us-central1", "europe-west4", "asia-northeast1"])
def test_the_installed_client_s_regions_are_taken(region: str) -> None:
    assert region in REGIONS and "global" not in REGIONS


IMAGES = {
    "europe-docker.pkg.dev/p/greenlight/cpu:1": "",
    f"europe-docker.pkg.dev/p/greenlight/cpu@sha256:{DIGEST}": "",
    f"europe-docker.pkg.dev/p/greenlight/cpu:latest@sha256:{DIGEST}": "",
    "localhost:5000/cpu:1.0-rc.1": "",
    "greenlight:1": "",
    "greenlight": "has no tag of its own",
    "localhost:5000/cpu": "has no tag of its own",
    "registry/cpu:latest": "has no tag of its own",
    "registry/cpu@sha256:abc": "is no image's name",
    f"registry/cpu@sha256:{DIGEST}0": "is no image's name",
    f"registry/cpu@sha256:{DIGEST.upper()}": "is no image's name",
    f"registry/cpu@sha512:{DIGEST}": "is no image's name",
    f"registry/cpu:{installed().name}-1": "",
    f"registry/cpu:{OTHER.name}-1": f"is of {OTHER.name}, and this is compiled by",
    f"registry/cpu-{OTHER.name}:1": "",
    "registry/cpu:": "is no image's name",
    "registry/cpu:a tag": "is no image's name",
    "Registry/Films/CPU:1": "is no image's name",
    "https://registry/cpu:1": "is no image's name",
    "registry//cpu:1": "is no image's name",
    "registry/cpu:1\n": "is no image's name",
}


@pytest.mark.parametrize("image", IMAGES)
def test_images(image: str) -> None:
    spec = {"deploymentSpec": {"executors": {"a": {"container": {"image": image}}}}}
    found = list(image_findings(spec))
    assert len(found) == bool(IMAGES[image]) and all(IMAGES[image] in one for one in found)


def test_an_image_may_be_that_of_the_stack_that_compiles() -> None:
    settings = [f"vertex.{key}=registry/cpu:{{stack}}-7" for key in ("image", "gpu_image")]
    vertex = load_config(None, settings).vertex
    assert {vertex.image, vertex.gpu_image} == {f"registry/cpu:{installed().name}-7"}


MACHINE = "machine_type: n1-standard-8, gpu: NVIDIA_TESLA_T4, strategy: spot, "


@pytest.fixture(scope="module")
def custom() -> Config:
    return load_config(
        None,
        [
            *SETTINGS,
            node(MACHINE + "persistent_resource: films, retries: 2"),
            "vertex.retries=1",
            f"vertex.job.encryption_key={KEY.format('us-central1')}",
            NETWORK,
        ],
    )


@pytest.fixture(scope="module")
def custom_job(custom: Config) -> Spec:
    return compile_job(custom, "run-1")


def test_a_machine_by_its_name_is_a_custom_job(custom_job: Spec, vertex_job: Spec) -> None:
    executors = custom_job["pipelineSpec"]["deploymentSpec"]["executors"]
    before = vertex_job["pipelineSpec"]["deploymentSpec"]["executors"]
    assert [label for label, one in executors.items() if "customJob" in one] == [
        "MovieTrainer_executor"
    ]
    container = before["MovieTrainer_executor"]["container"]
    assert container_of(executors["MovieTrainer_executor"]) == {
        key: container[key] for key in ("image", "command", "args")
    }
    content = executors["MovieTrainer_executor"]["customJob"]["customJob"]
    job = CustomJob.wrap(json_format.ParseDict(content, CustomJob.pb(CustomJob())))
    (pool,) = job.job_spec.worker_pool_specs
    assert (pool.machine_spec.machine_type, pool.replica_count) == ("n1-standard-8", 1)
    assert pool.machine_spec.accelerator_type.name == "NVIDIA_TESLA_T4"
    assert pool.machine_spec.accelerator_count == 1
    assert job.job_spec.scheduling.strategy.name == "SPOT"
    assert job.job_spec.persistent_resource_id == "films"


def test_machines_that_train_together_are_two_pools_of_one_job() -> None:
    config = load_config(None, [*SETTINGS, node("machine_type: n1-standard-8, replicas: 4")])
    compiled = compile_job(config, "run-1")
    assert check.job_findings(compiled, config) == []
    executor = compiled["pipelineSpec"]["deploymentSpec"]["executors"]["MovieTrainer_executor"]
    content = executor["customJob"]["customJob"]
    job = CustomJob.wrap(json_format.ParseDict(content, CustomJob.pb(CustomJob())))
    chief, others = job.job_spec.worker_pool_specs
    assert (chief.replica_count, others.replica_count) == (1, 3)
    assert chief.container_spec == others.container_spec
    assert chief.machine_spec == others.machine_spec
    assert replicas_of(executor) == 4


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        (node("replicas: 2"), "Name the machine_type of MovieTrainer"),
        ("vertex.nodes.Evaluator={machine_type: n1-standard-8, replicas: 2}", "only MovieTrainer"),
    ],
)
def test_replicas_that_cannot_be_are_refused(setting: str, told: str) -> None:
    with pytest.raises(UserError, match=told):
        compile_job(load_config(None, [*SETTINGS, setting]), "run-1")


def test_retries_are_the_tasks_own(custom_job: Spec) -> None:
    tasks = custom_job["pipelineSpec"]["root"]["dag"]["tasks"]
    tries = {name: task.get("retryPolicy") for name, task in tasks.items()}
    assert tries.pop("MovieTrainer") == {"maxRetryCount": 2}
    looked_up = {name for name in tries if name.startswith(("LastStatistics", "BlessedModel"))}
    assert looked_up == {name for name, one in tries.items() if one is None}
    assert all(one == {"maxRetryCount": 1} for name, one in tries.items() if one)


def test_account_and_key_are_the_job_s_and_the_workers(custom: Config, custom_job: Spec) -> None:
    request = PipelineJob.wrap(json_format.ParseDict(custom_job, PipelineJob.pb(PipelineJob())))
    assert request.service_account == "runner@project.iam.gserviceaccount.com"
    assert request.encryption_spec.kms_key_name == KEY.format("us-central1")
    assert request.network == "projects/12/global/networks/inner"
    executors = custom_job["pipelineSpec"]["deploymentSpec"]["executors"]
    args = executors["Transform_executor"]["container"]["args"]
    assert f"--service_account_email={request.service_account}" in args
    assert f"--dataflow_kms_key={request.encryption_spec.kms_key_name}" in args
    assert check.job_findings(custom_job, custom) == []


def test_an_own_account_of_the_workers_stays() -> None:
    given = ["--service_account_email=w@project.iam.gserviceaccount.com"]
    setting = f"vertex.dataflow={{nodes: [Transform], args: [{given[0]}]}}"
    vertex = load_config(None, [*SETTINGS, setting]).vertex
    args = dataflow_args(vertex, "gs://bucket", "image:1")
    assert [word for word in args if "service_account" in word] == given


@pytest.mark.parametrize(
    ("field", "value"),
    [("machineSpec", {"machine": "n1"}), ("replicaCount", "one"), ("discSpec", {})],
)
def test_a_mistyped_field_of_a_custom_job_is_found(
    custom: Config, custom_job: Spec, field: str, value: Any
) -> None:
    job = copy.deepcopy(custom_job)
    executor = job["pipelineSpec"]["deploymentSpec"]["executors"]["MovieTrainer_executor"]
    executor["customJob"]["customJob"]["jobSpec"]["workerPoolSpecs"][0][field] = value
    (found,) = check.job_findings(job, custom)
    assert found.startswith("This is no CustomJob: ")


def test_a_mistyped_field_of_the_job_is_found(custom: Config, custom_job: Spec) -> None:
    (found,) = check.job_findings({**custom_job, "serviceAcount": "x"}, custom)
    assert found.startswith("This is no PipelineJob: ")


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        (node("machine_type: n1-standard-8", "RatingExampleGen"), "custom jobs have not"),
        (node("strategy: SPOT"), "Name the machine_type of MovieTrainer"),
        (node("persistent_resource: films"), "Name the machine_type of MovieTrainer"),
    ],
)
def test_what_no_custom_job_can_be_is_one_sentence(setting: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        compile_job(load_config(None, [*SETTINGS, setting]), "")


def test_kubeflow_has_no_custom_jobs(custom: Config) -> None:
    executors = compile_kfp(custom)["deploymentSpec"]["executors"]
    assert {kind for one in executors.values() for kind in one} == {"container"}

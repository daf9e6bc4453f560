"""The server's image and its Kubernetes manifest: what can be known where none is built."""

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import kubernetes.client
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pipeline.vertex.dry_run.environment import Environment
from pipeline.vertex.lock import locked
from schemas.stack import installed
from serving.app import make_app
from serving.service import Limits, Server
from tests.models import serving_model
from tests.test_image import ROOT, stages, variables

SERVING_LOCK = ROOT / f"requirements-serving-{installed().name}.lock"
CPU = "tensorflow-cpu"  # the same TensorFlow without CUDA, which is not installed here
# What the modules import that `greenlight serve`, `recommend`, `rate` and `batch` load.
ROOTS = {
    "fastapi", "httptools", "numpy", "orjson", "prometheus-client", "pyarrow", "pydantic", "pyyaml",
    "rapidfuzz", "rich", "starlette", "tensorflow", "typer", "uvicorn", "uvloop",
}  # fmt: skip
OF_THE_IMAGE = pytest.mark.skipif(
    not sys.version.startswith(f"{installed().image_python}."),
    reason="the image has another Python",
)


def pins(path: Path) -> dict[str, str]:
    found = {canonicalize_name(pin.name): str(pin.specifier) for pin in locked(path)}
    return {name.replace(CPU, "tensorflow"): version for name, version in found.items()}


def closure(roots: set[str]) -> set[str]:
    """Every package that these need, by what the installed ones say."""
    done: set[tuple[str, str]] = set()
    todo = [(name, "") for name in roots]
    while todo:
        name, extra = todo.pop()
        if (name, extra) in done:
            continue
        done.add((name, extra))
        for one in map(Requirement, metadata.requires(name) or []):
            if one.marker is None or one.marker.evaluate({"extra": extra}):
                todo += [(canonicalize_name(one.name), wanted) for wanted in {"", *one.extras}]
    return {name for name, _ in done}


@OF_THE_IMAGE
def test_its_packages_are_the_lock_s_and_all_that_serving_needs() -> None:
    serving, whole = pins(SERVING_LOCK), pins(ROOT / installed().lock)
    assert serving.items() <= whole.items()
    assert set(serving) == closure(ROOTS)
    assert not {"tfx", "apache-beam", "tensorflow-recommenders", "kfp"} & set(serving)
    assert f"{CPU}==" in SERVING_LOCK.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The built package with the image's packages and nothing else."""
    folder = tmp_path_factory.mktemp("image")
    lock = folder / "serving.lock"
    lock.write_text(SERVING_LOCK.read_text(encoding="utf-8").replace(CPU, "tensorflow"))
    return Environment(folder / "environment", lock)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return serving_model(tmp_path_factory)


def command(environment: Environment, words: list[str]) -> list[str]:
    """The words with the console script spelled out: an unpacked wheel has none."""
    script = ["python", "-m", "pipeline.cli"] if words[0] == "greenlight" else words[:1]
    return environment.command([*script, *words[1:]])


def run(environment: Environment, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(environment, [*words]), env=variables_of(environment), capture_output=True,
        text=True, timeout=300, **more,
    )  # fmt: skip


def variables_of(environment: Environment) -> dict[str, str]:
    return {**variables("serving"), "PATH": environment.variables()["PATH"]}


LOADED = """
import sys, pipeline.cli, serving.server
print(*sorted({name.partition('.')[0] for name in sys.modules}))
"""


@OF_THE_IMAGE
def test_the_server_loads_without_tfx(environment: Environment, tmp_path: Path) -> None:
    done = run(environment, "python", "-c", LOADED, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {"tensorflow", "fastapi"} <= set(done.stdout.split())
    assert not {"tfx", "apache_beam", "tensorflow_recommenders"} & set(done.stdout.split())


@OF_THE_IMAGE
def test_its_command_serves_a_model(environment: Environment, models: Path, tmp_path: Path) -> None:
    """The image's own command, but for the folder and the port."""
    (line,) = (line for line in stages()["serving"] if line.startswith("CMD "))
    words: list[str] = json.loads(line.removeprefix("CMD "))
    words[words.index("/models")] = str(models)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path / "log"
    with log.open("w") as out:
        process = subprocess.Popen(
            command(environment, [*words, "--port", str(port)]),
            env=variables_of(environment), cwd=tmp_path, stdout=out, stderr=out,
        )  # fmt: skip
    try:
        transport = httpx.HTTPTransport(retries=0)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=transport) as client:
            wait_until_ready(client, process, log)
            asked = {"user": None, "k": 3}
            found = client.post("/recommend", json=asked, timeout=60)
            assert found.status_code == 200 and len(found.json()["movies"]) == 3
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) in (0, -signal.SIGTERM)
    assert "Traceback" not in log.read_text()


def wait_until_ready(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(1200):
        assert process.poll() is None, log.read_text()
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        try:
            process.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError(log.read_text())


@OF_THE_IMAGE
def test_its_other_commands_answer_or_say_what_is_missing(
    environment: Environment, models: Path, tmp_path: Path
) -> None:
    words = ("greenlight", "recommend", "-k", "2", "--json", "--model-dir", str(models))
    done = run(environment, *words, cwd=tmp_path)
    assert len(json.loads(done.stdout)["movies"]) == 2, done.stderr
    done = run(environment, "greenlight", "run", cwd=tmp_path)
    assert done.returncode == 1 and "No module named 'tfx'" in done.stderr
    assert "Traceback" not in done.stderr


def test_it_runs_as_nobody_in_particular() -> None:
    serving = stages()["serving"]
    (user,) = (line.split()[1] for line in serving if line.startswith("USER "))
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)  # numbers, by which Kubernetes knows no root
    assert not any(line.startswith("ENTRYPOINT") for line in serving)
    assert stages()["server"][0] == serving[0].replace("serving", "server")


# The manifest.


def manifest(name: str = "kubernetes") -> dict[str, Any]:
    text = (ROOT / "deploy" / f"{name}.yaml").read_text(encoding="utf-8")
    return {one["kind"]: one for one in yaml.safe_load_all(text)}


def container() -> dict[str, Any]:
    (found,) = manifest()["Deployment"]["spec"]["template"]["spec"]["containers"]
    return dict(found)


def strangers(content: Any, kind: str, place: str = "") -> Iterator[str]:
    """Fields that a message of Kubernetes' client has not, or of another type."""
    if kind.startswith("list["):
        for number, one in enumerate(content):
            yield from strangers(one, kind[5:-1], f"{place}[{number}]")
    elif kind.startswith("dict("):
        for key, one in content.items():
            yield from strangers(one, kind[5:-1].split(", ")[1], f"{place}.{key}")
    elif hasattr(kubernetes.client, kind):
        message = getattr(kubernetes.client, kind)
        names = {spelled: name for name, spelled in message.attribute_map.items()}
        for key, one in content.items():
            if key not in names:
                yield f"{place}.{key}"
            else:
                yield from strangers(one, message.openapi_types[names[key]], f"{place}.{key}")
    elif kind in ("str", "int", "bool") and not isinstance(
        content, {"str": str, "int": int, "bool": bool}[kind]
    ):
        yield f"{place} is no {kind}"


KINDS = {
    "Deployment": "V1Deployment", "Service": "V1Service",
    "PodDisruptionBudget": "V1PodDisruptionBudget",
    "HorizontalPodAutoscaler": "V2HorizontalPodAutoscaler",
}  # fmt: skip


def test_the_manifest_has_only_fields_that_kubernetes_knows() -> None:
    assert set(manifest()) == set(KINDS)
    for kind, content in manifest().items():
        assert list(strangers(content, KINDS[kind])) == []
    (scaler,) = manifest("autoscaling").values()
    assert list(strangers(scaler, KINDS["HorizontalPodAutoscaler"])) == []
    broken = manifest()["Deployment"]
    broken["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}
    broken["spec"]["replicas"] = "2"
    assert len(list(strangers(broken, "V1Deployment"))) == 2


class Answer(NamedTuple):
    """What a Kubernetes server would answer with."""

    data: str


def test_the_manifest_has_every_field_that_kubernetes_asks_for() -> None:
    read = kubernetes.client.ApiClient().deserialize
    for kind, content in (*manifest().items(), *manifest("autoscaling").items()):
        read(Answer(json.dumps(content)), KINDS[kind])
    broken = manifest()["HorizontalPodAutoscaler"]
    del broken["spec"]["maxReplicas"]
    with pytest.raises(ValueError, match="max_replicas"):
        read(Answer(json.dumps(broken)), KINDS["HorizontalPodAutoscaler"])


def test_it_is_scaled_by_what_there_is(tmp_path: Path) -> None:
    server = Server(tmp_path, Limits())
    names = {metric.name for metric in server.registry.collect()}
    plain, queued = (manifest(n)["HorizontalPodAutoscaler"] for n in ("kubernetes", "autoscaling"))
    by_cpu, by_calls = queued["spec"]["metrics"]
    assert by_calls["pods"]["metric"]["name"] in names
    assert plain["spec"]["metrics"] == [by_cpu] and "cpu" in container()["resources"]["requests"]
    deployment = manifest()["Deployment"]
    for scaler in (plain, queued):
        target = scaler["spec"]["scaleTargetRef"]
        assert target["name"] == deployment["metadata"]["name"]
        assert (target["kind"], target["apiVersion"]) == ("Deployment", deployment["apiVersion"])
        least = manifest()["PodDisruptionBudget"]["spec"]["minAvailable"]
        assert least < scaler["spec"]["minReplicas"] <= scaler["spec"]["maxReplicas"]
    assert "replicas" not in deployment["spec"]  # or each `kubectl apply` would undo the scaling


def test_probes_ask_for_routes_that_there_are(tmp_path: Path) -> None:
    app = make_app(Server(tmp_path, Limits()), "greenlight", Limits())
    paths = {getattr(route, "path", "") for route in app.routes}
    probes = {name: container()[name]["httpGet"] for name in container() if name.endswith("Probe")}
    assert {name: probe["path"] for name, probe in probes.items()} == {
        "startupProbe": "/readyz", "readinessProbe": "/readyz", "livenessProbe": "/healthz",
    }  # fmt: skip
    assert {probe["path"] for probe in probes.values()} <= paths
    notes = manifest()["Deployment"]["spec"]["template"]["metadata"]["annotations"]
    assert notes["prometheus.io/path"] in paths


def test_ports_labels_and_image_agree() -> None:
    (port,) = container()["ports"]
    args = container()["args"]
    assert f"--port={port['containerPort']}" in args and "--host=0.0.0.0" in args
    probes = [container()[name] for name in container() if name.endswith("Probe")]
    assert {probe["httpGet"]["port"] for probe in probes} == {port["name"]}
    (outside,) = manifest()["Service"]["spec"]["ports"]
    assert outside["targetPort"] == port["name"]
    template = manifest()["Deployment"]["spec"]["template"]
    assert template["metadata"]["annotations"]["prometheus.io/port"] == str(port["containerPort"])
    assert f"EXPOSE {port['containerPort']}" in stages()["serving"]
    labels = template["metadata"]["labels"]
    assert manifest()["Service"]["spec"]["selector"] == labels
    for kind in ("Deployment", "PodDisruptionBudget"):
        assert manifest()[kind]["spec"]["selector"]["matchLabels"] == labels
    assert container()["image"].rpartition("/")[2].partition(":")[0] in stages()


def test_the_pod_may_do_little() -> None:
    pod = manifest()["Deployment"]["spec"]["template"]["spec"]
    (user,) = (line.split()[1] for line in stages()["serving"] if line.startswith("USER "))
    rights = pod["securityContext"]
    assert rights["runAsNonRoot"] and f"{rights['runAsUser']}:{rights['runAsGroup']}" == user
    own = container()["securityContext"]
    assert own["readOnlyRootFilesystem"] and not own["allowPrivilegeEscalation"]
    assert own["capabilities"] == {"drop": ["ALL"]}
    assert not pod["automountServiceAccountToken"]
    resources = container()["resources"]
    assert set(resources) == {"requests", "limits"}
    assert all(set(of) == {"cpu", "memory"} for of in resources.values())
    mounted = {mount["name"]: mount for mount in container()["volumeMounts"]}
    assert mounted["models"]["readOnly"] and "/models" in container()["args"][2]
    assert set(mounted) == {volume["name"] for volume in pod["volumes"]}


def test_the_pod_s_time_to_end_is_longer_than_the_server_s() -> None:
    from serving.server import GRACE

    spec = manifest()["Deployment"]["spec"]["template"]["spec"]
    assert spec["terminationGracePeriodSeconds"] > GRACE

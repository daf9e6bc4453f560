"""A small job of made-up steps, taken through order, look-ups, drivers, conditions and cache."""

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.vertex.dry_run.conditions import holds
from pipeline.vertex.dry_run.interpreter import Interpreter, fill
from pipeline.vertex.dry_run.store import Store, matches, new_name
from pipeline.vertex.job import custom_job
from pipeline.vertex.steps import steps_in_order
from pipeline.vertex_config import NodeConfig

Spec = dict[str, Any]


def kind(title: str) -> Spec:
    return {"artifactType": {"instanceSchema": f"title: {title}\ntype: object\n"}}


def container(*words: str, driver: bool = False) -> Spec:
    call = {"command": ["python"], "args": [*words, "--call", "{{$}}"]}
    hook = {"lifecycle": {"preCacheCheck": call}} if driver else {}
    return {"container": {"image": "image:1", **call, **hook}}


def read(task: str, key: str) -> Spec:
    return {"taskOutputArtifact": {"producerTask": task, "outputArtifactKey": key}}


def task(name: str, *, inputs: Spec | None = None, condition: str = "") -> Spec:
    return {
        "componentRef": {"name": name},
        "cachingOptions": {"enableCache": True},
        "triggerPolicy": {"condition": condition},
        "inputs": inputs or {},
    }


def executors() -> Spec:
    query = 'schema_title="tfx.Model" AND state=LIVE AND metadata.blessed.number_value=1'
    return {
        "Look": {"resolver": {"outputArtifactQueries": {"model": {"filter": query}}}},
        "Make": container("--to", "gs://bucket/there", driver=True),
        "Push": container(),
        "After": container(),
    }


def job() -> Spec:
    number = {"n": {"componentInputParameter": "n"}, "s": {"runtimeValue": {"constant": "x"}}}
    model = {"artifacts": {"model": read("Make", "model")}}
    condition = "(inputs.artifacts['model'].artifacts[0].metadata['blessed'] == 1.0)"
    tasks = {
        "Push": task("Push", inputs=model, condition=condition),
        "Make": task(
            "Make", inputs={"parameters": number, "artifacts": {"old": read("Look", "model")}}
        ),
        "Look": task("Look"),
        "After": task("After", inputs={"artifacts": {"pushed": read("Push", "pushed")}}),
    }
    made = {"Look": "model", "Make": "model", "Push": "pushed", "After": "done"}
    components = {
        name: {
            "executorLabel": name,
            "outputDefinitions": {
                "artifacts": {key: kind("tfx.Model" if key == "model" else "tfx.Pushed")}
            },
        }
        for name, key in made.items()
    }
    spec = {
        "root": {"dag": {"tasks": tasks}},
        "components": components,
        "deploymentSpec": {"executors": executors()},
    }
    runtime = {"gcsOutputDirectory": "gs://bucket/root", "parameterValues": {"n": 7}}
    return {"pipelineSpec": spec, "runtimeConfig": runtime}


class Commands:
    """Stands for the containers: notes each call, and blesses the model as it is told."""

    def __init__(self, blessed: float = 1.0) -> None:
        self.names: list[str] = []
        self.calls: list[Spec] = []
        self.words: list[Sequence[str]] = []
        self.replicas: list[int] = []
        self._blessed = blessed

    def __call__(self, name: str, command: Sequence[str], replicas: int) -> None:
        call = json.loads(command[-1])
        self.replicas.append(replicas)
        self.names.append(name)
        self.calls.append(call)
        self.words.append(command)
        told: Spec = {}
        if name == "Make-driver":
            told = {"parameterValues": {"fingerprint": "f"}}
        elif name == "Make":
            told = {
                "artifacts": {"model": {"artifacts": [{"metadata": {"blessed": self._blessed}}]}}
            }
        path = Path(call["outputs"]["outputFile"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(told), encoding="utf-8")


def follow(folder: Path, commands: Commands, content: Spec | None = None) -> dict[str, str]:
    content = content or job()
    store = Store(folder / "metadata.json")
    interpreter = Interpreter(content, "job-1", store, folder / "gs", commands)
    ended = map(interpreter.follow, steps_in_order(content["pipelineSpec"]))
    return {step.name: step.state for step in ended}


def test_a_custom_job_runs_as_its_container_does(tmp_path: Path) -> None:
    content, commands = job(), Commands()
    push = content["pipelineSpec"]["deploymentSpec"]["executors"]["Push"]
    node = NodeConfig(machine_type="n1-standard-8", strategy="spot", replicas=3)
    push["customJob"] = {"customJob": custom_job("Push", node, push.pop("container"))}
    states = follow(tmp_path, commands, content)
    assert states == {"Look": "none yet", "Make": "done", "Push": "done", "After": "done"}
    (words,) = (w for name, w in zip(commands.names, commands.words, strict=True) if name == "Push")
    assert words[:2] == ["python", "--call"]
    assert commands.replicas[commands.names.index("Push")] == max(commands.replicas) == 3


def test_a_first_job_runs_every_step_after_those_it_awaits(tmp_path: Path) -> None:
    commands = Commands()
    states = follow(tmp_path, commands)
    assert states == {"Look": "none yet", "Make": "done", "Push": "done", "After": "done"}
    assert commands.names == ["Make-driver", "Make", "Push", "After"]


def test_a_command_gets_parameters_places_and_local_paths(tmp_path: Path) -> None:
    commands = Commands()
    follow(tmp_path, commands)
    driver, make, push, _ = commands.calls
    assert driver["inputs"]["parameterValues"] == {"n": 7, "s": "x"}
    assert make["inputs"]["parameterValues"] == {"n": 7, "s": "x", "fingerprint": "f"}
    assert "old" not in make["inputs"].get("artifacts", {})
    (model,) = push["inputs"]["artifacts"]["model"]["artifacts"]
    assert model["metadata"] == {"blessed": 1} and model["name"]
    assert model["uri"].startswith(f"{tmp_path}/gs/bucket/root/1/job-1/Make_")
    assert commands.words[1][:3] == ["python", "--to", f"{tmp_path}/gs/bucket/there"]


def test_a_second_job_finds_the_model_and_the_cache(tmp_path: Path) -> None:
    follow(tmp_path, Commands())
    again = Commands()
    # What it found is an input that the first job did not have.
    assert follow(tmp_path, again) == {
        "Look": "found", "Make": "done", "Push": "done", "After": "done",
    }  # fmt: skip
    (old,) = again.calls[1]["inputs"]["artifacts"]["old"]["artifacts"]
    assert old["metadata"] == {"blessed": 1}
    content = job()
    content["pipelineSpec"]["root"]["dag"]["tasks"]["Make"]["inputs"]["artifacts"] = {}
    follow(tmp_path, Commands(), content)
    third = Commands()
    states = follow(tmp_path, third, content)
    assert set(states.values()) == {"found", "cached"}
    assert third.names == ["Make-driver"]  # it must see whether the data changed


def test_the_newest_model_is_found(tmp_path: Path) -> None:
    first, second, third = Commands(), Commands(), Commands()
    for commands in (first, second, third):
        follow(tmp_path, commands)
    made = [commands.calls[2]["inputs"]["artifacts"]["model"] for commands in (first, second)]
    assert third.calls[1]["inputs"]["artifacts"]["old"] == made[1] != made[0]


@pytest.mark.parametrize("change", ["parameter", "image", "argument", "off"])
def test_what_changes_is_not_taken_from_the_cache(tmp_path: Path, change: str) -> None:
    content = job()
    content["pipelineSpec"]["root"]["dag"]["tasks"]["Make"]["inputs"]["artifacts"] = {}
    follow(tmp_path, Commands(), content)
    changed = copy.deepcopy(content)
    spec = changed["pipelineSpec"]
    make = spec["deploymentSpec"]["executors"]["Make"]["container"]
    if change == "parameter":
        changed["runtimeConfig"]["parameterValues"]["n"] = 8
    elif change == "image":
        make["image"] = "image:2"
    elif change == "argument":
        make["args"].insert(0, "--more")
    else:
        spec["root"]["dag"]["tasks"]["Make"]["cachingOptions"] = {}
    assert follow(tmp_path, Commands(), changed)["Make"] == "done"


def test_a_failed_condition_skips_the_step_and_those_after_it(tmp_path: Path) -> None:
    states = follow(tmp_path, Commands(blessed=0.0))
    assert states["Push"] == states["After"] == "skipped"


def test_a_refused_model_is_not_found(tmp_path: Path) -> None:
    follow(tmp_path, Commands(blessed=0.0))
    assert follow(tmp_path, Commands())["Look"] == "none yet"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("(inputs.artifacts['a'].artifacts[0].metadata['b'] == 1.0)", True),
        ("!((inputs.artifacts['a'].artifacts[0].metadata['b'] == 1.0))", False),
        ("((1.0 < 2.0) && (2.0 > 3.0))", False),
        ("((1.0 < 2.0) || (2.0 > 3.0))", True),
        ("((inputs.artifacts['a'].artifacts[0].uri + '/x') == 'gs://x')", False),
    ],
)
def test_conditions(condition: str, expected: bool) -> None:
    artifact = {"uri": "gs://a", "metadata": {"b": 1.0}}
    assert holds(condition, {"artifacts": {"a": {"artifacts": [artifact]}}}) is expected


def test_a_condition_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be evaluated"):
        holds("size(inputs) == 1", {})


def test_queries_are_filled_and_every_term_counts() -> None:
    query = "name=\"{{$.inputs.artifacts['input'].metadata['id']}}\""
    assert fill(query, {}) is None
    found = {"input": {"artifacts": [{"metadata": {"id": "a/1"}}]}}
    assert fill(query, found) == 'name="a/1"'
    artifact = {"name": "a/1", "type": kind("tfx.Model")["artifactType"], "metadata": {"k": "v"}}
    assert matches(artifact, 'name="a/1" AND state=LIVE AND metadata.k.string_value="v"')
    for wrong in ('name="a/2"', "state=DELETED", 'schema_title="x"', "metadata.k.number_value=1"):
        assert not matches(artifact, f'schema_title="tfx.Model" AND {wrong}')
    with pytest.raises(ValueError, match="unknown field"):
        matches(artifact, "create_time=1")


def test_names_differ() -> None:
    assert len({new_name() for _ in range(100)}) == 100

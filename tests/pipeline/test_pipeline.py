"""The graph: its nodes have the names that others look for, and the paths they name are there."""

import importlib
import json
from typing import Any

import pytest

from pipeline.config import load_config
from schemas.artifacts import Node
from schemas.source import load_source

# The properties of TFX's nodes that name a function or a module by its dotted path.
FUNCTIONS = ("preprocessing_fn", "run_fn", "tuner_fn")


@pytest.fixture(scope="module")
def nodes() -> dict[str, Any]:
    """All nodes by id, the Tuner among them."""
    from pipeline.pipeline import create_pipeline

    config = load_config(None, ["tuning.enabled=true"])
    folders: dict[str, Any] = {
        "serving_dir": "serving",
        "checkpoints": "checkpoints",
        "pipeline_root": "root",
    }
    graph = create_pipeline(
        config, load_source(config.source), "data", pipeline_name="test", run_id="", **folders
    )
    return {node.id: node for node in graph.components}


def test_the_nodes_have_the_names_that_others_look_for(nodes: dict[str, Any]) -> None:
    named = [name for key, name in vars(Node).items() if key.isupper()]
    assert sorted(named) == sorted(nodes)


def test_every_function_that_a_node_names_is_there(nodes: dict[str, Any]) -> None:
    found = {}
    for node in nodes.values():
        for key in FUNCTIONS:
            if path := node.exec_properties.get(key):
                module, _, name = path.rpartition(".")
                found[node.id] = getattr(importlib.import_module(module), name)
    assert set(found) == {Node.TRANSFORM, Node.TUNER, Node.TRAINER}
    assert all(map(callable, found.values()))


def test_the_evaluator_finds_its_extractors_and_its_metric(nodes: dict[str, Any]) -> None:
    properties = nodes[Node.EVALUATOR].exec_properties
    extractors = importlib.import_module(properties["module_path"])
    assert callable(extractors.custom_extractors)
    (metric,) = json.loads(properties["eval_config"])["metrics_specs"][0]["metrics"]
    assert callable(getattr(importlib.import_module(metric["module"]), metric["class_name"]))

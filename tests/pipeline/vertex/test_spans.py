"""The compiled job's own command finds the spans, as Vertex AI would have it do."""

import json
import subprocess
import sys

import pytest

from components.example_gen.executor import resolve_patterns
from components.example_gen.inputs import input_config, resolved
from pipeline.config import load_config
from pipeline.vertex.check.job import wiring_findings
from pipeline.vertex.compile import compile_job
from schemas.source import load_source

SOURCE = """
scale: [1, 5]
ratings: {files: 'ratings-{SPAN}.csv', columns: {user_id: u, movie_id: m, rating: r, timestamp: t}}
movies: {files: movies.csv, columns: {movie_id: m, movie_title: t}}
"""


@pytest.fixture
def config(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    for name in ("ratings-8.csv", "ratings-9.csv", "ratings-10.csv", "movies.csv"):
        (data / name).write_text("x" * len(name))
    (tmp_path / "own.yaml").write_text(SOURCE)
    settings = ("spans.window=2", "vertex.pipeline_root=gs://bucket/root", "vertex.image=image:1")
    return load_config(
        None, settings, source=str(tmp_path / "own.yaml"), data_dir=str(data), output_dir=None
    )


def _driven(config, tmp_path):
    """Fills in the driver's placeholder and runs its command; returns what it wrote."""
    spec = compile_job(config, "run")["pipelineSpec"]
    container = spec["deploymentSpec"]["executors"]["RatingExampleGen_executor"]["container"]
    driver = container["lifecycle"]["preCacheCheck"]
    task = spec["root"]["dag"]["tasks"]["RatingExampleGen"]["inputs"]["parameters"]
    output = tmp_path / "output.json"
    told = {
        "inputs": {"parameterValues": {k: v["runtimeValue"]["constant"] for k, v in task.items()}},
        "outputs": {
            "outputFile": str(output),
            "artifacts": {
                "examples": {
                    "artifacts": [
                        {
                            "name": "projects/p/locations/l/metadataStores/default/artifacts/1",
                            "uri": "gs://bucket/root/examples",
                            "type": {"schemaTitle": "tfx.Examples"},
                        }
                    ]
                }
            },
        },
    }
    arguments = [json.dumps(told) if arg == "{{$}}" else arg for arg in driver["args"]]
    command = [sys.executable, *driver["command"][1:], *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(output.read_text())


def test_the_driver_resolves_the_window(config, tmp_path):
    found = _driven(config, tmp_path)
    values = found["parameterValues"]
    assert values["span"] == 10
    assert "num_files:1,total_bytes:13" in values["input_fingerprint"]  # ratings-9.csv
    patterns = {e["name"]: e["pattern"] for e in json.loads(values["input_config"])["splits"]}
    assert patterns["ratings-0"] == "ratings-9.csv\nratings-10.csv"
    assert patterns["movies-0"] == "movies.csv"
    (artifact,) = found["artifacts"]["examples"]["artifacts"]
    assert artifact["metadata"]["custom:span"] == 10


def test_without_a_driver_the_node_resolves_its_spans_itself(config):
    source = load_source(config.source)
    files = input_config(source, config.split)
    told = {"input_base": config.data_dir, "range_config": '{"rolling_range": {"num_spans": 2}}'}
    resolve_patterns(files, told)
    read = [span.ratings.files for span in resolved(source, files)]
    assert read == [["ratings-9.csv"], ["ratings-10.csv"]]


def test_the_trainer_gets_the_blessed_model_where_asked(config, vertex_job):
    warm = config.model_copy(
        update={"training": config.training.model_copy(update={"warm_start": True})}
    )
    job = compile_job(warm, "run")
    inputs = job["pipelineSpec"]["root"]["dag"]["tasks"]["MovieTrainer"]["inputs"]["artifacts"]
    source = inputs["base_model"]["taskOutputArtifact"]
    assert source["producerTask"] == "BlessedModel-model-resolver"
    assert list(wiring_findings(job["pipelineSpec"])) == []
    cold = vertex_job["pipelineSpec"]["root"]["dag"]["tasks"]["MovieTrainer"]["inputs"]
    assert "base_model" not in cold["artifacts"]

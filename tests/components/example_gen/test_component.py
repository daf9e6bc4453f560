"""The node under TFX: its cache, the spans of its files, and its form on Vertex."""

import json
from pathlib import Path

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx import v1 as tfx
from tfx.components.util import tfxio_utils
from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner
from tfx.types import artifact_utils, standard_artifacts
from tfx_bsl.tfxio import dataset_options

from components.example_gen.component import RatingExampleGen
from components.example_gen.config import SplitConfig
from components.example_gen.generate import LOCAL_BEAM_ARGS
from schemas.errors import UserError
from schemas.source import Source

RATINGS = "userId,movieId,rating,timestamp\n" + "".join(
    f"{user},{movie},{1 + (user + movie) % 5},{1000 * movie + user}\n"
    for user in range(1, 8)
    for movie in range(1, 9)
)
MOVIES = "movieId,title\n" + "".join(f"{number},Film {number}\n" for number in range(1, 9))
USERS = "userId,gender\n" + "".join(f"{number},F\n" for number in range(1, 8))


def _source(folder=""):
    return Source(
        name="test",
        scale=(1, 5),
        ratings={
            "files": f"{folder}ratings.csv",
            "columns": {
                "user_id": "userId",
                "movie_id": "movieId",
                "rating": "rating",
                "timestamp": "timestamp",
            },
        },
        movies={
            "files": f"{folder}movies.csv",
            "columns": {"movie_id": "movieId", "movie_title": "title"},
        },
        users={
            "files": f"{folder}users.csv",
            "columns": {"user_id": "userId", "gender": "gender"},
        },
    )


def _fill(folder, ratings=RATINGS):
    folder.mkdir(parents=True)
    (folder / "ratings.csv").write_text(ratings)
    (folder / "movies.csv").write_text(MOVIES)
    (folder / "users.csv").write_text(USERS)


def _pipeline(tmp_path, source, split=None):
    node = RatingExampleGen(str(tmp_path / "data"), source, split or SplitConfig())
    return tfx.dsl.Pipeline(
        pipeline_name="test",
        pipeline_root=str(tmp_path / "root"),
        components=[node],
        enable_cache=True,
        metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(
            str(tmp_path / "metadata.db")
        ),
        beam_pipeline_args=list(LOCAL_BEAM_ARGS),
    )


def _run(tmp_path, source=None, split=None):
    tfx.orchestration.LocalDagRunner().run(_pipeline(tmp_path, source or _source(), split))
    store = _store(tmp_path)
    states = [execution.last_known_state for execution in store.get_executions()]
    return [metadata_store_pb2.Execution.State.Name(state) for state in states]


def _store(tmp_path):
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(tmp_path / "metadata.db")
    return mlmd.MetadataStore(config)


def _artifacts(tmp_path):
    """The newest examples and the newest catalogue."""
    found = []
    for key in ("examples", "catalogue"):
        matches = [a for a in _store(tmp_path).get_artifacts() if f"/{key}/" in a.uri]
        artifact = standard_artifacts.Examples()
        artifact.set_mlmd_artifact(max(matches, key=lambda match: match.id))
        found.append(artifact)
    return found


def test_cached_until_any_file_changes(tmp_path):
    _fill(tmp_path / "data")
    assert _run(tmp_path) == ["COMPLETE"]
    assert _run(tmp_path) == ["COMPLETE", "CACHED"]
    (tmp_path / "data" / "movies.csv").write_text(MOVIES + "9,Film 9\n")
    assert _run(tmp_path)[2:] == ["COMPLETE"]
    (tmp_path / "data" / "users.csv").write_text(USERS + "9,M\n")
    assert _run(tmp_path)[3:] == ["COMPLETE"]
    assert _run(tmp_path)[4:] == ["CACHED"]


def test_both_artifacts_can_be_read_by_tfx(tmp_path):
    _fill(tmp_path / "data")
    _run(tmp_path)
    examples, catalogue = _artifacts(tmp_path)
    assert artifact_utils.decode_split_names(examples.split_names) == ["train", "valid", "eval"]
    assert artifact_utils.decode_split_names(catalogue.split_names) == ["catalogue"]
    assert examples.get_string_custom_property("input_fingerprint")
    counts = {}
    for artifact in (examples, catalogue):
        for split in artifact_utils.decode_split_names(artifact.split_names):
            folder = artifact_utils.get_split_uri([artifact], split)
            factory = tfxio_utils.get_tfxio_factory_from_artifact([artifact], ["test"])
            options = dataset_options.RecordBatchesOptions(batch_size=4, num_epochs=1)
            batches = factory(f"{folder}/*").RecordBatches(options)
            counts[split] = sum(batch.num_rows for batch in batches)
    assert counts == {"train": 7, "valid": 6, "eval": 5, "catalogue": 8}


def test_the_latest_span_is_read(tmp_path):
    _fill(tmp_path / "data" / "span-1")
    _fill(tmp_path / "data" / "span-2", RATINGS.replace("1,1,", "77,1,", 1))
    assert _run(tmp_path, _source("span-{SPAN}/")) == ["COMPLETE"]
    examples, _ = _artifacts(tmp_path)
    assert examples.get_int_custom_property("span") == 2
    report = json.loads(Path(examples.uri, "rows.json").read_text())
    assert report["users"] == 8


def test_spans_in_some_patterns_only_are_refused(tmp_path):
    source = _source().model_dump()
    source["ratings"]["files"] = ["{YYYY}-{MM}-{DD}/ratings.csv"]
    with pytest.raises(UserError, match="Either all file patterns"):
        RatingExampleGen(str(tmp_path), Source.model_validate(source), SplitConfig())


def test_a_failed_run_leaves_no_examples(tmp_path):
    _fill(tmp_path / "data", RATINGS + "1,1,99,5\n" * 9)
    with pytest.raises(UserError, match="off_scale"):
        _run(tmp_path)
    assert not list((tmp_path / "root").rglob("*.gz"))


def test_compiles_for_vertex(tmp_path):
    runner = kubeflow_v2_dag_runner.KubeflowV2DagRunner(
        kubeflow_v2_dag_runner.KubeflowV2DagRunnerConfig(
            default_image="image", use_pipeline_spec_2_1=True
        ),
        output_dir=str(tmp_path),
        output_filename="pipeline.json",
    )
    split = SplitConfig(kind="predefined", train="a.csv", eval="b.csv")
    runner.run(_pipeline(tmp_path, _source(), split), write_out=True)
    spec = json.loads((tmp_path / "pipeline.json").read_text())["pipelineSpec"]
    (name, node), *_ = spec["components"].items()
    assert set(node["outputDefinitions"]["artifacts"]) == {"examples", "catalogue"}
    container = spec["deploymentSpec"]["executors"][f"{name}_executor"]["container"]
    driver = container["lifecycle"]["preCacheCheck"]["command"]
    assert driver[-1] == "tfx.orchestration.kubeflow.v2.file_based_example_gen.driver"
    parameters = spec["root"]["dag"]["tasks"][name]["inputs"]["parameters"]
    files = json.loads(parameters["input_config"]["runtimeValue"]["constant"])["splits"]
    assert [f["pattern"] for f in files if f["name"].startswith("ratings")] == ["a.csv", "b.csv"]

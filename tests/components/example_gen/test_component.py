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

from components.example_gen import inputs
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


def _pipeline(tmp_path, source, split=None, spans=1):
    node = RatingExampleGen(str(tmp_path / "data"), source, split or SplitConfig(), spans)
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


def _run(tmp_path, source=None, split=None, spans=1):
    pipeline = _pipeline(tmp_path, source or _source(), split, spans)
    tfx.orchestration.LocalDagRunner().run(pipeline)
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


def test_examples_of_another_form_are_not_taken_from_the_cache(tmp_path, monkeypatch):
    _fill(tmp_path / "data")
    assert _run(tmp_path) == ["COMPLETE"]
    monkeypatch.setattr(inputs, "FORM", inputs.FORM + 1)
    assert _run(tmp_path) == ["COMPLETE", "COMPLETE"]


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


def _rows(tmp_path):
    examples, _ = _artifacts(tmp_path)
    return json.loads(Path(examples.uri, "rows.json").read_text())


def test_the_newest_spans_are_read_together(tmp_path):
    for span in (9, 10, 12):
        _fill(tmp_path / "data" / f"span-{span}", RATINGS.replace("\n", f"\n{span}", 56))
    source = _source("span-{SPAN}/")
    assert _run(tmp_path, source) == ["COMPLETE"]
    assert _rows(tmp_path)["users"] == 7
    assert _run(tmp_path, source, spans=2)[1:] == ["COMPLETE"]
    assert _rows(tmp_path)["users"] == 14  # user 1 of span 10 is 101, of span 12 is 121
    assert _artifacts(tmp_path)[0].get_int_custom_property("span") == 12
    assert _run(tmp_path, source, spans=2)[2:] == ["CACHED"]
    (tmp_path / "data" / "span-10" / "movies.csv").write_text(MOVIES + "9,Film 9\n")
    assert _run(tmp_path, source, spans=2)[3:] == ["COMPLETE"]
    assert _rows(tmp_path)["movies"] == 9
    (tmp_path / "data" / "span-9" / "movies.csv").write_text("no matter")
    assert _run(tmp_path, source, spans=2)[4:] == ["CACHED"]


def test_a_table_may_be_the_same_for_all_spans(tmp_path):
    _fill(tmp_path / "data")
    source = _source().model_dump()
    source["ratings"]["files"] = ["{YYYY}-{MM}-{DD}.csv"]
    for day in ("2026-02-28", "2026-03-01", "2026-02-31"):  # the last one is no day
        text = RATINGS.replace("\n", f"\n{day[-2:]}", 56)
        (tmp_path / "data" / f"{day}.csv").write_text(text)
    assert _run(tmp_path, Source.model_validate(source), spans=9) == ["COMPLETE"]
    assert _rows(tmp_path)["users"] == 14


def test_half_a_span_stops_the_run(tmp_path):
    for span in (1, 2):
        _fill(tmp_path / "data" / f"span-{span}")
    (tmp_path / "data" / "span-2" / "movies.csv").unlink()
    with pytest.raises(UserError, match=r"span-\{SPAN\}/movies.csv.* the movies, for span 2"):
        _run(tmp_path, _source("span-{SPAN}/"))


@pytest.mark.parametrize(
    ("pattern", "split", "said"),
    [
        ("{YYYY}/ratings.csv", SplitConfig(), "together"),
        ("{VERSION}/ratings.csv", SplitConfig(), "together"),
        ("{SPAN}-{YYYY}-{MM}-{DD}.csv", SplitConfig(), "together"),
        ("a.csv", SplitConfig(kind="predefined", train="a-{SPAN}", eval="b"), "has no spans"),
    ],
)
def test_patterns_that_cannot_be_resolved_are_refused(tmp_path, pattern, split, said):
    source = _source().model_dump()
    source["ratings"]["files"] = [pattern]
    with pytest.raises(UserError, match=said):
        RatingExampleGen(str(tmp_path), Source.model_validate(source), split)


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

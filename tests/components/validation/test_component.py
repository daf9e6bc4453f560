"""The node itself: what it stops, and whose statistics a later run is held against."""

from pathlib import Path

import pandas as pd
import pytest
import tensorflow_data_validation as tfdv
from tfx.types import artifact_utils, standard_artifacts

from components.validation.component import DataValidatorExecutor, load_statistics
from components.validation.curated import curated_schema
from schemas.errors import UserError
from schemas.source import Source

SOURCE = Source(
    name="test",
    scale=(1, 5),
    ratings={"files": "r.csv", "columns": {"user_id": "u", "movie_id": "m", "rating": "r"}},
)
CALM, HIGH, WRONG = [1.0, 2.0, 3.0, 5.0] * 5, [5.0] * 20, [9.0] * 20


@pytest.fixture
def make(tmp_path):
    """Artifacts in folders of their own."""

    def artifact(kind, name):
        made = kind()
        made.uri = str(tmp_path / name)
        (tmp_path / name).mkdir()
        return made

    return artifact


@pytest.fixture
def statistics(make):
    """Statistics of ratings, as the statistics node writes them."""

    def written(name, ratings):
        rows = len(ratings)
        columns = {"user_id": ["u"] * rows, "movie_id": [f"m{i}" for i in range(rows)]}
        columns |= {"movie_title": columns["movie_id"], "history_movie_id": ["m1"] * rows}
        frame = pd.DataFrame(columns).assign(
            rating=pd.Series(ratings, dtype="float32"),
            history_rating=pd.Series([3.0] * rows, dtype="float32"),
        )
        return _written(make, name, "train", frame)

    return written


def _written(make, name, split, frame):
    artifact = make(standard_artifacts.ExampleStatistics, name)
    artifact.split_names = artifact_utils.encode_split_names([split])
    folder = Path(artifact_utils.get_split_uri([artifact], split))
    found = tfdv.generate_statistics_from_dataframe(frame)
    folder.mkdir()
    (folder / "FeatureStats.pb").write_bytes(found.SerializeToString())
    return artifact


@pytest.fixture
def validate(make):
    """Runs the node; returns the statistics that it accepted."""

    def run(name, current, previous=None, drift_stops=False):
        movies = pd.DataFrame({"movie_id": ["m1", "m2"], "movie_title": ["A", "B"]})
        inputs = {
            "ratings_statistics": [current],
            "catalogue_statistics": [_written(make, f"{name}-movies", "catalogue", movies)],
        }
        if previous is not None:
            inputs["previous_ratings_statistics"] = [previous]
        for kind in ("ratings", "catalogue"):
            schema = make(standard_artifacts.Schema, f"{name}-{kind}-schema")
            tfdv.write_schema_text(curated_schema(kind, SOURCE, 0.1), f"{schema.uri}/schema.pbtxt")
            inputs[f"{kind}_schema"] = [schema]
        accepted = make(standard_artifacts.ExampleStatistics, f"{name}-accepted")
        outputs = {
            "anomalies": [make(standard_artifacts.ExampleAnomalies, f"{name}-anomalies")],
            "accepted": [accepted],
        }
        DataValidatorExecutor().Do(inputs, outputs, {"drift_stops": int(drift_stops)})
        return accepted

    return run


def test_what_passes_is_what_the_next_run_is_held_against(statistics, validate):
    current = statistics("now", CALM)
    accepted = validate("first", current)
    assert load_statistics(accepted, "train") == load_statistics(current, "train")
    with pytest.raises(UserError, match="rating"):
        validate("second", statistics("later", HIGH), accepted, drift_stops=True)


@pytest.mark.parametrize(("ratings", "drift_stops"), [(HIGH, True), (WRONG, False)])
def test_what_is_refused_is_not_accepted(statistics, validate, tmp_path, ratings, drift_stops):
    accepted = validate("first", statistics("now", CALM))
    with pytest.raises(UserError):
        validate("second", statistics("later", ratings), accepted, drift_stops)
    assert list((tmp_path / "second-accepted").iterdir()) == []


def test_drift_that_does_not_stop_is_accepted(statistics, validate):
    accepted = validate("first", statistics("now", CALM))
    later = validate("second", statistics("later", HIGH), accepted)
    validate("third", statistics("last", HIGH), later, drift_stops=True)

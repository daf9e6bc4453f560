"""What the statistics say of features, against the data that they were taken of."""

import pandas as pd
import pytest
import tensorflow_data_validation as tfdv

from components.explore.feature_statistics import feature_rows, read_statistics

TRAIN = {
    "gender": ["F", "M", "", "F"],
    "year": [1990, 0, 2001, 0],
    "timestamp": [0, 86_400_000_000, 172_800_000_000, 10_000_000_000_000],
    "rating": [0.5, 4.0, 5.0, 3.0],
}


@pytest.fixture(scope="module")
def statistics(tmp_path_factory):
    """Written as the statistics nodes write them."""
    folder = tmp_path_factory.mktemp("statistics")
    tables = {"valid": {"gender": ["F", "F"]}, "train": TRAIN, "catalogue": {"genres": ["A", "B"]}}
    for split, columns in tables.items():
        found = tfdv.generate_statistics_from_dataframe(pd.DataFrame(columns))
        place = folder / f"Split-{split}"
        place.mkdir()
        (place / "FeatureStats.pb").write_bytes(found.SerializeToString())
    return read_statistics(str(folder))


def test_each_feature_of_each_split_has_a_row(statistics):
    rows = feature_rows(statistics, {})
    assert [(row["feature"], row["split"]) for row in rows] == [
        ("gender", "train"), ("gender", "valid"), ("genres", "catalogue"), ("rating", "train"),
        ("timestamp", "train"), ("year", "train"),
    ]  # fmt: skip
    found = {(row["feature"], row["split"]): row for row in rows}
    assert found["gender", "train"] == {
        "feature": "gender", "split": "train", "values": 4, "distinct": 3, "unknown": 0.25,
        "common": "F (50.0%)",
    }  # fmt: skip
    assert found["rating", "train"]["distinct"] is None
    assert found["rating", "train"]["common"] == "0.5 to 5"
    assert found["timestamp", "train"]["common"] == "1970-01-01 to 1970-04-26"
    assert found["year", "train"]["unknown"] == 0.5
    assert found["year", "train"]["common"] == "up to 2001"
    assert found["genres", "catalogue"]["common"] == ""  # no value comes twice


def test_what_movies_lack_is_told_by_the_catalogue(statistics):
    rows = feature_rows(statistics, {"genres": 0.4, "gender": 0.9})
    unknown = {(row["feature"], row["split"]): row["unknown"] for row in rows}
    assert unknown["genres", "catalogue"] == 0.4 and unknown["gender", "train"] == 0.25

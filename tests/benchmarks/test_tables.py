"""The tuning tables and the ablation: rows that the configuration takes, and figures that count."""

import numpy as np
import pytest
import yaml

from benchmarks import ablation, tables, weights_chart
from pipeline.config import load_config

CONTENT = yaml.safe_load(tables.ROWS.read_text(encoding="utf-8"))
SHARED = CONTENT.pop("shared")
ANSWERS = {
    "rank": np.array([1, 11, 100, 101]), "unmasked_rank": np.array([2, 5, 50, 1000]),
    "popularity_rank": np.array([10, 10, 10, 500]),
    "popularity_unmasked_rank": np.array([1, 1, 1, 1]),
    "rating": np.array([4.0, 3.0, 2.0, 5.0]), "label": np.array([5.0, 3.0, 4.0, 5.0]),
    "bias_rating": np.array([5.0, 3.0, 4.0, 3.0]),
}  # fmt: skip


@pytest.mark.parametrize("name", list(CONTENT))
def test_every_row_is_a_configuration_of_the_tutorials_model(name):
    found = []
    for row in CONTENT[name]["rows"]:
        settings = tables._settings({**SHARED, **CONTENT[name]["shared"], **row})
        config = load_config(None, ["split.kind=random", *tables.TUTORIAL, *settings])
        assert (config.model.towers, config.split.valid, config.split.window_length) == (
            "ids", 0, 1,
        )  # fmt: skip
        found.append(config)
    assert len(set(map(str, found))) == len(found)
    weights = {(one.model.retrieval_weight, one.model.rating_weight) for one in found}
    expected = {"retrieval": {(1, 0)}, "ranking": {(0, 1)}, "joint": {(1, 0), (0, 1), (1, 1)}}
    assert weights == expected[name]


def test_rows_are_told_in_short():
    row = {"model.rating_layers": [256, 64], "model.dims": 32, "training.learning_rate": 0.5}
    assert tables.label_of(row) == "256-64-1, dims 32, learning_rate 0.5"


def test_figures_of_known_answers():
    found = tables.figures(ANSWERS)
    assert [found[f"top-{k}"] for k in tables.KS] == [0.0, 0.5, 0.5, 0.75, 0.75]
    assert (found["hit_rate@10"], found["hit_rate@100"]) == (0.25, 0.75)
    assert found["rmse"] == pytest.approx(np.sqrt((1 + 0 + 4 + 0) / 4))
    beside = tables.baselines(ANSWERS)
    assert beside[tables.POPULAR]["top-1"] == 1.0 and "rmse" not in beside[tables.POPULAR]
    assert beside[tables.POPULAR]["hit_rate@10"] == 0.75
    assert beside[tables.BIAS] == {"rmse": 1.0}


def test_every_lever_and_weight_is_a_configuration_other_than_the_default():
    levers = [load_config(None, settings) for settings in ablation.LEVERS.values()]
    assert len({str(config) for config in levers}) == len(levers)
    for settings in ablation.MODELS.values():
        rows = dict(map(ablation._weighed, ablation.WEIGHTS))
        found = [load_config(None, [*settings, *row]).model for row in rows.values()]
        assert [(one.retrieval_weight, one.rating_weight) for one in found] == list(
            ablation.WEIGHTS
        )


def test_a_task_of_no_weight_is_no_point_and_the_others_stand_by_their_share(tmp_path):
    rows = {ablation._weighed(pair)[0]: {"hit_rate@10": 0.1, "rmse": 0.9 - i / 10}
            for i, pair in enumerate(ablation.WEIGHTS)}  # fmt: skip
    found = {"Greenlight": rows, "the tutorials' towers": rows}
    hits, errors = (weights_chart.points(found, name) for name in ("hit_rate@10", "rmse"))
    assert [row["share"] for row in hits[:4]] == pytest.approx([0.0, 0.2, 0.5, 0.8])
    assert [row["share"] for row in errors[:4]] == pytest.approx([0.2, 0.5, 0.8, 1.0])
    assert [row["value"] for row in errors[:4]] == pytest.approx([0.8, 0.7, 0.6, 0.5])
    weights_chart.draw(found, tmp_path / "weights.svg")
    text = (tmp_path / "weights.svg").read_text()
    assert "hit rate@10" in text and "RMSE" in text and "the tutorials' towers" in text

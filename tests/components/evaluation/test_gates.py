"""The gates' configuration, and what becomes of it in TFMA's."""

import json

import pytest
import tensorflow_model_analysis as tfma
from pydantic import ValidationError

from components.evaluation.eval_config import eval_config
from components.evaluation.gates import GatesConfig, has_interval, is_gated, lower_is_better


def _thresholds(gates):
    """Metric name to its threshold."""
    config = eval_config(gates, seed=7)
    return {
        json.loads(metric.config)["name"]: metric.threshold
        for metric in config.metrics_specs[0].metrics
        if metric.HasField("threshold")
    }


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"bounds": {"accuracy": 0.9}}, "'accuracy' is none of"),
        ({"bounds": {"hit_rate@7": 0.1}}, "'hit_rate@7' is none of"),
        ({"bounds": {"popularity/mrr": 0.1}}, "'popularity/mrr' is none of"),
        ({"bounds": {"gain/rmse": 0.1}}, "'gain/rmse' is none of"),
        ({"bounds": {"rmse": "low"}}, "valid number"),
        ({"k": 7}, "gates.k=7 must be one of gates.ks"),
        ({"k": 10, "ks": [5]}, "gates.k=10 must be one of gates.ks"),
        ({"ks": []}, "at least 1 item"),
        ({"level": 1.0}, "less than 1"),
        ({"level": 0.5}, "greater than 0.5"),
        ({"replicates": 10}, "greater than or equal to 50"),
        ({"popularity_margin": -0.1}, "greater than or equal to 0"),
        ({"margin": 0.1}, "Extra inputs"),
    ],
)
def test_mistakes_are_refused_in_words(settings, words):
    with pytest.raises(ValidationError, match=words):
        GatesConfig(**settings)


@pytest.mark.parametrize("ks", [[0, 10], [-1, 10]])
def test_a_list_has_at_least_one_place(ks):
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        GatesConfig(ks=ks)


def test_both_baselines_always_gate():
    found = _thresholds(GatesConfig())
    for name in ("gain/hit_rate@10/low", "gain/rmse/low"):
        assert found[name].value_threshold.lower_bound.value > 0, name
        assert not found[name].HasField("change_threshold")
    assert set(found) == {"gain/hit_rate@10/low", "gain/rmse/low", "hit_rate@10", "rmse"}


def test_margins_k_and_tolerances_go_into_the_thresholds():
    found = _thresholds(
        GatesConfig(
            k=5,
            popularity_margin=0.02,
            bias_margin=0.03,
            hit_rate_tolerance=0.04,
            rmse_tolerance=0.05,
        )
    )
    assert found["gain/hit_rate@5/low"].value_threshold.lower_bound.value == 0.02
    assert found["gain/rmse/low"].value_threshold.lower_bound.value == 0.03
    hit_rate, rmse = found["hit_rate@5"].change_threshold, found["rmse"].change_threshold
    assert hit_rate.absolute.value == -0.04
    assert hit_rate.direction == tfma.MetricDirection.HIGHER_IS_BETTER
    assert rmse.absolute.value == 0.05
    assert rmse.direction == tfma.MetricDirection.LOWER_IS_BETTER
    assert "hit_rate@10" not in found


def test_bounds_lie_on_the_right_side_and_beside_the_change():
    bounds = {"rmse": 0.9, "hit_rate@10": 0.1, "mae": 0.7, "unmasked/ndcg@5": 0.05}
    found = _thresholds(GatesConfig(bounds=bounds))
    for name in ("rmse", "mae"):
        assert found[name].value_threshold.upper_bound.value == bounds[name]
        assert not found[name].value_threshold.HasField("lower_bound")
    for name in ("hit_rate@10", "unmasked/ndcg@5"):
        assert found[name].value_threshold.lower_bound.value == bounds[name]
        assert not found[name].value_threshold.HasField("upper_bound")
    assert found["rmse"].HasField("change_threshold")
    assert found["hit_rate@10"].HasField("change_threshold")


def test_slices_and_metrics():
    gates = GatesConfig(slices=["gender", "age"], ks=[1, 10], level=0.9, replicates=60)
    config = eval_config(gates, seed=7)
    keys = [list(spec.feature_keys) for spec in config.slicing_specs]
    assert keys == [[], ["gender"], ["age"]]
    assert not config.options.include_default_metrics.value
    settings = [json.loads(metric.config) for metric in config.metrics_specs[0].metrics]
    names = [setting.pop("name") for setting in settings]
    assert len(names) == len(set(names))
    assert {"mrr", "gain/rmse/high", "unmasked/ndcg@10/low", "bias/mae"} <= set(names)
    assert "popularity/mrr/low" not in names
    expected = {"ks": [1, 10], "replicates": 60, "level": 0.9, "seed": 7}
    assert all(setting == expected for setting in settings)


@pytest.mark.parametrize(
    ("name", "gated", "error", "interval"),
    [
        ("rmse", True, True, True),
        ("unmasked/hit_rate@10", True, False, True),
        ("gain/rmse", False, False, True),
        ("gain/unmasked/mrr", False, False, True),
        ("popularity/mrr", False, False, False),
        ("popularity/unmasked/mrr", False, False, False),
        ("bias/rmse", False, False, False),
        ("example_count", False, False, False),
    ],
)
def test_kinds_of_metrics(name, gated, error, interval):
    assert (is_gated(name), lower_is_better(name), has_interval(name)) == (gated, error, interval)

"""The gates' configuration, and what becomes of it in TFMA's."""

import pytest
from pydantic import ValidationError

from components.evaluation.eval_config import EvaluationSettings, eval_config, read_settings
from components.evaluation.gates import GatesConfig
from components.evaluation.rules import gates_of


def _gates(config, compared=True):
    """Kind, metric and slice of each gate to its bound."""
    gates = gates_of(config, compared)
    return {(gate.kind.value, str(gate.metric), gate.slice): gate.bound for gate in gates}


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
        ({"slices": ["colour"]}, "gates.slices: 'colour' is none of history, user"),
        ({"crosses": [["gender", "gender"]]}, "no pair of different slices"),
        ({"crosses": [["gender"]]}, "no pair of different slices"),
        ({"per_slice": {"genre=Drama": {"bounds": {"coverage": 1}}}}, "'coverage' is none of"),
        ({"per_slice": {"colour=red": {}}}, "'colour' is none of"),
        ({"per_slice": {"gender,age": {}}}, "name it in gates.slices or gates.crosses too"),
        ({"slice_users": 1}, "greater than or equal to 2"),
    ],
)
def test_mistakes_are_refused_in_words(settings, words):
    with pytest.raises(ValueError, match=words):
        GatesConfig(**settings).of_users(["gender", "age"])


@pytest.mark.parametrize("ks", [[0, 10], [-1, 10]])
def test_a_list_has_at_least_one_place(ks):
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        GatesConfig(ks=ks)


def test_both_baselines_always_gate():
    assert _gates(GatesConfig(), compared=False) == {
        ("baseline", "hit_rate@10", "overall"): 0.0, ("baseline", "rmse", "overall"): 0.0,
    }  # fmt: skip


def test_margins_k_tolerances_bounds_and_slices_become_gates():
    part = {"genre=Drama": {"bounds": {"mae": 0.9}}, "history": {"hit_rate_tolerance": 0.1}}
    gates = GatesConfig(
        k=5, popularity_margin=0.02, bias_margin=0.03, hit_rate_tolerance=0.04, rmse_tolerance=0.05,
        bounds={"rmse": 0.9, "coverage": 0.1}, per_slice=part,
    )  # fmt: skip
    assert _gates(gates) == {
        ("baseline", "hit_rate@5", "overall"): 0.02,
        ("baseline", "rmse", "overall"): 0.03,
        ("absolute", "rmse", "overall"): 0.9,
        ("blessed", "hit_rate@5", "overall"): -0.04,
        ("blessed", "rmse", "overall"): 0.05,
        ("absolute", "mae", "genre=Drama"): 0.9,
        ("blessed", "hit_rate@5", "history"): -0.1,
    }


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"retrieval": False, "rating": False}, "both false: nothing would be judged"),
        ({"rating": False, "bounds": {"rmse": 0.9}}, "rmse is not judged where gates.rating is"),
        ({"rating": False, "bounds": {"calibration_error": 0.1}}, "calibration_error is not"),
        ({"retrieval": False, "bounds": {"coverage": 0.1}}, "coverage is not judged where"),
        ({"retrieval": False, "per_slice": {"genre": {"bounds": {"mrr": 0.1}}}},
         "gates.per_slice.genre.bounds: mrr is not judged where gates.retrieval is false"),
    ],
)  # fmt: skip
def test_a_task_that_is_not_judged_has_no_bounds_and_one_is_judged(settings, words):
    with pytest.raises(ValueError, match=words):
        GatesConfig.model_validate(settings)


@pytest.mark.parametrize("task", ["retrieval", "rating"])
def test_a_task_that_is_off_has_no_threshold(task):
    part = {"genre": {"bias_margin": 0.1, "popularity_margin": 0.1, "rmse_tolerance": 0.1}}
    gates = GatesConfig(per_slice=part)
    by_metric = {"hit_rate@10": "retrieval", "rmse": "rating"}
    for off in (eval_config(gates, 7, None, {task: "why"}),
                eval_config(gates.model_copy(update={task: False}), 7, (1.0, 5.0))):  # fmt: skip
        kept = {key.split("/")[2] for key in off.metrics_specs[0].per_slice_thresholds}
        assert {by_metric[metric] for metric in kept} == {*by_metric.values()} - {task}


def test_thresholds_and_slices_of_tfma():
    part = {"gender=F,genre": {"bias_margin": -0.1}}
    gates = GatesConfig(slices=["gender"], crosses=[["genre", "gender"]], per_slice=part)
    config = eval_config(gates, 7, (1.0, 5.0))
    assert [list(spec.feature_keys) for spec in config.slicing_specs] == [
        [], ["gender"], ["gender", "genre"],
    ]  # fmt: skip
    thresholds = config.metrics_specs[0].per_slice_thresholds
    assert set(thresholds) == {gate.key for gate in gates_of(gates, compared=True)}
    (spec,) = thresholds["gate/baseline/rmse/gender=F,genre"].thresholds[0].slicing_specs
    assert list(spec.feature_keys) == ["genre"] and dict(spec.feature_values) == {"gender": "F"}
    for found in thresholds.values():
        assert found.thresholds[0].threshold.value_threshold.lower_bound.value == 0
    assert read_settings(config) == EvaluationSettings(gates=gates, seed=7, scale=(1.0, 5.0))

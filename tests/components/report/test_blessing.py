"""blessing.json's content, for every way a run can end."""

import json
import math
from importlib import resources

import jsonschema
import pytest

from components.evaluation import measures
from components.evaluation.gates import GatesConfig, has_interval
from components.report.blessing import blessing, reason
from components.report.evaluation import Evaluation

GATES = GatesConfig(ks=[1, 10], popularity_margin=0.01, rmse_tolerance=0.02)
ROWS = {
    "read": 100, "kept": 98, "dropped": {"off_scale": 2},
    "samples": [{"reason": "off_scale", "file": "r.csv", "line": 7, "text": "1,2,99"}],
    "splits": {name: {"ratings": 30, "examples": 3} for name in ("train", "valid", "eval")},
    "users": 5, "movies": 9, "time_range": [0, 9], "cutoffs": None, "history": "before",
}  # fmt: skip
TRAINING = {"best_epoch": 2, "epochs": [{"loss": 3.0}, {"loss": 2.0}]}
NO_WORSE = ("hit_rate@10", "rmse")


def _metrics(shift=0.0):
    """Every metric the Evaluator writes; each value differs, so that none passes for another."""
    names = measures.metric_names(tuple(GATES.ks))
    found = {name: 0.1 + 0.01 * i + shift for i, name in enumerate(names)}
    for name in names:
        if has_interval(name):
            found[f"{name}/low"] = found[name] - 0.003
            found[f"{name}/high"] = found[name] + 0.004
    return found


def _evaluation(failed=(), blessed=False, **changed):
    candidate = {"overall": _metrics() | changed, "gender=F": _metrics(0.5)}
    baseline = {"overall": _metrics(0.001), "gender=F": _metrics(0.7)}
    return Evaluation(candidate, baseline if blessed else None, frozenset(failed))


def _blessing(evaluation, blessed, gates=GATES, drift=()):
    config = {"gates": gates.model_dump(), "split": {"kind": "temporal"}}
    return blessing("run-1", blessed, config, ROWS, list(drift), TRAINING, evaluation)


def _validate(content):
    schema = json.loads(resources.files("schemas").joinpath("blessing.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    jsonschema.validate(json.loads(json.dumps(content), parse_constant=refuse), schema)


def test_blessed_without_a_blessed_model():
    content = _blessing(_evaluation(), True)
    _validate(content)
    assert [(g["name"], g["kind"], g["passed"]) for g in content["gates"]] == [
        ("beats popularity", "baseline", True),
        ("beats user+movie bias", "baseline", True),
    ]
    assert set(content["baselines"]) == {"popularity", "bias"}
    assert len(content["reasons"]) == 2


def test_blessed_beside_a_blessed_model():
    evaluation = _evaluation(blessed=True)
    content = _blessing(evaluation, True, drift=["train: feature rating: ..."])
    _validate(content)
    changes = [gate for gate in content["gates"] if gate["kind"] == "blessed"]
    assert [(gate["metric"], gate["bound"]) for gate in changes] == [
        ("hit_rate@10", -0.01), ("rmse", 0.02),
    ]  # fmt: skip
    assert all(gate["value"] == pytest.approx(-0.001) for gate in changes)
    assert content["baselines"]["blessed"]["overall"]["rmse"] == _metrics(0.001)["rmse"]
    assert content["drift"] == ["train: feature rating: ..."]


@pytest.mark.parametrize("beside", [True, False])
@pytest.mark.parametrize(
    ("failed", "name"),
    [
        (("gain/hit_rate@10/low", False), "beats popularity"),
        (("gain/rmse/low", False), "beats user+movie bias"),
    ],
)
def test_refused_by_a_baseline(failed, name, beside):
    content = _blessing(_evaluation([failed], beside), False)
    _validate(content)
    assert [gate["name"] for gate in content["gates"] if not gate["passed"]] == [name]
    (told,) = content["reasons"]
    assert told.startswith(name) and "does not clear" in told


@pytest.mark.parametrize("metric", NO_WORSE)
def test_refused_against_the_blessed_model(metric):
    content = _blessing(_evaluation([(metric, True)], blessed=True), False)
    _validate(content)
    assert [g["metric"] for g in content["gates"] if not g["passed"]] == [metric]
    assert content["reasons"][0].startswith(f"no worse than the blessed model: {metric}")
    assert "outside" in content["reasons"][0]


def test_a_bound_and_a_change_of_one_metric_are_two_gates():
    gates = GatesConfig(ks=[1, 10], bounds={"rmse": 0.9, "unmasked/mrr": 0.2})
    content = _blessing(_evaluation([("rmse", False)], blessed=True), False, gates)
    _validate(content)
    assert [(g["metric"], g["kind"], g["passed"]) for g in content["gates"][2:]] == [
        ("rmse", "absolute", False),
        ("unmasked/mrr", "absolute", True),
        ("hit_rate@10", "blessed", True),
        ("rmse", "blessed", True),
    ]
    assert content["gates"][2]["bound"] == 0.9
    assert content["reasons"] == [f"bound on rmse: {_metrics()['rmse']:.4f} is outside 0.9"]


def test_values_come_from_their_own_metrics():
    metrics, content = _metrics(), _blessing(_evaluation(), True)
    first, second = content["gates"]
    assert (first["metric"], first["value"], first["bound"]) == (
        "hit_rate@10", metrics["gain/hit_rate@10"], 0.01,
    )  # fmt: skip
    assert first["interval"] == [
        metrics["gain/hit_rate@10/low"], metrics["gain/hit_rate@10/high"],
    ]  # fmt: skip
    assert second["value"] == metrics["gain/rmse"]
    own = content["metrics"]["overall"]
    assert own["unmasked/ndcg@10"] == metrics["unmasked/ndcg@10"]
    assert not [name for name in own if name.startswith(("gain/", "popularity/", "bias/"))]
    assert not [name for name in own if name.endswith(("/low", "/high"))]
    assert set(content["intervals"]) == set(own)
    assert content["intervals"]["mrr"] == [metrics["mrr/low"], metrics["mrr/high"]]
    popularity, bias = (content["baselines"][name]["overall"] for name in ("popularity", "bias"))
    assert popularity["unmasked/mrr"] == metrics["popularity/unmasked/mrr"]
    assert bias == {"rmse": metrics["bias/rmse"], "mae": metrics["bias/mae"]}
    assert content["metrics"]["gender=F"]["mae"] == _metrics(0.5)["mae"]


def test_the_facts_of_the_run_are_kept():
    content = _blessing(_evaluation(), True)
    assert content["split"]["kind"] == "temporal" and content["split"]["history"] == "before"
    assert content["split"]["train"] == {"ratings": 30, "examples": 3}
    assert content["rows"] == {k: ROWS[k] for k in ("read", "kept", "dropped", "samples")}
    assert content["training"] == TRAINING and content["run_id"] == "run-1"


def test_a_model_that_gives_no_numbers_has_a_valid_report_too():
    names = ("rmse", "mae", "gain/rmse", "gain/rmse/low", "gain/rmse/high")
    nothing = dict.fromkeys(names, math.nan)
    content = _blessing(_evaluation([("gain/rmse/low", False)], **nothing), False)
    _validate(content)
    assert content["metrics"]["overall"]["rmse"] is None
    assert content["gates"][1]["interval"] == [None, None]


def test_reasons_are_words_for_either_verdict():
    gate = _blessing(_evaluation(), True)["gates"][1]
    assert reason(gate) == (
        f"beats user+movie bias: rmse is {gate['value']:.4f} below the baseline's (interval "
        f"{gate['interval'][0]:.4f} to {gate['interval'][1]:.4f}), which clears the margin of 0"
    )

"""blessing.json's content, for every way a run can end."""

import json
import math
from importlib import resources

import jsonschema
import pytest

from components.evaluation.check_results import CheckResults
from components.evaluation.export_checks import reload_outcome
from components.evaluation.gates import SliceGates
from components.evaluation.verdicts import Gate, Kind, Outcome, Verdict
from components.report.notes import unlearned
from tests.components.report.conftest import WHY

HIT_RATE = ("", "gate/baseline/hit_rate@10/overall")
RMSE = ("", "gate/baseline/rmse/overall")
CHANGES = [("", "gate/blessed/hit_rate@10/overall"), ("", "gate/blessed/rmse/overall")]


def _validate(content):
    schema = json.loads(resources.files("schemas").joinpath("blessing.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    jsonschema.validate(json.loads(json.dumps(content), parse_constant=refuse), schema)


def test_blessed_without_a_blessed_model(make_blessing, make_evaluation):
    content = make_blessing(make_evaluation(), True)
    _validate(content)
    assert [(g["name"], g["kind"], g["passed"]) for g in content["gates"]] == [
        ("beats popularity", "baseline", True),
        ("beats user+movie bias", "baseline", True),
    ]
    assert set(content["baselines"]) == {"popularity", "bias"}
    assert len(content["reasons"]) == 2


def test_blessed_beside_a_blessed_model(make_blessing, make_evaluation, make_metrics):
    drift = ["train: feature rating: ..."]
    content = make_blessing(make_evaluation(compared=True), True, drift=drift)
    _validate(content)
    changes = [gate for gate in content["gates"] if gate["kind"] == "blessed"]
    assert [(g["metric"], g["bound"], g["value"]) for g in changes] == [
        ("hit_rate@10", -0.01, -0.001), ("rmse", 0.02, -0.001),
    ]  # fmt: skip
    assert changes[0]["interval"] == pytest.approx([-0.004, 0.003])
    assert changes[0]["reason"].endswith("within the tolerance of 0.01")
    assert changes[1]["reason"].endswith("for the better")
    assert content["baselines"]["blessed"]["overall"]["rmse"] == make_metrics(0.001)["rmse"]
    assert content["drift"] == drift


@pytest.mark.parametrize("compared", [True, False])
def test_without_ratings_lists_alone_decide_and_it_is_said(
    make_blessing, make_evaluation, gates, compared
):
    config = gates.model_copy(update={"per_slice": {"gender": SliceGates(bias_margin=0.0)}})
    evaluation = make_evaluation(compared=compared, rated=False)
    content = make_blessing(evaluation, True, config, off={"rating": WHY})
    _validate(content)
    assert content["training"]["off"] == {"rating": WHY}
    assert (
        content["notes"][0] == f"The model retrieves alone, as {WHY}; the gates on ratings are off."
    )
    rows = [gate for gate in content["gates"] if gate["metric"] == "rmse"]
    assert len(rows) == 2 + compared
    for row in rows:
        assert (row["judged"], row["passed"], row["value"]) == (False, True, None)
        assert row["reason"].endswith(f"not judged, as {WHY}")
    assert len(content["reasons"]) == 1 + compared
    assert all("hit_rate@10" in reason for reason in content["reasons"])
    for found in (content["metrics"], content["baselines"]["bias"]):
        assert not [n for own in found.values() for n in own if "rmse" in n or "calibration" in n]
    assert not [name for name in content["intervals"] if "rmse" in name]
    assert content["slices"]["overall"] == {
        "users": 40, "ratings": 80, "rated": 0, "judged": True,
    }  # fmt: skip


def test_a_weight_of_0_is_told(make_blessing, make_evaluation, gates):
    told = unlearned({"model": {"retrieval_weight": 1, "rating_weight": 0}}, {}, gates)
    assert told == [
        "model.rating_weight is 0: ratings were not learned, and yet they are predicted. "
        "With gates.rating=false they are left out of the verdict."
    ]
    off = gates.model_copy(update={"rating": False})
    assert unlearned({}, {}, off) == ["The gates on rating are off: gates.rating is false."]


@pytest.mark.parametrize("compared", [True, False])
@pytest.mark.parametrize(
    ("failed", "name"), [(HIT_RATE, "beats popularity"), (RMSE, "beats user+movie bias")]
)
def test_refused_by_a_baseline(make_blessing, make_evaluation, failed, name, compared):
    content = make_blessing(make_evaluation([failed], compared), False)
    _validate(content)
    assert [gate["name"] for gate in content["gates"] if not gate["passed"]] == [name]
    (told,) = content["reasons"]
    assert told.startswith(name) and "does not clear" in told


@pytest.mark.parametrize(
    ("failed", "metric", "change"),
    [(CHANGES[0], "hit_rate@10", -0.2), (CHANGES[1], "rmse", 0.2)],
)
def test_refused_against_the_blessed_model(make_blessing, make_evaluation, failed, metric, change):
    measured = f"change/{metric}"
    changed = {
        measured: change,
        f"{measured}/low": change - 0.01,
        f"{measured}/high": change + 0.01,
    }
    content = make_blessing(make_evaluation([failed], True, **changed), False)
    _validate(content)
    assert [g["metric"] for g in content["gates"] if not g["passed"]] == [metric]
    assert content["reasons"][0].startswith(f"no worse than the blessed model: {metric} changed by")
    assert content["reasons"][0].endswith("and not by chance")


@pytest.mark.parametrize(
    ("value", "end"),
    [
        (0.0, "rmse is the same"),
        (-0.1, "for the better"),
        (0.01, "within the tolerance of 0.02"),
        (0.1, "beyond the tolerance of 0.02, but it may be chance"),
    ],
)
def test_changes_that_pass_say_why(make_blessing, make_evaluation, value, end):
    content = make_blessing(make_evaluation(compared=True, **{"change/rmse": value}), True)
    assert content["gates"][-1]["reason"].endswith(end)


def test_a_bound_and_a_change_of_one_metric_are_two_gates(
    make_blessing, make_evaluation, make_metrics, gates
):
    config = gates.model_copy(update={"bounds": {"rmse": 0.2, "unmasked/mrr": 0.2}})
    failed = ("", "gate/absolute/rmse/overall")
    content = make_blessing(make_evaluation([failed], True), False, config)
    _validate(content)
    assert [(g["metric"], g["kind"], g["passed"]) for g in content["gates"][2:]] == [
        ("rmse", "absolute", False),
        ("unmasked/mrr", "absolute", True),
        ("hit_rate@10", "blessed", True),
        ("rmse", "blessed", True),
    ]
    rmse = make_metrics()["rmse"]
    assert content["reasons"] == [
        f"bound on rmse: rmse is {rmse:.4f} (interval {rmse - 0.003:.4f} to {rmse + 0.004:.4f}), "
        "outside the bound of at most 0.2"
    ]


def test_values_come_from_their_own_metrics(make_blessing, make_evaluation, make_metrics):
    metrics, content = make_metrics(), make_blessing(make_evaluation(), True)
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
    assert set(content["intervals"]) == set(own) - {"calibration_error"}
    assert content["intervals"]["mrr"] == [metrics["mrr/low"], metrics["mrr/high"]]
    popularity, bias = (content["baselines"][name]["overall"] for name in ("popularity", "bias"))
    assert popularity["unmasked/mrr"] == metrics["popularity/unmasked/mrr"]
    assert bias == {"rmse": metrics["bias/rmse"], "mae": metrics["bias/mae"]}
    assert content["metrics"]["gender=F"]["mae"] == make_metrics(0.5)["mae"]


def test_the_facts_of_the_run_are_kept(make_blessing, make_evaluation):
    content = make_blessing(make_evaluation(), True)
    assert content["split"]["kind"] == "temporal" and content["split"]["history"] == "before"
    assert content["split"]["train"] == {"ratings": 30, "examples": 3, "tied": 6}
    assert content["rows"]["dropped"] == {"off_scale": 2} and content["run_id"] == "run-1"
    assert content["training"]["best_epoch"] == 2


def test_slices_of_few_users_are_marked_and_noted(make_blessing, make_evaluation):
    content = make_blessing(make_evaluation(), True)
    sizes = list(content["slices"].values())
    assert [size["judged"] for size in sizes] == [True, True, False]
    assert sizes[2] == {"users": 3, "ratings": 6, "judged": False}
    (told,) = [one for one in content["summary"] if one["about"] == "not judged"]
    assert told["sentence"].endswith("; 1 of 2 slices, each of fewer than 10 people.")
    assert told["figures"] == {"slices": 1}


def test_a_model_that_gives_no_numbers_has_a_valid_report_too(make_blessing, make_evaluation):
    names = ("rmse", "mae", "gain/rmse", "gain/rmse/low", "gain/rmse/high")
    nothing = dict.fromkeys(names, math.nan)
    content = make_blessing(make_evaluation([RMSE], **nothing), False)
    _validate(content)
    assert content["metrics"]["overall"]["rmse"] is None
    assert content["gates"][1]["interval"] == [None, None]
    assert content["reasons"] == ["beats user+movie bias: rmse is no number"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.0046, "rmse is 0.0046 below the baseline's"),
        (-0.0046, "rmse is 0.0046 above the baseline's"),
    ],
)
def test_a_difference_is_worded_by_its_sign(make_blessing, make_evaluation, value, words):
    evaluation = make_evaluation([RMSE], **{"gain/rmse": value})
    assert words in make_blessing(evaluation, False)["reasons"][0]


def test_a_refusal_that_no_gate_explains_still_has_a_reason(make_blessing, make_evaluation):
    content = make_blessing(make_evaluation(), False)
    _validate(content)
    assert content["reasons"] == [
        "the Evaluator refused the model, though every gate that it names holds"
    ]


def test_checks_come_first_and_refuse_in_words(make_blessing, make_evaluation):
    gate = Gate("no list repeats a movie", "users at fault", 0.0, Kind.SANITY)
    sane = Outcome(gate, 0.0, Verdict.PASSED, "none")
    checks = CheckResults([reload_outcome(None), sane], ["Not compared"])
    content = make_blessing(make_evaluation(checks=checks), True)
    _validate(content)
    assert [g["kind"] for g in content["gates"]] == ["reload", "sanity", "baseline", "baseline"]
    assert len(content["reasons"]) == 2 and content["notes"][0] == "Not compared."
    checks = CheckResults([reload_outcome("it is gone")])
    content = make_blessing(make_evaluation(checks=checks), False)
    assert content["reasons"] == ["reloaded in a fresh process the model fails: it is gone"]


def test_gates_of_a_slice_are_rows_of_their_own(make_blessing, make_evaluation, gates):
    config = gates.model_copy(update={"per_slice": {"gender": SliceGates(bias_margin=0.0)}})
    failed = ("gender=F", "gate/baseline/rmse/gender")
    content = make_blessing(make_evaluation([failed]), False, config)
    _validate(content)
    row = content["gates"][-1]
    assert (row["slice"], row["passed"]) == ("gender=F", False)
    assert content["reasons"][0].startswith("beats user+movie bias in gender=F: rmse is ")


def test_a_bound_on_calibration_holds_by_its_value(make_blessing, make_evaluation, gates):
    config = gates.model_copy(update={"bounds": {"calibration_error": 0.1}})
    content = make_blessing(make_evaluation(), True, config)
    _validate(content)
    assert content["gates"][-1]["interval"] is None
    assert content["reasons"][-1] == (
        "bound on calibration_error: calibration_error is 0.0500, within the bound of at most 0.1"
    )

"""One contract that the outcomes of every kind of gate keep, whatever TFMA found."""

import math
from typing import Any

import pytest

from components.evaluation.gates import GatesConfig, SliceGates
from components.evaluation.verdicts import NOT_JUDGED, Kind, Verdict
from components.report.evaluator_output import Evaluation
from components.report.gates import gate_outcomes


class OutcomeContract:
    """What holds for the outcomes of every kind of gate; a class for each kind sets one gate.

    kind, metric: of the gate.
    measured: the metric whose value is judged.
    settings: of the gate, beside the default ones.
    """

    kind: Kind
    metric = "rmse"
    measured = ""
    settings: tuple[tuple[str, Any], ...] = ()

    def outcome(self, value, clearance, failed=False, users=40, where="overall", off=None):
        """The outcome of the gate where TFMA found this value and clearance."""
        part = SliceGates(**dict(self.settings))
        config = GatesConfig(per_slice={"gender": part}, slice_users=10).of_users(["gender"])
        gate = f"gate/{self.kind.value}/{self.metric}/"
        values = {
            "users": users, "rated_users": users, self.metric: 0.8, self.measured: value,
            f"{self.measured}/low": value - 0.01, f"{self.measured}/high": value + 0.01,
            f"{gate}overall": 1e9, f"{gate}gender": clearance,
        }  # fmt: skip
        blessed = {"gender=F": {self.metric: 0.9}} if self.kind is Kind.BLESSED else None
        missed = frozenset({("gender=F", f"{gate}gender")} if failed else ())
        found = gate_outcomes(config, Evaluation({where: values}, blessed, missed), off)
        (own,) = [
            outcome for outcome in found
            if outcome.gate.kind is self.kind and str(outcome.gate.metric) == self.metric
            and outcome.gate.slice.startswith("gender")
        ]  # fmt: skip
        return own

    def test_it_passes_where_tfma_found_it_passed(self):
        outcome = self.outcome(0.5, 0.1, where="gender=F")
        assert outcome.verdict is Verdict.PASSED
        assert (outcome.value, outcome.interval) == (0.5, (0.49, 0.51))
        assert outcome.gate.slice == "gender=F"

    def test_it_fails_where_tfma_found_it_failed(self):
        outcome = self.outcome(0.5, -0.1, failed=True, where="gender=F")
        assert outcome.verdict is Verdict.FAILED and outcome.value == 0.5

    def test_in_a_small_slice_it_is_not_judged(self):
        outcome = self.outcome(0.5, 1e9, users=3, where="gender=F")
        assert outcome.verdict is Verdict.NOT_JUDGED and outcome.passed
        assert outcome.reason == f"{outcome.gate.name} in gender=F: {NOT_JUDGED}with 3 users only"

    def test_where_its_task_is_off_it_is_not_judged(self):
        task = "rating" if self.metric == "rmse" else "retrieval"
        outcome = self.outcome(0.5, 0.1, where="gender=F", off={task: "there is nothing"})
        assert outcome.verdict is Verdict.NOT_JUDGED
        assert outcome.why_not_judged == "as there is nothing"

    def test_a_slice_that_is_not_there_is_not_passed(self):
        outcome = self.outcome(0.5, 0.1, where="overall")
        assert outcome.verdict is Verdict.FAILED and math.isnan(outcome.value)
        assert outcome.reason.endswith("no rating of the slice gender was evaluated")

    def test_no_number_is_a_failure_with_a_reason(self):
        outcome = self.outcome(math.nan, math.nan, failed=True, where="gender=F")
        assert outcome.verdict is Verdict.FAILED
        assert outcome.reason.endswith(f"in gender=F: {self.metric} is no number")

    @pytest.mark.parametrize("failed", [True, False])
    def test_its_reason_names_gate_slice_and_metric(self, failed):
        outcome = self.outcome(0.5, 0.1, failed, where="gender=F")
        assert outcome.reason.startswith(f"{outcome.gate.name} in gender=F: {self.metric} ")
        other = self.outcome(0.5, 0.1, not failed, where="gender=F")
        assert outcome.reason != other.reason


class TestGain(OutcomeContract):
    kind, measured = Kind.BASELINE, "gain/rmse"
    settings = (("bias_margin", 0.1),)


class TestChange(OutcomeContract):
    kind, measured = Kind.BLESSED, "change/rmse"
    settings = (("rmse_tolerance", 0.1),)


class TestGainInHitRate(OutcomeContract):
    kind, metric, measured = Kind.BASELINE, "hit_rate@10", "gain/hit_rate@10"
    settings = (("popularity_margin", 0.1),)


class TestBound(OutcomeContract):
    kind, measured = Kind.ABSOLUTE, "rmse"
    settings = (("bounds", {"rmse": 0.9}),)


def test_a_blessed_model_without_ratings_leaves_its_gate_unjudged():
    values = {"users": 40, "rated_users": 40, "rmse": 0.8, "gate/blessed/rmse/overall": 1e9}
    evaluation = Evaluation({"overall": values}, {"overall": {"mrr": 0.1}}, frozenset())
    (outcome,) = [
        outcome for outcome in gate_outcomes(GatesConfig(), evaluation)
        if outcome.gate.kind is Kind.BLESSED and str(outcome.gate.metric) == "rmse"
    ]  # fmt: skip
    assert outcome.why_not_judged == "as the blessed model predicts no ratings"

"""One contract that every kind of gate on a metric keeps, and the sentences of each."""

import math

import pytest

from components.evaluation.gate_kinds import (
    AbsoluteGate,
    BaselineGate,
    BlessedGate,
    ListGate,
    MetricGate,
)
from components.evaluation.metric_name import MetricName

NAN = math.nan
Cases = tuple[tuple[float, float | None, float | None], ...]


class GateContract:
    """What holds for every kind of gate: a class for each kind names a gate and its cases.

    gate: of this kind.
    passing, failing: values with the low and high ends of their intervals, or None for no interval.
    """

    gate: MetricGate
    passing: Cases = ()
    failing: Cases = ()

    def _metrics(self, value, low, high):
        ends = {} if low is None else dict(zip(self.gate.measured.ends, (low, high), strict=True))
        return {self.gate.measured: value, **ends}

    def test_it_passes(self):
        for case in self.passing:
            assert self.gate.clearance(self._metrics(*case)) >= 0, case

    def test_it_fails(self):
        for case in self.failing:
            assert self.gate.clearance(self._metrics(*case)) < 0, case

    def test_no_number_is_not_passed(self):
        nothing: dict[MetricName, float] = {}
        for metrics in (self._metrics(NAN, NAN, NAN), self._metrics(NAN, None, None), nothing):
            assert not self.gate.clearance(metrics) >= 0

    def test_a_number_without_an_interval_is_not_passed(self):
        value = self.passing[0][0]
        clearance = self.gate.clearance(self._metrics(value, NAN, NAN))
        assert not clearance >= 0

    def test_it_has_a_reason_that_tells_its_verdicts_apart(self):
        reasons = {
            self.gate.describe(value, None if low is None or high is None else (low, high), passed)
            for passed, cases in ((True, self.passing[:1]), (False, self.failing[:1]))
            for value, low, high in cases
        }
        assert len(reasons) == 2
        assert all(reason.startswith(f"{self.gate.metric} ") for reason in reasons)

    def test_other_metrics_do_not_matter(self):
        other = MetricName("mrr", unmasked=True).of(self.gate.subject)
        case = self._metrics(*self.passing[0])
        assert self.gate.clearance(case | {other: NAN}) == self.gate.clearance(case)

    def test_its_key_says_kind_metric_and_slice(self):
        kind, metric = self.gate.kind.value, self.gate.metric
        assert self.gate.key == f"gate/{kind}/{metric}/{self.gate.slice}"


class TestGainInHitRate(GateContract):
    gate = BaselineGate("a gate", MetricName("hit_rate", 10), 0.0)
    passing = ((0.02, 0.001, 0.04),)
    failing = ((0.02, -0.001, 0.04), (0.0, 0.0, 0.0))  # by luck; its own baseline


class TestGainInRmse(GateContract):
    gate = BaselineGate("a gate", MetricName("rmse"), 0.01, "genre=War")
    passing = ((0.02, 0.011, 0.03),)
    failing = ((0.02, 0.009, 0.03),)


class TestBoundOnRmse(GateContract):
    gate = AbsoluteGate("a gate", MetricName("rmse"), 0.9)
    passing = ((0.85, 0.8, 0.89), (0.9, None, None))
    failing = ((0.85, 0.8, 0.91), (0.91, None, None))


class TestBoundOnMrr(GateContract):
    gate = AbsoluteGate("a gate", MetricName("mrr"), 0.1, "gender")
    passing = ((0.12, 0.11, 0.13),)
    failing = ((0.12, 0.09, 0.13),)


class TestChangeOfHitRate(GateContract):
    gate = BlessedGate("a gate", MetricName("hit_rate", 10), -0.01)
    passing = (
        (-0.009, -0.02, -0.001),  # within the tolerance
        (-0.02, -0.05, 0.001),  # it may be chance
        (0.0, 0.0, 0.0),
    )
    failing = ((-0.02, -0.03, -0.001),)


class TestChangeOfRmse(GateContract):
    gate = BlessedGate("a gate", MetricName("rmse"), 0.01)
    passing = ((0.02, -0.005, 0.03), (-0.3, -0.4, -0.2))
    failing = ((0.02, 0.005, 0.03),)


class TestNoToleranceAtAll(GateContract):
    gate = BlessedGate("a gate", MetricName("hit_rate", 10), 0.0)
    passing = ((0.0, 0.0, 0.0),)
    failing = ((-0.001, -0.002, -0.0005),)


class TestBoundOnCoverage(GateContract):
    gate = ListGate("a gate", MetricName("coverage"), 0.3)
    passing = ((0.3, None, None),)
    failing = ((0.29, None, None),)


class TestBoundOnPopularityLift(GateContract):
    gate = ListGate("a gate", MetricName("popularity_lift"), 0.6)
    passing = ((0.5, 0.4, 0.6),)
    failing = ((0.7, 0.65, 0.75), (0.5, 0.4, 0.61))


@pytest.mark.parametrize(
    ("gate", "value", "interval", "passed", "sentence"),
    [
        (TestGainInRmse.gate, 0.02, (0.011, 0.03), True,
         "rmse is 0.0200 below the baseline's (interval of the gain 0.0110 to 0.0300), which "
         "clears the margin of 0.01"),
        (TestGainInHitRate.gate, -0.02, (-0.03, 0.01), False,
         "hit_rate@10 is 0.0200 below the baseline's (interval of the gain -0.0300 to 0.0100), "
         "which does not clear the margin of 0"),
        (TestChangeOfRmse.gate, 0.02, (-0.005, 0.03), True,
         "rmse changed by +0.0200 (interval -0.0050 to 0.0300), beyond the tolerance of 0.01, "
         "but it may be chance"),
        (TestBoundOnMrr.gate, 0.12, (0.09, 0.13), False,
         "mrr is 0.1200 (interval 0.0900 to 0.1300), within the bound of at least 0.1, but not "
         "surely: the interval reaches beyond it"),
        (TestBoundOnMrr.gate, 0.08, (0.06, 0.11), False,
         "mrr is 0.0800 (interval 0.0600 to 0.1100), outside the bound of at least 0.1"),
        (TestBoundOnRmse.gate, 0.95, (0.93, 0.97), False,
         "rmse is 0.9500 (interval 0.9300 to 0.9700), outside the bound of at most 0.9"),
        (TestBoundOnRmse.gate, 0.85, (0.8, 0.91), False,
         "rmse is 0.8500 (interval 0.8000 to 0.9100), within the bound of at most 0.9, but not "
         "surely: the interval reaches beyond it"),
        (TestBoundOnCoverage.gate, NAN, None, False,
         "coverage is no number where at least 0.3 is asked"),
    ],
)  # fmt: skip
def test_a_reason_is_one_sentence(gate, value, interval, passed, sentence):
    assert gate.describe(value, interval, passed) == sentence

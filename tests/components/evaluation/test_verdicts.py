"""Outcomes as blessing.json and checks.json hold them."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.evaluation.check_results import CheckResults
from components.evaluation.metric_name import MetricName
from components.evaluation.verdicts import NOT_JUDGED, Gate, Kind, Outcome, Verdict

numbers = st.floats(allow_infinity=False)
gates = st.builds(
    Gate, st.text(), st.text(), st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(Kind), st.text(),
)  # fmt: skip
outcomes = st.builds(
    Outcome, gates, numbers, st.sampled_from(Verdict), st.text(),
    st.none() | st.tuples(numbers, numbers),
)  # fmt: skip


@given(outcomes)
def test_what_is_written_is_read(outcome):
    row = json.loads(json.dumps(outcome.to_json(), allow_nan=False))
    assert repr(Outcome.from_json(row)) == repr(outcome)  # NaN is not equal to itself


@given(st.lists(outcomes, max_size=3), st.lists(st.text(), max_size=2))
def test_check_results_are_read_as_they_were_written(found, notes):
    results = CheckResults(found, notes, {"candidate": {"coverage": [0.1, None, None]}})
    content = json.loads(json.dumps(results.to_json(), allow_nan=False))
    assert repr(CheckResults.from_json(content)) == repr(results)
    assert results.passed == all(row["passed"] for row in content["gates"])


@pytest.mark.parametrize(
    ("verdict", "judged", "passed"),
    [
        (Verdict.PASSED, True, True),
        (Verdict.FAILED, True, False),
        (Verdict.NOT_JUDGED, False, True),
    ],
)
def test_an_outcome_is_one_row_of_blessing_json(verdict, judged, passed):
    gate = Gate("beats popularity", MetricName("hit_rate", 10), 0.01, Kind.BASELINE, "gender=F")
    reason = f"beats popularity in gender=F: {NOT_JUDGED}with 3 users only"
    outcome = Outcome(gate, 0.02, verdict, reason, (math.nan, 0.03))
    assert outcome.to_json() == {
        "name": "beats popularity", "metric": "hit_rate@10", "slice": "gender=F",
        "kind": "baseline", "value": 0.02, "bound": 0.01, "interval": [None, 0.03],
        "judged": judged, "passed": passed, "reason": reason,
    }  # fmt: skip
    assert outcome.why_not_judged == ("" if judged else "with 3 users only")


def test_a_row_of_an_earlier_version_was_judged():
    row = Outcome(Gate("a gate", "rmse", 0.9, Kind.ABSOLUTE), 1.0, Verdict.FAILED, "").to_json()
    del row["judged"]
    assert Outcome.from_json(row).verdict is Verdict.FAILED


@pytest.mark.parametrize("kind", Kind)
def test_gates_on_whether_the_model_works_are_told_from_the_others(kind):
    assert Gate("a gate", "rmse", 0.9, kind).is_decisive == (kind.value not in ("sanity", "reload"))

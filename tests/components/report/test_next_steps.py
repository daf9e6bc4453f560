"""What a refusal says: why in plain words, and what to do about each kind of failure."""

import math

import pytest

from components.evaluation.gate_kinds import AbsoluteGate, BaselineGate, BlessedGate
from components.evaluation.metric_name import MetricName
from components.evaluation.verdicts import Gate, Kind, Outcome, Verdict
from components.report.next_steps import failures, next_step

HITS, RMSE = MetricName("hit_rate", 10), MetricName("rmse")
TEMPORAL = {"split": {"kind": "temporal", "eval": 0.1}}
METRICS = {
    "overall": {
        "hit_rate@10": 0.1, "popularity/hit_rate@10": 0.09, "gain/hit_rate@10": 0.01,
        "gain/hit_rate@10/low": -0.01, "gain/hit_rate@10/high": 0.03,
        "rmse": 0.7, "change/rmse": 0.1, "change/rmse/low": 0.05, "change/rmse/high": 0.2,
    },
}  # fmt: skip
LISTS = Gate("bound on coverage", "coverage", 0.2, Kind.LISTS)
SANE = Gate("no list repeats a movie", "users at fault", 0.0, Kind.SANITY)


def _failed(gate, value, interval=None, reason="it is so"):
    return Outcome(gate, value, Verdict.FAILED, reason, interval)


@pytest.mark.parametrize(
    ("outcome", "sentence", "step"),
    [
        (_failed(BaselineGate("a", HITS, 0.0), 0.01, (-0.01, 0.03)),
         "Of 100 movies that people rated next, 10 were in their top 10; a bestseller list has 9: "
         "the difference may be chance.", "`--set split.eval=0.2`"),
        (_failed(BaselineGate("a", HITS, 0.05), 0.01, (-0.01, 0.03)),
         "Of 100 movies that people rated next, 10 were in their top 10; a bestseller list has 9: "
         "the difference may be chance; a gain of more than 0.05 is asked.", "`greenlight tune`"),
        (_failed(BlessedGate("a", RMSE, 0.01), 0.1, (0.05, 0.2)),
         "Predicted ratings are typically off by 0.70; the last blessed model by 0.60, surely "
         "less.",
         "The model in service stays."),
        (_failed(AbsoluteGate("a", RMSE, 0.6), 0.7, (0.65, 0.75)),
         "Predicted ratings are typically off by 0.70; at most 0.60 is asked.", "ask for less"),
        (_failed(AbsoluteGate("a", RMSE, 0.72), 0.7, (0.65, 0.75)),
         "Predicted ratings are typically off by 0.70; at most 0.72 is asked, which it keeps, but "
         "not surely.", "may be chance"),
        (_failed(LISTS, 0.04), "coverage is 0.0400; at least 0.2 is asked.", "`greenlight tune`"),
        (_failed(SANE, 3.0), "it is so.", "greenlight.log"),
        (_failed(BaselineGate("a", HITS, 0.0), math.nan), "it is so.", "of more people"),
    ],
)  # fmt: skip
def test_a_failure_says_why_and_what_to_do(outcome, sentence, step):
    passed = Outcome(outcome.gate, 1.0, Verdict.PASSED, "fine")
    (told,) = failures([passed, outcome], METRICS, TEMPORAL, "before")
    assert (told["gate"], told["slice"]) == (outcome.gate.name, "overall")
    assert told["sentence"] == sentence
    assert step in told["next"]


@pytest.mark.parametrize(
    ("split", "words"),
    [
        ({"kind": "random", "eval": 0.2}, "`--set split.eval=0.3`"),
        ({"kind": "leave_last_n", "n": 2}, "`--set split.n=3`"),
        ({"kind": "predefined", "eval": "e.csv"}, "a longer file of eval"),
    ],
)
def test_more_is_held_out_as_the_split_allows(split, words):
    outcome = _failed(BaselineGate("a", HITS, 0.0), 0.01, (-0.01, 0.03))
    assert words in next_step(outcome, {"split": split})

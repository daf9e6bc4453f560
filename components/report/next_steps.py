"""What a refusal means in plain words, and what to do next."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from components.evaluation.metric_name import MetricName, Subject
from components.evaluation.verdicts import Kind, Outcome
from components.report.evaluator_output import Metrics
from components.report.wording import bound_sentence, movies_counted, sentence, where

Config = Mapping[str, Any]
SUBJECTS = {Kind.BASELINE: Subject.GAIN, Kind.BLESSED: Subject.CHANGE}
TUNE = "`greenlight tune` searches for better settings"
MOST_HELD_OUT = 0.3  # share of the ratings in eval that is still advised


def failures(
    outcomes: Sequence[Outcome], metrics: Metrics, config: Config, history: str
) -> list[dict[str, str]]:
    """Each gate that failed: its name and slice, why in plain words, and what to do next.

    Args:
      outcomes: of all gates.
      metrics: the candidate's, by slice.
      config: the run's whole configuration.
      history: what an eval history holds, 'before' or 'rest'.
    """
    return [
        {
            "gate": outcome.gate.name,
            "slice": outcome.gate.slice,
            "sentence": f"{_plain(outcome, metrics, history)}.",
            "next": next_step(outcome, config),
        }
        for outcome in outcomes
        if not outcome.passed
    ]


def next_step(outcome: Outcome, config: Config) -> str:
    """What to do about a gate that failed, in a sentence or two."""
    gate, value = outcome.gate, outcome.value
    if not gate.is_decisive:
        return "No setting mends this: the run's greenlight.log says more."
    low, high = outcome.interval or (value, value)
    if not all(map(math.isfinite, (value, low, high))):
        return f"Hold out ratings of more people: {_more_in_eval(config)}."
    if gate.kind is Kind.BLESSED:
        return (
            "The model in service stays. See in the slices where this one loses, and under Data "
            f"whether the data drifted; {TUNE}."
        )
    if _reaches(outcome):
        return (
            "The value is as asked, but on so few people it may be chance: hold out more, by "
            f"{_more_in_eval(config)}, or run again when there are more ratings."
        )
    if gate.kind is Kind.BASELINE:
        return f"{TUNE}; the slices show where the baseline is ahead."
    return f"{TUNE}; if none reaches the bound, ask for less."


def _plain(outcome: Outcome, metrics: Metrics, history: str) -> str:
    """Why a gate failed; where it compares, as a count beside the rival's."""
    gate, values = outcome.gate, metrics.get(outcome.gate.slice, {})
    if not gate.is_decisive or not math.isfinite(outcome.value):
        return outcome.reason
    metric, movies = MetricName.parse(str(gate.metric)), movies_counted(history)
    if gate.kind not in SUBJECTS:
        told = bound_sentence(metric, outcome.value, gate.bound, movies, where(gate.slice))
        return f"{told}, which it keeps, but not surely" if _reaches(outcome) else told
    told = sentence(values, metric, SUBJECTS[gate.kind], movies, where(gate.slice))
    if gate.kind is Kind.BASELINE and gate.bound:
        return f"{told}; a gain of more than {gate.bound:g} is asked"
    return told


def _reaches(outcome: Outcome) -> bool:
    """Whether the value itself is as asked, though an end of its interval is not."""
    gate, value = outcome.gate, outcome.value
    if gate.kind is Kind.BASELINE:
        return value > gate.bound
    lower = MetricName.parse(str(gate.metric)).lower_is_better
    return value <= gate.bound if lower else value >= gate.bound


def _more_in_eval(config: Config) -> str:
    """The setting that holds more ratings out."""
    split = config["split"]
    if split["kind"] == "predefined":
        return "a longer file of eval"
    if split["kind"] == "leave_last_n":
        return f"`--set split.n={split.get('n', 1) + 1}`"
    return f"`--set split.eval={min(2 * float(split.get('eval', 0.1)), MOST_HELD_OUT):g}`"

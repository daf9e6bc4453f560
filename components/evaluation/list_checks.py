"""What the reloaded model's lists show: whether they are sound, and how good beyond accuracy."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation import list_soundness, lists
from components.evaluation.check_results import ListMeasures
from components.evaluation.gates import GatesConfig
from components.evaluation.list_soundness import Seen
from components.evaluation.metric_name import MetricName
from components.evaluation.rated import Ratings
from components.evaluation.rules import list_gates
from components.evaluation.verdicts import Gate, Kind, Outcome, Verdict
from components.examples.activity import Movies

Answers = Mapping[str, Any]  # arrays, and what is text: see `reload.answers`


def sanity_outcomes(answers: Answers, movies: int, earlier: Seen | None = None) -> list[Outcome]:
    """Whether lists have no repeats, nothing seen, k movies, and are the same when asked again.

    Args:
      answers: the reloaded model's.
      movies: how many the catalogue has.
      earlier: what the users had rated before their moment, whatever their Examples say of it.
    """
    shown = Seen(answers["left_out_owner"], answers["left_out"])
    known = earlier or shown
    seen = Seen(
        *(np.concatenate(p) for p in ((shown.owner, known.owner), (shown.movie, known.movie)))
    )
    counts = list_soundness.faults(answers["movies"], answers["again"], seen)
    counts["is shorter than k"] = list_soundness.count_short(answers["movies"], shown, movies)
    users = len(answers["movies"])
    outcomes = []
    for fault, number in counts.items():
        gate = Gate(f"no list {fault}", "users at fault", 0.0, Kind.SANITY)
        words = f"of {users:,} users asked, {number:,} have a list that {fault}"
        outcomes.append(Outcome(gate, float(number), Verdict.of(not number), words))
    return outcomes


def earlier(rated: Ratings, users: int, before: bool) -> Seen:
    """What each of the first `users` had rated when their last eval rating was given.

    Where `before`, all of an earlier time than that; else all that is not in eval.
    """
    own = rated.owner < users
    if before:
        last = np.full(users, np.iinfo(np.int64).min)
        np.maximum.at(last, rated.owner[own & rated.eval], rated.time[own & rated.eval])
        own[own] = rated.time[own] < last[rated.owner[own]]
    else:
        own &= ~rated.eval
    return Seen(rated.owner[own], rated.movie[own])


def served_outcome(served: NDArray[Any], rated: Ratings, people: Sequence[str]) -> Outcome:
    """Whether nobody asked by id alone is served a movie that the rating files say they rated."""
    wrong = list_soundness.holding_seen(served, Seen(rated.owner, rated.movie))
    example = f", as that of {people[wrong[0]]!r}" if len(wrong) else ""
    gate = Gate("no served list holds a movie that was rated", "users at fault", 0.0, Kind.SANITY)
    return Outcome(
        gate, float(len(wrong)), Verdict.of(not len(wrong)),
        f"of {len(served):,} users asked by their id, those with the most ratings among "
        f"them, {len(wrong):,} have a list with a movie they rated{example}",
    )  # fmt: skip


def list_outcomes(config: GatesConfig, measured: ListMeasures) -> list[Outcome]:
    """How the user's bounds on measures of the lists are kept."""
    outcomes = []
    for gate in list_gates(config):
        value, low, high = (np.nan if x is None else x for x in measured[str(gate.metric)])
        interval = None if np.isnan(low) else (low, high)
        numbers: dict[MetricName, float] = {gate.measured: value}
        if interval:
            numbers |= dict(zip(gate.measured.ends, interval, strict=True))
        passed = gate.clearance(numbers) >= 0
        words = gate.describe(value, interval, passed)
        outcomes.append(Outcome(gate, value, Verdict.of(passed), words, interval))
    return outcomes


def measure_lists(answers: Answers, movies: Movies, config: GatesConfig, seed: int) -> ListMeasures:
    """Value and interval of every measure of the lists; see `lists.measure`."""
    users = answers["user"].astype(np.int64)
    measured = lists.measure(
        answers["movies"], answers["history"], movies, users, config.replicates, seed
    )
    return lists.with_intervals(measured, config.level)

"""What the reloaded model's answers show: whether the export is the model that was trained."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation.list_checks import Answers
from components.evaluation.rules import NO_WORSE
from components.evaluation.verdicts import Gate, Kind, Outcome, Verdict

ANSWERS = "answers"  # the metric of the gate on whether the model answers at all
RATING_TOLERANCE = 1e-3  # between ratings of two signatures, and RMSE before and after export
HIT_RATE_TOLERANCE = 5e-3  # between hit rates before and after export
LIST_TOLERANCE = 0.01  # share of users whose list may disagree with the rank evaluated
LEAST_KNOWN = 0.5  # share of the targets that a model must know to be compared with


def reload_outcome(fault: str | None) -> Outcome:
    """Whether the model answered in a fresh process; `fault` says why it did not."""
    gate = Gate("the export answers in a fresh process", ANSWERS, 1.0, Kind.RELOAD)
    if fault is None:
        return _outcome(gate, 1.0, True, "every signature answers in a fresh process")
    words = f"reloaded in a fresh process the model fails: {fault}"
    return _outcome(gate, 0.0, False, words)


def server_outcome(names: int, fault: str | None) -> Outcome:
    """Whether the server, started on the export, answers for the names that the data hold."""
    gate = Gate("the server answers as the graph does", "names asked", float(names), Kind.RELOAD)
    passed = (
        f"the server was asked for {names} users, movies, titles and genres of every kind that "
        "the data hold"
    )
    return _outcome(gate, 0.0 if fault else float(names), not fault, fault or passed)


def agreement_outcomes(answers: Answers, trained: Mapping[str, float] | None) -> list[Outcome]:
    """Whether signatures agree with each other, and with what the trained model was measured to do.

    Those on ratings are left out where the model answers none.

    Args:
      answers: the reloaded model's.
      trained: valid_hit_rate@10, valid_rmse before the export, as far as measured.
    """
    known = answers["known_movie"] > 0
    outcomes = [_lists_agree(answers, known)]
    if "rated" in answers:
        outcomes.append(_ratings_agree(answers, known))
    for name, reloaded, tolerance in (
        ("valid_hit_rate@10", "valid_hit_rate", HIT_RATE_TOLERANCE),
        ("valid_rmse", "valid_rmse", RATING_TOLERANCE),
    ):
        if trained and name in trained:
            value, difference = answers[reloaded], abs(float(answers[reloaded]) - trained[name])
            words = f"{name} is {float(value):.4f} reloaded and was {trained[name]:.4f}"
            gate = Gate("the export is the trained model", name, tolerance, Kind.RELOAD)
            outcomes.append(_outcome(gate, difference, difference <= tolerance, words))
    return outcomes


def _lists_agree(answers: Answers, known: NDArray[Any]) -> Outcome:
    listed = (answers["movies"] == answers["target"][:, np.newaxis]).any(axis=1)
    apart = listed != (answers["rank"] <= answers["movies"].shape[1])
    share = float(np.mean(apart[known])) if known.any() else 0.0
    gate = Gate(
        "the served list is the judged one", "share of users apart", LIST_TOLERANCE, Kind.RELOAD
    )
    words = f"{share:.2%} of the users' lists disagree with the rank evaluated"
    return _outcome(gate, share, share <= LIST_TOLERANCE, words)


def _ratings_agree(answers: Answers, known: NDArray[Any]) -> Outcome:
    difference = float(np.abs(answers["rated"] - answers["rating"])[known].max(initial=0.0))
    gate = Gate(
        "the served rating is the judged one", "largest difference", RATING_TOLERANCE, Kind.RELOAD
    )
    words = f"rate and evaluate differ by {difference:.2g} at most"
    return _outcome(gate, difference, difference <= RATING_TOLERANCE, words)


def nothing_judged(off: Mapping[str, str]) -> Outcome:
    """The failure of a model of which no task is judged."""
    why = "; ".join(f"{task}: {reason}" for task, reason in sorted(off.items()))
    gate = Gate("a task is judged", "tasks", 1.0, Kind.RELOAD)
    return _outcome(gate, 0.0, False, f"nothing tells whether the model is any good ({why})")


def lost_ratings(why: str) -> Outcome:
    """The failure of a model without ratings beside a blessed one that predicts them."""
    words = (
        f"the blessed model predicts ratings and this one cannot, as {why}; if that is meant, "
        "set gates.rating to false"
    )
    return _outcome(Gate(NO_WORSE, "rmse", 0.0, Kind.BLESSED), np.nan, False, words)


def incomparable(
    answers: Answers | None, fault: str, scale: tuple[float, float] | None
) -> str | None:
    """Why a blessed model cannot be compared with; None if it can.

    Args:
      answers: its own; None if it gave none.
      fault: why it gave none.
      scale: the candidate's lowest and highest rating; None if it predicts no ratings.
    """
    if answers is None:
        return f"it does not answer as the candidate does ({fault})"
    if "known_movie" not in answers or not len(answers["known_movie"]):
        return None
    if scale is not None and "lowest" in answers:
        low, high = float(answers["lowest"][0]), float(answers["highest"][0])
        if (low, high) != scale:
            return f"it rates from {low:g} to {high:g}, not from {scale[0]:g} to {scale[1]:g}"
    known = float(np.mean(answers["known_movie"]))
    if known < LEAST_KNOWN:
        return f"it knows only {known:.0%} of the evaluated movies: it is of another catalogue"
    return None


def _outcome(gate: Gate, value: float, passed: bool, reason: str) -> Outcome:
    return Outcome(gate, value, Verdict.of(passed), reason)

"""What the reloaded model's answers say: sound lists, the same numbers, measures of the lists."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation import lists
from components.evaluation.gates import LIST_MEASURES, GatesConfig, lower_is_better
from components.evaluation.lists import Seen
from components.evaluation.rated import Ratings
from components.examples.activity import Movies

Answers = Mapping[str, Any]  # arrays, and what is text: see `reload.answers`
Gate = dict[str, Any]
AGREE = 1e-3  # ratings of two signatures, and metrics before and after export
HIT_AGREE = 5e-3
KNOWN_SHARE = 0.5  # of the targets that a model must know to be compared with


def sanity_gates(found: Answers, movies: int, earlier: Seen | None = None) -> list[Gate]:
    """No repeats, nothing seen, k movies, and the same again: a gate each, 0 users at fault.

    Args:
      found: the reloaded model's answers.
      movies: how many the catalogue has.
      earlier: what the users had rated before their moment, whatever their Examples say of it.
    """
    told = Seen(found["left_out_owner"], found["left_out"])
    seen = Seen(*map(np.concatenate, zip(_pair(told), _pair(earlier or told), strict=True)))
    counts = lists.faults(found["movies"], found["again"], seen)
    counts["is shorter than k"] = lists.short(found["movies"], told, movies)
    users = len(found["movies"])
    return [
        gate(f"no list {words}", "users at fault", "sanity", float(number), 0.0, number == 0,
             f"of {users:,} users asked, {number:,} have a list that {words}")
        for words, number in counts.items()
    ]  # fmt: skip


def _pair(seen: Seen) -> tuple[NDArray[Any], NDArray[Any]]:
    return seen.owner, seen.movie


def earlier(rated: Ratings, users: int, before: bool) -> Seen:
    """What each of the first `users` had rated when their last eval rating was given.

    Where `before`, all of an earlier time than that; else all that train holds.
    """
    own = rated.owner < users
    if before:
        last = np.full(users, np.iinfo(np.int64).min)
        np.maximum.at(last, rated.owner[own & rated.eval], rated.time[own & rated.eval])
        own[own] = rated.time[own] < last[rated.owner[own]]
    else:
        own &= rated.train
    return Seen(rated.owner[own], rated.movie[own])


def served_gate(served: NDArray[Any], rated: Ratings, people: Sequence[str]) -> Gate:
    """Nobody asked by id alone is served anything that the rating files say they have rated."""
    wrong = lists.holding_seen(served, Seen(rated.owner, rated.movie))
    first = f", as that of {people[wrong[0]]!r}" if len(wrong) else ""
    return gate("no served list holds a movie that was rated", "users at fault", "sanity",
                float(len(wrong)), 0.0, not len(wrong),
                f"of {len(served):,} users asked by their id, those with the most ratings among "
                f"them, {len(wrong):,} have a list with a movie they rated{first}")  # fmt: skip


def doors_gate(asked: int, fault: str | None) -> Gate:
    """The server, started on the export, answers for what the data hold."""
    return gate("the server answers as the graph does", "names asked", "reload",
                0.0 if fault else float(asked), float(asked), not fault,
                fault or f"the server was asked for {asked} users, movies, titles and genres of "
                "every kind that the data hold")  # fmt: skip


def agreement_gates(found: Answers, trained: Mapping[str, float] | None) -> list[Gate]:
    """The signatures agree with each other, and with what the trained model was measured to do.

    Those on ratings are left out where the model answers none.

    Args:
      found: the reloaded model's answers.
      trained: valid_hit_rate@10, valid_rmse before the export, as far as measured.
    """
    k = found["movies"].shape[1]
    listed = (found["movies"] == found["target"][:, np.newaxis]).any(axis=1)
    known = found["known_movie"] > 0
    apart = float(np.mean((listed != (found["rank"] <= k))[known])) if known.any() else 0.0
    gates = [
        gate("the served list is the judged one", "share of users apart", "reload", apart, 0.01,
             apart <= 0.01, f"{apart:.2%} of the users' lists disagree with the rank evaluated"),
    ]  # fmt: skip
    if "rated" in found:
        rated = np.abs(found["rated"] - found["rating"])[known]
        worst = float(rated.max(initial=0.0))
        gates.append(
            gate("the served rating is the judged one", "largest difference", "reload", worst,
                 AGREE, worst <= AGREE, f"rate and evaluate differ by {worst:.2g} at most")
        )  # fmt: skip
    for name, own, bound in (
        ("valid_hit_rate@10", "valid_hit_rate", HIT_AGREE),
        ("valid_rmse", "valid_rmse", AGREE),
    ):
        if trained and name in trained:
            off = abs(float(found[own]) - trained[name])
            gates.append(
                gate("the export is the trained model", name, "reload", off, bound, off <= bound,
                     f"{name} is {float(found[own]):.4f} reloaded and was {trained[name]:.4f}")
            )  # fmt: skip
    return gates


def list_gates(config: GatesConfig, measured: Mapping[str, Sequence[float | None]]) -> list[Gate]:
    """The user's bounds on measures of the lists, held at the interval's unfavourable end."""
    gates = []
    for name, bound in config.bounds.items():
        if name not in LIST_MEASURES:
            continue
        value, low, high = measured[name]
        lower = lower_is_better(name)
        end = value if low is None else (high if lower else low)
        passed = end is not None and (end <= bound if lower else end >= bound)
        told = "no number" if value is None else f"{value:.4f}"
        side = "at most" if lower else "at least"
        words = f"{name} is {told} where {side} {bound:g} is asked"
        made = gate(f"bound on {name}", name, "lists", value, bound, passed, words)
        gates.append(made | {"interval": None if low is None else [low, high]})
    return gates


def nothing_judged(off: Mapping[str, str]) -> Gate:
    """The gate of a model that no task is judged of."""
    why = "; ".join(f"{task}: {reason}" for task, reason in sorted(off.items()))
    return gate("a task is judged", "tasks", "reload", 0.0, 1.0, False,
                f"nothing tells whether the model is any good ({why})")  # fmt: skip


def lost_ratings(why: str) -> Gate:
    """The gate of a model without ratings beside a blessed one that predicts them."""
    return gate("no worse than the blessed model", "rmse", "blessed", None, 0.0, False,
                "the blessed model predicts ratings and this one cannot, as "
                f"{why}; if that is meant, set gates.rating to false")  # fmt: skip


def failed_reload(reason: str) -> Gate:
    """The gate of a model that gave no answers."""
    return gate("the export answers in a fresh process", "answers", "reload", 0.0, 1.0, False,
                f"reloaded in a fresh process the model fails: {reason}")  # fmt: skip


def reloaded() -> Gate:
    """The gate of a model that answered."""
    return gate("the export answers in a fresh process", "answers", "reload", 1.0, 1.0, True,
                "every signature answers in a fresh process")  # fmt: skip


def gate(
    name: str, metric: str, kind: str, value: float | None, bound: float, passed: bool, reason: str
) -> Gate:
    """One gate as blessing.json has it, without an interval."""
    number = value if value is not None and math.isfinite(value) else None
    return {
        "name": name, "metric": metric, "slice": "overall", "kind": kind, "value": number,
        "bound": bound, "interval": None, "judged": True, "passed": bool(passed), "reason": reason,
    }  # fmt: skip


def incomparable(
    found: Answers | None, fault: str, scale: tuple[float, float] | None
) -> str | None:
    """Why a blessed model cannot be compared with, or none if it can.

    Args:
      found: its answers, none if it gave none.
      fault: why it gave none.
      scale: the candidate's lowest and highest rating; none if it predicts no ratings.
    """
    if found is None:
        return f"it does not answer as the candidate does ({fault})"
    if "known_movie" not in found or not len(found["known_movie"]):
        return None
    if scale is not None and "lowest" in found:
        low, high = float(found["lowest"][0]), float(found["highest"][0])
        if (low, high) != scale:
            return f"it rates from {low:g} to {high:g}, not from {scale[0]:g} to {scale[1]:g}"
    known = float(np.mean(found["known_movie"]))
    if known < KNOWN_SHARE:
        return f"it knows only {known:.0%} of the evaluated movies: it is of another catalogue"
    return None


def measures(
    found: Answers, movies: Movies, config: GatesConfig, seed: int
) -> dict[str, list[float | None]]:
    """Value and interval of every measure of the lists; see `lists.measure`."""
    users = found["user"].astype(np.int64)
    given, history = found["movies"], found["history"]
    made = lists.measure(given, history, movies, users, config.replicates, seed)
    return lists.shown(made, config.level)

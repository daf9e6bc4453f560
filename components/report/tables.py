"""The tables of the report as plain text cells."""

from collections.abc import Mapping
from math import isnan
from typing import Any

from components.evaluation.gates import GatesConfig
from components.evaluation.metric_name import (
    CALIBRATION_ERROR,
    HIT_RATE,
    MAE,
    MRR,
    NDCG,
    RMSE,
    MetricName,
)
from components.evaluation.slices import OVERALL
from components.evaluation.verdicts import Kind, Outcome
from components.pages.charts import ENDS
from components.pages.numbers import interval, number
from schemas.words import MOVIE, Item

Content = Mapping[str, Any]
NO_ENDS = (None, None)  # of a metric without an interval
MODELS = {"blessed": "blessed model", "popularity": "popularity", "bias": "user+movie bias"}
LIST_WORDS = {
    "coverage": "share of the catalogue that is in anyone's list; more is broader",
    "novelty": "bits of surprise per movie; popular movies carry few",
    "diversity": "how little the movies of a list share their genres, 0 to 1",
    "popularity_lift": "how much more popular the lists are than the histories; 0 is the same",
    "genre_divergence": "how far the lists' genres are from the users' own; 0 is the same",
    "full_list": "share of users who get all k movies",
}


def gate_cells(outcome: Outcome, item: Item = MOVIE) -> dict[str, str]:
    """One gate's row, for people; `why` says why it was not judged, if it was not."""
    gate, why = outcome.gate, outcome.why_not_judged
    where = "" if gate.slice == OVERALL else f" in {gate.slice}"
    ends = (_gate_number(gate.kind, end) for end in outcome.interval or ())
    return {
        "name": item.worded(gate.name),
        "on": f"{gate.metric}{where}",
        "value": "" if why and isnan(outcome.value) else _gate_number(gate.kind, outcome.value),
        "interval": " to ".join(ends),
        "bound": f"{gate.bound:g}",
        "verdict": outcome.verdict.value,
        "why": why,
    }


def _gate_number(kind: Kind, value: float) -> str:
    """A gate's number: of users, of a difference or of a measure."""
    if kind is Kind.SANITY and not isnan(value):
        return f"{value:,.0f}"
    return number(value, signed=kind in (Kind.BASELINE, Kind.BLESSED))


def comparison(
    blessing: Content, facts: Content, settings: GatesConfig, item: Item = MOVIE
) -> dict[str, Any]:
    """Metrics of the candidate beside the blessed model's and the baselines', with intervals."""
    baselines = blessing["baselines"]
    others = [n for n in MODELS if baselines.get(n, {}).get(OVERALL) or n == "popularity"]
    own = blessing["metrics"][OVERALL]
    main = {str(name) for name in _main_metrics(settings)}
    rows = []
    for name in (str(name) for name in _compared_metrics(settings) if str(name) in own):
        cells = [interval([own[name], *blessing["intervals"].get(name, NO_ENDS)])]
        for other in others:
            values, ends = baselines[other][OVERALL], facts["intervals"][other]
            entry = [values.get(name), *ends.get(name, NO_ENDS)]
            cells.append(interval(entry) if name in values else "")
        rows.append({"metric": name, "cells": cells, "main": name in main})
    names = [item.worded(MODELS[name]) for name in others]
    return {"models": ["candidate", *names], "rows": rows}


def _main_metrics(settings: GatesConfig) -> list[MetricName]:
    ndcg = MetricName(NDCG, settings.k)
    return [settings.hit_rate, ndcg, *map(MetricName, (MRR, RMSE, MAE))]


def _compared_metrics(settings: GatesConfig) -> list[MetricName]:
    """All metrics that are shown, in the order of the table."""
    return [
        *(MetricName(HIT_RATE, k) for k in settings.ks),
        *(MetricName(NDCG, k) for k in settings.ks if k > 1),
        *map(MetricName, (MRR, RMSE, MAE, CALIBRATION_ERROR)),
        *(MetricName(HIT_RATE, k, unmasked=True) for k in settings.ks),
    ]


def hit_rates(blessing: Content, settings: GatesConfig) -> list[dict[str, Any]]:
    """Hit rate over k of candidate, blessed model and popularity."""
    baselines = blessing["baselines"]
    models = {
        "candidate": blessing["metrics"],
        "blessed model": baselines.get("blessed"),
        "baseline": baselines["popularity"],
    }
    return [
        {"model": model, "k": k, "hit_rate": value}
        for model, by_slice in models.items()
        for k in settings.ks
        if by_slice and (value := by_slice[OVERALL].get(str(MetricName(HIT_RATE, k)))) is not None
    ]


def hit_rate_words(rows: list[dict[str, Any]]) -> str:
    """The chart of hit rates in words."""
    parts = [f"{row['model']} {row['hit_rate']:.2%} at {row['k']}" for row in rows]
    return f"Hit rate over k: {', '.join(parts)}."


def slice_words(blessing: Content, settings: GatesConfig) -> str:
    """What a reader has to know of the slices."""
    return (
        "How the candidate does for parts of eval: history is how many ratings the user "
        "had, popularity the tenth of the movies (01 the most rated), cold what train has never "
        "seen, session whether the user's last rating was less than an hour before, longer ago, or "
        f"there was none. Slices of fewer than {settings.slice_users} users are shown and not "
        "judged."
    )


def slice_table(blessing: Content, facts: Content, settings: GatesConfig) -> dict[str, Any]:
    """Users, events, hit rate and, where anything is rated, RMSE of each slice.

    Beside each metric are its baseline's and the gain over that, and where there is a blessed model
    the change for the better against it, with intervals.
    """
    rated = {RMSE: "bias"} if RMSE in blessing["metrics"][OVERALL] else {}
    metrics = {str(settings.hit_rate): "popularity", **rated}
    compared = "blessed" in blessing["baselines"]
    parts = {"gain on blessed" if compared else "gain": facts["slices"]}
    if compared and "gains" in facts:  # which reports of older versions do not know
        parts = {"gain": facts["gains"], **parts}
    differences = [
        {metric: {row["label"]: [row[end] for end in ENDS] for row in part[metric]}
         for metric in metrics}
        for part in parts.values()
    ]  # fmt: skip
    rows = []
    for name, size in blessing["slices"].items():
        cells = [f"{size['users']:,}", f"{size['ratings']:,}"]
        for metric, baseline in metrics.items():
            by_model = (blessing["metrics"][name], blessing["baselines"][baseline][name])
            cells += (number(own[metric]) if metric in own else "none rated" for own in by_model)
            found = (part[metric].get(name) for part in differences)
            cells += (interval(difference) if difference else "" for difference in found)
        rows.append({"name": name, "cells": cells})
    titles = [t for m, b in metrics.items() for t in (m, b, *parts)]
    return {"titles": ["users", "ratings", *titles], "rows": rows}


def lists(blessing: Content, settings: GatesConfig) -> dict[str, Any] | None:
    """Measures of the lists, with intervals where they have one; None if no list was made."""
    by_model = blessing["lists"]
    if not by_model:
        return None
    rows = [
        {"metric": name, "words": words, "cells": [interval(m[name]) for m in by_model.values()]}
        for name, words in LIST_WORDS.items()
        if by_model["candidate"][name][0] is not None
    ]
    models = {"candidate": "candidate", "blessed": "blessed model"}
    return {
        "models": [models[name] for name in by_model],
        "rows": rows,
        "words": f"Lists of {settings.k} from the exported model in a fresh process, for up to "
        f"{settings.list_users:,} users.",
    }


def shared_moments(split: Content) -> float:
    """The share of a split's ratings of the same moment as others of their user."""
    return float(split["tied"] / max(split["ratings"], 1))


def figures(blessing: Content, facts: Content) -> list[tuple[str, str]]:
    """The data in a few numbers."""
    rows, split, data = blessing["rows"], blessing["split"], facts["data"]
    dropped, rated = sum(rows["dropped"].values()), rows.get("rated", rows["kept"])
    cells = [
        ("rows read", f"{rows['read']:,}"), ("rows dropped", f"{dropped:,}"),
        *([("rows with a rating", f"{rated:,}")] if rated < rows["kept"] else []),
        ("users", f"{data['users'] or 0:,}"), ("movies", f"{data['movies'] or 0:,}"),
        *((f"in {name}", f"{split[name]['ratings']:,}") for name in ("train", "valid", "eval")),
    ]  # fmt: skip
    cells += zip(("oldest rating", "newest rating"), data["times"], strict=False)
    if data["times"]:
        cells.append(("of eval at a moment with others", f"{shared_moments(split['eval']):.1%}"))
    return cells

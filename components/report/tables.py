"""The tables of the report as plain text cells."""

from collections.abc import Mapping
from typing import Any

from components.evaluation.gates import GatesConfig
from components.evaluation.rules import OVERALL
from components.pages.numbers import interval, number

Content = Mapping[str, Any]
MODELS = {"blessed": "blessed model", "popularity": "popularity", "bias": "user+movie bias"}
LIST_WORDS = {
    "coverage": "share of the catalogue that is in anyone's list; more is broader",
    "novelty": "bits of surprise per movie; popular movies carry few",
    "diversity": "how little the movies of a list share their genres, 0 to 1",
    "popularity_lift": "how much more popular the lists are than the histories; 0 is the same",
    "genre_divergence": "how far the lists' genres are from the users' own; 0 is the same",
    "full_list": "share of users who get all k movies",
}
UNJUDGED = "not judged, "
NO_ENDS = (None, None)
SIGNED = ("baseline", "blessed")


def gate_cells(gate: Content) -> dict[str, str]:
    """One gate's row; `why` says why it was not judged, if it was not."""
    where = "" if gate["slice"] == OVERALL else f" in {gate['slice']}"
    verdict = ("passed" if gate["passed"] else "failed") if gate["judged"] else "not judged"
    ends, why = gate["interval"], "" if gate["judged"] else gate["reason"].partition(UNJUDGED)[2]
    return {
        "name": gate["name"],
        "on": f"{gate['metric']}{where}",
        "value": "" if gate["value"] is None and why else _gate_number(gate["kind"], gate["value"]),
        "interval": " to ".join(_gate_number(gate["kind"], end) for end in ends) if ends else "",
        "bound": f"{gate['bound']:g}",
        "verdict": verdict,
        "why": why,
    }


def _gate_number(kind: str, value: float | None) -> str:
    """A gate's number: of users, of a difference or of a measure."""
    if kind == "sanity" and value is not None:
        return f"{value:,.0f}"
    return number(value, signed=kind in SIGNED)


def comparison(blessing: Content, facts: Content, settings: GatesConfig) -> dict[str, Any]:
    """Metrics of the candidate beside the blessed model's and the baselines', with intervals."""
    found = blessing["baselines"]
    others = [name for name in MODELS if found.get(name, {}).get(OVERALL) or name == "popularity"]
    others.sort(key=list(MODELS).index)
    shown = [
        *(f"hit_rate@{k}" for k in settings.ks),
        *(f"ndcg@{k}" for k in settings.ks if k > 1), "mrr", "rmse", "mae", "calibration_error",
        *(f"unmasked/hit_rate@{k}" for k in settings.ks),
    ]  # fmt: skip
    own = blessing["metrics"][OVERALL]
    rows = []
    main = {settings.hit_rate, f"ndcg@{settings.k}", "mrr", "rmse", "mae"}
    for name in (name for name in shown if name in own):
        cells = [interval([own[name], *blessing["intervals"].get(name, NO_ENDS)])]
        for other in others:
            values, ends = blessing["baselines"][other][OVERALL], facts["intervals"][other]
            told = [values.get(name), *ends.get(name, NO_ENDS)]
            cells.append(interval(told) if name in values else "")
        rows.append({"metric": name, "cells": cells, "main": name in main})
    return {"models": ["candidate", *(MODELS[name] for name in others)], "rows": rows}


def hit_rates(blessing: Content, settings: GatesConfig) -> list[dict[str, Any]]:
    """Hit rate over k of candidate, blessed model and popularity."""
    baselines = blessing["baselines"]
    models = {
        "candidate": blessing["metrics"],
        "blessed model": baselines.get("blessed"),
        "baseline": baselines["popularity"],
    }
    return [
        {"model": model, "k": k, "hit_rate": by_slice[OVERALL][f"hit_rate@{k}"]}
        for model, by_slice in models.items()
        for k in settings.ks
        if by_slice and by_slice[OVERALL].get(f"hit_rate@{k}") is not None
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
        "seen, session whether the last rating was less than an hour before. Slices of fewer than "
        f"{settings.slice_users} users are shown and not judged."
    )


def slice_table(blessing: Content, settings: GatesConfig) -> dict[str, Any]:
    """Users, events, hit rate and, where anything is rated, RMSE of each slice."""
    whole = blessing["metrics"][OVERALL]
    metrics = [name for name in (settings.hit_rate, "rmse") if name in whole or name != "rmse"]
    rows = []
    for name, size in blessing["slices"].items():
        values = blessing["metrics"][name]
        cells = [f"{size['users']:,}", f"{size['ratings']:,}"]
        told = (number(values[m]) if m in values else "none rated" for m in metrics)
        rows.append({"name": name, "cells": [*cells, *told]})
    return {"metrics": metrics, "rows": rows}


def lists(blessing: Content, settings: GatesConfig) -> dict[str, Any] | None:
    """Measures of the lists, with intervals where they have one; none if no list was made."""
    made = blessing["lists"]
    if not made:
        return None
    rows = []
    for name, words in LIST_WORDS.items():
        if made["candidate"][name][0] is not None:
            rows.append(
                {
                    "metric": name,
                    "words": words,
                    "cells": [interval(m[name]) for m in made.values()],
                }
            )
    models = {"candidate": "candidate", "blessed": "blessed model"}
    return {
        "models": [models[name] for name in made],
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
    found = [
        ("rows read", f"{rows['read']:,}"), ("rows dropped", f"{dropped:,}"),
        *([("rows with a rating", f"{rated:,}")] if rated < rows["kept"] else []),
        ("users", f"{data['users'] or 0:,}"), ("movies", f"{data['movies'] or 0:,}"),
        *((f"in {name}", f"{split[name]['ratings']:,}") for name in ("train", "valid", "eval")),
    ]  # fmt: skip
    found += zip(("oldest rating", "newest rating"), data["times"], strict=False)
    if data["times"]:
        found.append(("of eval at a moment with others", f"{shared_moments(split['eval']):.1%}"))
    return found

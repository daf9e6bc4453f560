"""How the splits differ, and what of them training never saw."""

from typing import Any

import numpy as np
import pyarrow as pa

from components.example_gen.splits import EVAL, SPLITS, TRAIN, VALID
from components.explore.movies import Totals

SHORT_LIST = 10  # movies of the list that recommends to all the same


def split_facts(cubes: dict[str, pa.Table], found: Totals) -> dict[str, dict[str, Any]]:
    """Of each split: ratings, users, movies, mean and deviation of the ratings, and shares.

    `new_users` and `new_movies` are the shares of its ratings whose user or movie train never saw;
    `short_list` the share that is of the most rated movies of train. They are of valid and eval
    only. `constant_error` is the RMSE of predicting train's mean: a model with no skill. What an
    empty split has no number for is None.
    """
    people = _people(cubes["histories"])
    cube = cubes["movies"]
    facts: dict[str, dict[str, Any]] = {}
    for code, name in enumerate(SPLITS):
        mine = cube.filter(pa.array(cube["split"].to_numpy() == code))
        n, total, squares = (
            float(np.sum(mine[column].to_numpy())) for column in ("n", "sum", "squares")
        )
        mean = total / n if n else None
        spread = None if mean is None else float(np.sqrt(max(0.0, squares / n - mean**2)))
        usual = mean if code == TRAIN else facts["train"]["mean"]
        facts[name] = {
            "ratings": int(n),
            "users": people[name]["users"],
            "movies": int((found.counts[code] > 0).sum()),
            "mean": mean,
            "deviation": spread,
            "constant_error": None if mean is None else float(np.hypot(spread, mean - usual)),
            "new_users": people[name]["new"],
            **(_movie_shares(found, code) if code != TRAIN else {}),
        }
    return facts


def _people(histories: pa.Table) -> dict[str, dict[str, Any]]:
    known = histories["known"].to_numpy() > 0
    users = histories["users"].to_numpy()
    found: dict[str, dict[str, Any]] = {"train": {"users": int(users[known].sum()), "new": None}}
    for name in (SPLITS[VALID], SPLITS[EVAL]):
        ratings = histories[f"{name}_ratings"].to_numpy()
        total = ratings.sum()
        new = float(ratings[~known].sum() / total) if total else None
        found[name] = {"users": int(histories[f"{name}_users"].to_numpy().sum()), "new": new}
    return found


def _movie_shares(found: Totals, code: int) -> dict[str, float | None]:
    counts, train = found.counts[code], found.counts[TRAIN]
    total = counts.sum()
    if not total:
        return {"new_movies": None, "short_list": None}
    popular = np.argsort(-train, kind="stable")[:SHORT_LIST]
    return {
        "new_movies": float(counts[train == 0].sum() / total),
        "short_list": float(counts[popular].sum() / total),
    }


def level_shares(found: pa.Table, levels: list[float]) -> list[dict[str, Any]]:
    """The share of each rating (level) in each split that has any ratings."""
    split, level, n = (found[name].to_numpy() for name in ("split", "level", "n"))
    counts = np.bincount(split * len(levels) + level, n, len(SPLITS) * len(levels))
    counts = counts.reshape([len(SPLITS), len(levels)])
    used = np.flatnonzero(counts.sum(axis=0))
    return [
        {
            "split": name,
            "rating": levels[place],
            "number": int(counts[code, place]),
            "share": float(counts[code, place] / counts[code].sum()),
        }
        for code, name in enumerate(SPLITS)
        if counts[code].sum()
        for place in used
    ]

"""How the splits differ, and what of them training never saw."""

from typing import Any

import numpy as np
import pyarrow as pa

from components.example_gen.split.splits import EVAL, SPLITS, TRAIN, VALID
from components.explore.movies import Totals

SHORT_LIST = 10  # movies of the list that recommends to all the same


def compare_splits(cubes: dict[str, pa.Table], totals: Totals) -> dict[str, dict[str, Any]]:
    """Of each split: ratings (`rated` have a value), users, movies, mean, deviation, and shares.

    `new_users` and `new_movies` are the shares of its ratings whose user or movie train never saw;
    `short_list` the share that is of the most rated movies of train. They are of valid and eval
    only. `constant_error` is the RMSE of predicting train's mean: a model with no skill. What an
    empty split has no number for is None.
    """
    people = _people(cubes["histories"])
    by_split: dict[str, dict[str, Any]] = {}
    usual = 0.0
    for code, name in enumerate(SPLITS):
        n, mean, deviation = _moments(cubes["movies"], code)
        usual = mean if code == TRAIN else usual
        by_split[name] = {
            "ratings": int(totals.counts[code].sum()),
            "rated": n,
            "users": people[name]["users"],
            "movies": int((totals.counts[code] > 0).sum()),
            "mean": mean if n else None,
            "deviation": deviation if n else None,
            "constant_error": float(np.hypot(deviation, mean - usual)) if n else None,
            "new_users": people[name]["new"],
            **(_movie_shares(totals, code) if code != TRAIN else {}),
        }
    return by_split


def _moments(cube: pa.Table, code: int) -> tuple[int, float, float]:
    """Number, mean and standard deviation of a split's rated values; zeros without any."""
    split, level = cube["split"].to_numpy(), cube["level"].to_numpy()
    mine = cube.filter(pa.array((split == code) & (level >= 0)))
    n, total, squares = (
        float(np.sum(mine[column].to_numpy())) for column in ("n", "sum", "squares")
    )
    mean = total / max(1.0, n)
    return int(n), mean, float(np.sqrt(max(0.0, squares / max(1.0, n) - mean**2)))


def _people(histories: pa.Table) -> dict[str, dict[str, Any]]:
    known = histories["known"].to_numpy() > 0
    users = histories["users"].to_numpy()
    people: dict[str, dict[str, Any]] = {"train": {"users": int(users[known].sum()), "new": None}}
    for name in (SPLITS[VALID], SPLITS[EVAL]):
        ratings = histories[f"{name}_ratings"].to_numpy()
        total = ratings.sum()
        new = float(ratings[~known].sum() / total) if total else None
        people[name] = {"users": int(histories[f"{name}_users"].to_numpy().sum()), "new": new}
    return people


def _movie_shares(totals: Totals, code: int) -> dict[str, float | None]:
    counts, train = totals.counts[code], totals.counts[TRAIN]
    total = counts.sum()
    if not total:
        return {"new_movies": None, "short_list": None}
    popular = np.argsort(-train, kind="stable")[:SHORT_LIST]
    return {
        "new_movies": float(counts[train == 0].sum() / total),
        "short_list": float(counts[popular].sum() / total),
    }


def level_shares(cube: pa.Table, levels: list[float]) -> list[dict[str, Any]]:
    """The share of each rating (level) in each split that has any ratings."""
    names = ("split", "level", "n")
    rated = cube.filter(pa.array(cube["level"].to_numpy() >= 0))
    split, level, n = (rated[name].to_numpy().astype(np.int64) for name in names)
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

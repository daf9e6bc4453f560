"""What an Evaluator might have found, and the report's contents made of it."""

from typing import Any

import numpy as np
import pytest

from components.evaluation import bands, measures
from components.evaluation.check_results import CheckResults
from components.evaluation.gates import GatesConfig
from components.evaluation.metric_name import Subject
from components.evaluation.rules import UNCHECKED, gates_of
from components.report.blessing import blessing
from components.report.evaluator_output import Evaluation
from components.report.gather import baseline_intervals
from components.report.provenance import versions
from components.report.rating_bands import rating_rows
from components.report.slice_differences import slice_rows

SCALE = (0.5, 5.0)


def _ends(value):
    return {"value": value, "low": value - 0.005, "high": value + 0.006}


EVIL = "<script>alert('x')</script> \"quoted\" & 'so' 😀 </title> ]]> |*`_[x](javascript:1)"
ROWS = {
    "read": 100, "kept": 98, "dropped": {"off_scale": 2},
    "samples": [{"reason": "off_scale", "file": "r.csv", "line": 7, "text": f"1,2,{EVIL}"}],
    "splits": {
        name: {"ratings": 30, "examples": 3, "tied": 6} for name in ("train", "valid", "eval")
    },
    "users": 5, "movies": 9, "time_range": [0, 10**15], "cutoffs": None, "history": "before",
}  # fmt: skip
EPOCH = {"loss": 3.0, "valid_loss": 3.5, "valid_hit_rate@10": 0.1, "valid_rmse": 0.9}
CROSSED = {
    "candidate": ["movie id", "genres"], "query": ["history", "user id", "gender"],
    "rating": ["history", "gender", "age", "occupation", "movie id", "year", "genres", "director",
               "star"],
}  # fmt: skip
LOSSES = {"genres": 0.0021, "history": 0.08, EVIL: -0.0102, "user id": -0.00002}
ORDERS: dict[str, Any] = {
    "rows": 2000, "users": 59, "level": 0.95, "k": 10, "loss": 0.05, "mix": 0.3,
    "orders": [
        {"mix": tenths / 10, "hit_rate": 0.1 - 0.0001 * tenths**2, "low": 0.08, "high": 0.12,
         "rating": 3.5 + 0.05 * tenths, "kept": 1 - 0.001 * tenths**2,
         "surely_kept": 0.99 - 0.004 * tenths**2}
        for tenths in range(11)
    ],
}  # fmt: skip
PEERS: dict[str, Any] = {
    "rows": 1500, "users": 44, "k": 10, "level": 0.95, "learned": ["train", "valid"],
    "mix": 0.3,
    "models": [
        {"model": "candidate", **_ends(0.1)},
        {"model": "popularity", **_ends(0.02), "gain": _ends(0.08)},
        {"model": "EASE", **_ends(0.11), "gain": _ends(-0.01)},
        {"model": "candidate, mix 0.3", **_ends(0.09), "gain": _ends(0.01)},
    ],
    "times": [
        {"model": model, "start": part * 10**13, "rows": 700, **_ends(0.05 + 0.02 * part)}
        for part in range(3) for model in ("candidate", "popularity")
    ],
}  # fmt: skip
TRAINING: dict[str, Any] = {"best_epoch": 2, "epochs": [EPOCH, {**EPOCH, "loss": 2.0}]}
WHY = "all ratings of train are 1: there is nothing to predict"


def _loss(value):
    return {"value": value, "low": value - 0.0016, "high": value + 0.0018}


@pytest.fixture(scope="session")
def gates():
    """Gates of which one is set for a slice."""
    config = GatesConfig(ks=[1, 10], popularity_margin=0.01, rmse_tolerance=0.02, slice_users=10)
    return config.of_users(["gender", "age"])


@pytest.fixture(scope="session")
def make_metrics(gates):
    """Every metric the Evaluator writes; each value differs, so that none passes for another."""

    def make(shift=0.0, change=None, users=40, config=gates):
        found = {}
        names = measures.metric_names(tuple(config.ks))
        if change is not None:
            names = [*names, *(name.of(Subject.CHANGE) for name in names if name.is_own)]
        for i, name in enumerate(names):
            value = change if name.subject is Subject.CHANGE else 0.1 + 0.01 * i + shift
            found[str(name)] = value
            if name.has_interval:
                low, high = name.ends
                found |= {str(low): value - 0.003, str(high): value + 0.004}
        counts = {"users": float(users), "ratings": 2.0 * users, "outside": 0.0,
                  "rated": 2.0 * users, "rated_users": float(users)}  # fmt: skip
        found |= {**counts, "calibration_error": 0.05}
        for gate in gates_of(config, compared=True):
            small = gate.slice != "overall" and users < config.slice_users
            found[gate.key] = UNCHECKED if small else 0.01
        return found

    return make


def _unrate(metrics):
    metrics |= {"rated": 0.0, "rated_users": 0.0}
    for name in [n for n in metrics if "rmse" in n or "mae" in n or "calibration" in n]:
        if name.startswith("gate/"):
            metrics[name] = UNCHECKED
        else:
            del metrics[name]


@pytest.fixture(scope="session")
def make_evaluation(make_metrics):
    """An evaluation with three slices, one of them small and with a hostile name.

    Where not `rated` there is no metric of ratings.
    """

    def make(failed=(), compared=False, checks=None, rated=True, **changed):
        change = -0.001 if compared else None
        candidate = {
            "overall": make_metrics(change=change) | changed,
            "gender=F": make_metrics(0.5, change),
            f"genre={EVIL}": make_metrics(0.2, change, users=3),
        }
        banded = np.ones([3, len(bands.centres(SCALE)), len(bands.COLUMNS)])
        beside = {name: make_metrics(0.001) for name in candidate} if compared else None
        if not rated:
            for metrics in [*candidate.values(), *(beside or {}).values()]:
                _unrate(metrics)
        shown = banded if rated else None
        return Evaluation(candidate, beside, frozenset(failed), checks or CheckResults(), shown)

    return make


@pytest.fixture(scope="session")
def make_blessing(gates):
    """The content of blessing.json."""

    def make(evaluation, blessed, config=gates, drift=(), off=None):
        told = {
            "gates": config.model_dump(), "source": EVIL, "data_dir": "/data",
            "split": {"kind": "temporal", "seed": 1}, "training": {"seed": 2},
            "validation": {"drift_bound": 0.1},
        }  # fmt: skip
        training = {**TRAINING, "off": off} if off else TRAINING
        if off:
            lists = [
                {k: v for k, v in epoch.items() if k != "valid_rmse"}
                for epoch in TRAINING["epochs"]
            ]
            training = {**training, "epochs": lists}
        content = blessing("run-1", blessed, told, ROWS, list(drift), training, evaluation)
        compared = evaluation.blessed is not None
        beside = ("candidate", "history", *(["blessed"] if compared else []))
        change = {"group": "overall", "people": 1200, "new": 0.25, "found": 3, "lost": 1}
        return content | {
            "orders": None if off else ORDERS,
            "peers": PEERS,
            "exposure": {name: [0.1, 0.6, *[0.03] * 8, 0.06] for name in beside},
            "changes": [change, {**change, "group": "history=1-5"}] if compared else [],
        }

    return make


@pytest.fixture(scope="session")
def make_report_facts(gates):
    """The content of facts.json, with hostile titles and names."""

    def make(evaluation, rated=True):
        movie = {"title": EVIL, "genres": EVIL, "rating": 4.0 if rated else None}
        measures = ("ndcg", "hit_rate@10", "rmse")[: 3 if rated else 2]
        counted = [{"bucket": "1", "number": 5}, {"bucket": "2-4", "number": 9}]
        return {
            "scale": list(SCALE) if rated else None,
            "slices": slice_rows(gates, evaluation),
            "gains": slice_rows(gates, evaluation, Subject.GAIN),
            "intervals": baseline_intervals(evaluation),
            "bands": rating_rows(evaluation.bands, SCALE),
            "people": [
                {"user": EVIL, "rated": 0, "known": False, "history": [], "recommended": [movie]},
                {"user": "7", "rated": 1200, "known": True, "history": [movie] * 10,
                 "recommended": [movie] * 10, "mixed": [movie] * 10 if rated else None},
            ],
            "mix": 0.3,
            "learned": {
                "movies": [{"title": EVIL, "genres": [EVIL, "War"], "year": 1990 + 9 * i,
                            "x": i / 2, "y": -i / 2} for i in range(3)],
                "share": [0.5, 0.25], "neighbours": [{"title": EVIL, "nearest": [EVIL, "War"]}],
            },
            "importance": {
                "rows": 1500, "users": 44, "level": 0.95,
                "base": dict(zip(measures, (0.31, 0.12, 0.87), strict=False)),
                "groups": [
                    {"group": name, **dict(zip(
                        measures, map(_loss, (loss, loss / 2, 0.02 - loss)), strict=False))}
                    for name, loss in LOSSES.items()
                ],
            },
            "crosses": {
                name: {"parts": parts, "strength": np.round(
                    np.abs(np.subtract.outer(places, places)) / 16 + 0.002, 5).tolist()}
                for name, parts in CROSSED.items() for places in [np.arange(len(parts))]
            },
            "data": {"ratings": counted if rated else [], "activity": counted,
                     "popularity": counted, "users": 5, "movies": 9,
                     "times": ["1970-01-01", "2001-09-09"]},
            "versions": versions(),
            "lineage": [{"role": "model", "type": "Model", "id": 1, "uri": f"/runs/{EVIL}"}],
            "compared": "Compared with the blessed model 3.", "fingerprint": "xyz",
        }  # fmt: skip

    return make

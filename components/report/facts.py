"""What the page shows beyond blessing.json, gathered from the run's artifacts into plain JSON."""

import datetime
import math
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation import bands
from components.evaluation.gates import GatesConfig, lower_is_better
from components.evaluation.measures import on_ratings
from components.evaluation.rules import OVERALL
from components.evaluation.slices import DIMENSIONS, HISTORY_NAMES, parse_slice
from components.examples.activity import Activity
from components.pages.histograms import histogram
from components.report.evaluation import Evaluation

PACKAGES = ("greenlight", "tfx", "tensorflow", "tensorflow-recommenders",
            "tensorflow-model-analysis", "apache-beam", "numpy", "pyarrow")  # fmt: skip
EPOCH = datetime.datetime(1970, 1, 1)
Rows = list[dict[str, Any]]


def versions() -> dict[str, str]:
    """Python's version and those of the packages that the numbers rest on."""
    found = {"Python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "from source"
    return found


def data_facts(activity: Activity, rows: Mapping[str, Any]) -> dict[str, Any]:
    """Distributions of train, and the range of times of all ratings."""
    times = [_day(moment) for moment in rows.get("time_range") or ()]
    return {
        "ratings": [{"bucket": f"{r:g}", "number": n} for r, n in activity.ratings.items()],
        "activity": histogram(activity.per_user),
        "popularity": histogram(activity.per_movie),
        "users": rows.get("users"),
        "movies": rows.get("movies"),
        "times": times,
    }


def _day(moment: int) -> str:
    """The day (UTC) of microseconds since 1970."""
    return f"{EPOCH + datetime.timedelta(microseconds=moment):%Y-%m-%d}"


def slice_rows(config: GatesConfig, evaluation: Evaluation) -> dict[str, Rows]:
    """For hit rate and RMSE, every slice's difference with its interval, as charts show it.

    Slices in which nothing is rated have none of RMSE.
    The difference is to the blessed model, or to the baseline where nothing was compared; it is
    turned so that above 0 is always in the candidate's favour.
    """
    found = {}
    for metric in (config.hit_rate, "rmse"):
        compared = evaluation.blessed is not None
        name = f"{'change' if compared else 'gain'}/{metric}"
        turn = -1.0 if compared and lower_is_better(metric) else 1.0
        rows = [
            _difference(key, values, name, turn, config.slice_users)
            for key, values in evaluation.candidate.items()
            if name in values
        ]
        shown = (row for row in rows if row["users"] >= 2 and math.isfinite(row["value"]))
        found[metric] = sorted(shown, key=lambda row: slice_order(row["label"]))
    return found


def slice_order(name: str) -> tuple[Any, ...]:
    """Where a slice stands: the overall one first, then by dimension, then by value."""
    if name == OVERALL:
        return (0,)
    dimensions, values = zip(*parse_slice(name), strict=True)
    lengths = HISTORY_NAMES.tolist()
    places = [lengths.index(value) if value in lengths else len(lengths) for value in values]
    return (len(dimensions), [list(DIMENSIONS).index(d) for d in dimensions], places, values)


def _difference(
    key: str, values: Mapping[str, float], name: str, turn: float, least: int
) -> dict[str, Any]:
    users = int(values["rated_users" if on_ratings(name) else "users"])
    value = turn * values[name]
    low, high = sorted(turn * values[f"{name}/{end}"] for end in ("low", "high"))
    verdict = "better" if low > 0 else "worse" if high < 0 else "no clear difference"
    return {
        "label": key,
        "value": value,
        "low": low,
        "high": high,
        "verdict": verdict,
        "users": users,
        "judged": key == OVERALL or users >= least,
    }


def rating_rows(banded: NDArray[Any] | None, scale: tuple[float, float] | None) -> dict[str, Rows]:
    """Calibration and error by true rating of the candidate and of the bias baseline."""
    calibration: Rows = []
    error: Rows = []
    if banded is None:
        return {"calibration": calibration, "error": error}
    at = {name: place for place, name in enumerate(bands.COLUMNS)}
    for by, (model, name) in enumerate((("candidate", "rating"), ("baseline", "bias_rating"))):
        for row in banded[by]:
            count = row[at["ratings"]]
            if count:
                means = {"predicted": row[at[name]] / count, "true": row[at["label"]] / count}
                calibration.append({"model": model, "ratings": int(count), **means})
    for middle, row in zip(bands.centres(scale), banded[2], strict=True):
        count = row[at["ratings"]]
        for model, name in (("candidate", "square"), ("baseline", "bias_square")):
            if count and np.isfinite(row[at[name]]):
                rmse = float(np.sqrt(row[at[name]] / count))
                entry = {"model": model, "rating": float(middle), "rmse": rmse}
                error.append(entry | {"ratings": int(count)})
    return {"calibration": calibration, "error": error}


def intervals(evaluation: Evaluation) -> dict[str, dict[str, list[float]]]:
    """The intervals of the overall metrics of popularity, bias and the blessed model."""
    whole = evaluation.candidate.get(OVERALL, {})
    found = {
        name: _ends({k.removeprefix(f"{name}/"): v for k, v in whole.items() if k.startswith(name)})
        for name in ("popularity", "bias")
    }
    if evaluation.blessed is not None:
        found["blessed"] = _ends(evaluation.blessed[OVERALL])
    return found


def _ends(values: Mapping[str, float]) -> dict[str, list[float]]:
    pairs = {n: [values.get(f"{n}/{end}", math.nan) for end in ("low", "high")] for n in values}
    return {name: pair for name, pair in pairs.items() if all(map(math.isfinite, pair))}


def lineage(inputs: Mapping[str, Sequence[Any]]) -> Rows:
    """The artifacts that the report was made from."""
    return [
        {"role": role, "type": artifact.type_name, "id": artifact.id, "uri": artifact.uri}
        for role, artifacts in inputs.items()
        for artifact in artifacts
    ]


def compared_with(verdict: Any) -> str:
    """Which blessed model the Evaluator compared with, as its verdict tells."""
    uri = verdict.get_string_custom_property("baseline_model_uri")
    number = verdict.get_int_custom_property("baseline_model_id")
    if not uri:
        return "There was no blessed model that the candidate could be compared with."
    return f"Compared with the blessed model {number} at {uri}."


def fingerprint(examples: Any) -> str:
    """The data's fingerprint in one line: bytes and checksums of each file pattern."""
    parts = examples.get_string_custom_property("input_fingerprint").split()
    return "; ".join(part for part in parts if "num_files:0" not in part) or "none"

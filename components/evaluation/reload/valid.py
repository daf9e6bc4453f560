"""Measures the reloaded model on the rows of valid that training measured."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation.reload.job import BATCH, Job
from components.examples.records import records


def measure_valid(evaluate: Any, job: Job) -> dict[str, NDArray[Any]]:
    """Hit rate at 10 and RMSE as `valid_hit_rate` and `valid_rmse`: NaN where there are none."""
    dataset = records(job.valid, BATCH)
    hits, squares = [np.zeros(0)], [np.zeros(0)]
    for examples in dataset.take(-(-job.valid_rows // BATCH)) if job.valid else []:
        evaluated = evaluate(examples=examples)
        hits.append((evaluated["rank"] <= 10).numpy().astype(np.float64))
        if "rating" in evaluated:
            rated = ~np.isnan(evaluated["label"].numpy())
            error = (evaluated["rating"] - evaluated["label"]).numpy()[rated]
            squares.append(np.square(error, dtype=np.float64))
    hit, square = (_mean(np.concatenate(parts)) for parts in (hits, squares))
    return {"valid_hit_rate": np.array(hit), "valid_rmse": np.sqrt(square)}


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else float("nan")

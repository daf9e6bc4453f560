"""Calibration and error of the predicted ratings by band, as charts show them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation import bands
from components.pages.charts import Rows

BY_LABEL = bands.BY.index("label")


def rating_rows(banded: NDArray[Any] | None, scale: tuple[float, float] | None) -> dict[str, Rows]:
    """Calibration and error by true rating of the candidate and of the bias baseline."""
    if banded is None:
        return {"calibration": [], "error": []}
    return {"calibration": _calibration(banded), "error": _error(banded, scale)}


def _calibration(banded: NDArray[Any]) -> Rows:
    """Mean prediction and mean true rating in each band of a model's predictions."""
    rows: Rows = []
    for model, output in (("candidate", "rating"), ("baseline", "bias_rating")):
        for sums in banded[bands.BY.index(output)]:
            count, predicted, true = (sums[_column(n)] for n in ("ratings", output, "label"))
            if count:
                means = {"predicted": predicted / count, "true": true / count}
                rows.append({"model": model, "ratings": int(count), **means})
    return rows


def _error(banded: NDArray[Any], scale: tuple[float, float] | None) -> Rows:
    """RMSE of each model in each band of the true ratings; not where it is no number."""
    rows: Rows = []
    for middle, sums in zip(bands.centres(scale), banded[BY_LABEL], strict=True):
        count = sums[_column("ratings")]
        for model, name in (("candidate", "square"), ("baseline", "bias_square")):
            square = sums[_column(name)]
            if count and np.isfinite(square):
                rmse = float(np.sqrt(square / count))
                row = {"model": model, "rating": float(middle), "rmse": rmse}
                rows.append(row | {"ratings": int(count)})
    return rows


def _column(name: str) -> int:
    return bands.COLUMNS.index(name)

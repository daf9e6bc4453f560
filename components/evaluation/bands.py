"""Ratings by band: what was predicted against what was given, and the error by true rating.

Sums per band, so that they add up over batches in any order: along the first axis, banded by the
model's prediction, by the bias baseline's, and by the true rating; then the band; then the columns
of `COLUMNS`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

BANDS = "bands"  # the name of the sums among what the Evaluator writes of a slice
BY = ("rating", "bias_rating", "label")
COLUMNS = ("ratings", "rating", "bias_rating", "label", "square", "bias_square")
STEPS = (0.5, 1.0, 2.0, 5.0, 10.0)


def centres(scale: tuple[float, float] | None) -> NDArray[Any]:
    """The middles of the bands: half steps where the scale is short, at most some twenty.

    There are none without a scale, as the data have no ratings.
    """
    if scale is None:
        return np.zeros(0)
    low, high = scale
    step = next((s for s in STEPS if (high - low) / s <= 20), (high - low) / 20)
    return low + step * np.arange(round((high - low) / step) + 1)


def zeros(scale: tuple[float, float] | None) -> NDArray[Any]:
    """The sums of no ratings: zeros [3, bands, columns]."""
    return np.zeros([len(BY), len(centres(scale)), len(COLUMNS)])


def sums(outputs: Mapping[str, NDArray[Any]], scale: tuple[float, float] | None) -> NDArray[Any]:
    """Sums of a batch: float64 [3, bands, columns].

    A prediction that is no number has no band; an example without a rating, its label NaN, is in
    none at all.
    """
    middles, rated = centres(scale), ~np.isnan(outputs["label"])
    rating, bias, label = (outputs[name][rated] for name in BY)
    squares = [np.square(rating - label), np.square(bias - label)]
    columns = np.stack([np.ones_like(label), rating, bias, label, *squares], axis=1)
    banded = zeros(scale)
    for by, values in enumerate((rating, bias, label) if scale else ()):
        ok = np.isfinite(values)
        step = middles[1] - middles[0] if len(middles) > 1 else 1.0
        band = np.clip(np.rint((values[ok] - middles[0]) / step), 0, len(middles) - 1)
        np.add.at(banded[by], band.astype(np.int64), columns[ok])
    return banded


def calibration_error(banded: NDArray[Any]) -> float:
    """Mean absolute gap between mean prediction and mean true rating, over the model's bands.

    The expected calibration error (Naeini, Cooper and Hauskrecht, 2015) on ratings: bands weigh by
    their ratings; 0 is the best. NaN without ratings.
    """
    counts, rating, label = (banded[0, :, COLUMNS.index(n)] for n in ("ratings", "rating", "label"))
    total = counts.sum()
    return float(np.abs(rating - label).sum() / total) if total else float("nan")

"""Calibration and error by true rating against numbers worked out by hand."""

import math

import numpy as np
import pytest

from components.evaluation import bands
from components.report.rating_bands import rating_rows


def test_calibration_and_error_by_rating():
    scale = (1.0, 3.0)
    outputs = {
        "rating": np.array([1.1, 1.2, 2.9, math.nan]), "bias_rating": np.full(4, 2.0),
        "label": np.array([1.0, 2.0, 3.0, 3.0]),
    }  # fmt: skip
    banded = bands.sums(outputs, scale) + bands.zeros(scale)
    rows = rating_rows(banded, scale)
    own = [row for row in rows["calibration"] if row["model"] == "candidate"]
    assert [(round(r["predicted"], 3), r["true"], r["ratings"]) for r in own] == [
        (1.15, 1.5, 2), (2.9, 3.0, 1),
    ]  # fmt: skip
    error = {(r["model"], r["rating"]): r["rmse"] for r in rows["error"]}
    assert error[("candidate", 1.0)] == pytest.approx(0.1)
    assert error[("baseline", 2.0)] == 0.0
    assert ("candidate", 3.0) not in error  # one of its predictions is no number
    expected = (2 * abs(1.15 - 1.5) + abs(2.9 - 3.0)) / 3
    assert bands.calibration_error(banded) == pytest.approx(expected)
    assert rating_rows(None, scale) == {"calibration": [], "error": []}

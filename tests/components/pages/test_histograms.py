"""Histograms of counts as pages show them."""

import numpy as np

from components.pages.histograms import histogram


def test_histograms_cover_every_count_once():
    counts = np.array([1, 1, 2, 4, 5, 99, 100, 10**6])
    rows = histogram(counts)
    assert sum(row["number"] for row in rows) == len(counts)
    shown = {row["bucket"]: row["number"] for row in rows}
    assert (shown["1"], shown["2-4"], shown["50-99"], shown["100,000 or more"]) == (2, 2, 1, 1)
    assert histogram(np.array([], int)) == []

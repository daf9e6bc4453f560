"""The bands that ratings are summed up by."""

import pytest

from components.evaluation import bands


@pytest.mark.parametrize(
    ("scale", "count"), [((0.5, 5.0), 10), ((1.0, 5.0), 9), ((0.0, 10.0), 21), ((1.0, 100.0), 21)]
)
def test_bands_are_few_and_reach_both_ends(scale, count):
    middles = bands.centres(scale)
    assert len(middles) == count
    assert middles[0] == scale[0] and abs(middles[-1] - scale[1]) <= middles[1] - middles[0]

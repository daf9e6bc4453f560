"""Tests of the generator: its state is all that its draws depend on."""

import re
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components.model import randomness

DRAWS = {
    "uniform": lambda: randomness.uniform([3, 2]),
    "normal": lambda: randomness.normal([3, 2]),
    "integers": lambda: randomness.integers(50, 1000),
    "dropped": lambda: randomness.dropped(tf.ones([9, 9]), 0.5),
}
OUTSIDE = re.compile(r"tf\.random\.|layers\.\w*Dropout|GaussianNoise|nn\.dropout")


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS.keys())
def test_what_is_drawn_follows_from_the_state(draw, tmp_path):
    randomness.seed(3)
    first = draw()
    kept = tf.train.Checkpoint(randomness=randomness.state()).save(f"{tmp_path}/kept")
    second, traced = draw(), tf.function(draw)()
    randomness.seed(4)
    tf.train.Checkpoint(randomness=randomness.state()).restore(kept)
    again = tf.function(draw)()
    np.testing.assert_array_equal(second, again)
    np.testing.assert_array_equal(traced, draw())
    assert np.any(first.numpy() != second.numpy())
    randomness.seed(3)
    np.testing.assert_array_equal(first, draw())


def test_dropping_keeps_the_mean_and_drops_whole_vectors_where_asked():
    randomness.seed(1)
    values = randomness.dropped(tf.ones([200, 50, 4]), 0.25).numpy()
    assert set(np.unique(values)) == {0.0, np.float32(1 / 0.75)}
    assert abs(values.mean() - 1) < 0.02
    whole = randomness.dropped(tf.ones([200, 50, 4]), 0.25, whole=True).numpy()
    assert (whole.min(-1) == whole.max(-1)).all() and 0.7 < (whole > 0).mean() < 0.8


def test_nothing_in_the_core_draws_by_another_generator():
    """What does would draw otherwise in a training that goes on after a kill."""
    home = Path(randomness.__file__)
    for source in home.parents[1].rglob("*.py"):
        if source != home:
            assert not OUTSIDE.search(source.read_text()), source

"""How long a training is at most, and what is averaged."""

from types import SimpleNamespace

import numpy as np
import pytest

from components.model.config import TrainingConfig
from components.trainer.run import LARGE, most_epochs, training_loop


@pytest.mark.parametrize(
    ("ordered", "warm", "ratings", "epochs"),
    [
        (True, False, LARGE - 1, 8),
        (False, False, LARGE - 1, 12),
        (True, False, LARGE, 6),
        (False, False, LARGE, 9),
        (True, True, LARGE - 1, 4),
        (True, True, LARGE, 4),
    ],
)
def test_many_ratings_take_fewer_epochs(ordered, warm, ratings, epochs):
    assert most_epochs(TrainingConfig(), ordered, warm, ratings) == epochs
    assert most_epochs(TrainingConfig(epochs=3), ordered, warm, ratings) == 3


def _loop(folder, model, counts, **training):
    job = SimpleNamespace(
        training=TrainingConfig(**training), ordered=True, window=200, checkpoints=str(folder)
    )
    statistics = SimpleNamespace(lengths={100: 3}, counts=np.array(counts))
    return training_loop(job, model, statistics)


@pytest.mark.parametrize(("counts", "epochs"), [([LARGE - 2, 1], 8), ([LARGE - 1, 1], 6)])
def test_a_training_counts_the_ratings_of_train(make_model, tmp_path, counts, epochs):
    assert _loop(tmp_path, make_model(True), counts).epochs == epochs


@pytest.mark.parametrize("asked", [True, False])
def test_the_rating_head_is_averaged_where_that_is_asked_for(make_model, tmp_path, asked):
    model = make_model(True)
    averaged = _loop(tmp_path, model, [5], average_weights=asked).averaged
    expected = model.rating_head.trainable_variables if asked else []
    assert [id(v) for v in averaged] == [id(v) for v in expected]
    assert len(averaged) > 5 or not asked

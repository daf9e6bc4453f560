"""How long a training is at most."""

import pytest

from components.model.config import TrainingConfig
from components.trainer.run import LARGE, most_epochs


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

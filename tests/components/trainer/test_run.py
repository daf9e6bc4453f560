"""How long a training is at most."""

from types import SimpleNamespace

import numpy as np
import pytest

from components.model.config import TrainingConfig
from components.trainer import run
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


@pytest.mark.parametrize(("counts", "epochs"), [([LARGE - 2, 1], 8), ([LARGE - 1, 1], 6)])
def test_a_training_counts_the_ratings_of_train(monkeypatch, counts, epochs):
    class AskedError(Exception):
        pass

    def fit(model, training, steps, most, *others):
        raise AskedError(most)

    monkeypatch.setattr(run, "Fit", fit)
    job = SimpleNamespace(training=TrainingConfig(), ordered=True, window=200, checkpoints="")
    statistics = SimpleNamespace(lengths={100: 3}, counts=np.array(counts))
    with pytest.raises(AskedError) as asked:
        run.fit(job, SimpleNamespace(parts=dict), SimpleNamespace(statistics=statistics), None)
    assert asked.value.args == (epochs,)

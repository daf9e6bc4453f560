"""How long a training is at most, and what is averaged."""

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
    model = SimpleNamespace(tasks=dict, averaged=list)
    with pytest.raises(AskedError) as asked:
        run.fit(job, model, SimpleNamespace(statistics=statistics), None)
    assert asked.value.args == (epochs,)


@pytest.mark.parametrize("asked", [True, False])
def test_the_rating_head_is_averaged_where_that_is_asked_for(monkeypatch, make_model, asked):
    class StoppedError(Exception):
        pass

    def fit(model, training, steps, most, checkpoints, parts, averaged):
        raise StoppedError(averaged)

    monkeypatch.setattr(run, "Fit", fit)
    model, training = make_model(True), TrainingConfig(average_weights=asked)
    job = SimpleNamespace(training=training, ordered=True, window=200, checkpoints="")
    statistics = SimpleNamespace(lengths={100: 3}, counts=np.array([5]))
    with pytest.raises(StoppedError) as stopped:
        run.fit(job, model, SimpleNamespace(statistics=statistics), None)
    (averaged,) = stopped.value.args
    expected = model.rating_head.trainable_variables if asked else []
    assert [id(v) for v in averaged] == [id(v) for v in expected]
    assert len(averaged) > 5 or not asked

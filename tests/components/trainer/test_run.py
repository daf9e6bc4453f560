"""How long a training is at most, and what is averaged."""

import numpy as np
import pytest

from components.model.config import TrainingConfig
from components.trainer import gather, run
from components.trainer.data import TrainingData
from components.trainer.job import Job
from components.trainer.run import LARGE, most_epochs
from components.trainer.settings import SplitOutcome, TrainerSettings

USERS, EVENTS = 4, 6


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


@pytest.fixture
def trained(example, write_records, make_model, make_lookup, tmp_path):
    """Trains a model for one epoch, of as many steps as there are users."""

    def trained(name, **training):
        model, rng = make_model(True), np.random.default_rng(1)
        rows = [
            example(
                user_id=f"u{user}", timestamp=list(range(EVENTS)),
                movie_id=[f"m{movie}" for movie in rng.permutation(10)[:EVENTS]],
                rating=rng.integers(1, 6, EVENTS).astype(float).tolist(),
            )
            for user in range(USERS)
        ]  # fmt: skip
        file, lookup = write_records(tmp_path / name, rows), make_lookup(model.facts)
        settings = TrainerSettings(
            training=TrainingConfig(positions=EVENTS, **training), scale=(0.5, 5.0), checkpoints=""
        )
        folders = {"checkpoints": f"{tmp_path}/{name} weights", "log_dir": f"{tmp_path}/log"}
        job = Job(settings, SplitOutcome("before", None), [file], [], [], "", **folders)
        statistics = gather.count_train([file], lookup, len(model.facts.movie_ids))
        data = TrainingData(None, {}, lookup, statistics)
        run.fit(job, model, data, judge=lambda model: {}, enough=lambda epochs: epochs == 1)
        return model

    return trained


@pytest.mark.parametrize(("large", "epochs"), [(USERS * EVENTS + 1, 8), (USERS * EVENTS, 6)])
def test_a_training_counts_the_ratings_of_train(trained, monkeypatch, caplog, large, epochs):
    monkeypatch.setattr(run, "LARGE", large)
    with caplog.at_level("INFO", logger="greenlight.progress"):
        trained("train")
    assert caplog.messages[0] == f"epoch 1 of {epochs}"


def test_the_rating_head_is_averaged_where_that_is_asked_for(trained):
    averaged, last = trained("averaged"), trained("last", average_weights=False)
    head = {id(weight) for weight in averaged.rating_head.trainable_variables}
    apart = {True: [], False: []}
    for one, other in zip(averaged.trainable_variables, last.trainable_variables, strict=True):
        apart[id(one) in head].append(np.abs(one.numpy() - other.numpy()).max())
    assert min(apart[True]) > 1e-4 and len(apart[True]) > 5
    assert max(apart[False]) < 1e-6 and len(apart[False]) > 5

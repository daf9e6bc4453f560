"""How long a training is at most, in which rounds, and what is averaged."""

import logging
from logging.handlers import BufferingHandler
from typing import Any, cast

import numpy as np
import pytest

from components.examples.records import serialized
from components.model.config import TrainingConfig
from components.trainer import data as data_module
from components.trainer import gather, learn, rounds
from components.trainer.data import TrainingData
from components.trainer.job import Job
from components.trainer.rounds import LARGE, most_epochs
from components.trainer.settings import SplitOutcome, TrainerSettings
from tests.components.trainer.eager import eagerly

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


@pytest.fixture(scope="module")
def trainings(example, write_records, make_model, make_lookup, tmp_path_factory):
    """Two trainings of one epoch: by name the model and what its progress said first.

    The one averages weights and has too few ratings for a short training, by one; for the other,
    which does not average, they are enough.
    """
    rng = np.random.default_rng(1)
    rows = [
        example(
            user_id=f"u{user}", timestamp=list(range(EVENTS)),
            movie_id=[f"m{movie}" for movie in rng.permutation(10)[:EVENTS]],
            rating=rng.integers(1, 6, EVENTS).astype(float).tolist(),
        )
        for user in range(USERS)
    ]  # fmt: skip
    folder = tmp_path_factory.mktemp("run")
    file, log = write_records(folder / "train", rows), BufferingHandler(100)
    progress = logging.getLogger("greenlight.progress")

    def train(name, large, average):
        model = make_model(True)
        lookup, movies = make_lookup(model.facts), len(model.facts.movie_ids)
        # A step for each user, at a constant learning rate: the number of epochs changes none.
        training = TrainingConfig(
            optimizer="adagrad", learning_rate=0.03, positions=EVENTS, average_weights=average
        )
        settings = TrainerSettings(training=training, scale=(0.5, 5.0), checkpoints="")
        folders: dict[str, Any] = {"checkpoints": f"{folder}/{name}", "log_dir": f"{folder}/log"}
        job = Job(settings, SplitOutcome("before", None), [file], [], [], "", **folders)
        data = TrainingData(
            cast(Any, None), {}, lookup, gather.count_train(serialized(file), lookup, movies)
        )
        log.buffer.clear()
        with eagerly(), pytest.MonkeyPatch.context() as patch:
            patch.setattr(rounds, "LARGE", large)
            learn.fit(
                job,
                model,
                data,
                judge=cast(Any, lambda model: {}),
                enough=lambda epochs: epochs == 1,
            )
        return model, log.buffer[0].getMessage()

    level = progress.level
    progress.addHandler(log)
    progress.setLevel("INFO")
    yield {
        "averaged": train("averaged", USERS * EVENTS + 1, True),
        "last": train("last", USERS * EVENTS, False),
    }
    progress.removeHandler(log)
    progress.setLevel(level)


def test_a_training_counts_the_ratings_of_train(trainings):
    assert trainings["averaged"][1] == "epoch 1 of 8"
    assert trainings["last"][1] == "epoch 1 of 6"


def test_the_rating_head_is_averaged_where_that_is_asked_for(trainings):
    averaged, last = trainings["averaged"][0], trainings["last"][0]
    head = {id(weight) for weight in averaged.rating_head.trainable_variables}
    apart: dict[bool, list[float]] = {True: [], False: []}
    for one, other in zip(averaged.trainable_variables, last.trainable_variables, strict=True):
        apart[id(one) in head].append(np.abs(one.numpy() - other.numpy()).max())
    assert min(apart[True]) > 1e-4 and len(apart[True]) > 5
    assert max(apart[False]) < 1e-6 and len(apart[False]) > 5


def test_a_training_of_large_data_goes_by_parts_of_an_epoch(
    example, write_records, make_model, make_lookup, tmp_path, monkeypatch, caplog
):
    """Of two files each round reads one, and each epoch both."""
    monkeypatch.setattr(rounds, "ROUND", EVENTS)
    movies = [[f"m{6 * number + place}" for place in range(EVENTS)] for number in range(2)]
    files = [
        write_records(tmp_path / f"train-{number}", [
            example(user_id=f"u{number}", movie_id=own, rating=[1.0, 2.0, 3.0] * 2,
                    timestamp=list(range(EVENTS))),
        ])
        for number, own in enumerate(movies)
    ]  # fmt: skip
    model = make_model(True)
    lookup = make_lookup(model.facts)
    training = TrainingConfig(positions=EVENTS, most_ratings=4 * EVENTS, average_weights=False)
    settings = TrainerSettings(training=training, scale=(0.5, 5.0), checkpoints="")
    folders: dict[str, Any] = {"checkpoints": f"{tmp_path}/work", "log_dir": f"{tmp_path}/log"}
    job = Job(settings, SplitOutcome("before", None), files, [], [], "", **folders)
    data = TrainingData(
        cast(Any, None), {}, lookup, gather.count_train(serialized(files), lookup, 12)
    )
    read: list[set[int]] = []

    def round_windows(*args):
        windows = list(data_module.round_windows(*args))
        read.append({int(m) for window in windows for m in window.movie.numpy().ravel()})
        return windows

    monkeypatch.setattr(learn, "round_windows", round_windows)
    with eagerly(), caplog.at_level(logging.INFO, "greenlight"):
        history = learn.fit(job, model, data, judge=cast(Any, lambda model: {}))
    assert len(history.epochs) == 4 and "round 4 of 4" in caplog.text
    assert all(len(own) == EVENTS for own in read)
    assert all(read[first] | read[first + 1] == set(range(12)) for first in (0, 2))

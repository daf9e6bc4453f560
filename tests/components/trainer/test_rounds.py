"""Rounds read every shard once an epoch, and no more ratings than asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.model.config import TrainingConfig
from components.trainer.rounds import ROUND, Rounds, plan_rounds


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 3), st.integers(0, 2**40))
def test_an_epoch_reads_every_shard_once(shards, parts, epoch, seed):
    rounds = Rounds(9 * parts, min(parts, shards), 10)
    first = epoch * rounds.parts
    dealt = [rounds.shards(first + part, shards, seed) for part in range(rounds.parts)]
    assert sorted(place for own in dealt for place in own) == list(range(shards))
    assert all(own == sorted(own) for own in dealt)
    assert max(map(len, dealt)) - min(map(len, dealt)) <= 1
    assert dealt == [rounds.shards(first + part, shards, seed) for part in range(rounds.parts)]


def test_every_epoch_deals_the_shards_anew():
    rounds, shards = Rounds(8, 4, 10), 40
    assert rounds.shards(0, shards, 1) != rounds.shards(4, shards, 1) != rounds.shards(8, shards, 1)
    assert rounds.shards(0, shards, 1) != rounds.shards(0, shards, 2)


@pytest.mark.parametrize(
    ("files", "ratings", "settings", "expected"),
    [
        (3, ROUND - 1, {}, Rounds(8, 1, 100)),
        (1, 5 * ROUND, {}, Rounds(4, 1, 100)),  # of one file nothing can be left out
        (9, 2 * ROUND, {}, Rounds(16, 2, 50)),
        (90, 20 * ROUND, {}, Rounds(20, 20, 5)),
        (90, 100 * ROUND, {}, Rounds(18, 90, 2)),
        (90, 100 * ROUND, {"epochs": 2}, Rounds(180, 90, 2)),
        (90, 100 * ROUND, {"most_ratings": 1}, Rounds(1, 90, 2)),
        (90, 100 * ROUND, {"minutes": 1.0}, Rounds(720, 90, 2)),
        (1, 10, {"epochs": 0}, Rounds(0, 1, 100)),
        (1, 10, {"epochs": 0.25}, Rounds(1, 1, 100, last=25)),
        (1, 10, {"epochs": 1.5}, Rounds(2, 1, 100, last=150)),
        (1, 10, {"epochs": 2.0}, Rounds(2, 1, 100)),
        (10, 10 * ROUND, {"epochs": 0.3}, Rounds(3, 10, 10)),
        (10, 10 * ROUND, {"epochs": 0.35}, Rounds(4, 10, 10, last=35)),
        (1, 0, {}, Rounds(8, 1, 100)),
    ],
)
def test_large_data_are_read_in_part(files, ratings, settings, expected):
    training = TrainingConfig(**settings)
    epochs = 8 if training.epochs is None else training.epochs
    assert plan_rounds(training, files, ratings, 100, epochs) == expected
    assert expected.name == ("epoch" if expected.parts == 1 else "round")


@given(
    epochs=st.floats(0, 50), files=st.integers(1, 200), ratings=st.integers(1, 10**8),
    steps=st.integers(1, 10**5),
)  # fmt: skip
def test_any_share_of_an_epoch_has_its_share_of_the_steps(epochs, files, ratings, steps):
    rounds = plan_rounds(TrainingConfig(epochs=epochs), files, ratings, steps, epochs)
    own = rounds.parts * rounds.steps  # of an epoch, each round's last one counted whole
    assert steps <= own < steps + rounds.parts
    assert abs(rounds.most - max(1, epochs * own)) <= 1
    assert (rounds.number - 1) * rounds.steps < rounds.most or rounds.number == 0
    assert rounds.most <= max(1, rounds.number * rounds.steps)


def test_progress_goes_once_from_nothing_to_all_over_both_trainings():
    first, second = Rounds(4, 1, 10, end=0.75), Rounds(2, 1, 10, begin=0.75)
    done = [rounds.done(number, step) for rounds in (first, second)
            for number in range(rounds.number) for step in (0, 5, 12)]  # fmt: skip
    assert done[0] == 0 and done[-1] == 1 and done == sorted(done)
    assert second.done(0, 0) == first.done(3, 10) == 0.75
    assert (first.name, second.name) == ("epoch", "with valid, epoch")

"""The search space as KerasTuner knows it."""

from typing import Any

import pytest

from components.model.config import ModelConfig
from components.trainer.settings import TrainerSettings
from components.tuner.config import Range
from components.tuner.space import hyperparameters, includes, own_values

OWN = TrainerSettings(model=ModelConfig(dims=64, hidden=128), scale=None, checkpoints="")


def test_choices_and_ranges_keep_their_kind_and_start_at_the_configuration():
    space: dict[str, Any] = {
        "model.dims": [16, 64],
        "model.hidden": Range(low=64, high=256, scale="log"),
        "model.dropout": Range(low=0.1, high=0.4),
        "model.towers": ["history", "ids"],
    }
    found = hyperparameters(space, OWN)
    assert found.values == {
        "model.dims": 64, "model.hidden": 128, "model.dropout": 0.2, "model.towers": "history",
    }  # fmt: skip
    drawn = [{one.name: one.random_sample(seed) for one in found.space} for seed in range(200)]
    assert {row["model.dims"] for row in drawn} == {16, 64}
    assert {row["model.towers"] for row in drawn} == {"history", "ids"}
    assert all(isinstance(row["model.hidden"], int) for row in drawn)
    assert min(row["model.hidden"] for row in drawn) >= 64
    assert max(row["model.hidden"] for row in drawn) <= 256
    assert sum(row["model.hidden"] <= 128 for row in drawn) == pytest.approx(100, abs=20)  # log
    assert all(0.1 <= row["model.dropout"] <= 0.4 for row in drawn)


def test_a_space_without_the_configuration_s_own_value_starts_at_its_first():
    space: dict[str, Any] = {
        "model.dims": [16, 32],
        "training.learning_rate": Range(low=0.01, high=0.1),
    }
    assert hyperparameters(space, OWN).values == {
        "model.dims": 16, "training.learning_rate": 0.01,
    }  # fmt: skip
    assert own_values(space, OWN) == {"model.dims": 64, "training.learning_rate": 0.003}


@pytest.mark.parametrize(
    ("values", "value", "inside"),
    [
        ([16, 64], 64, True),
        ([16, 64], 32, False),
        (Range(low=1, high=2), 2, True),
        (Range(low=1, high=2), 2.1, False),
        (Range(low=1, high=2), None, False),
    ],
)
def test_includes(values, value, inside):
    assert includes(values, value) is inside

"""The search space as a user writes it: what it takes, and how it refuses the rest."""

import pytest

from components.tuner.config import NOT_TUNED, SPACE, Range, TuningConfig
from pipeline.config import Config, load_config
from schemas.errors import UserError


def test_the_usual_space_is_off_and_every_name_in_it_is_a_setting():
    tuning = Config().tuning
    assert not tuning.enabled
    assert list(tuning.space) == list(SPACE)
    assert tuning.space["model.dims"] == [64, 128, 256]
    assert tuning.space["training.learning_rate"] == Range(low=0.001, high=0.01, scale="log")


@pytest.mark.parametrize(
    "settings",
    [
        ["tuning.space={model.dims: [16, 32], training.learning_rate: {low: 1e-3, high: 0.1}}"],
        ["tuning.space={model: {dims: [16, 32]}}",
         "tuning.space.training={learning_rate: {low: 1e-3, high: 0.1}}"],
        ["tuning.space.model.dims=[16, 32]", "tuning.space.training.learning_rate.low=1e-3",
         "tuning.space.training.learning_rate.high=0.1"],
    ],
    ids=["dotted", "nested", "one by one"],
)  # fmt: skip
def test_a_space_may_be_written_in_three_ways(settings):
    space = load_config(None, settings).tuning.space
    assert space == {
        "model.dims": [16, 32],
        "training.learning_rate": Range(low=0.001, high=0.1),
    }


def test_choices_become_what_the_setting_takes():
    space = TuningConfig(
        space={"training.learning_rate": ["1e-3", 1], "model.towers": ["history", "ids"]}
    ).space
    assert space == {"training.learning_rate": [0.001, 1.0], "model.towers": ["history", "ids"]}
    assert [type(value) for value in space["training.learning_rate"]] == [float, float]


MISTAKES = [
    ("{}", "name at least one setting"),
    ("{model.depth: [1, 2]}", "model.depth is none"),
    ("{dims: [1, 2]}", "dims is none"),
    ("{split.seed: [1, 2]}", "split.seed is none"),
    ("{model.dims: [32]}", "two or more"),
    ("{model.dims: [32, 32.0]}", "two or more"),
    ("{model.dims: []}", "two or more"),
    ("{model.dims: [32, 1]}", "model.dims: 1"),
    ("{model.dims: [32, many]}", "model.dims: 'many'"),
    ("{model.dims: {low: 8, high: 16.5}}", "model.dims: 16.5"),
    ("{model.dropout: {low: 0.1, high: 1}}", "model.dropout: 1"),
    ("{model.dropout: {low: 0.3, high: 0.1}}", "low (0.3) must be below high (0.1)"),
    ("{model.dropout: {low: 0, high: 0.1, scale: log}}", "above 0"),
    ("{model.towers: {low: 1, high: 2}}", "model.towers"),
    ("{model.rating_layers: [[256, 128], [256, 64]]}", "tuning.space"),
    ("{model.dims: {low: 8, high: 16, step: 2}}", "step"),
    ("[model.dims]", "tuning.space"),
    *((f"{{{name}: [1, 2]}}", f"{name} cannot be tuned") for name in NOT_TUNED),
]


@pytest.mark.parametrize(("space", "words"), MISTAKES, ids=[space for space, _ in MISTAKES])
def test_a_wrong_space_is_one_sentence_that_names_it(space, words):
    with pytest.raises(UserError) as caught:
        load_config(None, [f"tuning.space={space}"])
    message = str(caught.value)
    assert words in message
    assert "\n" not in message and message.endswith(".") and "Value error" not in message

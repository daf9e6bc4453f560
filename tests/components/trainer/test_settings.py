"""The settings of a training, and of a search: their way through JSON, and what is in their key."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from components.example_gen.config import SplitConfig
from components.model.config import MOST, ModelConfig, TrainingConfig
from components.trainer.settings import TrainerSettings
from components.tuner.config import Range, TuningConfig
from components.tuner.settings import TunerSettings

shares = st.floats(0, 0.99)
above_zero = st.floats(1e-300, 1e300)
models = st.builds(
    ModelConfig,
    towers=st.sampled_from(["history", "ids"]),
    ignored=st.lists(st.sampled_from(["genres", "year", "gender"])),
    dims=st.integers(2, 1024),
    dropout=shares,
    rating_weight=above_zero,
    rating_layers=st.lists(st.integers(1, 4096)),
)
trainings = st.builds(
    TrainingConfig,
    epochs=st.none() | st.integers(0, MOST) | st.floats(0, MOST),
    minutes=st.none() | st.floats(0, MOST, exclude_min=True),
    learning_rate=above_zero,
    warm_start=st.booleans(),
    seed=st.integers(0),
)
splits = st.builds(
    SplitConfig,
    kind=st.sampled_from(["temporal", "leave_last_n"]),
    seed=st.integers(0, (1 << 63) - 1),
    valid=st.floats(0, 0.4),
    eval=st.floats(0.1, 0.5),
    history=st.none() | st.sampled_from(["before", "rest"]),
    window_length=st.none() | st.integers(1),
)
ranges = st.builds(Range, low=st.floats(0, 0.4), high=st.floats(0.5, 0.9))
tunings = st.builds(
    TuningConfig,
    enabled=st.booleans(),
    space=st.fixed_dictionaries(
        {"model.dropout": ranges},
        optional={
            "model.dims": st.just([8, 16]),
            "model.towers": st.just(["ids", "history"]),
            "training.warm_start": st.just([False, True]),
            "training.learning_rate": st.just([0.001, 1.0]),
        },
    ),
    mix=st.floats(0, 1),
    parallel=st.none() | st.integers(1, 64),
)
parts = {
    "model": models,
    "training": trainings,
    "split": splits,
    "scale": st.none() | st.tuples(st.floats(-1e9, 0), st.floats(1, 1e9)),
    "checkpoints": st.text(),
}
any_settings = st.builds(TrainerSettings, **parts) | st.builds(
    TunerSettings, **parts, tuning=tunings
)


@given(any_settings)
def test_what_was_written_is_read_and_written_again_as_it_was(settings: TrainerSettings) -> None:
    text = settings.to_json()
    again = type(settings).from_json(text)
    assert again == settings
    assert again.to_json() == text


@given(any_settings)
def test_everything_is_in_the_key_but_folders_limits_and_words(settings: TrainerSettings) -> None:
    expected = json.loads(settings.to_json())
    del expected["checkpoints"], expected["item"], expected["labels"]
    for name in ("enabled", "trials", "minutes", "parallel"):
        expected.get("tuning", {}).pop(name, None)
    assert json.loads(json.dumps(settings.cache_key())) == expected


def make(**changed: object) -> TrainerSettings:
    return TrainerSettings.model_validate({"scale": (1, 5), "checkpoints": "there", **changed})


def test_other_values_go_before_the_own_ones_and_are_checked() -> None:
    settings = make(model={"hidden": 16}, training={"epochs": 2})
    values = {"model.dims": 8, "training.learning_rate": 0.01, "tuner/epochs": 3}
    changed = settings.with_values(values)
    assert changed == make(
        model={"hidden": 16, "dims": 8}, training={"epochs": 2, "learning_rate": 0.01}
    )
    assert [changed.value(name) for name in ("model.dims", "training.epochs")] == [8, 2]
    with pytest.raises(ValidationError):
        settings.with_values({"model.dims": 0})


def test_a_text_with_more_or_less_than_the_settings_is_refused() -> None:
    content = json.loads(make().to_json())
    wrongs: list[dict[str, Any]] = [{**content, "catalogue": ""}, {"model": {}}]
    for wrong in wrongs:
        with pytest.raises(ValidationError):
            TrainerSettings.from_json(json.dumps(wrong))

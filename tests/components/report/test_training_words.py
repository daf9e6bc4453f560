"""What a report says of how long the model learned."""

import pytest

from components.report.training_words import training_words

BETTER = "Valid still found it better at the end: a longer training may do better."
NO_BETTER = "At the end valid found it no better than before."
WITH_VALID = "The exported model then went on with train and valid together, "


@pytest.mark.parametrize(
    ("training", "minutes", "words"),
    [
        ({}, None, ""),
        ({"refit": True}, None, f"{WITH_VALID}for half as many epochs."),
        ({"read": 8.0, "improving": True}, None, f"The training read train 8 times. {BETTER}"),
        ({"read": 1.0, "improving": False}, None, f"The training read train once. {NO_BETTER}"),
        ({"read": 1.27, "improving": None}, None, "The training read train 1.3 times."),
        ({"read": 0.2}, 60.0, "The training read 20.0% of train within its 60 minutes."),
        (
            {"read": 2, "refit": True},
            1.5,
            "The training read train 2 times within its 1.5 minutes. "
            f"{WITH_VALID}in a third of the time at most.",
        ),
    ],
)
def test_what_is_known_is_said(training, minutes, words):
    assert training_words(training, minutes) == words

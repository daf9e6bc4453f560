"""The grammar of metric names: what is written is read, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.evaluation.metric_name import (
    CALIBRATION_ERROR,
    LIST_MEASURES,
    PER_EXAMPLE,
    End,
    MetricName,
    Subject,
    metrics_in,
)

names = st.builds(
    MetricName,
    st.sampled_from([*PER_EXAMPLE, CALIBRATION_ERROR, *LIST_MEASURES]),
    st.none() | st.integers(1, 10**6),
    st.booleans(),
    st.sampled_from(Subject),
    st.sampled_from(End),
)


@given(names)
def test_what_is_written_is_read(name):
    assert MetricName.parse(str(name)) == name


@given(st.text() | names.map(lambda name: f"{name}/x") | names.map(lambda name: f"x{name}"))
def test_what_is_read_is_written_alike_and_all_else_is_refused(text):
    try:
        name = MetricName.parse(text)
    except ValueError as error:
        assert repr(text) in str(error)
    else:
        assert str(name) == text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("rmse", MetricName("rmse")),
        ("hit_rate@10", MetricName("hit_rate", 10)),
        ("ndcg", MetricName("ndcg")),
        ("unmasked/mrr", MetricName("mrr", unmasked=True)),
        ("bias/mae", MetricName("mae", subject=Subject.BIAS)),
        (
            "gain/unmasked/hit_rate@10/low",
            MetricName("hit_rate", 10, True, Subject.GAIN, End.LOW),
        ),
        ("change/rmse/high", MetricName("rmse", subject=Subject.CHANGE, end=End.HIGH)),
        ("coverage", MetricName("coverage")),
    ],
)
def test_names_as_files_hold_them(text, name):
    assert (MetricName.parse(text), str(name)) == (name, text)


@pytest.mark.parametrize(
    "text",
    ["", "accuracy", "hit_rate@", "hit_rate@0", "hit_rate@010", "hit_rate@-1", "rmse/", "/rmse",
     "low", "unmasked", "gain/", "gain/bias/rmse", "unmasked/gain/rmse", "rmse/low/high",
     "gate/absolute/rmse/overall", "RMSE", "rmse\n", "example_count", "users"],
)  # fmt: skip
def test_what_is_no_name_of_a_metric_is_refused(text):
    with pytest.raises(ValueError, match="is no name of a metric"):
        MetricName.parse(text)
    assert metrics_in({text: 1.0, "rmse": 2.0}) == {MetricName("rmse"): 2.0}


@pytest.mark.parametrize(
    ("text", "own", "lower_is_better", "interval", "task"),
    [
        ("rmse", True, True, True, "rating"),
        ("unmasked/hit_rate@10", True, False, True, "retrieval"),
        ("gain/rmse", False, False, True, "rating"),
        ("gain/unmasked/mrr", False, False, True, "retrieval"),
        ("popularity/mrr", False, False, True, "retrieval"),
        ("popularity/unmasked/mrr", False, False, True, "retrieval"),
        ("bias/rmse", False, True, True, "rating"),
        ("change/rmse", False, True, True, "rating"),
        ("rmse/low", False, True, False, "rating"),
        ("calibration_error", False, True, False, "rating"),
        ("genre_divergence", False, True, False, "retrieval"),
        ("novelty", False, False, False, "retrieval"),
    ],
)
def test_what_a_metric_is(text, own, lower_is_better, interval, task):
    name = MetricName.parse(text)
    assert (name.is_own, name.lower_is_better) == (own, lower_is_better)
    assert (name.has_interval, name.task) == (interval, task)


@given(names)
def test_the_same_metric_of_another_subject_and_the_ends_of_its_interval(name):
    gain = name.of(Subject.GAIN)
    assert str(gain).startswith("gain/") and gain.of(name.subject) == name
    assert [str(end).rpartition("/")[2] for end in name.ends] == ["low", "high"]

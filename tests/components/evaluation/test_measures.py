"""Every metric against plain Python that was written without looking at the vectorised one."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.evaluation import measures

KS = (1, 3, 10)
RANKS = {
    "": "rank",
    "unmasked/": "unmasked_rank",
    "popularity/": "popularity_rank",
    "popularity/unmasked/": "popularity_unmasked_rank",
}
rank = st.integers(2, 60).map(lambda n: n / 2)  # halves: ties share a place
rating = st.floats(-2, 12, width=32)
example = st.fixed_dictionaries(
    {
        **dict.fromkeys(RANKS.values(), rank),
        **dict.fromkeys(("rating", "bias_rating"), rating),
        "label": rating | st.just(math.nan),  # NaN: seen, not rated
    }
)


def _mean(values):
    values = list(values)
    return math.fsum(values) / len(values) if values else math.nan


def _by_hand(examples, ks=KS):
    """All metrics of a list of examples, each written out from its definition."""
    found = {}
    for prefix, output in RANKS.items():
        ranks = [e[output] for e in examples]
        for k in ks:
            found[f"{prefix}hit_rate@{k}"] = _mean(1.0 if r <= k else 0.0 for r in ranks)
            found[f"{prefix}ndcg@{k}"] = _mean(
                math.log(2) / math.log(r + 1) if r <= k else 0.0 for r in ranks
            )
        found[f"{prefix}mrr"] = _mean(1 / r for r in ranks)
    for prefix, output in {"": "rating", "bias/": "bias_rating"}.items():
        errors = [e[output] - e["label"] for e in examples if not math.isnan(e["label"])]
        found[f"{prefix}rmse"] = math.sqrt(_mean(error**2 for error in errors))
        found[f"{prefix}mae"] = _mean(abs(error) for error in errors)
    for name in [n for n in found if not n.startswith(("popularity/", "bias/"))]:
        if name in ("rmse", "mae"):
            found[f"gain/{name}"] = found[f"bias/{name}"] - found[name]
        else:
            found[f"gain/{name}"] = found[name] - found[f"popularity/{name}"]
    return found


def _outputs(examples):
    names = [*RANKS.values(), "rating", "bias_rating", "label"]
    return {name: np.array([e[name] for e in examples]) for name in names}


def _metrics(*groups, ks=KS):
    """The code's own metrics, one value per group."""
    empty = np.zeros(len(measures.column_names(ks)))
    sums = [
        np.sum(list(measures.columns(_outputs(group), ks).values()), axis=1) if group else empty
        for group in groups
    ]
    counts = np.array([float(len(group)) for group in groups])
    rated = np.array([sum(not math.isnan(e["label"]) for e in group) for group in groups])
    return measures.metrics(np.stack(sums), counts, ks, rated)


@given(st.lists(example, min_size=1, max_size=30))
def test_every_metric_agrees_with_plain_python(examples):
    expected, found = _by_hand(examples), _metrics(examples)
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert found[name][0] == pytest.approx(value, abs=1e-9, rel=1e-9, nan_ok=True), name


@given(st.lists(st.lists(example, min_size=1, max_size=5), min_size=2, max_size=4))
def test_groups_are_measured_apart(groups):
    together = _metrics(*groups)
    for i, group in enumerate(groups):
        for name, value in _metrics(group).items():
            expected = pytest.approx(value[0], abs=1e-9, rel=1e-9, nan_ok=True)
            assert together[name][i] == expected, name


def test_known_values():
    at_three = dict.fromkeys(RANKS.values(), 3.0) | {"rating": 3.0, "bias_rating": 5, "label": 4.0}
    found = {name: value[0] for name, value in _metrics([at_three]).items()}
    assert found["hit_rate@1"] == 0 and found["hit_rate@3"] == 1
    assert found["ndcg@3"] == 0.5  # 1 / log2(4)
    assert found["mrr"] == pytest.approx(1 / 3)
    assert found["rmse"] == found["mae"] == found["bias/rmse"] == 1
    assert found["gain/rmse"] == found["gain/hit_rate@3"] == 0


def test_a_gain_is_positive_where_the_model_is_better():
    better = {
        "rank": 1.0, "unmasked_rank": 2.0, "popularity_rank": 4.0, "popularity_unmasked_rank": 5.0,
        "rating": 4.0, "bias_rating": 3.0, "label": 4.5,
    }  # fmt: skip
    found = _metrics([better])
    gains = [name for name in found if name.startswith("gain/") and not name.endswith("@10")]
    assert {name for name in gains if found[name][0] > 0} == {
        "gain/hit_rate@1", "gain/hit_rate@3", "gain/ndcg@1", "gain/ndcg@3", "gain/mrr",
        "gain/unmasked/hit_rate@3", "gain/unmasked/ndcg@3", "gain/unmasked/mrr",
        "gain/rmse", "gain/mae",
    }  # fmt: skip


def test_an_empty_group_has_no_metrics_and_spoils_no_other():
    one = dict.fromkeys(RANKS.values(), 2.0) | {"rating": 3.0, "bias_rating": 3.5, "label": 4.0}
    for name, values in _metrics([], [one]).items():
        assert np.isnan(values[0]), name
        assert values[1] == pytest.approx(_by_hand([one])[name]), name


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_rating_that_is_no_number_shows_in_the_errors_alone(value):
    good = dict.fromkeys(RANKS.values(), 2.0) | {"rating": 3.0, "bias_rating": 3.5, "label": 4.0}
    found = _metrics([good, {**good, "rating": value}])
    for name in ("rmse", "mae", "gain/rmse", "gain/mae"):
        assert not np.isfinite(found[name][0]), name
    assert np.isfinite(found["bias/rmse"][0]) and found["hit_rate@3"][0] == 1


def test_a_rank_that_is_no_number_is_never_a_hit():
    columns = measures.rank_columns(np.array([math.nan]), KS)
    assert all(columns[f"hit_rate@{k}"][0] == 0 for k in KS)


def test_names_are_those_of_the_values():
    assert measures.metric_names(KS) == list(_metrics([]))
    assert len(measures.column_names(KS)) == 4 * (2 * len(KS) + 1) + 4

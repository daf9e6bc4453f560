"""The curated schemas, fitted to what a source has."""

import pytest

from components.validation.curated import curated_schema
from schemas.source import load_source, source_names


def _features(name, source, bound=0.1):
    return {feature.name: feature for feature in curated_schema(name, source, bound).feature}


@pytest.mark.parametrize("name", source_names())
def test_a_schema_holds_exactly_what_the_source_has(name):
    source = load_source(name)
    ratings, catalogue = _features("ratings", source), _features("catalogue", source)
    times = {"timestamp", "history_timestamp"} if source.has_timestamps else set()
    own = {"user_id", "movie_id", "movie_title", "rating"}
    own |= {"history_movie_id", "history_rating", "seen_movie_id"}
    names = source.features
    assert set(ratings) == own | times | {*names.users, *names.movies, *names.events}
    assert set(catalogue) == {"movie_id", "movie_title", *source.features.movies}


@pytest.mark.parametrize(
    ("name", "scale"),
    [("movielens-latest", (0.5, 5.0)), ("movielens-1m", (1, 5)), ("movietweetings", (0, 10))],
)
def test_the_scale_is_the_ratings_domain(name, scale):
    rating = _features("ratings", load_source(name))["rating"]
    assert (rating.float_domain.min, rating.float_domain.max) == scale
    assert rating.float_domain.disallow_nan and rating.float_domain.disallow_inf
    history = _features("ratings", load_source(name))["history_rating"]
    assert not history.HasField("float_domain")


def test_the_drift_bound_goes_where_drift_is_watched():
    found = _features("ratings", load_source("movielens-latest"), bound=0.25)
    watched = {name for name, feature in found.items() if feature.HasField("drift_comparator")}
    assert watched == {"rating", "genres"}
    assert found["rating"].drift_comparator.jensen_shannon_divergence.threshold == 0.25
    assert found["genres"].drift_comparator.infinity_norm.threshold == 0.25


def test_what_must_be_there_must_be_there():
    found = _features("ratings", load_source("movielens-1m"))
    for name in ("user_id", "movie_id", "rating", "timestamp", "gender", "genres"):
        assert found[name].presence.min_fraction == 1.0, name
    for name in ("history_movie_id", "history_rating", "seen_movie_id"):
        assert not found[name].HasField("presence"), name

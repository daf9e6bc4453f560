"""The curated schemas, fitted to a source."""

from collections.abc import Iterator
from importlib import resources

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from schemas.features import POSTER, YEAR, Features
from schemas.source import Source

TIMES = ("timestamp", "history_timestamp")
RATINGS = ("rating", "history_rating")


def curated_schema(name: str, source: Source, drift_bound: float) -> schema_pb2.Schema:
    """Reads `ratings` or `catalogue` and fits it to what a source has.

    Args:
      name: of the schema in the `schemas` package.
      source: its scale becomes the ratings' domain, in which NaN is a movie that was seen but not
        rated; features it lacks are left out.
      drift_bound: how far a feature may drift from the last run's before it is reported, 0 to 1.
    """
    text = resources.files("schemas").joinpath(f"{name}.pbtxt").read_text(encoding="utf-8")
    schema = text_format.Parse(text, schema_pb2.Schema())
    absent = set() if YEAR in source.features.movies else {YEAR}
    if not source.has_posters:
        absent.add(POSTER)
    if not source.has_timestamps:
        absent.update(TIMES)
    if not source.has_ratings:
        absent.update(RATINGS)
    kept = [feature for feature in schema.feature if feature.name not in absent]
    del schema.feature[:]
    schema.feature.extend(own for one in kept for own in _named(one, source.features))
    for feature in schema.feature:
        if source.scale and feature.HasField("float_domain"):
            feature.float_domain.min, feature.float_domain.max = source.scale
            feature.float_domain.disallow_nan = not source.ratings.unrated
        _set_drift(feature, drift_bound)
    return schema


def _named(feature: schema_pb2.Feature, names: Features) -> Iterator[schema_pb2.Feature]:
    """The feature, or as many as the source has of the kind that it stands for."""
    others = {YEAR, *names.several, *names.numbers, *names.texts}
    one_each = [name for name in names.movies if name not in others]
    kinds = {
        "<users: category>": [name for name in names.users if name not in names.numbers],
        "<users: number>": names.user_numbers,
        "<events: category>": [name for name in names.events if name not in names.numbers],
        "<events: number>": names.event_numbers,
        "<movies: number>": names.movie_numbers,
        "<movies: text>": names.texts,
        "<movies: category>": one_each,
        "<movies: categories>": names.several,
    }
    for name in kinds.get(feature.name, [feature.name]):
        own = schema_pb2.Feature()
        own.CopyFrom(feature)
        own.name = name
        yield own


def _set_drift(feature: schema_pb2.Feature, bound: float) -> None:
    comparator = feature.drift_comparator
    for field in ("jensen_shannon_divergence", "infinity_norm"):
        if comparator.HasField(field):
            getattr(comparator, field).threshold = bound


def counted_features(source: Source) -> list[str]:
    """The features of a rating Example whose statistics are taken.

    Histories, and what was seen before them, repeat ratings that are counted where they are
    targets, a hundred times over.
    """
    schema = curated_schema("ratings", source, 0.0)
    return [f.name for f in schema.feature if not f.name.startswith(("history_", "seen_"))]

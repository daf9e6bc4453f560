"""What a training reads once, and its windows, which it reads round by round."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import tensorflow as tf

from components.examples.catalogue import Catalogue, read_catalogue
from components.model.parsing import Lookup
from components.trainer import gather, popularity, windows
from components.trainer.job import Job
from components.trainer.rounds import Rounds
from schemas.features import POSTER


class TrainingData(NamedTuple):
    """What is read once, whatever the model's settings are.

    vocabulary: by the name of a feature its values, the most frequent first.
    lookup: tables from names to rows.
    spreads: mean and standard deviation of movies' numbers, by name.
    """

    catalogue: Catalogue
    vocabulary: Mapping[str, list[bytes]]
    lookup: Lookup
    statistics: gather.TrainStatistics
    spreads: Mapping[str, tuple[float, float]] = MappingProxyType({})


def read(job: Job) -> TrainingData:
    """Reads vocabularies and catalogue, and makes one pass over train."""
    names, ignored = job.settings.features, job.settings.model.ignored
    catalogue = read_catalogue(job.catalogue, [*names.movies, POSTER], names.numbers)
    catalogue = catalogue.known_features()
    vocabulary = gather.vocabularies(job.transform_graph, names, ignored)
    texts = [name for name in names.texts if name not in ignored]
    catalogue, terms = catalogue.with_terms(texts, gather.in_train(catalogue, vocabulary))
    vocabulary |= {name: own for name, own in terms.items() if own}
    lookup = gather.make_lookup(catalogue, vocabulary, names)
    statistics = count(job, lookup, len(catalogue))
    spreads = gather.spreads(job.transform_graph, names, vocabulary)
    return TrainingData(catalogue, vocabulary, lookup, statistics, spreads)


def count(job: Job, lookup: Lookup, movies: int) -> gather.TrainStatistics:
    """Sums up what the job learns from; the catalogue has so many movies."""
    until = job.outcome.trained_until
    return gather.count_train(job.windows.serialized(), lookup, movies, until, popularity.DAYS)


def unlearnable(job: Job, train: gather.TrainStatistics) -> dict[str, str]:
    """The tasks that train has nothing to teach of, each with the reason in words."""
    why = train.unrated(job.settings.scale)
    return {"rating": why} if why else {}


def round_windows(job: Job, lookup: Lookup, rounds: Rounds, number: int) -> tf.data.Dataset:
    """The train windows of one round, in its order."""
    training, shards = job.settings.training, len(job.train)
    part = job.windows.shards(rounds.shards(number, shards, training.seed))
    seed = training.seed + 1000 * number
    return windows.windows(part.serialized(), lookup, training.positions, job.window, seed)


def some_windows(job: Job, lookup: Lookup) -> tf.data.Dataset:
    """Train windows, the first of which are a sample."""
    return round_windows(job, lookup, Rounds(1, 1, 1), 0)

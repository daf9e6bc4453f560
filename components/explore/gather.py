"""Counts all shards of an Examples artifact on Apache Beam."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow as tf

from components.example_gen.ipc import load_table, save_table
from components.examples.catalogue import Catalogue, read_catalogue
from components.examples.paths import listed, split_files
from components.explore.cubes import Cubes, count, merge
from components.explore.reading import read_partition, shards
from schemas.artifacts import CATALOGUE
from schemas.source import Source


@dataclass(frozen=True)
class Artifacts:
    """The folders of the Examples and of the catalogue, and the source they were made of."""

    examples: str
    catalogue: str
    source: Source

    def movies(self) -> Catalogue:
        """The catalogue, with the features of the source, and of texts their terms."""
        files = split_files(self.catalogue, CATALOGUE)
        features = self.source.features
        catalogue = read_catalogue(files, features.movies, features.numbers)
        everything = np.ones(len(catalogue), bool)
        return catalogue.with_terms(features.texts, everything)[0]

    def ids(self) -> pa.LargeBinaryArray:
        """The ids of the movies, in the catalogue's order."""
        return read_catalogue(split_files(self.catalogue, CATALOGUE)).ids


class Count(beam.DoFn):
    """Name of a shard -> its cubes."""

    def __init__(self, artifacts: Artifacts) -> None:
        self._artifacts = artifacts

    def setup(self) -> None:
        """Loads the catalogue's ids."""
        self._movies = self._artifacts.ids()

    def process(self, shard: str) -> Iterator[Cubes]:
        """Counts one shard of every split."""
        artifacts, source = self._artifacts, self._artifacts.source
        partition = read_partition(artifacts.examples, shard, source, self._movies)
        yield count(partition, source.scale)


def gather(artifacts: Artifacts, work: str, beam_args: Sequence[str]) -> Cubes:
    """Counts every shard and adds the counts up.

    Args:
      artifacts: what to count.
      work: a folder that all workers can write to; what is left there is removed.
      beam_args: options of Beam.
    """
    tf.io.gfile.makedirs(work)
    try:
        with beam.Pipeline(argv=list(beam_args)) as pipeline:
            _ = (
                pipeline
                | "Shards" >> beam.Create(shards(artifacts.examples))
                | "Balance" >> beam.Reshuffle()
                | "Count" >> beam.ParDo(Count(artifacts))
                # There is at least one shard, so there is always something to add up.
                | "Merge" >> beam.CombineGlobally(_merged).without_defaults()
                | "Save" >> beam.Map(_save, work)
            )
        paths = {path.rsplit("/", 1)[1]: path for path in listed(f"{work}/*.arrow")}
        return {name.removesuffix(".arrow"): load_table(path) for name, path in paths.items()}
    finally:
        tf.io.gfile.rmtree(work)


def _merged(parts: Sequence[Cubes]) -> Cubes:
    return merge(list(parts))


def _save(cubes: Cubes, work: str) -> None:
    for name, table in cubes.items():
        save_table(table, f"{work}/{name}.arrow")

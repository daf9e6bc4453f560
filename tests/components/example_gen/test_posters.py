"""A poster goes from the source's table to the exported catalogue, and to no rating Example."""

from dataclasses import replace
from pathlib import Path

import pytest
import tensorflow as tf

from components.examples.catalogue import read_catalogue
from components.exported.catalogue import Catalogue
from components.validation.curated import curated_schema
from schemas.features import POSTER
from schemas.source import Source
from tests.components.example_gen.small_data import make, read_splits, small_source, write_tables


def source_with_posters() -> Source:
    content = small_source().model_dump()
    content["movies"]["columns"]["poster"] = "picture"
    return Source(**content)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("posters")
    data = write_tables(made / "data")
    header, *rows = (data / "movies.csv").read_text().splitlines()
    pictures = ["", *(f"film {number}.jpg" for number in range(1, len(rows)))]
    lines = [f"{row},{picture}" for row, picture in zip(rows, pictures, strict=True)]
    (data / "movies.csv").write_text("\n".join([f"{header},picture", *lines, ""]))
    make(data, made, source_with_posters())
    return made


def test_the_catalogue_has_them_and_no_rating_repeats_them(folder: Path) -> None:
    files = sorted(tf.io.gfile.glob(f"{folder}/catalogue/*/*"))
    movies = read_catalogue(files, [POSTER]).known_features()
    named = dict(zip(movies.ids.to_pylist(), movies.values(POSTER), strict=True))
    assert named[b"1"] == [] and named[b"2"] == [b"film 1.jpg"]
    examples = [one for own in read_splits(folder).values() for one in own]
    assert examples and not any(POSTER in one for one in examples)


def test_the_schema_knows_them_where_the_source_names_any() -> None:
    for source, there in ((source_with_posters(), True), (small_source(), False)):
        schema = curated_schema("catalogue", source, 0.1)
        assert (POSTER in {feature.name for feature in schema.feature}) == there


def test_what_is_exported_names_them(make_facts) -> None:
    facts = make_facts(movies=3)
    assert not hasattr(Catalogue(facts), POSTER)
    named = [[b"a.jpg"], [], [b"https://b.example/c.jpg"]]
    shown = (
        Catalogue(replace(facts, values={**facts.values, POSTER: named})).poster.numpy().tolist()
    )
    assert shown == [b"a.jpg", b"", b"https://b.example/c.jpg"]

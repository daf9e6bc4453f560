"""Lists limited to values of categories, held against plain sets."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from components.exported.catalogue import Catalogue
from components.exported.categories import Categories

MOVIES = 6
TEXT = st.binary(max_size=3) | st.sampled_from([b"", b"=", b"a=b", b"\n", b"\xff=", b"Jan"])
OWN = st.lists(st.lists(TEXT, max_size=3), min_size=MOVIES, max_size=MOVIES)
CATEGORIES = st.dictionaries(st.sampled_from(["country", "genres", "lead"]), OWN, min_size=1)


@st.composite
def wished(draw):
    """Categories, and wishes of two people for values that there are and that there are not."""
    values = draw(CATEGORIES)
    there = [(name, value) for name, own in values.items() for some in own for value in some]
    one = st.tuples(st.sampled_from([*values, "studio"]), TEXT)
    wish = st.none() | (st.sampled_from(there) | one if there else one)
    return values, draw(st.lists(st.lists(wish, min_size=3, max_size=3), min_size=2, max_size=2))


@given(wished())
def test_a_movie_fits_by_any_value_of_each_category_that_is_named(drawn):
    values, people = drawn
    found = Categories(values, {}).fitting(
        tf.constant(
            [
                [wish[0].encode() + b"=" + wish[1] if wish else b"" for wish in wishes]
                for wishes in people
            ]
        )
    )
    for row, wishes in enumerate(people):
        named = [wish for wish in wishes if wish]
        for movie in range(MOVIES):
            fits = all(
                any((name, value) in named for value in values.get(name, [[]] * MOVIES)[movie])
                for name, _ in named
            )
            assert bool(found[row, movie]) == fits


def test_no_wish_leaves_all_and_no_category_none():
    nothing = Categories({}, {})
    assert nothing.fitting(tf.zeros([2, 0], tf.string)).shape == (2, 0)
    some = Categories({"lead": [[b"Jan"], []]}, {})
    assert some.fitting(tf.zeros([3, 0], tf.string)).numpy().all()
    assert some.fitting(tf.constant([[""], ["lead=Jan"]])).numpy().tolist() == [
        [True, True],
        [True, False],
    ]


@pytest.fixture
def facts(valued_facts):
    lead = [[b"Jan" if i % 2 else b"Ada"] for i in range(12)]
    values = {**valued_facts.values, "lead": lead, "plot": [[b"word"]] * 12}
    return dataclasses.replace(valued_facts, values=values, categories=("genres", "lead", "mood"))


def test_the_catalogue_holds_what_the_source_calls_a_category(facts):
    categories = Catalogue(facts, {"lead": "lead role"}).categories
    assert categories.names.numpy().tolist() == [b"genres", b"lead", b"mood"]
    assert categories.labels.numpy().tolist() == [b"genres", b"lead role", b"mood"]
    assert b"plot=word" not in categories.values.numpy()
    counts = np.bincount(categories.value_rows.numpy())
    assert dict(zip(categories.values.numpy(), counts, strict=True)) == {
        b"genres=Comedy": 4, b"genres=Drama": 8, b"lead=Ada": 6, b"lead=Jan": 6,
    }  # fmt: skip

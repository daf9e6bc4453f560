"""Texts as their terms."""

import re
from collections import Counter
from itertools import pairwise
from math import log

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from components.examples.terms import KEPT, frequent_terms

WORDS = st.sampled_from(["a", "Film", "noir", "ÉTÉ", "x1"])
TEXTS = st.lists(st.tuples(st.lists(WORDS, max_size=8).map(", ".join), st.booleans()), max_size=12)


def found_in(texts, counted=None, most=100):
    lists = pa.array([[text.encode()] if text else [] for text in texts],
                     pa.list_(pa.large_binary()))  # fmt: skip
    counted = np.ones(len(texts), bool) if counted is None else np.array(counted, bool)
    terms, vocabulary = frequent_terms(lists, counted, most)
    return terms.to_pylist(), vocabulary


def test_words_and_pairs_are_in_lower_case_and_what_is_everywhere_says_nothing():
    terms, vocabulary = found_in(["The Old man, the OLD sea", "old Man?", "the sea.", "the", ""])
    assert set(vocabulary) == {b"the", b"old", b"man", b"sea", b"old man"}
    assert vocabulary[0] == b"the"
    assert set(terms[1]) == {b"old", b"man", b"old man"}
    assert terms[4] == []
    terms, _ = found_in(["the cat", "the cat", "the dog", "the dog"])
    assert [set(own) for own in terms[::2]] == [{b"cat", b"the cat"}, {b"dog", b"the dog"}]


def test_what_weighs_most_comes_first():
    terms, _ = found_in(["rare rare usual", "rare", "usual", "usual", "none"])
    assert terms[0] == [b"rare", b"usual"]


@given(TEXTS, st.integers(1, 12))
def test_terms_agree_with_a_count_in_plain_python(drawn, most):
    texts, counted = [text for text, _ in drawn], [own for _, own in drawn]
    bags = []
    for text in texts:
        words = re.findall(r"\w+", text.lower())
        bags.append(Counter([*words, *map(" ".join, pairwise(words))]))
    often = Counter(term for bag, own in zip(bags, counted, strict=True) if own for term in bag)
    terms, vocabulary = found_in(texts, counted, most)
    known = {term.decode() for term in vocabulary}
    assert len(known) == len(vocabulary)
    numbers = [often[term.decode()] for term in vocabulary]
    telling = [n for n in often.values() if 2 <= n < sum(counted)]
    assert numbers == sorted(telling, reverse=True)[:most]
    for bag, own in zip(bags, terms, strict=True):
        weights = {
            t.encode(): n * log(sum(counted) / often[t]) for t, n in bag.items() if t in known
        }
        assert {*own} <= weights.keys() and len(own) == min(KEPT, len(weights))
        assert sorted(weights.values(), reverse=True)[: len(own)] == [weights[t] for t in own]

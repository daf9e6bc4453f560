"""Texts as the terms that say most of them: words and pairs of words, by tf-idf (Salton, 1988)."""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from components.examples.arrow import filled

TERMS = 5000  # of the vocabulary: those in the most texts
KEPT = 12  # of each text, those that tell it most from others: more would make steps much longer
_FEWEST = 2  # texts that have a term: one that is in a single text says nothing of another
_TEXT = pa.large_binary()
Int64s = NDArray[np.int64]


class _Bag(NamedTuple):
    """What is in which text, each once: text and term ascending, int64 [pairs], and how often."""

    text: Int64s
    term: Int64s
    times: Int64s


def frequent_terms(
    texts: pa.Array, counted: NDArray[np.bool_], most: int = TERMS
) -> tuple[pa.ListArray, list[bytes]]:
    """The terms that stand for texts, in lower case.

    Args:
      texts: lists of large_binary [texts], UTF-8: what lies in one list is one text.
      counted: bool [texts], whether the vocabulary and the weights are of a text.
      most: terms of the vocabulary.

    Returns:
      Lists of large_binary [texts], the terms that weigh most in each, and the vocabulary: all
      terms, the most frequent first, but for those of one text or of every one. A term weighs as
      often as it is there, times the log of one over the share of counted texts that have it.
    """
    owner, codes, words = _words(texts)
    single = _bag(owner, codes)
    often = np.bincount(single.term[counted[single.text]], minlength=len(words))
    # A pair is in no more texts than its words are: those of rare words cannot be frequent enough.
    telling = often[often < counted.sum()]
    least = max(_FEWEST, np.sort(telling)[-most] if len(telling) > most else 0)
    pair_owner, pair_codes, pairs = _pairs(owner, codes, often >= least, least)
    both = _bag(pair_owner, pair_codes)
    bag = _Bag(*(np.concatenate(own) for own in (
        (single.text, both.text), (single.term, both.term + len(words)),
        (single.times, both.times),
    )))  # fmt: skip
    number = len(words) + len(pairs)
    found = np.bincount(bag.term[counted[bag.text]], minlength=number)
    chosen = np.argsort(-found, kind="stable")
    chosen = chosen[(found[chosen] >= _FEWEST) & (found[chosen] < counted.sum())][:most]
    idf = np.log(max(counted.sum(), 1) / np.maximum(found, 1))
    kept = _heaviest(bag, np.isin(np.arange(number), chosen), idf)
    lengths = np.bincount(kept.text, minlength=len(texts))
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
    places = np.zeros(number, np.int64)
    places[chosen] = np.arange(len(chosen))
    names = _names(chosen, words, pairs)
    terms = names.take(pa.array(places[kept.term]))
    return pa.ListArray.from_arrays(offsets, terms), filled(names)


def _words(texts: pa.Array) -> tuple[Int64s, Int64s, pa.Array]:
    """The text and the code of each word, in order, and the words by code (large_binary)."""
    rows = pc.list_parent_indices(texts).to_numpy().astype(np.int64)
    lower = pc.utf8_lower(pc.list_flatten(texts).cast(pa.large_string()))
    split = pc.split_pattern_regex(lower, r"[^\pL\pN]+")
    owner = rows[pc.list_parent_indices(split).to_numpy()]
    words = pc.list_flatten(split)
    there = pc.not_equal(words, "").to_numpy(zero_copy_only=False)
    encoded = words.filter(pa.array(there)).dictionary_encode()
    codes = encoded.indices.to_numpy().astype(np.int64)
    return owner[there], codes, encoded.dictionary.cast(_TEXT)


def _pairs(
    owner: Int64s, codes: Int64s, usual: NDArray[np.bool_], least: int
) -> tuple[Int64s, Int64s, Int64s]:
    """The usual words that follow one another, as pairs that do so at `least` so many times.

    Returns the text and the code of each, and the pairs by code: both words' in one number.
    """
    first, second = codes[:-1], codes[1:]
    kept = (owner[:-1] == owner[1:]) & usual[first] & usual[second]
    pairs, place, times = np.unique(
        first[kept] * len(usual) + second[kept], return_inverse=True, return_counts=True
    )
    often = times >= least
    there = often[place]
    return owner[:-1][kept][there], (np.cumsum(often) - 1)[place[there]], pairs[often]


def _names(terms: Int64s, words: pa.Array, pairs: Int64s) -> pa.Array:
    """What terms are called: codes of words, and behind them those of pairs."""
    is_pair = terms >= len(words)
    first, second = np.divmod(pairs[terms[is_pair] - len(words)], max(len(words), 1))
    codes = terms.copy()
    codes[is_pair] = first
    one, behind = words.take(pa.array(codes)), words.take(pa.array(second))
    both = pc.binary_join_element_wise(
        one.filter(pa.array(is_pair)), behind, pa.scalar(b" ", _TEXT)
    )
    return pc.replace_with_mask(one, pa.array(is_pair), both)


def _bag(owner: Int64s, codes: Int64s) -> _Bag:
    width = int(codes.max(initial=0)) + 1
    keys, times = np.unique(owner * width + codes, return_counts=True)
    text, term = np.divmod(keys, width)
    return _Bag(text, term, times)


def _heaviest(bag: _Bag, chosen: NDArray[np.bool_], idf: NDArray[Any]) -> _Bag:
    """Of each text the `KEPT` terms that weigh most, and anything at all, in that order."""
    weight = bag.times * idf[bag.term]
    places = np.flatnonzero(chosen[bag.term] & (weight > 0))
    order = places[np.lexsort((bag.term[places], -weight[places], bag.text[places]))]
    text = bag.text[order]
    first = np.searchsorted(text, text, side="left")
    order = order[np.arange(len(order)) - first < KEPT]
    return _Bag(bag.text[order], bag.term[order], bag.times[order])

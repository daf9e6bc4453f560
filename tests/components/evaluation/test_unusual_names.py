"""Names of every kind that there is are picked, and not many."""

import unicodedata

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from components.evaluation.unusual_names import MARKS, PATTERNS, pick_names

names = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), unique=True)
KINDS = [
    lambda name: not name.isascii(),
    lambda name: any(ord(c) >= 0x10000 for c in name),
    lambda name: any(unicodedata.category(c) == "Cc" for c in name),
    lambda name: name in (".", ".."),
    lambda name: any(c in "\t\n\f\r" or unicodedata.category(c)[0] == "Z" for c in name),
    *((lambda name, mark=mark: mark in name) for mark in MARKS),
]


@given(names)
def test_one_of_each_kind_is_picked(given_names):
    found = pick_names(pa.array([name.encode() for name in given_names], pa.large_binary()))
    there = [name for name in given_names if name]
    assert {*found} <= {*there} and len({*found}) == len(found)
    assert len(found) <= len(PATTERNS) + len(MARKS) + 2
    for is_one in KINDS:
        assert any(map(is_one, found)) == any(map(is_one, there))
    for extreme in (min, max):
        sizes = [len(name.encode()) for name in there]
        assert not there or extreme(sizes) in [len(name.encode()) for name in found]


def test_letters_from_right_to_left_combining_marks_and_edges_are_kinds():
    plain = [f"plain {n}" for n in range(100)]
    strange = ["أفلام", "e\u0301", "a ", "\u3000a", "100%25", "007"]
    found = pick_names(pa.array([name.encode() for name in plain + strange], pa.large_binary()))
    assert {"أفلام", "e\u0301", "a ", "100%25", "007"} <= {*found}
    assert found[0] == "أفلام"  # the strangest first

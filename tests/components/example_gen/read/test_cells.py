"""What is said of cells that cannot be read."""

import pytest

from components.example_gen.read import cells
from components.example_gen.read.cells import CellCounts
from components.example_gen.read.null_ids import NullIds
from components.example_gen.read.records import Record
from schemas.source import load_source

REASONS = sorted(cells._ADVICE)


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_is_one_plain_sentence(reason: str) -> None:
    counts = CellCounts("users", ["age"], NullIds(load_source("movielens-100k")))
    counts.add(Record("u.user", 3, {"age": "old"}), {}, {"age": reason})
    (sentence,) = counts.findings(0.0)
    assert sentence.startswith("users.age: 1 of 1 cells cannot be read, the first in u.user:3: ")
    assert sentence.endswith(".") and "  " not in sentence and "\n" not in sentence

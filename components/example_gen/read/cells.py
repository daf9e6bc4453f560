"""Counts the cells that features are made of: what they gave, and which could not be read."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from components.example_gen.read import problems
from components.example_gen.read.null_ids import NullIds
from components.example_gen.read.problems import SAMPLE_CHARACTERS, Sample
from components.example_gen.read.records import Record
from components.examples.rows import UnreadableCells
from schemas.errors import UserError

_MANY = 100  # rows from which on the number of different values means something
_ENOUGH = 20  # rows from which on a column that gives nothing is a mistake, and no accident
_USUAL_MISSES = 0.2  # share of the cells in which a pattern may well find nothing
_MARKS = ("|", ",", ";", "/", "\t")
_ADVICE = {
    problems.UNREADABLE_FLAG: "yes and no are 1 and 0, true and false, t and f, yes and no, y and "
    "n, on and off, x and nothing; name other words for nothing under nulls",
    problems.UNREADABLE_YEAR: "a year has one to four digits; give a pattern that finds it, such "
    r"as '(\d{4})'",
    problems.UNREADABLE_AGE: "with in_years an age is a number of years; leave it out where "
    "the column holds groups of ages",
    problems.NO_NUMBER: "a number has a point and no comma; name words for nothing under nulls, or "
    "give a pattern that finds the number",
    problems.NO_DATE: "set format to how the column writes days, such as '%d.%m.%Y'",
    problems.UNMAPPED_VALUE: "add it to values, where it stays as it is for now",
    problems.NO_MATCH: "the pattern finds nothing in it",
    problems.NULL_WORD: "name it under nulls, or it is a word like any other",
}


@dataclass
class CellCounts:
    """What was counted in one table: good rows, what they gave each feature, and what was wrong.

    `faults` counts, by column and reason, cells that hold something which cannot be read; `first`
    has the first of each. `marks` counts the cells that hold a sign that may separate their values,
    by feature; `separators` are those that should. `values` are the different values of each of the
    `single` features, which have one; of numbers no more than two.
    """

    table: str
    declared: Sequence[str]
    nulls: NullIds
    separators: Mapping[str, str] = field(default_factory=dict)
    single: Collection[str] = ()
    rows: int = 0
    gave: Counter[str] = field(default_factory=Counter)
    faults: Counter[tuple[str, str]] = field(default_factory=Counter)
    first: dict[tuple[str, str], Sample] = field(default_factory=dict)
    marks: Counter[tuple[str, str]] = field(default_factory=Counter)
    values: dict[str, set[Any]] = field(default_factory=lambda: defaultdict(set))

    def add(self, record: Record, features: Mapping[str, Any], faults: Mapping[str, str]) -> None:
        """Counts a row: the features that it gave, and by column the reasons that it did not."""
        faults = {**self._null_words(record.cells), **faults}
        self.rows += 1
        given = (name for name, value in features.items() if value or isinstance(value, float))
        good = [name for name in given if name not in faults]
        self.gave.update(good)
        for name in good:
            if name in self.single and not self._enough(features[name], self.values[name]):
                self.values[name].add(features[name])
        for column, reason in faults.items():
            self.faults[column, reason] += 1
            text = record.cells[column][:SAMPLE_CHARACTERS]
            sample = Sample(reason, record.path, record.line, text)
            self.first.setdefault((column, reason), sample)
        for name, separator in self.separators.items():
            if cell := record.cells[name]:
                self.marks.update((name, mark) for mark in {*_MARKS, separator} if mark in cell)

    @staticmethod
    def _enough(value: Any, values: set[Any]) -> bool:
        """Whether another value of a feature says nothing more: of numbers two are enough."""
        return isinstance(value, float) and len(values) > 1

    def _null_words(self, cells: Mapping[str, str]) -> dict[str, str]:
        named = (name for name, cell in cells.items() if cell in self.nulls)
        return {name: problems.NULL_WORD for name in named if not name.endswith("_id")}

    def report(self) -> list[UnreadableCells]:
        """Unreadable cells by column and reason, each with the first of them; JSON."""
        return [
            {
                "column": f"{self.table}.{column}",
                "reason": reason,
                "cells": number,
                "of": self.rows,
                "first": {"file": first.path, "line": first.line, "text": first.text},
            }
            for (column, reason), number in sorted(self.faults.items())
            for first in [self.first[column, reason]]
        ]

    def check(self, most: float) -> None:
        """Stops a run whose description of a column cannot be right.

        Args:
          most: the share of a flag's cells that may be neither yes nor no.

        Raises:
          UserError: a column is unreadable in all of its rows, or too many flags are.
        """
        for (column, reason), number in self.faults.items():
            nothing = not self.gave[column.split(".")[0]] and self.rows >= _ENOUGH
            if nothing or (reason == problems.UNREADABLE_FLAG and number > most * self.rows):
                raise UserError(self._unreadable(column, reason, number))

    def findings(self, most: float) -> list[str]:
        """What to know of the columns before training, a sentence each.

        Args:
          most: the share of unreadable cells above which a column is told.
        """
        return [
            *self._many(most), *self._empty(), *self._other_marks(), *self._constant(),
            *self._nearly_ids(),
        ]  # fmt: skip

    def _many(self, most: float) -> Iterator[str]:
        for (column, reason), number in sorted(self.faults.items()):
            usual = max(most, _USUAL_MISSES) if reason == problems.NO_MATCH else most
            if number > usual * self.rows:
                yield self._unreadable(column, reason, number)

    def _empty(self) -> Iterator[str]:
        faulty = {column.split(".")[0] for column, _ in self.faults}
        for name in self.declared:
            if self.rows >= _ENOUGH and not self.gave[name] and name not in faulty:
                yield f"{self.table}.{name}: none of {self.rows:,} rows gives anything."

    def _other_marks(self) -> Iterator[str]:
        """Says so where no cell holds the separator, and a fifth hold another common one."""
        for name, separator in self.separators.items():
            counts = {mark: self.marks[name, mark] for mark in _MARKS}
            often = max(counts, key=counts.__getitem__)
            many = counts[often] >= max(1, _USUAL_MISSES * self.gave[name])
            if many and not self.marks[name, separator]:
                yield (
                    f"{self.table}.{name}: no cell holds the separator {separator!r}, and "
                    f"{counts[often]:,} of {self.gave[name]:,} hold {often!r}: set "
                    f"{name}.separator if that is what stands between them."
                )

    def _constant(self) -> Iterator[str]:
        for name, values in self.values.items():
            if len(values) == 1 and self.gave[name] >= _MANY:
                (value,) = values
                text = f"{value:g}" if isinstance(value, float) else repr(value)
                yield (
                    f"{self.table}.{name}: all {self.gave[name]:,} known values are {text}: what "
                    "never differs teaches nothing, so take the feature out."
                )

    def _nearly_ids(self) -> Iterator[str]:
        """Says so where a category has more values than half of the rows that give one."""
        for name, values in self.values.items():
            number, rows = len(values), self.gave[name]
            if rows >= _MANY and number > rows / 2:
                yield (
                    f"{self.table}.{name}: {number:,} different values in {rows:,} rows are rather "
                    "ids than categories, of which little can be learned: take the feature out, or "
                    "set its kind to what it is, such as number, date or text."
                )

    def _unreadable(self, column: str, reason: str, number: int) -> str:
        first = self.first[column, reason]
        return (
            f"{self.table}.{column}: {number:,} of {self.rows:,} cells cannot be read, the first "
            f"in {first.path}:{first.line}: {first.text!r}; {_ADVICE[reason]}."
        )

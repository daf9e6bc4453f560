"""Finds the columns of the file that says who saw, bought or rated what."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow.compute as pc

from components.guess.marks import guess_marks
from components.guess.names import Role, is_id, rank, role, says
from components.guess.sample import Column, Sample
from components.guess.times import guess_times
from components.guess.told import Section, Told

_NEVER_RATINGS = ("user", "item", "title", "genres")
_MOST_UNNAMED = 101  # different values of a column without a name that may be ratings


@dataclass(frozen=True)
class Events:
    """Which columns of a file are which; `time` and `marks` say how they are read."""

    sample: Sample
    user: Column
    item: Column
    why: dict[str, str] = field(default_factory=dict)
    rating: Column | None = None
    marks: Section = field(default_factory=dict)
    timestamp: Column | None = None
    time: Told | None = None
    unread: tuple[str, ...] = ()

    def section(self) -> Section:
        """The `ratings` of a source, but for its files."""
        chosen = {"user_id": self.user, "movie_id": self.item, "rating": self.rating,
                  "timestamp": self.timestamp}  # fmt: skip
        columns: Section = {
            ours: Told(column.name, self.why.get(ours, ""))
            for ours, column in chosen.items()
            if column is not None
        }
        told: Section = {**self.sample.section, "columns": columns}
        if self.timestamp and self.time and not self.timestamp.timed:
            told["timestamp"] = self.time
        return {**told, **{key: part for key, part in self.marks.items() if key != "scale"}}


def find_events(sample: Sample) -> Events | None:
    """The columns of a file of events; None where it lacks users or what they saw."""
    free = list(sample.columns.values())
    timestamp, time = _timestamp(sample, free)
    free = [column for column in free if column is not timestamp]
    rating, marks = _rating(sample, free)
    free = [column for column in free if column is not rating]
    keys = [column for column in free if column.distinct >= 2 and not _is_empty(column)]
    user = _named(keys, "user", sample.named)
    item, same = _item([key for key in keys if key is not user])
    if user is None or item is None:
        if sample.named and not (rating and timestamp):
            return None
        user, item = _unnamed(keys, user, item)
        if user is None or item is None:
            return None
    used = (user, item, rating, timestamp)
    unread = tuple(name for name, column in sample.columns.items() if column not in used)
    why = {
        "user_id": f"{user.distinct:,} different values in {sample.rows:,} rows",
        "movie_id": f"{item.distinct:,} different values{same}",
    }
    if rating is None:
        marks = {}
    return Events(sample, user, item, why, rating, marks, timestamp, time, unread)


def _is_empty(column: Column) -> bool:
    return len(column.filled) < 0.5 * len(column.cells)


def _named(columns: Sequence[Column], wanted: Role, named: bool) -> Column | None:
    """The column whose name says most surely that it is of this role."""
    fitting = [column for column in columns if named and says(column.name, wanted)]
    return min(
        fitting,
        key=lambda column: (not is_id(column.name), *rank(column.name, wanted)),
        default=None,
    )


def _timestamp(sample: Sample, columns: Sequence[Column]) -> tuple[Column | None, Told | None]:
    fitting = [column for column in columns if sample.named and says(column.name, "time")]
    fitting.sort(key=lambda column: rank(column.name, "time"))
    others = [column for column in columns if column not in fitting]
    # Where the columns have no names, the time is behind the rest.
    for column in [*fitting, *(others[::-1] if not sample.named else others)]:
        keyed = sample.named and (says(column.name, "user") or says(column.name, "item"))
        time = guess_times(column) if column in fitting or not keyed else None
        if time is not None:
            return column, time
    return None, None


def _rating(sample: Sample, columns: Sequence[Column]) -> tuple[Column | None, Section]:
    """The column that says how much was liked: by its name, or by words such as up and down."""
    fitting = [column for column in columns if sample.named and says(column.name, "rating")]
    fitting.sort(key=lambda column: rank(column.name, "rating"))
    others = [column for column in columns if column not in fitting]
    if sample.named:
        others = [column for column in others if not is_id(column.name) or column.distinct < 4]
        others = [column for column in others if role(column.name) not in _NEVER_RATINGS]
    else:
        others = others[2:] if len(others) > 2 else []
    for column in [*fitting, *others]:
        marks = guess_marks(column)
        worded = marks is not None and "values" in marks
        few = not sample.named and column.distinct <= _MOST_UNNAMED
        if marks is not None and (column in fitting or worded or few):
            return column, marks
    return None, {}


def _item(columns: Sequence[Column]) -> tuple[Column | None, str]:
    """The column of what was seen; its name rather than its id where each has one of the other."""
    fitting = [column for column in columns if says(column.name, "item")]
    fitting += [
        column for column in columns if column not in fitting and says(column.name, "title")
    ]
    ids = [column for column in fitting if is_id(column.name) and not says(column.name, "title")]
    names = [column for column in fitting if says(column.name, "title")]
    if ids and names and _alike(ids[0], names[0]):
        return names[0], f", one for each {ids[0].name}, so that lists show names"
    chosen = next(iter([*ids, *names, *fitting]), None)
    return chosen, ""


def _alike(left: Column, right: Column) -> bool:
    """Whether each value of the one column goes with one of the other."""
    pairs = pc.binary_join_element_wise(left.cells, right.cells, "\x1f")
    return bool(left.distinct == right.distinct == len(pairs.unique()))


def _unnamed(
    keys: Sequence[Column], user: Column | None, item: Column | None
) -> tuple[Column | None, Column | None]:
    """The first two columns that may be ids, the user's before what was seen."""
    left = [column for column in keys if column is not user and column is not item]
    if user is None and left:
        user = left.pop(0)
    if item is None and left:
        item = left.pop(0)
    return user, item

"""Reads one small table over all of its files: which of its records count, and what is dropped."""

from collections.abc import Callable, Iterator, Sequence

from components.example_gen.read import problems
from components.example_gen.read.cells import CellCounts
from components.example_gen.read.features import Faults, Features, movie_title
from components.example_gen.read.layout import EmptyFile
from components.example_gen.read.null_ids import NullIds
from components.example_gen.read.patterns import EndlessSearch, search
from components.example_gen.read.problems import Problems, check_share
from components.example_gen.read.records import Record, read_records
from schemas.errors import UserError
from schemas.source_tables import Movies, SmallTable, Users


class TableReader:
    """Reads one table: `problems` says what was dropped, `lost` the ids of those rows.

    The records are those that have an id of their own, and a title if they are movies. Of an id's
    records the newest file's counts, and within a file the first: only a second one there is a
    problem.
    """

    def __init__(
        self, table: SmallTable, paths: Sequence[str], most_bad: float, nulls: NullIds
    ) -> None:
        self.problems = Problems()
        self.lost: set[str] = set()
        self.paths = paths
        self._table, self._most_bad, self._nulls = table, most_bad, nulls
        self._key = "user_id" if isinstance(table, Users) else "movie_id"

    def records(self) -> Iterator[Record]:
        """The records that count, file by file."""
        elsewhere: set[str] = set()
        empty, good = None, 0
        for path in reversed(self.paths):
            here: set[str] = set()
            try:
                for record in self._good(path, here):
                    good += 1
                    if record.cells[self._key] not in elsewhere:
                        yield record
            except EmptyFile as error:
                empty = empty or error
                self.problems.empty += 1
            elsewhere |= here
        if empty and self.problems.empty == len(self.paths):
            raise empty
        check_share(self.problems, good, self._most_bad)

    def features(
        self, cells: CellCounts, read: Callable[[dict[str, str], Faults], Features]
    ) -> Iterator[tuple[Record, Features]]:
        """The records with their features, counted in `cells`."""
        for record in self.records():
            faults: Faults = {}
            try:
                features = read(record.cells, faults)
            except EndlessSearch as error:
                raise UserError(f"{record.path}:{record.line}: {error}?") from error
            cells.add(record, features, faults)
            yield record, features

    def text(self, record: Record) -> str:
        """About the text that the record has in its file."""
        return self._table.separator.join(record.cells.values())

    def _good(self, path: str, seen: set[str]) -> Iterator[Record]:
        for record in read_records(self._table, [path], self.problems, self.lost):
            name = record.cells[self._key]
            try:
                reason = self._fault(record, seen)
            except EndlessSearch as error:
                raise UserError(f"{record.path}:{record.line}: {error}?") from error
            if not reason:
                seen.add(name)
                yield record
                continue
            self.problems.add(reason, record.path, record.line, self.text(record))
            if reason != problems.DUPLICATE_ID:
                self.lost.add(name)

    def _fault(self, record: Record, seen: set[str]) -> str:
        name, table = record.cells[self._key], self._table
        if not name or (isinstance(table, Movies) and not movie_title(record.cells)):
            return problems.MISSING_FIELD
        if name in self._nulls:
            return problems.NULL_ID
        if len(name.encode()) > problems.LONGEST_ID:
            return problems.LONG_ID
        if isinstance(table, Movies) and table.id_pattern and not search(table.id_pattern, name):
            return problems.MALFORMED_ID
        return problems.DUPLICATE_ID if name in seen else ""

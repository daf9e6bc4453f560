"""Words for 'nothing' where an id belongs: all such rows would become one huge user or movie."""

import pyarrow as pa
import pyarrow.compute as pc

from schemas.source import Source

# What databases, spreadsheets, pandas, R, Spark, JavaScript and people write for no value.
_WORDS = (
    r"\n", "nan", "nat", "null", "(null)", "<null>", "[null]", "none", "(none)", "<none>", "nil",
    "n/a", "#n/a", "na", "<na>", "n.a.", "undefined", "missing", "-", "--", "---", "?", ".",
)  # fmt: skip
_DIGITS = b"0123456789"


class NullIds:
    """Recognises these words in any case, but for those that the source says are ids."""

    def __init__(self, source: Source) -> None:
        self._words = frozenset(_WORDS) - {word.lower() for word in source.real_ids}
        self._array = pa.array(sorted(self._words), pa.string())

    def __contains__(self, cell: str) -> bool:
        return cell.lower() in self._words

    def among(self, cells: pa.StringArray) -> pa.BooleanArray | None:
        """Where a cell (string) is such a word; None where all cells are digits."""
        if not _text(cells).translate(None, _DIGITS):
            return None
        return pc.is_in(pc.utf8_lower(cells), value_set=self._array)


def _text(cells: pa.StringArray) -> bytes:
    """The bytes behind the cells, and maybe some around them."""
    data = cells.buffers()[2]
    return bytes(data) if data else b""

"""Reads lines of JSON, an object each: all at once where they have one form, else one by one."""

import codecs
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from components.example_gen.read import problems as reasons
from components.example_gen.read.blocks import NO_TEXT, Int64s, as_lines, to_utf8
from components.example_gen.read.files import HEAD_BYTES, read_head
from components.example_gen.read.layout import check_text, locate, named_columns
from components.example_gen.read.rows import Cells, Dropped
from components.example_gen.read.typed import as_text, text_of
from components.examples.arrow import filled
from schemas.errors import UserError
from schemas.source_tables import Table

_ARROW: dict[type, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
}


class Form(NamedTuple):
    """What a file's first lines say: where the lines begin, our columns, and likely types."""

    data_start: int
    columns: dict[str, str]
    types: dict[str, pa.DataType]


def plan(table: Table, path: str) -> Form:
    """Reads the start of a file.

    Raises:
      UserError: it is not lines of JSON objects, or none of them has a column of ours.
    """
    head = read_head(path)
    check_text(path, head)
    start = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    columns = named_columns(table, path)
    lines = to_utf8(head[start:], table.encoding).split(b"\n")
    if len(head) >= HEAD_BYTES - start and len(lines) > 1:
        lines.pop()
    rows = [row for row in map(_parsed, lines) if isinstance(row, dict)]
    if not rows:
        whole = head[start:].lstrip()[:1] in b"[{"
        hint = "write one object a line" if whole else "is its name right?"
        raise UserError(f"{path} does not hold a JSON object on each line: {hint}.")
    keys = {key: value for row in rows for key, value in row.items() if value is not None}
    locate(columns, [*dict.fromkeys(key for row in rows for key in row)], path)
    types = {column: _likely(name, keys.get(column)) for name, column in columns.items()}
    return Form(start, columns, types)


def read(text: bytes, form: Form) -> tuple[Cells, Int64s, Dropped]:
    """The cells of all lines that are JSON objects.

    Returns:
      Their cells by our names, the line of each of them (int64), and the others by reason.
    """
    lines = as_lines(text)
    table = _read_at_once(text, form, lines)
    if table is None:
        return _read_each(lines, form)
    columns = {name: table[name].combine_chunks() for name in form.types}
    cells = {name: as_text(columns[column]) for name, column in form.columns.items()}
    return cells, np.arange(len(lines)), []


def objects(lines: pa.Array) -> Iterator[tuple[dict[str, Any] | None, str]]:
    """Each line's object, or none and the reason; blank lines too."""
    for line in filled(lines.cast(pa.binary())):
        row = _parsed(line)
        if isinstance(row, dict):
            yield row, ""
        elif NO_TEXT.encode() in line:
            yield None, reasons.UNDECODABLE_TEXT
        else:
            yield None, "" if not line.strip() else reasons.UNREADABLE_JSON


def cells_of(row: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, str]:
    """A row's cells as text, by our names; '' where it has none."""
    return {name: text_of(row.get(column)) for name, column in columns.items()}


def _read_at_once(text: bytes, form: Form, lines: pa.Array) -> pa.Table | None:
    """The lines as one table, or none where any is not one object of the likely types."""
    if not len(lines):
        return None
    starts, ends = pc.starts_with(lines, "{"), pc.ends_with(lines, "}\n")
    if not (pc.all(starts).as_py() and pc.all(ends).as_py()) or NO_TEXT.encode() in text:
        return None
    try:
        table = pj.read_json(
            pa.py_buffer(text),  # type: ignore[arg-type]  # the stubs leave buffers out
            read_options=pj.ReadOptions(use_threads=False, block_size=len(text) + 1),
            parse_options=pj.ParseOptions(
                explicit_schema=pa.schema(form.types), unexpected_field_behavior="ignore"
            ),
        )
    except pa.ArrowInvalid:
        return None
    return table if len(table) == len(lines) else None


def _read_each(lines: pa.Array, form: Form) -> tuple[Cells, Int64s, Dropped]:
    rows: list[dict[str, str]] = []
    kept: list[int] = []
    lost: dict[str, list[int]] = {}
    for number, (row, reason) in enumerate(objects(lines)):
        if row is not None:
            rows.append(cells_of(row, form.columns))
            kept.append(number)
        elif reason:
            lost.setdefault(reason, []).append(number)
    texts = {name: [row[name] for row in rows] for name in form.columns}
    cells = {name: as_text(pa.array(values, pa.string())) for name, values in texts.items()}
    dropped = [(reason, np.array(numbers)) for reason, numbers in lost.items()]
    return cells, np.array(kept, np.int64), dropped


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _likely(name: str, value: Any) -> pa.DataType:
    kind = _ARROW.get(type(value), pa.string())
    # Where one rating is 4, another may be 4.5.
    return pa.float64() if name == "rating" and kind == pa.int64() else kind

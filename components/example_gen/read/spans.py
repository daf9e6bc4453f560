"""Which spans of data there are, and which files are those of the newest few.

A span is one delivery: a file pattern names it by {SPAN} (a number; {SPAN:3} has leading zeros) or
by a date, {YYYY}, {MM} and {DD}; {VERSION} numbers the deliveries of one span, the newest counts.
"""

import datetime
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import tensorflow as tf

from components.examples.paths import literal
from schemas.errors import UserError

_SPEC = re.compile(r"\{(SPAN|VERSION)(?::(\d+))?\}|\{(YYYY|MM|DD)\}")
_DATE = ("YYYY", "MM", "DD")
_GLOB = {"*": "[^/]*", "?": "[^/]"}
_EPOCH = datetime.date(1970, 1, 1)


class Window(NamedTuple):
    """The newest spans, ascending, and each pattern as it reads in each of them.

    spans: numbers, or days since 1970 where the patterns hold dates; empty where none holds any.
    filled: by pattern, one glob for each span ('' where no file of the span matches); a pattern
        that names no span has one entry, itself.
    """

    spans: list[int]
    filled: dict[str, list[str]]


def names_span(pattern: str) -> bool:
    """Whether the pattern differs from span to span."""
    return _SPEC.search(pattern) is not None


def check_specs(pattern: str) -> None:
    """Raises UserError unless the pattern says fully which span a file is of."""
    names = {match[1] or match[3] for match in _SPEC.finditer(pattern)}
    if names and names - {"VERSION"} not in ({"SPAN"}, set(_DATE)):
        raise UserError(
            f"{pattern}: a span is named by {{SPAN}}, or by {{YYYY}}, {{MM}} and {{DD}} together."
        )


def find_window(base: str, tables: Mapping[str, Sequence[str]], length: int) -> Window:
    """Looks which spans there are, and picks the newest.

    Args:
      base: the data directory.
      tables: alternative patterns by table, relative to `base`.
      length: how many spans at most.

    Raises:
      UserError: there is no span at all, or a table has no file in one of those picked.
    """
    by_pattern = {
        pattern: _found(base, pattern) if names_span(pattern) else {}
        for patterns in tables.values()
        for pattern in patterns
    }
    spanned = {
        name: {span for pattern in patterns for span in by_pattern[pattern]}
        for name, patterns in tables.items()
        if any(map(names_span, patterns))
    }
    spans = sorted(set().union(*spanned.values()))[-length:]
    for name, own in spanned.items():
        _check(base, name, tables[name], own, spans)
    return Window(
        spans,
        {
            pattern: [own.get(span, "") for span in spans] if names_span(pattern) else [pattern]
            for pattern, own in by_pattern.items()
        },
    )


def _check(base: str, table: str, patterns: Sequence[str], own: set[int], spans: list[int]) -> None:
    named = next(filter(names_span, patterns))
    if not spans:
        raise UserError(f"{base} has no {named}: give the folder that holds the spans.")
    missing = [span for span in spans if span not in own]
    if missing:
        raise UserError(
            f"{base} has no {named}, which holds the {table}, for span {missing[-1]}: put all "
            "files of a span there before the run starts."
        )


def _found(base: str, pattern: str) -> dict[int, str]:
    """The spans that the pattern's files are of, each with the pattern filled in."""
    root = base.rstrip("/") + "/"
    newest: dict[int, tuple[int, str]] = {}
    form = _form(pattern)
    for path in tf.io.gfile.glob(f"{literal(base)}/{_SPEC.sub('*', pattern)}"):
        match = form.fullmatch(path.removeprefix(root))
        values = match.groupdict() if match else {}
        span = _number(values)
        if span is not None:
            version = int(values.get("VERSION", 0))
            newest[span] = max(newest.get(span, (-1, "")), (version, _fill(pattern, values)))
    return {span: filled for span, (_, filled) in newest.items()}


def _fill(pattern: str, values: Mapping[str, str]) -> str:
    return _SPEC.sub(lambda spec: values[spec[1] or spec[3]], pattern)


def _form(pattern: str) -> re.Pattern[str]:
    """A regular expression of the paths that a pattern matches."""
    form, at = "", 0
    known: set[str] = set()
    for spec in _SPEC.finditer(pattern):
        form += _plain(pattern[at : spec.start()])
        name, at = spec[1] or spec[3], spec.end()
        digits = spec[2] or {"YYYY": "4", "MM": "2", "DD": "2"}.get(name)
        form += f"(?P={name})" if name in known else rf"(?P<{name}>\d{{{digits or '1,'}}})"
        known.add(name)
    return re.compile(form + _plain(pattern[at:]))


def _plain(text: str) -> str:
    return "".join(_GLOB.get(mark, re.escape(mark)) for mark in text)


def _number(values: Mapping[str, str]) -> int | None:
    """The span that a file's name says; none where it says none, or no day of the calendar."""
    if "SPAN" in values:
        return int(values["SPAN"])
    try:
        day = datetime.date(*(int(values[part]) for part in _DATE))
    except (KeyError, ValueError):
        return None
    return (day - _EPOCH).days

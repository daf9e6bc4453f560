"""Writes a source description as YAML, each reason as a comment above what it led to."""

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence

from components.guess.told import Section, Told, Value

_PLAIN = re.compile(r"[A-Za-z0-9_.\-+*/]([\w .\-+*/()]*[\w.\-+*/()])?", re.ASCII)
_WIDTH = 88


def as_yaml(source: Section, above: Sequence[str]) -> str:
    """The text of a source's file.

    Args:
      source: its keys.
      above: sentences for the top.
    """
    top = [line for sentence in above for line in _comment(sentence, "")]
    return "\n".join([*top, *_lines(source, "")]) + "\n"


def scalar(text: str) -> str:
    """Text as YAML reads it again, in quotes where it means something to YAML."""
    if _PLAIN.fullmatch(text) and text[0] not in "-*" and text != "...":
        return text
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def _lines(section: Section, indent: str) -> Iterator[str]:
    for key, part in section.items():
        if isinstance(part, Told):
            yield from _comment(part.why, indent)
            yield f"{indent}{scalar(key)}: {_value(part.value)}"
        else:
            yield f"{indent}{scalar(key)}:"
            yield from _lines(part, f"{indent}  ")


def _comment(sentence: str, indent: str) -> Iterator[str]:
    # A line end or the like in a file's name would end the comment.
    plain = "".join(c if c.isprintable() else repr(c)[1:-1] for c in sentence)
    for line in textwrap.wrap(plain, _WIDTH - len(indent) - 2, break_on_hyphens=False):
        yield f"{indent}# {line}"


def _value(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return scalar(value)
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{scalar(key)}: {scalar(word)}' for key, word in value.items())}}}"
    return f"[{', '.join(map(scalar, value))}]"

"""Picks names of every kind that the data hold, as some kinds break what passes them on."""

import pyarrow as pa
import pyarrow.compute as pc

from components.examples.arrow import filled
from schemas.text import to_texts

# What has a meaning in a URL, a shell, a file's format, markup or a pattern.
MARKS = "/\\.%#?&+=;:,|\"'`<>[]{}()$*@~^!-_"
PATTERNS = (
    r"[^\x00-\x7F]",
    r"[\x{10000}-\x{10FFFF}]",  # four bytes
    r"[\x{0590}-\x{08FF}\x{FB1D}-\x{FDFF}\x{FE70}-\x{FEFF}]",  # right to left
    r"\p{M}",  # combining
    r"[\p{Cc}\p{Cf}]",  # control and format
    r"^\.\.?$",  # what a path takes for a folder
    r"%[0-9A-Fa-f]{2}",  # what looks escaped
    r"[\p{Z}\s]",
    r"^[\p{Z}\s]|[\p{Z}\s]$",
    r"[\p{Lu}]",
    r"^[0-9]+$",
)


def pick_names(names: pa.Array) -> list[str]:
    """One name of each kind that there is, the strangest first, each once.

    Args:
      names: binary, UTF-8; the first of each kind is taken, the longest and the shortest beside.
    """
    names = names.filter(pc.greater(pc.binary_length(names), 0))
    if not len(names):
        return []
    text, sizes = names.cast(pa.large_string()), pc.binary_length(names)
    masks = [pc.match_substring_regex(text, pattern) for pattern in PATTERNS]
    masks += [pc.match_substring(text, mark) for mark in MARKS]
    masks += [pc.equal(sizes, pc.max(sizes)), pc.equal(sizes, pc.min(sizes))]
    firsts = (filled(names.filter(mask).slice(0, 1)) for mask in masks)
    return to_texts(dict.fromkeys(name for first in firsts for name in first))

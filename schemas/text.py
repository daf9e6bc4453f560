"""Names as text: where the bytes of ids, titles and features become strings, and are printed."""

from collections.abc import Iterable


def to_text(value: bytes) -> str:
    """UTF-8 as the data hold it; what is none, which only a caller can send, shows as a mark."""
    return value.decode("utf-8", "replace")


def to_texts(values: Iterable[bytes]) -> list[str]:
    """Each of some names as text."""
    return [to_text(value) for value in values]


def printable(text: str) -> str:
    """A text with escapes for what would steer a terminal, or turn its letters around."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)

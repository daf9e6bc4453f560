"""How a source may write its times: a unit since 1970, ISO 8601, or a format of directives."""

import re

# Each unit's part of a second.
UNITS = {
    "seconds": 1,
    "milliseconds": 1_000,
    "microseconds": 1_000_000,
    "nanoseconds": 1_000_000_000,
}
ISO = "iso"
_ISO_NAMES = ("iso", "iso8601", "isoformat")
_ZONE = (
    r"(?P<zone>z|utc|gmt|"
    r"(?P<zone_sign>[+-])(?P<zone_hours>\d{2})(?::?(?P<zone_minutes>\d{2}))?)"
)
_ISO_PATTERN = (
    r"(?P<year>\d{4})-?(?P<month>\d{2})-?(?P<day>\d{2})"
    r"(?:[t ](?P<hour>\d{2})(?::?(?P<minute>\d{2})(?::?(?P<second>\d{2})"
    r"(?:[.,](?P<fraction>\d{1,9}))?)?)? ?" + _ZONE + r"?)?"
)
_NUMBER, _WORD = r"(?P<%s>\d{1,2})", r"(?P<%s>[a-z]+)\.?"
_DIRECTIVES = {
    "Y": r"(?P<year>\d{4})",
    "y": r"(?P<short_year>\d{2})",
    "m": _NUMBER % "month",
    **dict.fromkeys("bBh", _WORD % "month_name"),
    **dict.fromkeys("de", " ?" + _NUMBER % "day"),
    "j": r"(?P<day_of_year>\d{1,3})",
    **dict.fromkeys("aA", r"[a-z]+\.?"),
    "H": _NUMBER % "hour",
    "I": _NUMBER % "half_hour",
    "p": r"(?P<half>[ap])\.?m\.?",
    "M": _NUMBER % "minute",
    "S": _NUMBER % "second",
    "f": r"(?P<fraction>\d{1,9})",
    **dict.fromkeys("zZ", _ZONE),
    **dict.fromkeys("nt", r"\s+"),
    "%": "%",
}
_SHORT = {"F": "%Y-%m-%d", "D": "%m/%d/%y", "T": "%H:%M:%S", "R": "%H:%M"}
# Digits that follow one another with nothing between can only be told apart by their number.
_ADJACENT = re.compile(r"%[YymdeHIMSjf]%[YymdeHIMSjf]")


def time_format(value: str) -> str:
    """The unit or format that this is, in the way that `pattern` knows it.

    Raises:
      ValueError: a sentence on why times cannot be read so.
    """
    if value in UNITS:
        return value
    if re.sub(r"[^a-z0-9]", "", value.lower()) in _ISO_NAMES:
        return ISO
    if "%" not in value:
        raise ValueError(
            f"take {', '.join(UNITS)}, iso (ISO 8601) or a date format such as %Y-%m-%d, "
            f"not {value!r}"
        )
    pattern(value)
    return value


def pattern(form: str) -> str:
    """A regular expression, all of its groups named, that finds the parts of a time.

    Args:
      form: `iso`, or a format of strptime's directives, English names and zones by offset or as
        UTC or GMT.

    Raises:
      ValueError: a sentence on why times cannot be read so.
    """
    parts = _ISO_PATTERN if form == ISO else _translated(form)
    return rf"(?i)^{parts}$"


def _translated(form: str) -> str:
    for short, long in _SHORT.items():
        form = form.replace(f"%{short}", long)
    digits = "{2}" if _ADJACENT.search(form) else "{1,2}"
    parts, names = [], []
    for directive, literal in re.findall(r"%(.?)|([^%]+)", form, re.DOTALL):
        if literal:
            parts.append(re.sub(r"(\\?\s)+", " +", re.escape(literal)))
            continue
        if directive not in _DIRECTIVES:
            raise ValueError(f"{form!r} has %{directive}, which cannot be read; {_known()}")
        part = _DIRECTIVES[directive].replace("{1,2}", digits)
        names += re.findall(r"\?P<(\w+)>", part)
        parts.append(part)
    _check(form, names)
    return "".join(parts)


def _check(form: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{form!r} says the {name.replace('_', ' ')} twice")
    year = {"year", "short_year"} & set(names)
    month_and_day = {"month", "month_name"} & set(names) and "day" in names
    if not year or not (month_and_day or "day_of_year" in names):
        raise ValueError(f"{form!r} needs a year, a month and a day, as %Y-%m-%d has")
    if ("half_hour" in names) != ("half" in names):
        raise ValueError(f"{form!r} needs both %I and %p, or %H")


def _known() -> str:
    names = " ".join(f"%{name}" for name in "YymdbBjHIpMSfzZaAFDTR")
    return f"take {names}, or seconds, milliseconds, microseconds or iso"

"""What was dropped while reading, counted by reason and shown by sample."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from schemas.errors import UserError

SAMPLES_PER_REASON = 5
SAMPLE_CHARACTERS = 120
LONGEST_ID = 1000  # bytes; ids are in every Example of their user, in vocabularies and in answers

MISSING_FIELD = "missing_field"
UNREADABLE_NUMBER = "unreadable_number"
UNMAPPED_VALUE = "unmapped_value"
OFF_SCALE = "off_scale"
UNREADABLE_TIMESTAMP = "unreadable_timestamp"
_MISREAD = "timestamp_in_"
UNKNOWN_MOVIE = "unknown_movie"
WRONG_COLUMN_COUNT = "wrong_column_count"
UNDECODABLE_TEXT = "undecodable_text"
UNREADABLE_JSON = "unreadable_json"
# Not in the movies table, for the row that it had there was dropped.
DROPPED_MOVIE = "dropped_movie"
EXACT_DUPLICATE = "exact_duplicate"
SUPERSEDED = "superseded"
NULL_ID = "null_id"
FORGOTTEN = "forgotten"
LONG_ID = "long_id"
# Of the movies, credits, links and users tables only:
MALFORMED_ID = "malformed_id"
DUPLICATE_ID = "duplicate_id"
UNRESOLVED_LINK = "unresolved_link"
UNLINKED_MOVIE = "unlinked_movie"
CREDITS_OF_NO_MOVIE = "credits_of_no_movie"
# Of cells of a row that stays:
UNREADABLE_FLAG = "unreadable_flag"
UNREADABLE_YEAR = "unreadable_year"
UNREADABLE_AGE = "unreadable_age"
NO_NUMBER = "no_number"
NO_DATE = "no_date"
NO_MATCH = "no_match"
NULL_WORD = "null_word"
# Read all the same, with the quote as a part of its cell.
UNPAIRED_QUOTE = "unpaired_quote"


# Reasons that do not say that anything is wrong.
USUAL = (SUPERSEDED, FORGOTTEN, DUPLICATE_ID, CREDITS_OF_NO_MOVIE, UNLINKED_MOVIE)
# What to write in the source where a reason is no fault of the data.
ADVICE = {
    UNREADABLE_NUMBER: "a number has a point and no comma; words get theirs under ratings.values",
    UNMAPPED_VALUE: "give it a number under ratings.values, or name it under ratings.unrated",
    OFF_SCALE: "set the scale, or name under ratings.unrated what stands for 'seen, not rated'",
    NULL_ID: "if it is an id, name it under real_ids",
    LONG_ID: f"an id has at most {LONGEST_ID:,} bytes: name the column that holds it",
    EXACT_DUPLICATE: "where events repeat and have no opinion, leave ratings.columns.rating out",
}


RATING_ROWS = "rating rows"
_EMPTY_RATING = " Where an empty rating says 'seen, not rated', set ratings.unrated: ['']."


def misread_as(form: str) -> str:
    """The reason that times are written in that form, and not in the one that the source says."""
    return f"{_MISREAD}{form}"


@dataclass(frozen=True)
class Sample:
    """One dropped row: `line` counts from 1 within the range that begins at byte `start`.

    So it is the file's own line number where `start` is 0; `resolve_lines` makes all of them so.
    """

    reason: str
    path: str
    line: int
    text: str
    start: int = 0

    def described(self) -> str:
        """The reason and the place."""
        return f"{self.reason} in {self.path}:{self.line}: {self.text!r}"


@dataclass
class Problems:
    """Counts of dropped rows by reason, up to five samples of each, and what stopped the reading.

    `faults` are sentences for a UserError about a file that could not be read to its end; `empty`
    counts files without rows.
    """

    counts: dict[str, int] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    empty: int = 0

    def add(self, reason: str, path: str, line: int, text: str) -> None:
        """Counts one dropped row."""
        self.counts[reason] = self.counts.get(reason, 0) + 1
        if sum(sample.reason == reason for sample in self.samples) < SAMPLES_PER_REASON:
            self.samples.append(Sample(reason, path, line, text[:SAMPLE_CHARACTERS]))

    def merge(self, *others: "Problems") -> "Problems":
        """Adds up all of them, alike in any order and grouping; the first samples are kept."""
        counts: dict[str, int] = {}
        for part in (self, *others):
            for reason, count in part.counts.items():
                counts[reason] = counts.get(reason, 0) + count
        samples = _first(sample for part in (self, *others) for sample in part.samples)
        faults = sorted({fault for part in (self, *others) for fault in part.faults})
        empty = sum(part.empty for part in (self, *others))
        return Problems(dict(sorted(counts.items())), samples, faults, empty)

    def bad(self) -> dict[str, int]:
        """The counts of those reasons that say that something is wrong."""
        return {r: n for r, n in self.counts.items() if r not in USUAL}

    def first(self) -> Sample | None:
        """A sample of the most frequent of the reasons in `bad`."""
        bad = self.bad()
        worst = max(bad, key=lambda reason: bad[reason], default="")
        return next((sample for sample in self.samples if sample.reason == worst), None)


def check_share(problems: Problems, good: int, most: float, what: str = "rows") -> None:
    """Stops the reading of a table where more than this share of its rows is bad.

    Raises:
      UserError: with the first of the rows, and what may help.
    """
    bad, first = sum(problems.bad().values()), problems.first()
    if first and bad > most * (good + bad):
        raise UserError(
            f"{bad:,} of {good + bad:,} {what} ({bad / (good + bad):.1%}) are bad, more than "
            f"split.max_bad_share={most:g} allows; the first: {first.described()}.{hint(first)}"
            f"{_EMPTY_RATING if what == RATING_ROWS and first.reason == MISSING_FIELD else ''}"
        )


def hint(sample: Sample) -> str:
    """What to set in the source where most rows are dropped for this one's reason, if anything."""
    if sample.reason == UNDECODABLE_TEXT:
        return " These bytes are not in the table's encoding: set encoding: latin-1, say."
    if sample.reason == WRONG_COLUMN_COUNT and '\\"' in sample.text:
        return " A quote in a cell is written \\\" there: set escape: '\\'."
    if sample.reason in (WRONG_COLUMN_COUNT, UNPAIRED_QUOTE) and '"' in sample.text:
        return " Is a quote left open there? Mend it, or set quoting: false or multiline: true."
    if sample.reason.startswith(_MISREAD):
        form = sample.reason.removeprefix(_MISREAD)
        return f" Say `timestamp: '{form}'` under ratings in the source."
    advice = ADVICE.get(sample.reason)
    return f" {advice[0].upper()}{advice[1:]}." if advice else ""


def resolve_lines(problems: Problems, lines: Mapping[tuple[str, int], int]) -> Problems:
    """The same with the files' own line numbers.

    Args:
      problems: merged from any ranges.
      lines: how many lines each range has, by (path, start); every range of the sampled files.
    """
    before = {}
    totals: dict[str, int] = {}
    for path, start in sorted(lines):
        before[path, start] = totals.get(path, 0)
        totals[path] = before[path, start] + lines[path, start]
    samples = [
        replace(s, line=s.line + (before[s.path, s.start] if s.start else 0), start=0)
        for s in problems.samples
    ]
    return Problems(dict(problems.counts), samples, list(problems.faults))


def _first(samples: Iterable[Sample]) -> list[Sample]:
    kept: list[Sample] = []
    counts: dict[str, int] = {}
    for sample in sorted(samples, key=lambda s: (s.reason, s.path, s.start, s.line, s.text)):
        counts[sample.reason] = counts.get(sample.reason, 0) + 1
        if counts[sample.reason] <= SAMPLES_PER_REASON:
            kept.append(sample)
    return kept

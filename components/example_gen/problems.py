"""What was dropped while reading, counted by reason and shown by sample."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

SAMPLES_PER_REASON = 5
SAMPLE_CHARACTERS = 120

MISSING_FIELD = "missing_field"
UNREADABLE_NUMBER = "unreadable_number"
UNMAPPED_VALUE = "unmapped_value"
OFF_SCALE = "off_scale"
UNREADABLE_TIMESTAMP = "unreadable_timestamp"
UNKNOWN_MOVIE = "unknown_movie"
WRONG_COLUMN_COUNT = "wrong_column_count"
UNDECODABLE_TEXT = "undecodable_text"
EXACT_DUPLICATE = "exact_duplicate"
SUPERSEDED = "superseded"
NULL_ID = "null_id"
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
NO_MATCH = "no_match"


# What to write in the source where a reason is no fault of the data.
ADVICE = {
    MISSING_FIELD: "where an empty rating says 'seen, not rated', name it under ratings.unrated",
    UNREADABLE_NUMBER: "words for ratings are given numbers under ratings.values",
    UNMAPPED_VALUE: "give it a number under ratings.values, or name it under ratings.unrated",
    OFF_SCALE: "set the scale, or name under ratings.unrated what stands for 'seen, not rated'",
    NULL_ID: "if it is an id, name it under real_ids",
    EXACT_DUPLICATE: "where events repeat and have no opinion, leave ratings.columns.rating out",
}


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


@dataclass
class Problems:
    """Counts of dropped rows by reason, up to five samples of each, and what stopped the reading.

    `faults` are sentences for a UserError about a file that could not be read to its end.
    """

    counts: dict[str, int] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def add(self, reason: str, path: str, line: int, text: str) -> None:
        """Counts one dropped row."""
        self.counts[reason] = self.counts.get(reason, 0) + 1
        if sum(sample.reason == reason for sample in self.samples) < SAMPLES_PER_REASON:
            self.samples.append(Sample(reason, path, line, text[:SAMPLE_CHARACTERS]))

    def merge(self, *others: "Problems") -> "Problems":
        """The sum of all, the same for any order and grouping: the first samples are kept."""
        counts: dict[str, int] = {}
        for part in (self, *others):
            for reason, count in part.counts.items():
                counts[reason] = counts.get(reason, 0) + count
        samples = _first(sample for part in (self, *others) for sample in part.samples)
        faults = sorted({fault for part in (self, *others) for fault in part.faults})
        return Problems(dict(sorted(counts.items())), samples, faults)


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

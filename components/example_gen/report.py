"""What became of the rows: the content of rows.json, and when it has to stop a run."""

from collections.abc import Mapping
from typing import Any

from components.example_gen.config import SplitConfig
from components.example_gen.read.files import read_pieces
from components.example_gen.read.problems import (
    DROPPED_MOVIE,
    RATING_ROWS,
    SUPERSEDED,
    UNKNOWN_MOVIE,
    UNPAIRED_QUOTE,
    Problems,
    Sample,
    check_share,
    hint,
    resolve_lines,
)
from components.example_gen.read.ratings import _POSITION_BITS, Range
from schemas.errors import UserError

_POSITION = (1 << _POSITION_BITS) - 1


def finish_rows(
    report: dict[str, list[dict[str, Any]]],
    files: Mapping[int, Range],
    beside: Problems,
    movies: int,
    empty: int = 0,
) -> dict[str, Any]:
    """Adds up what the graph reported.

    Args:
      report: as `graph.read_report` gives it.
      files: a range of each rating file, by file index.
      beside: rows of the movie and user tables that were dropped.
      movies: how many are in the catalogue.
      empty: how many rating files have no rows.

    Returns:
      The content of rows.json; `read` is `kept` and all that is `dropped`.

    Raises:
      UserError: a file could not be read to its end.
    """
    whole, shards = report["all"][0], report["shards"]
    problems = Problems().merge(*map(_problems, report["ranges"]))
    if problems.faults:
        raise UserError(problems.faults[0])
    lines = {(part["path"], part["start"]): part["lines"] for part in report["ranges"]}
    samples = [*resolve_lines(problems, lines).samples, *_repeats(whole, files)]
    dropped = dict(sorted({**problems.counts, **whole["repeats"]}.items()))
    return {
        "read": whole["rows"] + sum(dropped.values()),
        "kept": whole["rows"],
        "rated": whole["rows"] - whole["unrated"],
        "unrated": whole["unrated"],
        "dropped": dropped,
        "samples": [_plain(sample) for sample in [*samples, *beside.samples]],
        "tables_dropped": {r: n for r, n in beside.counts.items() if r != UNPAIRED_QUOTE},
        "unpaired_quotes": beside.counts.get(UNPAIRED_QUOTE, 0),
        "empty_files": empty + beside.empty,
        "splits": {
            name: {what: sum(shard[name][what] for shard in shards) for what in counts}
            for name, counts in shards[0].items()
        },
        "users": whole["users"],
        "strangers": whole["strangers"],
        "top_user": _top([whole["top_user"]]),
        "top_movie": _top(whole["top_movies"]),
        "movies": movies,
        "time_range": whole["time_range"],
        "cutoffs": dict(zip(("valid", "eval"), whole["cutoffs"], strict=False)) or None,
        "history": whole["history"],
    }


def check_rows(rows: dict[str, Any], split: SplitConfig, beside: Problems | None = None) -> None:
    """Stops a run whose data are not worth a model.

    Args:
      rows: as `finish_rows` gives it.
      split: how they are split.
      beside: rows of the movie and user tables that were dropped.

    Raises:
      UserError: more bad rows than `split.max_bad_share`, or no ratings in train or eval.
    """
    samples = [Sample(s["reason"], s["file"], s["line"], s["text"]) for s in rows["samples"]]
    ratings = Problems(rows["dropped"], samples)
    try:
        superseded = rows["dropped"].get(SUPERSEDED, 0)
        good = rows["kept"] + superseded
        check_share(ratings, good, split.max_bad_share, RATING_ROWS)
    except UserError as error:
        raise UserError(f"{_cause(ratings, beside)}{error}") from error
    for name in ("train", "eval"):
        if not rows["splits"][name]["ratings"]:
            raise UserError(
                f"No rating of {rows['kept']:,} falls into {name}: change the settings under "
                f"split (kind is {split.kind}), or give more data."
            )


def _top(ranked: list[list[Any]]) -> dict[str, Any]:
    return dict(zip(("id", "rows"), ranked[0] if ranked else ("", 0), strict=True))


def _cause(ratings: Problems, beside: Problems | None) -> str:
    """What went wrong before the ratings did: movies that were dropped cost theirs."""
    first, cause = ratings.first(), beside.first() if beside else None
    if not (first and cause and beside and first.reason in (DROPPED_MOVIE, UNKNOWN_MOVIE)):
        return ""
    rows = sum(beside.bad().values())
    return f"{cause.told()}, with {rows:,} such rows dropped beside the ratings.{hint(cause)} So "


def _plain(sample: Sample) -> dict[str, Any]:
    return {
        "reason": sample.reason,
        "file": sample.path,
        "line": sample.line,
        "text": sample.text,
    }


def _problems(part: dict[str, Any]) -> Problems:
    return Problems(part["counts"], [Sample(**s) for s in part["samples"]], part["faults"])


def _repeats(whole: dict[str, Any], files: Mapping[int, Range]) -> list[Sample]:
    """Samples of rows that were rated again, with the lines that their bytes are on."""
    places: dict[int, list[int]] = {}
    for _, order, _ in whole["repeat_samples"]:
        places.setdefault(order >> _POSITION_BITS, []).append(order & _POSITION)
    lines = {index: _lines_at(files[index], starts) for index, starts in places.items()}
    samples = []
    for reason, order, text in whole["repeat_samples"]:
        index = order >> _POSITION_BITS
        line = lines[index][order & _POSITION]
        samples.append(Sample(reason, files[index].path, line, text))
    return samples


def _lines_at(file: Range, starts: list[int]) -> dict[int, int]:
    """The numbers, from 1, of the lines at these bytes of the (unpacked) file, or of the rows."""
    if file.is_parquet:
        return {start: start + 1 for start in starts}
    found: dict[int, int] = {}
    wanted, before = sorted(starts), 0
    for piece in read_pieces(file.path, 0, wanted[-1]):
        end = piece.start + len(piece.data)
        for start in [start for start in wanted if piece.start <= start < end]:
            found[start] = before + piece.data.count(b"\n", 0, start - piece.start) + 1
        before += piece.data.count(b"\n")
    return {start: found.get(start, before + 1) for start in wanted}

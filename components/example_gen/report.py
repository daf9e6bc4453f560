"""What became of the rows: the content of rows.json, and when it has to stop a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.example_gen.config import SplitConfig
from components.example_gen.files import read_pieces
from components.example_gen.problems import ADVICE, SUPERSEDED, Problems, Sample, resolve_lines
from components.example_gen.ratings import _POSITION_BITS
from schemas.errors import UserError

_POSITION = (1 << _POSITION_BITS) - 1


def finish_rows(
    report: dict[str, list[dict[str, Any]]], paths: Mapping[int, str], beside: Problems, movies: int
) -> dict[str, Any]:
    """Adds up what the graph reported.

    Args:
        report: as `graph.read_report` gives it.
        paths: the rating files by file index.
        beside: rows of the movie and user tables that were dropped.
        movies: how many are in the catalogue.

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
    samples = [*resolve_lines(problems, lines).samples, *_repeats(whole, paths)]
    dropped = dict(sorted({**problems.counts, **whole["repeats"]}.items()))
    return {
        "read": whole["rows"] + sum(dropped.values()),
        "kept": whole["rows"],
        "rated": whole["rows"] - whole["unrated"],
        "unrated": whole["unrated"],
        "dropped": dropped,
        "samples": [_plain(sample) for sample in [*samples, *beside.samples]],
        "tables_dropped": dict(beside.counts),
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


def check_rows(rows: dict[str, Any], split: SplitConfig) -> None:
    """Stops a run whose data are not worth a model.

    Raises:
        UserError: more bad rows than `split.max_bad_share`, or no ratings in train or eval.
    """
    bad = sum(count for reason, count in rows["dropped"].items() if reason != SUPERSEDED)
    if bad > split.max_bad_share * rows["read"]:
        first = next(sample for sample in rows["samples"] if sample["reason"] != SUPERSEDED)
        advice = ADVICE.get(first["reason"])
        raise UserError(
            f"{bad:,} of {rows['read']:,} rating rows ({bad / rows['read']:.1%}) are bad, more "
            f"than split.max_bad_share={split.max_bad_share:g} allows; the first: "
            f"{first['reason']} in {first['file']}:{first['line']}: {first['text']!r}"
            f"{f' ({advice})' if advice else ''}."
        )
    for name in ("train", "eval"):
        if not rows["splits"][name]["ratings"]:
            raise UserError(
                f"No rating of {rows['kept']:,} falls into {name}: change the settings under "
                f"split (kind is {split.kind}), or give more data."
            )


def _top(ranked: list[list[Any]]) -> dict[str, Any]:
    return dict(zip(("id", "rows"), ranked[0] if ranked else ("", 0), strict=True))


def _plain(sample: Sample) -> dict[str, Any]:
    return {
        "reason": sample.reason,
        "file": sample.path,
        "line": sample.line,
        "text": sample.text,
    }


def _problems(part: dict[str, Any]) -> Problems:
    return Problems(part["counts"], [Sample(**s) for s in part["samples"]], part["faults"])


def _repeats(whole: dict[str, Any], paths: Mapping[int, str]) -> list[Sample]:
    """Samples of rows that were rated again, with the lines that their bytes are on."""
    places: dict[int, list[int]] = {}
    for _, order, _ in whole["repeat_samples"]:
        places.setdefault(order >> _POSITION_BITS, []).append(order & _POSITION)
    lines = {index: _lines_at(paths[index], starts) for index, starts in places.items()}
    samples = []
    for reason, order, text in whole["repeat_samples"]:
        index = order >> _POSITION_BITS
        samples.append(Sample(reason, paths[index], lines[index][order & _POSITION], text))
    return samples


def _lines_at(path: str, starts: list[int]) -> dict[int, int]:
    """The numbers, from 1, of the lines that start at these bytes of the (unpacked) file."""
    found: dict[int, int] = {}
    wanted, before = sorted(starts), 0
    for piece in read_pieces(path, 0, wanted[-1]):
        end = piece.start + len(piece.data)
        for start in [start for start in wanted if piece.start <= start < end]:
            found[start] = before + piece.data.count(b"\n", 0, start - piece.start) + 1
        before += piece.data.count(b"\n")
    return {start: found.get(start, before + 1) for start in wanted}

"""Writes the tables of accuracy in the README and docs/ from what the benchmark measured.

    python -m benchmarks.accuracy_tables [runs/accuracy/*/accuracy.json]
        [runs/default/reports/latest/blessing.json]

`benchmarks/results/accuracy.json` holds, to four decimals, what a default run reached and one
measurement beside the peers for each data set and split, as `benchmarks.accuracy` wrote it. The
files that are named are taken in first, in place of older figures of the same kind.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.run_tables import kept, run_table, sittings_table

Results = Mapping[str, Any]
Measurement = Mapping[str, Any]
ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "accuracy.json"
RUN, PEERS = "default run", "beside the peers"
OURS = "Greenlight"
DECIMALS = 4
# What the figures of a source were measured on, in the order of the tables.
DATA = {
    "movielens-latest": "ml-latest-small",
    "movielens-100k": "MovieLens 100K",
    "movielens-1m": "MovieLens 1M",
    "movietweetings": "MovieTweetings 100K",
}
SPLITS = {
    "random": "random 80/20", "temporal": "by time", "leave_last_one": "each user's last rating"
}  # fmt: skip
COLUMNS = {
    "hit rate@10": "hit_rate@10", "hit rate@100": "hit_rate@100", "NDCG@10": "ndcg@10",
    "RMSE": "rmse",
}  # fmt: skip
NEW_USERS = "new users: "


def main() -> None:
    """Takes the files of the command line in, then writes the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", type=Path, nargs="*", help="accuracy.json or blessing.json")
    results = load(RESULTS)
    for path in parser.parse_args().files:
        results = taken(results, load(path))
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        path.write_text(rendered(text, results), encoding="utf-8")


def load(path: Path = RESULTS) -> Results:
    """Reads figures to four decimals."""
    found: Results = json.loads(
        path.read_text(encoding="utf-8"),
        parse_float=lambda digits: round(float(digits), DECIMALS),
    )
    return found


def taken(results: Results, new: Mapping[str, Any]) -> Results:
    """The results with those of a default run, or with a measurement beside the peers.

    Raises:
      SystemExit: a run of other settings, or a measurement that the tables have no place for.
    """
    if "run_id" in new:
        return {**results, RUN: kept(new)}
    return {**results, PEERS: measured(results[PEERS], new)}


def measured(measurements: Sequence[Measurement], new: Measurement) -> list[Measurement]:
    """The measurements with a new one, in the order of the tables.

    Raises:
      SystemExit: the tables have no place for its source or split.
    """
    if new.get("source") not in DATA or new.get("split") not in SPLITS:
        raise SystemExit(
            f"A measurement of {new.get('source')}, {new.get('split')} has no place in the tables: "
            "name its data in DATA and its split in SPLITS."
        )
    rest = [old for old in measurements if _key(old) != _key(new)]
    return sorted([*rest, new], key=_key)


def _key(one: Measurement) -> tuple[int, int]:
    return list(DATA).index(one["source"]), list(SPLITS).index(one["split"])


def short_table(measurements: Sequence[Measurement]) -> str:
    """The README's table: hit rate@10 and RMSE beside the best peer."""
    rows = [[_title(one), *(_beside(one, name) for name in ("hit_rate@10", "rmse"))]
            for one in measurements]  # fmt: skip
    told = f"{OURS} / best peer"
    return _markdown([["data, split", f"hit rate@10, {told}", f"RMSE, {told}"], *rows])


def long_table(measurements: Sequence[Measurement]) -> str:
    """The table of docs/benchmarks.md: every metric with its spread, and new users apart."""
    rows = []
    for one in measurements:
        cells = [_beside(one, name, spread=True) for name in COLUMNS.values()]
        rows.append([_title(one), *cells, one["date"]])
        if one["split"] == "temporal":
            cells = [_beside(one, f"{NEW_USERS}{name}", spread=True) for name in COLUMNS.values()]
            rows.append(["the same, new users", *cells, ""])
    return _markdown([["data, split", *COLUMNS, "measured"], *rows])


def _title(one: Measurement) -> str:
    return f"{DATA[one['source']]}, {SPLITS[one['split']]}"


def _beside(one: Measurement, metric: str, spread: bool = False) -> str:
    """Our figure, bold where it is ahead, and the best peer's; empty where we have none."""
    results = one["results"]
    if metric not in results[OURS]:
        return ""
    ours, best = results[OURS][metric], min if metric.endswith("rmse") else max
    told = f"{ours:g}"
    peers = {row[metric]: name for name, row in results.items() if name != OURS and metric in row}
    if peers and ours == best([ours, *peers]) and ours not in peers:
        told = f"**{told}**"
    if spread:
        told += f" ± {one['noise'][metric]:g}"
    return f"{told} / {best(peers):g} {peers[best(peers)]}" if peers else told


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    """The rows as a table, the first being its header."""
    lines = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


TABLES: Mapping[str, Callable[[Results], str]] = {
    "accuracy in short": lambda results: short_table(results[PEERS]),
    "accuracy": lambda results: long_table(results[PEERS]),
    "default run": lambda results: _markdown(run_table(results[RUN])),
    "sittings": lambda results: _markdown(sittings_table(results[RUN])),
}
PAGES = (ROOT / "README.md", ROOT / "docs" / "benchmarks.md")
PLACE = re.compile(r"(?s)(<!-- table: (.+?) -->\n).*?(\n<!-- end -->)")


def rendered(text: str, results: Results) -> str:
    """The page with every table between its markers written anew."""
    return PLACE.sub(lambda found: f"{found[1]}{TABLES[found[2]](results)}{found[3]}", text)


if __name__ == "__main__":
    main()

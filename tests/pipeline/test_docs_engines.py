"""The page on engines: its options are the short form's, and its sums are right."""

import re
from pathlib import Path

import pytest

from components.example_gen.prepare import DEFAULT_SIZES
from pipeline.engine_config import EngineConfig

PAGE = Path("docs/engines.md").read_text(encoding="utf-8")


def table(header: str) -> list[list[str]]:
    """The rows of the table whose header begins so."""
    lines = PAGE[PAGE.index(f"| {header} |") :].splitlines()[2:]
    rows = lines[: next(at for at, line in enumerate(lines) if not line.startswith("|"))]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_the_options_that_it_explains_are_the_short_form_s() -> None:
    args = EngineConfig(kind="flink", endpoint="a:1").beam_args()
    explained = [re.findall(r"`(--\w+=\w+)`", option)[0] for option, _ in table("option")]
    assert len(explained) == 4 and set(explained) <= set(args)
    assert {row[0].strip("`") for row in table("kind")} == {
        "local", "prism", "flink", "spark", "dataflow",
    }  # fmt: skip


def test_the_plan_multiplies_right() -> None:
    (price,) = re.findall(r"at ([\d.]+) € for an hour of a core", PAGE)
    rows = table("node | CPU-seconds for a million ratings")
    assert len(rows) == 6
    for node, seconds, _, millions, hours, euros in rows:
        core_hours = float(seconds) * float(millions) / 3600
        assert float(hours) == pytest.approx(core_hours, abs=0.051), node
        assert float(euros) == pytest.approx(core_hours * float(price), abs=0.0051), node


def test_the_plan_s_ranges_and_partitions_are_those_of_the_text() -> None:
    (size,) = re.findall(r"([\d.]+) bytes of text for a rating", PAGE)
    told = re.findall(r"in ([\d,]+) ranges and ([\d,]+) partitions", PAGE.replace("\n", " "))
    text = float(size) * 1e9
    sizes = (DEFAULT_SIZES.range_bytes, DEFAULT_SIZES.partition_bytes)
    assert [int(n.replace(",", "")) for n in told[0]] == [int(-(-text // one)) for one in sizes]

"""The graph spreads: what meets in one place are sums and places of rows, never rows.

Read from the portable graph, which is what every runner gets.
"""

import pickle
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.portability.common_urns import composites, primitives
from apache_beam.pvalue import AsIter, TaggedOutput

from components.example_gen import graph
from components.example_gen.config import SplitConfig
from components.example_gen.prepare import DEFAULT_SIZES, plan_work
from components.example_gen.read.ranges import Range
from components.example_gen.stages import Job, Order, Read
from tests.components.example_gen.small_data import small_rows, small_source, write_table

PAGE = Path("docs/engines.md")
COMBINE = "beam:transform:combine_per_key:v1"


def pipeline(has_movies: bool) -> beam.Pipeline:
    """The graph as it is before it runs."""
    source = small_source(movies=has_movies)
    job = Job(source, SplitConfig(), 3, 0, "examples", "work", has_movies, has_users=True)
    made = beam.Pipeline()
    graph.build(made, job, [Range("ratings.csv", 0, 0, 9)])
    return made


def components(has_movies: bool) -> Any:
    return pipeline(has_movies).to_runner_api().components


def shuffles(parts: Any) -> dict[str, str]:
    """The steps in which elements of many workers meet, and the kind of each."""
    found: dict[str, str] = {}
    for step in parts.transforms.values():
        name = step.unique_name.partition("/")[0]
        if step.spec.urn == primitives.GROUP_BY_KEY.urn:
            found.setdefault(name, "group")
        elif step.spec.urn == COMBINE:
            found[name] = "combine"
        elif step.spec.urn == composites.RESHUFFLE.urn:
            found[name] = "spread"
    return found


def side_inputs(parts: Any) -> Iterator[tuple[str, str]]:
    """Each step that has one, and the collection that it reads."""
    for step in parts.transforms.values():
        if step.spec.urn == primitives.PAR_DO.urn:
            payload = beam_runner_api_pb2.ParDoPayload.FromString(step.spec.payload)
            for name in payload.side_inputs:
                yield step.unique_name, step.inputs[name]


def is_sum(parts: Any, collection: str) -> bool:
    """Whether a collection follows from sums over all rows alone, along its main inputs."""
    makers = [t for t in parts.transforms.values() if collection in t.outputs.values()]
    if any(step.spec.urn == COMBINE for step in makers):
        return True
    (maker,) = (step for step in makers if not step.subtransforms)
    if maker.spec.urn != primitives.PAR_DO.urn:
        return False
    payload = beam_runner_api_pb2.ParDoPayload.FromString(maker.spec.payload)
    (main,) = (own for name, own in maker.inputs.items() if name not in payload.side_inputs)
    return is_sum(parts, main)


@pytest.mark.parametrize("has_movies", [True, False])
def test_no_side_input_holds_rows(has_movies: bool) -> None:
    parts = components(has_movies)
    read = list(side_inputs(parts))
    assert {"Write", "Facts", "Decide"} <= {name for name, _ in read}
    assert [name for name, collection in read if not is_sum(parts, collection)] == []


def test_a_side_input_of_rows_would_be_found() -> None:
    made = beam.Pipeline()
    rows = made | "Rows" >> beam.Create([1, 2]) | "Same" >> beam.Map(lambda row: row)
    _ = rows | "All" >> beam.Map(lambda row, rows: [row, *rows], AsIter(rows))
    parts = made.to_runner_api().components
    assert [name for name, one in side_inputs(parts) if not is_sum(parts, one)] == ["All"]


def test_the_page_s_table_is_the_graph_s() -> None:
    """Steps of one key are sums, which each worker adds up before they meet."""
    text = PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.*) \| (.*) \|$", text[text.index("| step |") :], re.M)
    told = {name: keys for name, _, keys in rows}
    kinds = shuffles(components(has_movies=False))
    assert told.keys() == kinds.keys()
    sums = {name for name, kind in kinds.items() if kind == "combine"}
    assert sums == {name for name, keys in told.items() if keys.startswith("one key; each worker")}
    assert {name for name, keys in told.items() if "key for each" in keys} == {
        "Balance", "ByPartition",
    }  # fmt: skip
    assert shuffles(components(has_movies=True)).keys() == kinds.keys() - {"AllRated"}


def sizes(folder: Path, users: int) -> tuple[int, int, int]:
    """Bytes of the rows, of the largest element in which they travel, and of their summary."""
    folder.mkdir()
    write_table(folder / "ratings.csv", small_rows(users, movies=40))
    source = small_source(movies=False, users=False)
    job = Job(source, SplitConfig(), 1, 0, str(folder), str(folder), False, has_users=False)
    paths = [str(folder / "ratings.csv")]
    (rng,), _ = plan_work(source, job.split, str(folder), paths, DEFAULT_SIZES.range_bytes)
    read, order = Read(job), Order(job)
    read.setup()
    order.setup()
    rows = [one for one in read.process(rng) if not isinstance(one, TaggedOutput)]
    summary, ordered = order.process((0, [place for _, place in rows]))
    travels = max(len(pickle.dumps(element)) for element in (*rows, ordered))
    return ordered[1].size, travels, len(pickle.dumps(summary.value))


def test_what_travels_does_not_grow_with_the_ratings(tmp_path: Path) -> None:
    (rows, travels, summary), (more_rows, travels_then, summary_then) = (
        sizes(tmp_path / str(users), users) for users in (60, 1200)
    )
    assert more_rows > 10 * rows > 10_000
    assert travels_then < 400 and travels < 400
    assert summary_then < 1.2 * summary

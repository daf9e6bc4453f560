"""Runs the pipeline's first nodes on this machine, and writes a page on the data they read."""

import datetime
import json
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from pipeline.config import Config
from pipeline.local import execute, local_run
from schemas.files import write_whole
from schemas.source import load_source

if TYPE_CHECKING:
    from components.explore.facts import Explored, Facts
    from components.explore.words import Sentence
    from pipeline.metadata import Metadata, NodeRun

PAGE_FILE = "index.html"
NODES = ("CuratedSchema", "RatingExampleGen", "StatisticsGen", "CatalogueStatistics")


def explore_local(config: Config, movie: str | None = None) -> "tuple[Path, list[Sentence]]":
    """Runs the nodes that read the data, counts it and writes its page; shows progress.

    A run with the same settings finds the nodes' work in its cache, and the other way round.

    Args:
      config: everything a user may choose.
      movie: title or id of a movie to show by itself, too.

    Returns:
      The page, and what it says in words.

    Raises:
      UserError: as `run_local`, or there is no such movie.
      RunFailed: for everything else; the log then holds the traceback.
    """
    with local_run(config) as (console, folders):
        metadata, runs = execute(config, console, folders, "explore", NODES)
        with console.status("Counting the ratings"):
            explored = count_data(config, metadata, runs, str(folders.artifacts / "explore"))
            row = None if movie is None else find_movie(explored, movie)
        with console.status("Drawing the page"):
            from components.explore.facts import make_facts
            from components.explore.page import render
            from components.explore.words import sentences

            facts = make_facts(explored, row)
            findings = sentences(facts)
            now = datetime.datetime.now(tz=datetime.timezone.utc)
            page = render(facts, findings, config.source, now.strftime("%Y-%m-%d %H:%M UTC"))
        console.print(splits_table(facts))
        folders.explore.mkdir(parents=True, exist_ok=True)
        return write_whole(folders.explore / PAGE_FILE, page), findings


def count_data(
    config: Config, metadata: "Metadata", runs: "list[NodeRun]", work: str
) -> "Explored":
    """Counts what the nodes wrote.

    Args:
      config: what they ran with.
      metadata: where they noted their outputs.
      runs: how they went.
      work: a folder that workers may write to; it is removed.
    """
    from components.example_gen.generate import LOCAL_BEAM_ARGS, ROWS_FILE
    from components.explore.facts import Explored
    from components.explore.features import read_statistics
    from components.explore.gather import Job, gather

    by_node = {run.node: run for run in runs}
    examples, catalogue, statistics, catalogue_statistics = (
        str(metadata.output(by_node[node], output))
        for node, output in (
            ("RatingExampleGen", "examples"),
            ("RatingExampleGen", "catalogue"),
            ("StatisticsGen", "statistics"),
            ("CatalogueStatistics", "statistics"),
        )
    )
    source = load_source(config.source)
    job = Job(examples, catalogue, source)
    return Explored(
        gather(job, work, config.beam_args or LOCAL_BEAM_ARGS),
        job.movies(),
        json.loads(Path(examples, ROWS_FILE).read_text(encoding="utf-8")),
        read_statistics(statistics) | read_statistics(catalogue_statistics),
        source.scale,
    )


def find_movie(explored: "Explored", typed: str) -> int:
    """The row of the movie that the user means, by id or title.

    Raises:
      UserError: there is none; the sentence names what comes close.
    """
    from schemas.text import to_texts
    from schemas.titles import Titles

    movies = explored.catalogue.to_pydict()
    ids = to_texts(movies["movie_id"])
    years = movies.get("year", [0] * len(ids))
    return Titles(ids, movies["title"], years, explored.totals().ratings).find(typed)


def splits_table(facts: "Facts") -> Table:
    """The splits side by side."""
    from components.explore.page import split_rows

    table = Table(title="Splits", title_justify="left")
    table.add_column("of the split")
    for name in facts["splits"]:
        table.add_column(name, justify="right")
    for row in split_rows(facts):
        table.add_row(row["name"], *row["cells"])
    return table

"""Runs the pipeline's first nodes on this machine, and writes a page on the data they read."""

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from pipeline.config import Config
from pipeline.engine.options import beam_options
from pipeline.local import execute, local_run
from schemas.artifacts import CATALOGUE, PAGE_FILE, Node
from schemas.files import own_folder, write_whole
from schemas.source import load_source
from schemas.words import MOVIE, Item

if TYPE_CHECKING:
    from components.explore.content import Content, Explored
    from components.explore.findings import Finding
    from pipeline.metadata import Metadata, NodeRun

NODES = (Node.CURATED_SCHEMA, Node.EXAMPLE_GEN, Node.STATISTICS, Node.CATALOGUE_STATISTICS)


def explore_local(config: Config, movie: str | None = None) -> "tuple[Path, list[Finding]]":
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
            from components.explore.content import make_content
            from components.explore.findings import findings
            from components.explore.page import render

            content, item = make_content(explored, row), load_source(config.source).items
            sentences = findings(content, item)
            now = f"{datetime.datetime.now(tz=datetime.timezone.utc):%Y-%m-%d %H:%M} UTC"
            page = render(content, sentences, config.source, now, item)
        console.print(splits_table(content, item))
        own_folder(folders.explore)
        return write_whole(folders.explore / PAGE_FILE, page), sentences


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
    from components.examples.rows import read_rows
    from components.explore.content import Explored
    from components.explore.feature_statistics import read_statistics
    from components.explore.gather import Artifacts, gather

    by_node = {run.node: run for run in runs}
    examples, catalogue, statistics, catalogue_statistics = (
        str(metadata.output(by_node[node], output))
        for node, output in (
            (Node.EXAMPLE_GEN, "examples"),
            (Node.EXAMPLE_GEN, CATALOGUE),
            (Node.STATISTICS, "statistics"),
            (Node.CATALOGUE_STATISTICS, "statistics"),
        )
    )
    source = load_source(config.source)
    job = Artifacts(examples, catalogue, source)
    return Explored(
        gather(job, work, beam_options(config)),
        job.movies(),
        read_rows(examples),
        read_statistics(statistics) | read_statistics(catalogue_statistics),
        source.scale,
        source.labels,
        (*source.features.several, *source.features.texts),
        source.features.numbers,
    )


def find_movie(explored: "Explored", typed: str) -> int:
    """The row of the movie that the user means, by id or title.

    Raises:
      UserError: there is none; the sentence names what comes close.
    """
    from components.examples.arrow import filled
    from schemas.text import to_texts
    from schemas.titles import Titles

    catalogue = explored.catalogue
    ids, titles = (to_texts(filled(names)) for names in (catalogue.ids, catalogue.titles))
    years = [int(known[0]) if known else 0 for known in catalogue.values("year")]
    return Titles(ids, titles, years, explored.totals().ratings).find(typed)


def splits_table(content: "Content", item: Item = MOVIE) -> Table:
    """The splits side by side."""
    from components.explore.page import split_rows

    table = Table(title="Splits", title_justify="left")
    table.add_column("of the split")
    for name in content["splits"]:
        table.add_column(name, justify="right")
    for row in split_rows(content, item):
        table.add_row(row["name"], *row["cells"])
    return table

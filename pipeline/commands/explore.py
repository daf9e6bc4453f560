"""`greenlight explore`: the pipeline's first nodes, and a page on the data they read."""

import datetime
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from pipeline.commands.options import ConfigFile, DataDir, OutputDir, Settings, SourceName
from pipeline.config import Config
from schemas.artifacts import PAGE_FILE, ROWS_FILE, Node
from schemas.source import load_source

if TYPE_CHECKING:
    from components.explore.facts import Explored, Facts
    from components.explore.words import Sentence
    from pipeline.metadata import Metadata, NodeRun

NODES = (Node.CURATED_SCHEMA, Node.EXAMPLE_GEN, Node.STATISTICS, Node.CATALOGUE_STATISTICS)


def explore(
    config: ConfigFile = None,
    source: SourceName = None,
    data_dir: DataDir = None,
    output_dir: OutputDir = None,
    settings: Settings = None,
    movie: Annotated[
        str | None, typer.Option(help="title or id of a movie to show alone, too")
    ] = None,
) -> None:
    """Describes the data on one page, and says what to know before training."""
    from pipeline.config import load_config

    given = {"source": source, "data_dir": data_dir, "output_dir": output_dir}
    page, found = explore_local(load_config(config, settings or [], **given), movie)
    for sentence in found:
        typer.echo(f"- {sentence.text}")
    typer.echo(f"The data: {page}")


def explore_local(config: Config, movie: str | None = None) -> "tuple[Path, list[Sentence]]":
    """Runs the nodes that read the data, counts it and writes its page; shows progress.

    A run with the same settings finds the nodes' work in its cache, and the other way round.

    Returns:
      The page, and what it says in words.

    Raises:
      UserError: as a run does, or there is no such movie.
      RunFailed: for everything else; the log then holds the traceback.
    """
    from pipeline.local import at_work, execute

    with at_work(config) as (console, folders):
        metadata, runs = execute(config, console, folders, "explore", NODES)
        with console.status("Counting the ratings"):
            explored = gather_data(config, metadata, runs, str(folders.artifacts / "explore"))
            row = None if movie is None else find_movie(explored, movie)
        with console.status("Drawing the page"):
            from components.explore.facts import make_facts
            from components.explore.page import render
            from components.explore.words import sentences

            facts = make_facts(explored, row)
            found = sentences(facts)
            now = datetime.datetime.now(tz=datetime.timezone.utc)
            page = render(facts, found, config.source, now.strftime("%Y-%m-%d %H:%M UTC"))
        console.print(splits_table(facts))
        return write(folders.explore, page), found


def gather_data(
    config: Config, metadata: "Metadata", runs: "list[NodeRun]", work: str
) -> "Explored":
    """Counts what the nodes wrote.

    Args:
      config: what they ran with.
      metadata: where they noted their outputs.
      runs: how they went.
      work: a folder that workers may write to; it is removed.
    """
    from components.example_gen.generate import LOCAL_BEAM_ARGS
    from components.explore.facts import Explored
    from components.explore.features import read_statistics
    from components.explore.gather import Job, gather

    nodes = {run.node: run for run in runs}
    place = {
        key: str(metadata.output(nodes[node], output))
        for key, node, output in (
            ("examples", Node.EXAMPLE_GEN, "examples"),
            ("catalogue", Node.EXAMPLE_GEN, "catalogue"),
            ("statistics", Node.STATISTICS, "statistics"),
            ("catalogue_statistics", Node.CATALOGUE_STATISTICS, "statistics"),
        )
    }
    source = load_source(config.source)
    job = Job(place["examples"], place["catalogue"], source)
    return Explored(
        gather(job, work, config.beam_args or LOCAL_BEAM_ARGS),
        job.movies(),
        json.loads(Path(place["examples"], ROWS_FILE).read_text(encoding="utf-8")),
        read_statistics(place["statistics"]) | read_statistics(place["catalogue_statistics"]),
        source.scale,
    )


def find_movie(explored: "Explored", typed: str) -> int:
    """The row of the movie that the user means, by id or title.

    Raises:
      UserError: there is none; the sentence names what comes close.
    """
    from schemas.text import to_texts
    from serving.model import Catalogue
    from serving.titles import Titles

    movies = explored.catalogue.to_pydict()
    ids = to_texts(movies["movie_id"])
    years = movies.get("year", [0] * len(ids))
    rows = {movie: row for row, movie in enumerate(ids)}
    ratings = explored.totals().ratings
    genres = movies.get("genres", [[]] * len(ids))
    return Titles(Catalogue(ids, movies["title"], years, genres, ratings, rows)).find(typed)


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


def write(folder: Path, page: str) -> Path:
    """Writes the page aside and renames it into place."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{PAGE_FILE}"
    part.write_text(page, encoding="utf-8")
    part.replace(folder / PAGE_FILE)
    return folder / PAGE_FILE

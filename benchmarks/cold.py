"""What features and texts are worth for movies that few or none have rated, beside such peers.

    python -m benchmarks.cold [--source movielens-latest | movietweetings] [--data-dir DIR]
        [--seed 42] [--out runs/cold] [--set key=value ...]

Split by time, with a text of each movie that holds its title and the tags of before eval begins. A
row is a training on the same Examples: with all features, without the text, without any. `cold`
are eval's ratings of movies that neither train nor valid holds, `rare` those of the tenth least
rated that they hold. Lists hold the whole catalogue, or `among`: the movies of the same kind alone.
"""

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.table import Table

import data
from benchmarks import cold_peers
from benchmarks.accuracy import Run, answers, run_pipeline
from benchmarks.cold_data import TEXT, Texts, with_texts
from benchmarks.data import Array, Rows, Split, read_split
from benchmarks.retrieval_peers import Scorer, popularity, ranks
from benchmarks.training import learned
from components.evaluation.measures import rank_columns
from components.evaluation.metric_name import NDCG, MetricName
from components.examples.catalogue import read_catalogue
from components.examples.rows import read_rows
from schemas.artifacts import CATALOGUE, SPLIT_PREFIX
from schemas.features import GENRES
from schemas.source import load_source
from schemas.text import to_texts

ROWS = {
    "Greenlight, all features": [],
    "Greenlight, without the text": [f"model.ignored=[{TEXT}]"],
    "Greenlight, without features": [f"model.ignored=[year, genres, {TEXT}]"],
}
# The run makes the Examples; its own model is not looked at.
EXAMPLES_ALONE = ["training.epochs=1", "training.refit=false", "training.importance_rows=0"]
COLUMNS = ("hit_rate@10", "hit_rate@100", "among: hit_rate@10", "among: ndcg@10", "rmse")


class Ranked(NamedTuple):
    """A system's answers to eval's rows: ranks in the catalogue and within each kind, ratings.

    rank, rating: float [rows]; among: by kind, float [rows], of use for rows of that kind. bias:
      what the user+movie bias predicts.
    """

    rank: Array
    among: Mapping[str, Array]
    rating: Array
    bias: Array


def main() -> None:
    """Measures, prints a table for each kind of movie, and writes all as JSON."""
    options = _options()
    out = Path(options.out, options.source)
    texts = with_texts(options.source, Path(options.data_dir), out / "data")
    options.source, options.data_dir = str(texts.source), str(texts.data_dir)
    run = run_pipeline(options, out, options.seed, EXAMPLES_ALONE)
    check_texts(run, texts)
    split = read_split(
        run.examples, run.catalogue, load_source(options.source).scale, ["train", "valid"]
    )
    kinds = kinds_of(split)
    found = {
        name: learned(options, run, options.seed, changed, asked(split, kinds))[0]
        for name, changed in ROWS.items()
    }
    (bias, *_) = [own.bias for own in found.values()]
    systems = {**found, **_peers(run, split, kinds, texts, bias)}
    tables = {kind: {name: figures(split, own, kind, kinds) for name, own in systems.items()}
              for kind in kinds}  # fmt: skip
    for kind, rows in tables.items():
        _show(f"{kind}: {int(_of(split, kinds[kind]).sum()):,} ratings of "
              f"{int(kinds[kind].sum()):,} movies", rows)  # fmt: skip
    (out / "cold.json").write_text(json.dumps(tables, indent=1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--source", default="movielens-latest",
                        choices=["movielens-latest", "movietweetings"])  # fmt: skip
    parser.add_argument("--data-dir", default=str(data.EMBEDDED))
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--out", default="runs/cold")
    parser.add_argument("--set", action="append", default=[], dest="settings")
    parser.set_defaults(split="temporal")
    return parser.parse_args()


def check_texts(run: Run, texts: Texts) -> None:
    """Stops where a text may hold what was written after eval begins."""
    cutoffs = read_rows(run.examples)["cutoffs"] or {}
    if texts.until * 1_000_000 > cutoffs["eval"]:
        raise SystemExit("The texts hold tags that were given after eval begins.")


def kinds_of(split: Split) -> dict[str, Array]:
    """The movies that are cold, and those that are rare: bool [movies]."""
    counts = np.bincount(split.train.movie, minlength=split.movies)
    most_first = np.argsort(-counts, kind="stable")[: int((counts > 0).sum())]
    rare = np.zeros(len(counts), bool)
    rare[most_first[np.arange(len(most_first)) * 10 // len(most_first) == 9]] = True
    return {"cold": counts == 0, "rare": rare}


def asked(split: Split, kinds: Mapping[str, Array]) -> Callable[[Run], Ranked]:
    """What is asked of an export."""

    def ask(run: Run) -> Ranked:
        found, scorer = answers(run), of_model(run, split)
        among = _among(split, scorer, kinds)
        return Ranked(found["rank"], among, found["rating"], found["bias_rating"])

    return ask


def _among(split: Split, scorer: Scorer, kinds: Mapping[str, Array]) -> dict[str, Array]:
    return {kind: ranks(split, split.eval, limited(scorer, own)) for kind, own in kinds.items()}


def of_model(run: Run, split: Split) -> Scorer:
    """Scores as the export does for somebody without an id, by its signature `query`."""
    model: Any = tf.saved_model.load(f"{run.model}/Format-Serving")
    vectors, own = (model.tables[name].numpy() for name in ("vectors", "popularity"))
    ids, covered = model.catalogue.movie_id.numpy(), model.linear_rows.numpy()

    def score(rows: Rows, start: int, stop: int) -> Array:
        history = _padded(rows, start, stop)
        movie = np.where(history >= 0, ids[np.maximum(history, 0)], b"")
        given = np.where(history >= 0, _padded(rows, start, stop, rows.history_rating), np.nan)
        found = model.signatures["query"](
            user_id=tf.constant([""] * (stop - start)),
            history_movie_id=tf.constant(movie, tf.string),
            history_rating=tf.constant(given, tf.float32),
        )
        scores = found["query"].numpy() @ vectors.T + own
        if len(covered):
            scores[:, covered] += found["linear"].numpy()
        return np.asarray(scores)

    return score


def _padded(rows: Rows, start: int, stop: int, values: Array | None = None) -> Array:
    """The histories' movies, or other values, [rows, longest], -1 in front."""
    values = rows.history.values if values is None else values
    spans = zip(rows.history.offsets[start:stop], rows.history.offsets[start + 1 :], strict=False)
    own = [values[first:last] for first, last in spans]
    longest = max(1, *(len(one) for one in own))
    return np.stack([np.pad(one, (longest - len(one), 0), constant_values=-1) for one in own])


def limited(scorer: Scorer, movies: Array) -> Scorer:
    """The same scores of some movies, bool [movies]; no other is in any list."""

    def score(rows: Rows, start: int, stop: int) -> Array:
        return np.where(movies, scorer(rows, start, stop), -np.inf)

    return score


def _peers(
    run: Run, split: Split, kinds: Mapping[str, Array], texts: Texts, bias: Array
) -> dict[str, Ranked]:
    source = load_source(str(texts.source))
    files = tf.io.gfile.glob(f"{run.catalogue}/{SPLIT_PREFIX}{CATALOGUE}/*")
    names = [name for name in source.features.movies if name in (GENRES, TEXT)]
    catalogue = read_catalogue(files, names)
    genres = catalogue.values(GENRES)
    written = [" ".join(to_texts([*text, *own]))
               for text, own in zip(catalogue.values(TEXT), genres, strict=True)]  # fmt: skip
    vectors, shares = cold_peers.text_vectors(written), cold_peers.genre_matrix(genres)
    (_, learn), *_ = popularity(split)
    systems: dict[str, tuple[Scorer, Array]] = {
        "TF-IDF, cosine": (
            cold_peers.by_text(split, vectors),
            cold_peers.predicted(split, cold_peers.rated_alike(split, vectors)),
        ),
        "popular in the user's genres": (
            cold_peers.by_genre(split, shares),
            cold_peers.predicted(split, cold_peers.rated_alike(split, shares)),
        ),
        "popularity; user+movie bias": (learn(), bias),
    }
    return {
        name: Ranked(
            ranks(split, split.eval, scorer),
            _among(split, scorer, kinds),
            rating,
            bias,
        )
        for name, (scorer, rating) in systems.items()
    }


def _of(split: Split, movies: Array) -> Array:
    """Whether eval's rows are of these movies: bool [rows]."""
    target = split.eval.movie
    return np.where(target >= 0, movies[np.maximum(target, 0)], False)


def figures(split: Split, found: Ranked, kind: str, kinds: Mapping[str, Array]) -> dict[str, float]:
    """The means over eval's rows of a kind."""
    rows = _of(split, kinds[kind])
    rank, among = found.rank[rows], found.among[kind][rows]
    square = np.square(found.rating[rows] - split.eval.rating[rows])
    return {
        "hit_rate@10": float((rank <= 10).mean()),
        "hit_rate@100": float((rank <= 100).mean()),
        "among: hit_rate@10": float((among <= 10).mean()),
        "among: ndcg@10": float(rank_columns(among, (10,))[MetricName(NDCG, 10)].mean()),
        "rmse": float(np.sqrt(square.mean())),
    }


def _show(title: str, rows: Mapping[str, Mapping[str, float]]) -> None:
    table = Table(title=title, title_justify="left")
    for column in ("", *COLUMNS):
        table.add_column(column)
    for name, row in rows.items():
        table.add_row(name, *(f"{row[column]:.4f}" for column in COLUMNS))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()

"""Measures how many ratings a second the Evaluator node judges, at several sizes of the catalogue.

    python -m benchmarks.evaluating [--movies 10000 60000] [--rows 10000]

The model has random weights, every rating a history of a hundred. Each size has a process of its
own. CPU-seconds are those of the whole node, the fresh process that is asked and the server among
them, all cores summed up; `evaluate` is the model's signature alone, on the same rows.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.synthetic_model import export_random

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

MOVIES, ROWS, USERS, HISTORY = (10_000, 60_000), 10_000, 2_000, 100
SCALE, BATCH = (0.5, 5.0), 512


def main() -> None:
    """Prints one table; with `--one`, one measurement as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--movies", nargs="+", type=int, default=MOVIES)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(measure(Path(folder), options.one, options.rows)))
        return
    table = Table(title=f"The Evaluator, {options.rows:,} ratings")
    columns = ("movies", "CPU-s", "ratings a CPU-s", "s", "evaluate, CPU-s", "peak MB")
    for column in columns:
        table.add_column(column, justify="right")
    for movies in options.movies:
        command = [sys.executable, "-m", "benchmarks.evaluating", "--one", str(movies)]
        done = subprocess.run(
            [*command, "--rows", str(options.rows)], stdout=subprocess.PIPE, check=True
        )
        found = json.loads(done.stdout.splitlines()[-1])
        table.add_row(
            f"{movies:,}", f"{found['cpu']:.1f}", f"{options.rows / found['cpu']:,.0f}",
            f"{found['wall']:.1f}", f"{found['signature']:.1f}", f"{found['megabytes']:,}",
        )  # fmt: skip
    Console(width=100).print(table)


def measure(folder: Path, movies: int, rows: int) -> dict[str, float]:
    """Seconds of the node and CPU-seconds of its processes, and of the signature alone."""
    export_random(folder / "model" / "Format-Serving", movies, USERS, HISTORY)
    inputs, eval_file = _inputs(folder, movies, rows)
    started, before = time.monotonic(), _cpu()
    _evaluate(folder, inputs)
    cpu, wall = _cpu() - before, time.monotonic() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    signature = _signature(folder / "model" / "Format-Serving", eval_file)
    return {"cpu": cpu, "wall": wall, "signature": signature, "megabytes": peak}


def _cpu() -> float:
    """CPU-seconds of this process and of those that it has waited for."""
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def _evaluate(folder: Path, inputs: dict[str, list[Any]]) -> None:
    """Runs the node as TFX does."""
    from google.protobuf import json_format
    from tfx.types import standard_artifacts

    from components.evaluation.component import MovieEvaluatorExecutor
    from components.evaluation.eval_config import eval_config
    from components.evaluation.gates import GatesConfig
    from components.example_gen.generate import LOCAL_BEAM_ARGS

    outputs = {
        "evaluation": [_artifact(standard_artifacts.ModelEvaluation, folder / "evaluation", 10)],
        "blessing": [_artifact(standard_artifacts.ModelBlessing, folder / "blessing", 11)],
    }
    config = json_format.MessageToJson(
        eval_config(GatesConfig().of_users([]), 1, SCALE), preserving_proto_field_name=True
    )
    properties = {
        "eval_config": config, "valid_rows": 100, "example_splits": '["eval"]',
        "module_path": "components.evaluation.extractors",
    }  # fmt: skip
    context = MovieEvaluatorExecutor.Context(beam_pipeline_args=list(LOCAL_BEAM_ARGS))
    MovieEvaluatorExecutor(context).Do(inputs, outputs, properties)


def _signature(path: Path, examples: Path) -> float:
    """CPU-seconds of the signature `evaluate` on all rows, after a first batch."""
    import tensorflow as tf

    from components.examples.records import records

    evaluate = tf.saved_model.load(str(path)).signatures["evaluate"]
    batches = list(records([str(examples)], BATCH))
    evaluate(batches[0])
    before = _cpu()
    for batch in batches:
        evaluate(batch)
    return _cpu() - before


def _inputs(folder: Path, movies: int, rows: int) -> tuple[dict[str, list[Any]], Path]:
    """The node's inputs, and the file of eval."""
    from tfx.types import standard_artifacts

    from benchmarks.synthetic_model import model_facts

    rng = np.random.default_rng(1)
    facts = model_facts(movies, USERS, rng)
    ids, values = facts.movie_ids, facts.values
    columns = zip(ids, facts.movie_titles, values["genres"], values["year"], strict=True)
    catalogue = [
        _example(movie_id=[name], movie_title=[title], genres=[b"|".join(genres)], year=_year(year))
        for name, title, genres, year in columns
    ]
    _write(folder / "catalogue" / "Split-catalogue", catalogue)
    _write(folder / "examples" / "Split-train", [_window(ids, user, rng) for user in range(USERS)])
    _write(folder / "examples" / "Split-valid", [_row(facts, row, rng) for row in range(100)])
    eval_file = _write(
        folder / "examples" / "Split-eval", [_row(facts, row, rng) for row in range(rows)]
    )
    (folder / "examples" / "rows.json").write_text(json.dumps({"history": "before"}))
    (folder / "run").mkdir()
    (folder / "run" / "history.json").write_text(json.dumps({"best_epoch": 0, "epochs": []}))
    examples = _artifact(standard_artifacts.Examples, folder / "examples", 1)
    examples.split_names = json.dumps(["train", "valid", "eval"])
    listed = _artifact(standard_artifacts.Examples, folder / "catalogue", 2)
    listed.split_names = json.dumps(["catalogue"])
    return {
        "examples": [examples],
        "catalogue": [listed],
        "model": [_artifact(standard_artifacts.Model, folder / "model", 3)],
        "model_run": [_artifact(standard_artifacts.ModelRun, folder / "run", 4)],
    }, eval_file


def _artifact(kind: Any, folder: Path, number: int) -> Any:
    artifact = kind()
    artifact.uri, artifact.id = str(folder), number
    if kind.TYPE_NAME == "Examples":
        artifact.set_string_custom_property("file_format", "tfrecords_gzip")
        artifact.set_string_custom_property("payload_format", "FORMAT_TF_EXAMPLE")
    return artifact


def _row(facts: Any, row: int, rng: np.random.Generator) -> bytes:
    """A rating to predict, after a hundred others."""
    drawn = rng.choice(len(facts.movie_ids), HISTORY + 1, replace=False)
    names = [facts.movie_ids[movie] for movie in drawn]
    genres, year = facts.values["genres"][drawn[0]], facts.values["year"][drawn[0]]
    return _example(
        user_id=[b"%d" % (1 + row % USERS)], movie_id=names[:1], timestamp=[10**15],
        rating=[4.0], history_movie_id=names[1:], history_timestamp=[*range(HISTORY)],
        history_rating=[3.5] * HISTORY, genres=[b"|".join(genres)], year=_year(year),
    )  # fmt: skip


def _window(ids: list[bytes], user: int, rng: np.random.Generator) -> bytes:
    drawn = rng.choice(len(ids), HISTORY, replace=False)
    return _example(
        user_id=[b"%d" % (1 + user)], movie_id=[ids[movie] for movie in drawn],
        rating=[4.0] * HISTORY, timestamp=[*range(HISTORY)],
    )  # fmt: skip


def _year(names: list[bytes]) -> list[int]:
    return [int(name) for name in names] or [0]


def _example(**columns: list[Any]) -> bytes:
    import tensorflow as tf

    lists = {bytes: ("bytes_list", tf.train.BytesList), float: ("float_list", tf.train.FloatList)}
    features = {}
    for name, values in columns.items():
        field, kind = lists.get(type(values[0]), ("int64_list", tf.train.Int64List))
        features[name] = tf.train.Feature(**{field: kind(value=values)})
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return bytes(example.SerializeToString())


def _write(folder: Path, rows: list[bytes]) -> Path:
    import tensorflow as tf

    folder.mkdir(parents=True)
    path = folder / "data.gz"
    with tf.io.TFRecordWriter(str(path), tf.io.TFRecordOptions("GZIP")) as file:
        for row in rows:
            file.write(row)
    return path


if __name__ == "__main__":
    main()

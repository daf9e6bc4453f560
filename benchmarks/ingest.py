"""Times the rating example gen beside TFX's own CsvExampleGen, each run in a fresh process.

    python -m benchmarks.ingest [--ratings 1000000 20000000] [--data data/ml-latest-small]

What is timed is the executor's Do(), from files to shards; importing TFX comes before that and has
a column of its own. CsvExampleGen reads the ratings file alone and writes one Example per row; the
rating example gen reads the movies too and writes windows, histories and the catalogue.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import synthetic

SYNTHETIC: list[tuple[dict[str, Any], str]] = [
    ({}, "RatingExampleGen, synthetic"),
    ({"history_length": 1}, "the same with history_length=1"),
    ({"kind": "random"}, "the same with kind=random"),
]


class Result(NamedTuple):
    """One measured run."""

    name: str
    rows: int
    import_seconds: float
    seconds: float
    cpu_seconds: float
    peak_megabytes: float


def measure(kind: str, data: Path, split: dict[str, Any], name: str) -> Result:
    """Runs `kind` ('ours' or 'stock') on the ratings of a folder in a process of its own."""
    rows = sum(1 for _ in (data / "ratings.csv").open("rb")) - 1
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.ingest"]
        command += ["--child", kind, str(data), out, json.dumps(split)]
        with (
            Path(out, "log").open("wb") as log,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log) as child,
        ):
            assert child.stdout is not None
            answer = child.stdout.read()
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise SystemExit(Path(out, "log").read_text(errors="replace")[-3000:])
    imported, wall, cpu = json.loads(answer.splitlines()[-1])
    return Result(name, rows, imported, wall, cpu, usage.ru_maxrss / 1024)


def run_ours(data: str, out: str, split: str) -> tuple[float, float, float]:
    """Seconds of importing, and of the rating example gen's Do(): wall and CPU."""
    start = time.perf_counter()
    from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
    from tfx.types import standard_artifacts
    from tfx.utils import proto_utils

    from components.example_gen import executor, inputs
    from components.example_gen.config import SplitConfig
    from components.example_gen.generate import LOCAL_BEAM_ARGS
    from schemas.source import load_source

    imported = time.perf_counter()
    source, config = load_source("movielens-latest"), SplitConfig.model_validate_json(split)
    artifacts = {name: [standard_artifacts.Examples()] for name in ("examples", "catalogue")}
    for name, (artifact,) in artifacts.items():
        artifact.uri = f"{out}/{name}"
    properties = {
        "input_base": data,
        "input_config": proto_utils.proto_to_json(inputs.input_config(source, config)),
        "source": source.model_dump_json(),
        "split": config.model_dump_json(),
    }
    context = BaseBeamExecutor.Context(beam_pipeline_args=list(LOCAL_BEAM_ARGS))
    node = executor.RatingExampleGenExecutor(context)
    return imported - start, *_timed(node, artifacts, properties)


def run_stock(data: str, out: str) -> tuple[float, float, float]:
    """Seconds of importing, and of CsvExampleGen's Do(): wall and CPU."""
    start = time.perf_counter()
    from tfx.components.example_gen import utils
    from tfx.components.example_gen.csv_example_gen import executor
    from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
    from tfx.proto import example_gen_pb2
    from tfx.types import standard_artifacts
    from tfx.utils import proto_utils

    from components.example_gen.generate import LOCAL_BEAM_ARGS

    imported = time.perf_counter()
    alone = Path(out, "csv")
    alone.mkdir()
    shutil.copy(Path(data, "ratings.csv"), alone)
    examples = standard_artifacts.Examples()
    examples.uri = f"{out}/examples"
    files = utils.make_default_input_config()
    properties = {
        "input_base": str(alone),
        "input_config": proto_utils.proto_to_json(files),
        "output_config": proto_utils.proto_to_json(utils.make_default_output_config(files)),
        "output_data_format": example_gen_pb2.FORMAT_TF_EXAMPLE,
        "output_file_format": example_gen_pb2.FORMAT_TFRECORDS_GZIP,
    }
    context = BaseBeamExecutor.Context(beam_pipeline_args=list(LOCAL_BEAM_ARGS))
    node = executor.Executor(context)
    return imported - start, *_timed(node, {"examples": [examples]}, properties)


def _timed(node: Any, outputs: dict[str, Any], properties: dict[str, Any]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    node.Do({}, outputs, properties)
    return time.perf_counter() - wall, time.process_time() - cpu


def table(results: list[Result]) -> str:
    """The results side by side; ratios are of rows per second, to the first."""
    heads = (
        f"{'rows':>10}{'import s':>10}{'Do() s':>8}{'CPU s':>7}{'rows/s':>10}{'ratio':>7}{'MB':>7}"
    )
    lines = [" " * 36 + heads]
    base = results[0].rows / results[0].seconds
    for result in results:
        speed, peak = result.rows / result.seconds, result.peak_megabytes
        seconds = f"{result.import_seconds:>10.1f}{result.seconds:>8.2f}{result.cpu_seconds:>7.1f}"
        lines.append(
            f"{result.name:36}{result.rows:>10,}{seconds}"
            f"{speed:>10,.0f}{speed / base:>7.1f}{peak:>7,.0f}"
        )
    return "\n".join(lines)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ratings", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--data", type=Path, default=Path("data/ml-latest-small"))
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        kind, *rest = options.child
        print(json.dumps(run_stock(*rest[:2]) if kind == "stock" else run_ours(*rest)))
        return
    results = [
        measure("stock", options.data, {}, f"CsvExampleGen, {options.data.name}"),
        measure("ours", options.data, {}, f"RatingExampleGen, {options.data.name}"),
    ]
    for ratings in options.ratings:
        with tempfile.TemporaryDirectory() as made:
            synthetic.write(Path(made), ratings)
            results += [measure("ours", Path(made), split, name) for split, name in SYNTHETIC]
    print(table(results))


if __name__ == "__main__":
    main()

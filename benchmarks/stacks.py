"""What the same work costs on each stack, side by side: start, training step, nodes of a run.

    python -m benchmarks.stacks FOLDER [--set key=value ...]
    scripts/debian13 .venv/bin/python -m benchmarks.stacks FOLDER [--set key=value ...]

Each call measures the stack that it runs on, leaves its figures in FOLDER and prints all that are
there. `scripts/debian13 --root` is the folder that is / to the second. Figures are CPU-seconds of
all processes and cores, which other work on the machine changes less than it does a clock's.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from schemas.stack import installed

STEP = "[9742, 610, {}, 0]"  # of MovieLens' latest-small
IMPORTS = {
    "start: TensorFlow": "import components, tensorflow",
    "start: the whole pipeline": (
        "import pipeline.pipeline, tfx.orchestration.local.local_dag_runner"
    ),
}
Figures = dict[str, float]


def main() -> None:
    """Measures this stack, then prints one table of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--set", action="append", default=[], dest="settings")
    parser.add_argument("--nodes", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.nodes:
        run_nodes(options.folder, options.settings, options.nodes)
        return
    options.folder.mkdir(parents=True, exist_ok=True)
    found = {**_imports(), "a training step": _step(), **_nodes(options.settings)}
    text = json.dumps(found, indent=1)
    (options.folder / f"{installed().name}.json").write_text(text, encoding="utf-8")
    show(
        {path.stem: json.loads(path.read_text()) for path in sorted(options.folder.glob("*.json"))}
    )


def run_nodes(output: Path, settings: list[str], figures: Path) -> None:
    """Runs the embedded default in this process; writes what each node's work cost."""
    from tfx.orchestration.portable.launcher import Launcher

    from pipeline.config import load_config
    from pipeline.local import run_local

    found: Figures = {}
    launch = Launcher.launch

    def measured(self: Any) -> Any:
        before = cpu_seconds()
        try:
            return launch(self)
        finally:
            found[self._pipeline_node.node_info.id] = cpu_seconds() - before

    Launcher.launch = measured  # type: ignore[method-assign]
    run_local(load_config(None, settings, output_dir=str(output)))
    figures.write_text(json.dumps({**found, "run": cpu_seconds()}), encoding="utf-8")


def cpu_seconds() -> float:
    """What this process, and those of it that have ended, have used so far."""
    return sum(os.times()[:4])


def _imports() -> Figures:
    return {name: _cost([sys.executable, "-c", text]) for name, text in IMPORTS.items()}


def _cost(command: list[str]) -> float:
    """The CPU-seconds of a command; the second time, with its files in memory."""
    for _ in range(2):
        before = cpu_seconds()
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return cpu_seconds() - before


def _step() -> float:
    command = [sys.executable, "-m", "benchmarks.training_step", "--one", STEP]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return float(json.loads(done.stdout.splitlines()[-1])["cpu"])


def _nodes(settings: list[str]) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder, "figures.json")
        command = [
            sys.executable,
            "-m",
            "benchmarks.stacks",
            f"{folder}/run",
            "--nodes",
            str(figures),
        ]
        subprocess.run(
            [*command, *(part for one in settings for part in ("--set", one))], check=True
        )
        found: Figures = json.loads(figures.read_text(encoding="utf-8"))
    return found


def show(found: dict[str, Figures]) -> None:
    """Prints the figures of each stack, and the last one's as a multiple of the first one's."""
    table = Table("", *found, "newest / oldest", title="CPU-seconds")
    first, *_, last = [*found.values()] * 2
    for name in last:
        values = (f"{one[name]:.3g}" for one in found.values())
        ratio = f"{last[name] / first[name]:.2f}" if first[name] else ""
        table.add_row(name, *values, ratio)
    Console(width=100).print(table)


if __name__ == "__main__":
    main()

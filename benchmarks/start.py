"""Lists what a run imports before its first node: seconds by package, and what it adds up to.

    python -m benchmarks.start [--most 15]

It is the importing process's own account (`-X importtime`), which itself costs about a tenth. The
seconds of a package are those of its modules alone, not of what they import in turn.
"""

import argparse
import os
import resource
import subprocess
import sys
from collections import Counter

from rich.console import Console
from rich.table import Table

# As `pipeline.local.execute` does before it runs the graph.
IMPORTS = (
    "import pipeline.cli, tfx.orchestration.local.local_dag_runner, tfx.orchestration.pipeline, "
    "pipeline.mend, pipeline.progress, pipeline.publish, pipeline.metadata, pipeline.pipeline"
)


def main() -> None:
    """Prints one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=15)
    options = parser.parse_args()
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-W", "ignore", "-X", "importtime", "-c", IMPORTS]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds, modules = by_package(done.stderr)
    cpu = used.ru_utime + used.ru_stime
    table = Table(title=f"{sum(seconds.values()):.1f} s of imports, {cpu:.1f} CPU-s")
    for column in ("package", "s", "modules"):
        table.add_column(column, justify="right" if column != "package" else "left")
    for package, own in seconds.most_common(options.most):
        table.add_row(package, f"{own:.2f}", f"{modules[package]:,}")
    Console(width=80).print(table)


def by_package(log: str) -> tuple[Counter[str], Counter[str]]:
    """Seconds and modules by package, of what `-X importtime` writes."""
    seconds: Counter[str] = Counter()
    modules: Counter[str] = Counter()
    for line in log.splitlines():
        start, _, rest = line.partition("import time:")
        parts = rest.split("|")
        if start or len(parts) != 3 or not parts[0].strip().isdigit():
            continue
        package = parts[2].strip().split(".")[0]
        seconds[package] += int(parts[0]) / 1e6  # type: ignore[assignment]  # typed for counts
        modules[package] += 1
    return seconds, modules


if __name__ == "__main__":
    main()

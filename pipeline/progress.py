"""What a user sees while a run is under way, and where everything else goes."""

import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from absl import logging as absl_logging
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from pipeline.pace import Pace, StillColumn
from schemas.artifacts import Node

# Seconds that each node took on the embedded data; the last run's own replace them.
USUAL_SECONDS = {
    Node.EXAMPLE_GEN: 6.0,
    Node.STATISTICS: 7.0,
    Node.CATALOGUE_STATISTICS: 4.0,
    Node.TRANSFORM: 16.0,
    Node.TRAINER: 60.0,
    Node.EVALUATOR: 20.0,
}


@contextmanager
def quiet(log_path: Path) -> Iterator[Console]:
    """Sends what libraries print to a log file, down to the C++ layers.

    Yields the console that still reaches the user.
    """
    _flush()
    log_path.touch(mode=0o600)  # it may quote rows
    kept = [os.dup(1), os.dup(2)]
    with log_path.open("ab") as log, os.fdopen(os.dup(2), "w") as terminal:
        for descriptor in (1, 2):
            os.dup2(log.fileno(), descriptor)
        try:
            with _logged(log_path), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield Console(file=terminal)
        finally:
            # Or what was printed last would surface on the terminal; where the log has no room for
            # it, it is let go.
            try:
                _flush()
            except OSError:
                for descriptor in (1, 2):
                    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
                _flush()
            for descriptor, saved in zip((1, 2), kept, strict=True):
                os.dup2(saved, descriptor)
                os.close(saved)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()


@contextmanager
def _logged(path: Path) -> Iterator[None]:
    """Writes every library's log records to the file, and to it only."""
    root = logging.getLogger()
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    before, level = root.handlers[:], root.level
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        handler.close()
        root.handlers[:] = before
        root.setLevel(level)


class NodeProgress(logging.Handler):
    """Follows the runner's own log records and shows which node is at work, and how far it is."""

    STARTED, FINISHED = "Component %s is running.", "Component %s is finished."

    def __init__(
        self,
        console: Console,
        nodes: list[str],
        last: Mapping[str, float],
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        """Shows nodes, by the seconds that they took last; `ended` is called after each of them."""
        super().__init__(logging.INFO)
        self._ended = ended
        self._console, self._nodes = console, nodes
        self._seconds = {n: last.get(n, USUAL_SECONDS.get(n, 1.0)) for n in nodes}
        self._pace = Pace(self._seconds)
        self._done = 0.0
        self._node = ""
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            StillColumn(self._pace),
            console=console,
            transient=True,
        )
        self._task = self._bar.add_task("Starting", total=sum(self._seconds.values()))

    def emit(self, record: logging.LogRecord) -> None:
        """Moves the bar when a node starts, tells how far it is, or finishes; prints findings."""
        if record.msg == self.STARTED:
            self._node = _argument(record)
            self._pace.start(self._node)
            self._show(self._node, 0.0)
            if not self._console.is_terminal:
                self._console.print(f"{self._place()} {self._node}", highlight=False)
        elif record.msg == self.FINISHED:
            self._ended()
            self._pace.finish()
            self._done += self._seconds.get(_argument(record), 0.0)
            self._show(self._node, 0.0)
        elif record.name == "greenlight.findings":
            note = f"Note: {record.getMessage()}"
            self._console.print(note, highlight=False, markup=False, soft_wrap=True)
        elif record.name == "greenlight.progress":
            share = float(getattr(record, "done", 0.0))
            self._pace.tell(share)
            self._show(f"{self._node}: {record.getMessage()}", share)

    def _place(self) -> str:
        position = self._nodes.index(self._node) + 1 if self._node in self._nodes else 0
        return f"[{position}/{len(self._nodes)}]"

    def _show(self, text: str, share: float) -> None:
        part = share * self._seconds.get(self._node, 0.0)
        self._bar.update(
            self._task, description=rf"\{self._place()} {text}", completed=self._done + part
        )

    @contextmanager
    def following(self) -> Iterator[None]:
        """Shows the bar while the block runs."""
        names = ("absl", "greenlight.progress", "greenlight.findings")
        loggers = [logging.getLogger(name) for name in names]
        levels, verbosity = [logger.level for logger in loggers], absl_logging.get_verbosity()
        # Transform silences absl for a while and then gives it back the level that absl knows of.
        absl_logging.set_verbosity(absl_logging.INFO)
        for logger in loggers:
            logger.addHandler(self)
            logger.setLevel(logging.INFO)
        try:
            with self._bar:
                yield
        finally:
            absl_logging.set_verbosity(verbosity)
            for logger, level in zip(loggers, levels, strict=True):
                logger.removeHandler(self)
                logger.setLevel(level)


def _argument(record: logging.LogRecord) -> str:
    """The one argument of a record."""
    return str(record.args[0]) if isinstance(record.args, tuple) and record.args else ""

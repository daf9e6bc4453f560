"""Runs trials in processes of their own, so that several run side by side."""

import logging
import multiprocessing as mp
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from logging.handlers import QueueHandler
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple

from components.tuner.plan import Figures, Plan, Run, carry_out

logger = logging.getLogger("greenlight.tuner")

# A forked TensorFlow hangs: every worker begins with an interpreter of its own.
_SPAWN = mp.get_context("spawn")
# How many threads TensorFlow and NumPy's linear algebra use.
THREADS = (
    "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS",
)  # fmt: skip


class Failure(NamedTuple):
    """Why there are no figures, in one line."""

    reason: str


class Worker:
    """A process that carries out one plan after another, begun with the first.

    One that has died is begun anew with the next plan. However this process ends, its workers end.
    """

    def __init__(self, make_run: Callable[[], Run], threads: int) -> None:
        """Makes a worker.

        Args:
          make_run: what the process makes its own `run` of; it must pickle.
          threads: how many of each kind the process may use.
        """
        self._make_run, self._threads = make_run, threads
        self._process: Any = None
        self._connection: Connection | None = None

    def fileno(self) -> int:
        """What `ready` waits for."""
        assert self._connection is not None
        return self._connection.fileno()

    def begin(self, plan: Plan) -> None:
        """Has a plan carried out."""
        if self._process is None or not self._process.is_alive():
            self.stop()
            self._start()
        assert self._connection is not None
        with suppress(BrokenPipeError):  # it has just died, as the next `receive` says
            self._connection.send(plan)

    def receive(self) -> logging.LogRecord | Figures | Failure:
        """The process's next message: a log record, or how its plan ended."""
        assert self._connection is not None
        try:
            return self._connection.recv()
        except (EOFError, OSError):  # OSError: it died within a message
            return Failure(f"the trial's process ended by itself ({self.stop()})")

    def stop(self) -> str:
        """Ends the process, if there is one; says how it ended."""
        if self._process is None or self._connection is None:
            return ""
        self._process.kill()
        self._process.join()
        code = self._process.exitcode
        self._connection.close()
        self._process = self._connection = None
        return signal.Signals(-code).name if code < 0 else f"status {code}"

    def _start(self) -> None:
        self._connection, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_serve, args=(theirs, self._make_run), daemon=True)
        with _environment(dict.fromkeys(THREADS, str(self._threads))):
            self._process.start()
        theirs.close()  # or its end would not be seen here


def ready(workers: Iterable[Worker]) -> list[Worker]:
    """Waits until one or more of the workers have something to say."""
    return wait(list(workers))  # type: ignore[return-value,arg-type]


@contextmanager
def _environment(added: dict[str, str]) -> Iterator[None]:
    """Adds to the environment that processes started inside inherit."""
    before = dict(os.environ)
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            if name in before:
                os.environ[name] = before[name]
            else:
                del os.environ[name]


class _Line:
    """Carries log records and answers to the process that asked, one at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._lock = connection, threading.Lock()

    def put_nowait(self, message: logging.LogRecord | Figures | Failure) -> None:
        """Sends a message; the name is a queue's, as `QueueHandler` calls it."""
        with self._lock:
            self._connection.send(message)


def _serve(connection: Connection, make_run: Callable[[], Run]) -> None:
    """Carries out one plan after another, until the process is ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all: the parent's word counts
    threading.Thread(target=_end_with_parent, daemon=True).start()
    line = _Line(connection)
    root = logging.getLogger()
    root.handlers[:] = [QueueHandler(line)]  # type: ignore[arg-type]
    root.setLevel(logging.INFO)
    run: Run | None = None
    while True:
        plan = connection.recv()
        try:
            run = run or make_run()
            line.put_nowait(carry_out(run, plan))
        except Exception as error:
            logger.exception("Trial %s failed.", plan.label)
            line.put_nowait(Failure(traceback.format_exception_only(error)[-1].strip()))


def _end_with_parent() -> None:
    """A killed parent must leave no training behind that writes where the next search does."""
    parent = mp.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)

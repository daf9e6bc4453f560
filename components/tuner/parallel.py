"""The search with several trials at once."""

import logging
from collections.abc import Sequence

from keras_tuner.engine import oracle as kt_oracle
from keras_tuner.engine import trial as kt_trial

from components.tuner.config import TuningConfig
from components.tuner.plan import Figures
from components.tuner.search import Search, number
from components.tuner.workers import Failure, Worker, ready


class TrialError(RuntimeError):
    """A trial failed in its process, which has logged the traceback."""


class SideBySide(Search):
    """A search whose trials run in processes of their own.

    This process alone asks the oracle, keeps the state and waits for whichever trial ends first.
    KerasTuner's own distribution, clients of an oracle behind gRPC, hangs when a client dies.
    """

    def __init__(
        self,
        oracle: kt_oracle.Oracle,
        workers: Sequence[Worker],
        tuning: TuningConfig,
        directory: str,
    ) -> None:
        """Makes the search; each worker has one trial at a time."""
        super().__init__(oracle, tuning, directory)
        self.at_once, self._idle = len(workers), list(workers)
        self._names = {worker: f"worker{n}" for n, worker in enumerate(workers)}
        self._running: dict[Worker, kt_trial.Trial] = {}
        self._progress: dict[str, str] = {}

    def search(self) -> None:
        """Searches; whatever happens, no trial runs on behind it."""
        self.on_search_begin()
        try:
            self._begin_trials()
            while self._running:
                for worker in ready(self._running):
                    self._listen(worker)
                self._begin_trials()
        finally:
            for worker in [*self._idle, *self._running]:
                worker.stop()
        self.on_search_end()

    def run_trial(self, trial: kt_trial.Trial, answer: Figures | Failure) -> Figures:
        """Takes what a trial's process answered; raises TrialError if it failed."""
        if isinstance(answer, Failure):
            raise TrialError(answer.reason)
        return self.timed(answer)

    def _begin_trials(self) -> None:
        while self._idle:
            self.pre_create_trial()
            trial = self.oracle.create_trial(self._names[self._idle[-1]])
            if trial.status != kt_trial.TrialStatus.RUNNING:
                return  # the oracle has no more, or waits for one that runs
            worker = self._idle.pop()
            self._running[worker] = trial
            self.on_trial_begin(trial)
            worker.begin(self.plan(trial)._replace(label=str(number(trial))))

    def _listen(self, worker: Worker) -> None:
        message = worker.receive()
        if isinstance(message, logging.LogRecord):
            self._log(worker, message)
            return
        trial = self._running.pop(worker)
        self._idle.append(worker)
        self._progress.pop(trial.trial_id, None)
        self._try_run_and_update_trial(trial, message)
        self.on_trial_end(trial)

    def _log(self, worker: Worker, record: logging.LogRecord) -> None:
        """Logs what a process logged; its progress together with that of the others."""
        if record.name == "greenlight.progress":
            self._progress[self._running[worker].trial_id] = record.getMessage()
            best = self.best()
            so_far = f" (best {best:.4f})" if best is not None else ""
            record.msg = f"trials{so_far} {', '.join(self._progress.values())}"
            record.__dict__["done"] = self.share
        log = logging.getLogger(record.name)
        if log.isEnabledFor(record.levelno):
            log.handle(record)

"""The training loop: rounds, early stopping, checkpoints, progress."""

import itertools
import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import tensorflow as tf

from components.model import randomness
from components.model.config import TrainingConfig
from components.model.protocol import Trainable
from components.model.window import ANY_WINDOW, Window
from components.trainer.averages import Averages
from components.trainer.checkpoints import Checkpoints
from components.trainer.history import History
from components.trainer.optimizer import Optimizer
from components.trainer.pace import Pace
from components.trainer.rounds import Rounds
from components.trainer.variables import assign_all, others_than
from components.trainer.workers import ALONE, Workers

progress = logging.getLogger("greenlight.progress")

RoundWindows = Callable[[int], Iterable[Window]]
Measure = Callable[[Any], dict[str, float]]


def never_enough(rounds: int) -> bool:
    """Lets a training run for all its rounds."""
    return False


class Fit:
    """Trains a model, keeps each task's best weights, and goes on where a killed run stopped.

    It goes in rounds: an epoch each or, of large data, a part of one. Tasks that share no weights
    are best after different rounds: each keeps those of its own best one. For `averaged` weights
    the moving average over a round's steps is judged and kept (Polyak and Juditsky, 1992): it
    varies less with the batches that came last.

    After every round, and within one whenever it is due, the weights, the optimizer, the best
    weights and the history are written to `checkpoints`; a run that finds them there goes on after
    the last step whose checkpoint is whole. A round always reads its windows in the same order,
    whether or not the run was interrupted. Where the time is bounded, a run that goes on has what
    is left of it.

    Where several workers train together, what the chief has counts: it alone judges and writes
    checkpoints, after rounds alone, and before every round the others take its weights and its
    optimizer's state.
    """

    def __init__(
        self,
        model: Trainable,
        config: TrainingConfig,
        rounds: Rounds,
        checkpoints: str,
        tasks: Mapping[str, Sequence[tf.Variable]] | None = None,
        averaged: Sequence[tf.Variable] = (),
        workers: Workers = ALONE,
    ) -> None:
        """Prepares the training.

        Args:
          model: built, its weights made.
          config: how it learns.
          rounds: at most so many.
          checkpoints: folder of the checkpoints.
          tasks: the variables that each loss on valid chooses the round of (default: all of them
            by `valid_loss`).
          averaged: the weights whose moving average is judged and kept.
          workers: who trains it.
        """
        self.model, self.rounds, self._seed, self._workers = model, rounds, config.seed, workers
        self.patience = config.patience * rounds.parts
        self.steps = max(1, rounds.steps)
        tables = model.by_row()
        weights = [table.weight for table in tables]
        others = others_than(weights, model.trainable_variables)
        self.pace = Pace(rounds, workers)
        self.optimizer = Optimizer(config, self.pace.of_rate, others, tables, workers.together)
        self.tasks = {"valid_loss": model.variables} if tasks is None else tasks
        self.best = {
            task: [tf.Variable(v, trainable=False) for v in variables]
            for task, variables in self.tasks.items()
        }
        self.history = History()
        self._averages = Averages(averaged, weights, self.steps)
        self._state = tf.Variable("", trainable=False, dtype=tf.string)
        tracked = tf.train.Checkpoint(
            weights=model.variables, averages=self._averages, optimizer=self.optimizer,
            best=self.best, state=self._state, randomness=randomness.state(),
            planned=self.pace.steps,
        )  # fmt: skip
        self._checkpoints = Checkpoints(tracked, checkpoints)
        self._step = tf.function(self._train_step, [ANY_WINDOW], autograph=False)
        together = workers.number > 1
        self._follow = tf.function(self._follow_chief) if together else lambda: None

    def resume(self) -> int:
        """Restores the newest checkpoint that is whole; returns how many rounds are finished."""
        if self._workers.is_chief and self._checkpoints.restore():
            self.history = History.of(json.loads(self._state.numpy()))
        self.history = History.of(self._workers.told(lambda: asdict(self.history)))
        self._follow()
        self.pace.begin(self.history.seconds)
        return len(self.history.epochs)

    def run(
        self,
        windows: RoundWindows,
        judge: Measure,
        log_dir: str,
        enough: Callable[[int], bool] = never_enough,
    ) -> History:
        """Trains until the rounds are used up or no task's valid loss falls any more.

        Args:
          windows: gives a round's windows.
          judge: measures the model on valid; the losses that `tasks` names stop and choose.
          log_dir: for TensorBoard.
          enough: whether to stop after so many rounds; a later run can go on.

        Returns:
          The history; the model then has its best weights.
        """
        chief = self._workers.is_chief
        writer = (
            tf.summary.create_file_writer(log_dir) if chief else tf.summary.create_noop_writer()
        )
        for number in range(self.resume(), self.rounds.number):
            over = self._is_over() and not self.history.losses
            if self.history.waited >= self.patience or enough(number) or over:
                break
            self._run(number, windows(number), judge, writer)
        for task, variables in self.tasks.items():
            assign_all(variables, self.best[task])
        self._follow()
        return self.history

    def _run(self, number: int, windows: Iterable[Window], judge: Measure, writer: Any) -> None:
        started = time.monotonic() - self.history.begun
        self._follow()
        self._workers.begin(self._seed, number)
        loss = self._train(number, windows, started)
        with self._averages.in_place(self.optimizer.step):
            row = {"loss": loss, **self._workers.told(lambda: judge(self.model))}
            row["seconds"] = round(time.monotonic() - started, 3)
            for task in self.history.add(row, self.tasks):
                assign_all(self.best[task], self.tasks[task])
        with writer.as_default(step=number):
            for name, value in row.items():
                tf.summary.scalar(name, value)
        self._save()

    def _save(self) -> None:
        self.history.seconds = round(self.pace.spent, 3)
        self._state.assign(json.dumps(asdict(self.history)))
        if self._workers.is_chief:
            self._checkpoints.save()

    def _is_over(self) -> bool:
        return self.pace.ends(int(self.optimizer.step.numpy()))

    def _train(self, number: int, windows: Iterable[Window], started: float) -> float:
        """Takes the steps of a round that are left and planned; returns all its mean loss."""
        losses = self.history.losses
        for window in itertools.islice(windows, len(losses), None):
            if self._is_over():
                self.history.last = min(1.0, len(losses) / self.steps)
                break
            losses.append(float(self._step(window)))
            if len(losses) % 5 == 1:
                self._tell(number, len(losses) - 1)
            self.pace.look(int(self.optimizer.step.numpy()))
            if self._workers.number == 1 and self._checkpoints.is_due:
                self.history.begun = time.monotonic() - started
                self._save()
        return float(np.mean(np.array(losses, np.float32)))

    def _tell(self, number: int, step: int) -> None:
        planned = self.pace.planned
        name, last = self.rounds.name, min(self.rounds.number, -(-planned // self.steps))
        done = self.rounds.done(number, step, planned)
        progress.info("%s %d of %d", name, number + 1, last, extra={"done": done})

    def _follow_chief(self) -> None:
        changing = [*self.model.variables, *self.optimizer.state, *self._averages.state]
        self._workers.follow_chief([*changing, self.pace.steps])

    def _train_step(self, window: Window) -> tf.Tensor:
        window = self._workers.share(window)
        with tf.GradientTape() as tape:
            loss = self.model.compute_loss(window, training=True)
        gradients = self.optimizer.gradients(tape, loss)
        self._averages.count(gradients, self.optimizer.step.read_value())
        self.optimizer.apply(gradients)
        return self._workers.mean([loss])[0]

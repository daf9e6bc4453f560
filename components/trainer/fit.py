"""The training loop: epochs, early stopping, checkpoints, progress."""

import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras as keras

from components.model.config import TrainingConfig
from components.model.protocol import Trainable
from components.model.window import ANY_WINDOW, Window
from components.trainer.history import History

progress = logging.getLogger("greenlight.progress")

EpochWindows = Callable[[int], Iterable[Window]]
Measure = Callable[[Any], dict[str, float]]


def never_enough(epochs: int) -> bool:
    """Lets a training run for all its epochs."""
    return False


class Fit:
    """Trains a model, keeps each task's best weights, and goes on where a killed run stopped.

    Tasks that share no weights are best at different epochs: each keeps those of its own best one.
    For `averaged` weights the moving average over an epoch's steps is judged and kept (Polyak and
    Juditsky, 1992): it varies less with the batches that came last.

    After every epoch the weights, the optimizer, the best weights and the history are written to
    `checkpoints`; a run that finds them there starts after the last finished epoch. An epoch always
    reads its windows in the same order, whether or not the run was interrupted.
    """

    def __init__(
        self,
        model: Trainable,
        config: TrainingConfig,
        steps: int,
        epochs: int,
        checkpoints: str,
        tasks: Mapping[str, Sequence[tf.Variable]] | None = None,
        averaged: Sequence[tf.Variable] = (),
    ) -> None:
        """Prepares the training.

        Args:
          model: built, its weights made.
          config: how it learns.
          steps: per epoch.
          epochs: at most.
          checkpoints: folder of the checkpoints.
          tasks: the variables that each loss on valid chooses the epoch of (default: all of them
            by `valid_loss`).
          averaged: the weights whose moving average is judged and kept.
        """
        self.model, self.config, self.epochs = model, config, epochs
        self.steps = max(1, steps)
        self.optimizer = make_optimizer(config, max(1, epochs * self.steps))
        self.optimizer.build(model.trainable_variables)
        self.tasks = {"valid_loss": model.variables} if tasks is None else tasks
        self.best = {
            task: [tf.Variable(v, trainable=False) for v in variables]
            for task, variables in self.tasks.items()
        }
        self.history = History()
        self.averaged = list(averaged)
        self._averages = [tf.Variable(v, trainable=False) for v in averaged]
        self._state = tf.Variable("", trainable=False, dtype=tf.string)
        tracked = tf.train.Checkpoint(
            weights=model.variables, averages=self._averages, optimizer=self.optimizer,
            best=self.best, state=self._state,
        )  # fmt: skip
        self._manager = tf.train.CheckpointManager(tracked, checkpoints, max_to_keep=2)
        self._step = tf.function(self._train_step, [ANY_WINDOW], autograph=False)

    def resume(self) -> int:
        """Restores the newest checkpoint; returns how many epochs are done."""
        if self._manager.restore_or_initialize():
            self.history = History(**json.loads(self._state.numpy()))
            best = self.history.best  # JSON knows no tuples
            self.history.best = {task: (epoch, loss) for task, (epoch, loss) in best.items()}
        return len(self.history.epochs)

    def run(
        self,
        epoch: EpochWindows,
        judge: Measure,
        log_dir: str,
        enough: Callable[[int], bool] = never_enough,
    ) -> History:
        """Trains until the epochs are used up or no task's valid loss falls any more.

        Args:
          epoch: gives an epoch's windows.
          judge: measures the model on valid; the losses that `tasks` names stop and choose.
          log_dir: for TensorBoard.
          enough: whether to stop after so many epochs; a later run can go on.

        Returns:
          The history; the model then has its best weights.
        """
        writer = tf.summary.create_file_writer(log_dir)
        for number in range(self.resume(), self.epochs):
            if self.history.waited >= self.config.patience or enough(number):
                break
            self._run_epoch(number, epoch(number), judge, writer)
        for task, variables in self.tasks.items():
            assign_all(variables, self.best[task])
        return self.history

    def _run_epoch(
        self, number: int, windows: Iterable[Window], judge: Measure, writer: Any
    ) -> None:
        started = time.monotonic()
        loss = self._train_epoch(number, windows)
        with self._with_averages():
            row = {"loss": loss, **judge(self.model)}
            row["seconds"] = round(time.monotonic() - started, 3)
            for task in self.history.add(row, self.tasks):
                assign_all(self.best[task], self.tasks[task])
        with writer.as_default(step=number):
            for name, value in row.items():
                tf.summary.scalar(name, value)
        self._state.assign(json.dumps(asdict(self.history)))
        self._manager.save()

    def _train_epoch(self, number: int, windows: Iterable[Window]) -> float:
        """Takes an epoch's steps; returns their mean loss."""
        losses = []
        for step, window in enumerate(windows):
            losses.append(self._step(window))
            if step % 5 == 0:
                done = (number + min(1.0, step / self.steps)) / self.epochs
                progress.info("epoch %d of %d", number + 1, self.epochs, extra={"done": done})
        return float(np.mean(losses))

    @contextmanager
    def _with_averages(self) -> Iterator[None]:
        """Gives the model the averages for a while, then its own weights again."""
        own = [tf.convert_to_tensor(v) for v in self.averaged]
        assign_all(self.averaged, self._averages)
        yield
        assign_all(self.averaged, own)

    def _train_step(self, window: Window) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = self.model.compute_loss(window, training=True)
        variables = self.model.trainable_variables
        sparse = tape.gradient(loss, variables, unconnected_gradients="zero")
        # Nearly every row has a gradient in every step: dense updates are the faster ones.
        gradients = [tf.convert_to_tensor(gradient) for gradient in sparse]
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        steps = tf.minimum(self.optimizer.iterations, self.steps)
        share = 1.0 / tf.cast(steps, tf.float32)
        for average, weight in zip(self._averages, self.averaged, strict=True):
            average.assign_add(share * (weight - average))
        return loss


def make_optimizer(config: TrainingConfig, steps: int) -> keras.optimizers.Optimizer:
    """The configured optimizer for a training of so many steps."""
    if config.optimizer == "adagrad":
        return keras.optimizers.Adagrad(config.learning_rate, jit_compile=False)
    warmup = max(1, steps // 20)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warmup), warmup_target=config.learning_rate, warmup_steps=warmup
    )
    return keras.optimizers.AdamW(
        rate,
        weight_decay=config.weight_decay,
        global_clipnorm=config.clip_norm,
        jit_compile=False,
    )


def assign_all(to: Sequence[tf.Variable], values: Sequence[tf.Variable | tf.Tensor]) -> None:
    """Copies weights, one by one."""
    for variable, value in zip(to, values, strict=True):
        variable.assign(value)

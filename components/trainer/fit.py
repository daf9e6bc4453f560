"""The training loop: epochs, early stopping, checkpoints, progress."""

import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras as keras

from components.model.config import TrainingConfig
from components.model.recommender import Recommender
from components.model.two_towers import TwoTowers
from components.model.window import ANY_WINDOW, Window

progress = logging.getLogger("greenlight.progress")

Epoch = Callable[[int], Iterable[Window]]
Judge = Callable[[Recommender], dict[str, float]]


def never(epochs: int) -> bool:
    """Says that no number of epochs is enough."""
    return False


@dataclass
class History:
    """What happened so far, one entry per finished epoch; survives in the checkpoint.

    best: for each part of the model its best epoch and, as `valid` has it, that epoch's loss.
    """

    epochs: list[dict[str, float]] = field(default_factory=list)
    best: dict[str, tuple[int, float]] = field(default_factory=dict)

    @property
    def best_epoch(self) -> int:
        """The last epoch that any part has its weights from; -1 before the first."""
        return max((epoch for epoch, _ in self.best.values()), default=-1)

    @property
    def waited(self) -> int:
        """Epochs since any part was at its best."""
        return len(self.epochs) - 1 - self.best_epoch if self.epochs else 0

    def add(self, row: dict[str, float], parts: Iterable[str]) -> list[str]:
        """Adds an epoch; returns the parts whose loss is the best yet, or all without a valid."""
        self.epochs.append(row)
        better = [
            part
            for part in parts
            if part not in row or row[part] < self.best.get(part, (0, float("inf")))[1]
        ]
        for part in better:
            self.best[part] = (len(self.epochs) - 1, row.get(part, float("inf")))
        return better


class Fit:
    """Trains a model, keeps the best weights of its parts, and goes on where a killed run was.

    Tasks that share no weights are best at different epochs: each part keeps those of its own.
    Of `averaged` weights it is the moving average over an epoch's steps that is judged and kept
    (Polyak and Juditsky, 1992): it varies less with the batches that came last.

    After every epoch the weights, the optimizer, the best weights and the history are written to
    `checkpoints`; a run that finds them there starts behind the last finished epoch. Epoch e always
    reads the windows in the order of seed and e, whether or not the run was interrupted.
    """

    def __init__(
        self,
        model: Recommender | TwoTowers,
        config: TrainingConfig,
        steps: int,
        epochs: int,
        checkpoints: str,
        parts: Mapping[str, Sequence[tf.Variable]] | None = None,
        averaged: Sequence[tf.Variable] = (),
    ) -> None:
        """Prepares the training.

        Args:
          model: built, its weights made.
          config: how it learns.
          steps: per epoch.
          epochs: at most.
          checkpoints: folder of the checkpoints.
          parts: the variables that each of the judge's losses chooses the epoch of; left out: all
            by `valid_loss`.
          averaged: the weights whose moving average is judged and kept.
        """
        self.model, self.config, self.epochs = model, config, epochs
        self.steps = max(1, steps)
        self.optimizer = make_optimizer(config, max(1, epochs * self.steps))
        self.optimizer.build(model.trainable_variables)
        self.parts = {"valid_loss": model.variables} if parts is None else parts
        self.best = {
            part: [tf.Variable(v, trainable=False) for v in variables]
            for part, variables in self.parts.items()
        }
        self.history = History()
        self._weights = list(averaged)
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
            self.history.best = {part: (epoch, loss) for part, (epoch, loss) in best.items()}
        return len(self.history.epochs)

    def run(
        self, epoch: Epoch, judge: Judge, log_dir: str, enough: Callable[[int], bool] = never
    ) -> History:
        """Trains until the epochs are used up or no part's valid loss falls any more.

        Args:
          epoch: gives an epoch's windows.
          judge: measures the model on valid; the losses that `parts` names stop and choose.
          log_dir: for TensorBoard.
          enough: whether to stop after so many epochs, to go on later perhaps.

        Returns:
          The history; the model then has its best weights.
        """
        writer = tf.summary.create_file_writer(log_dir)
        for number in range(self.resume(), self.epochs):
            if self.history.waited >= self.config.patience or enough(number):
                break
            self._train_epoch(number, epoch(number), judge, writer)
        for part, variables in self.parts.items():
            assign_all(variables, self.best[part])
        return self.history

    def _train_epoch(
        self, number: int, windows: Iterable[Window], judge: Judge, writer: Any
    ) -> None:
        started, losses = time.monotonic(), []
        for step, window in enumerate(windows):
            losses.append(self._step(window))
            if step % 5 == 0:
                done = (number + min(1.0, step / self.steps)) / self.epochs
                progress.info("epoch %d of %d", number + 1, self.epochs, extra={"done": done})
        with self._averaged():
            row = {"loss": float(np.mean(losses)), **judge(self.model)}
            row["seconds"] = round(time.monotonic() - started, 3)
            for part in self.history.add(row, self.parts):
                assign_all(self.best[part], self.parts[part])
        with writer.as_default(step=number):
            for name, value in row.items():
                tf.summary.scalar(name, value)
        self._state.assign(json.dumps(asdict(self.history)))
        self._manager.save()

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """Lends the model the averages."""
        own = [tf.convert_to_tensor(v) for v in self._weights]
        assign_all(self._weights, self._averages)
        yield
        assign_all(self._weights, own)

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
        for average, weight in zip(self._averages, self._weights, strict=True):
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

"""How many steps a training takes in all: those of its rounds, or what its time allows."""

import time

import tensorflow as tf

from components.trainer.rounds import Rounds
from components.trainer.workers import Workers

EVERY = 10  # steps, after which the plan is made anew
RESERVE = 0.05  # of the time, for what comes after the last step: its round is judged


def affordable(done: int, pace: float, left: float, most: int) -> int:
    """How many steps a training takes in all, those that are done included.

    Args:
      done: how many steps were taken.
      pace: seconds that a step takes.
      left: seconds that there still are; below 0 where they are used up.
      most: steps that its rounds have.
    """
    return min(most, done + int(max(0.0, left) / pace))


class Pace:
    """The plan of a training's steps.

    Where `rounds.seconds` bounds its time, the plan is made after the first steps, by what they
    took, and made anew as the training goes on: a step takes longer while others use the machine.
    A step's seconds are the mean since this process's second step (the first one is traced), those
    of judging and of checkpoints included.

    steps: int32, how many there are in all. It belongs into a checkpoint, so that a training that
      goes on has its plan at once.
    """

    def __init__(self, rounds: Rounds, workers: Workers) -> None:
        """Begins with the steps of all rounds."""
        self._rounds, self._workers = rounds, workers
        self.steps = tf.Variable(rounds.most, trainable=False, dtype=tf.int32)
        self._origin = time.monotonic()
        self._second: tuple[int, float] | None = None

    @property
    def of_rate(self) -> int | tf.Variable:
        """The steps that the learning rate is planned by: a number, if nothing changes it."""
        return self._rounds.most if self._rounds.seconds is None else self.steps

    @property
    def planned(self) -> int:
        """How many steps there are in all, as far as is known."""
        return int(self.steps.numpy())

    @property
    def spent(self) -> float:
        """Seconds that the training took so far, those of earlier processes included."""
        return time.monotonic() - self._origin

    def begin(self, spent: float) -> None:
        """Starts the clock; earlier processes took so many seconds."""
        self._origin, self._second = time.monotonic() - spent, None

    def ends(self, done: int) -> bool:
        """Whether there is no step to take after so many, in the middle of a round or not."""
        bounded = self._rounds.seconds is not None or self._rounds.last is not None
        return bounded and done >= self.planned

    def look(self, done: int) -> None:
        """Makes the plan anew where it is time to; call it after every step."""
        if self._rounds.seconds is None:
            return
        if self._second is None:
            self._second = (done, self.spent)
        elif (done - self._second[0]) % EVERY == 0:
            seconds = (1 - RESERVE) * self._rounds.seconds
            self.steps.assign(self._workers.told(lambda: self._plan(done, seconds))["steps"])

    def _plan(self, done: int, seconds: float) -> dict[str, int]:
        assert self._second is not None
        spent, (first, before) = self.spent, self._second
        pace = (spent - before) / (done - first)
        return {"steps": affordable(done, pace, seconds - spent, self._rounds.most)}

"""How a training goes through train: in rounds, each an epoch or, of large data, a part of one."""

import math
from typing import NamedTuple

import numpy as np

from components.model.config import TrainingConfig

EPOCHS = {True: 8, False: 12}  # ordered, set
LARGE = 500_000  # ratings of train, from which on three quarters of the epochs have steps enough
WARM_EPOCHS = 4  # from a model that has learned already
ROUND = 1_000_000  # ratings of train from which on an epoch has several rounds: so many in each


class Rounds(NamedTuple):
    """The rounds of a training. After each the model is judged and kept, and can be gone on with.

    number: at most so many.
    parts: how many make an epoch.
    steps: of each, about.
    begin, end: the shares of the job's work that are done before and after them.
    last: of all steps, that which ends the last round early; None: every round is whole.
    seconds: that they may take together; None: as many as they need.
    """

    number: int
    parts: int
    steps: int
    begin: float = 0.0
    end: float = 1.0
    last: int | None = None
    seconds: float | None = None

    @property
    def most(self) -> int:
        """About how many steps they have together, at least one."""
        return max(1, self.number * self.steps if self.last is None else self.last)

    @property
    def name(self) -> str:
        """What people call one."""
        name = "epoch" if self.parts == 1 else "round"
        return name if not self.begin else f"with valid, {name}"

    def done(self, number: int, step: int, planned: int | None = None) -> float:
        """The share of the job's work that is done at a step of a round; both count from 0.

        `planned` is how many steps there are in all, where that is not what the rounds have.
        """
        steps = max(1, self.steps)
        rounds = (self.most if planned is None else planned) / steps
        own = min(1.0, (number + min(1.0, step / steps)) / rounds)
        return self.begin + own * (self.end - self.begin)

    def shards(self, number: int, shards: int, seed: int) -> list[int]:
        """The places of the shards that a round reads; every epoch deals all of them out anew.

        Users are spread over the shards by a hash, so that any of them are a fair sample.

        Args:
          number: of the round, from 0.
          shards: of train.
          seed: of the training.
        """
        if self.parts == 1:
            return list(range(shards))
        epoch, part = divmod(number, self.parts)
        order = np.random.default_rng([seed, epoch]).permutation(shards)
        return sorted(order[part :: self.parts].tolist())


def plan_rounds(
    training: TrainingConfig, files: int, ratings: int, steps: int, epochs: float
) -> Rounds:
    """The rounds of a training, without a bound on its time.

    Args:
      training: its settings.
      files: of train.
      ratings: of train.
      steps: of an epoch.
      epochs: at most.
    """
    parts = max(1, min(files, ratings // ROUND))
    own, asked = math.ceil(steps / parts), round(epochs * parts, 6)
    number = math.ceil(asked)
    if training.epochs is None and training.minutes is None:
        number = min(number, max(1, training.most_ratings * parts // max(1, ratings)))
    last = math.ceil(asked * own) if asked % 1 else None
    return Rounds(number, parts, own, last=last)


def most_epochs(
    training: TrainingConfig, ordered: bool, warm: bool = False, ratings: int = 0
) -> float:
    """How many epochs a training has at most, on so many ratings of train."""
    if training.epochs is not None:
        return training.epochs
    if warm:
        return WARM_EPOCHS
    return EPOCHS[ordered] * 3 // 4 if ratings >= LARGE else EPOCHS[ordered]

"""What happened in a training, round by round."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class History:
    """What happened so far, one entry per finished round; it is kept in the checkpoint.

    epochs: each round's figures by name; a round is an epoch, or of large data a part of one.
    best: for each task, named by its loss on valid, its best round and that epoch's loss.
    seconds: that it took, judging and checkpoints included.
    last: the share of the last round that was read before the training's plan ended.
    losses: of each step of the round that is under way.
    begun: seconds that this round took so far.
    """

    epochs: list[dict[str, float]] = field(default_factory=list)
    best: dict[str, tuple[int, float]] = field(default_factory=dict)
    seconds: float = 0.0
    last: float = 1.0
    losses: list[float] = field(default_factory=list)
    begun: float = 0.0

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> "History":
        """Reads what `asdict` made of one and JSON, which knows no tuples, kept."""
        best = {task: (epoch, loss) for task, (epoch, loss) in content["best"].items()}
        return cls(**{**content, "best": best})

    @property
    def best_epoch(self) -> int:
        """The last round that any task has its weights from; -1 before the first."""
        return max((epoch for epoch, _ in self.best.values()), default=-1)

    @property
    def waited(self) -> int:
        """Rounds since any task was at its best."""
        return len(self.epochs) - 1 - self.best_epoch if self.epochs else 0

    @property
    def read(self) -> float:
        """How many rounds' windows were read; the last round may be a part of one."""
        return len(self.epochs) - 1 + self.last if self.epochs else 0.0

    @property
    def improving(self) -> bool | None:
        """Whether a task was at its best in the last round; None where nothing compares it."""
        judged = any(math.isfinite(loss) for _, loss in self.best.values())
        return self.waited == 0 if judged and len(self.epochs) > 1 else None

    def add(self, row: dict[str, float], tasks: Iterable[str]) -> list[str]:
        """Ends a round; returns the tasks whose loss is the best yet, or that have no loss."""
        self.epochs.append(row)
        self.losses, self.begun = [], 0.0
        better = [
            task
            for task in tasks
            if task not in row or row[task] < self.best.get(task, (0, float("inf")))[1]
        ]
        for task in better:
            self.best[task] = (len(self.epochs) - 1, row.get(task, float("inf")))
        return better

"""Processes that train one model together, one on each machine, as TF_CONFIG names them.

All hold the whole model. In a step each takes its share of the users, and all change their weights
by the mean of the gradients; of tables, only the rows that somebody read go over the network. The
batch is as large as one process's, so settings mean the same.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from components.model import randomness
from components.model.window import Window
from components.trainer.optimizer import Gradients, each_row_once

VARIABLE = "TF_CONFIG"


class Workers:
    """All processes of a training, seen from one of them.

    number: of all of them.
    index: of this one; the chief, which alone judges, saves and exports, is the first.
    """

    def __init__(
        self, strategy: tf.distribute.MultiWorkerMirroredStrategy | None = None, index: int = 0
    ) -> None:
        """Takes what connects the processes, or None where there is one, and this one's place."""
        self._strategy, self.index = strategy, index
        self.number = strategy.num_replicas_in_sync if strategy is not None else 1
        codes = tf.TensorSpec([None], tf.int32)
        self._codes = tf.function(self._gathered, [codes], autograph=False)

    @property
    def is_chief(self) -> bool:
        """Whether this process is the one that judges, saves and exports."""
        return self.index == 0

    def begin(self, seed: int, number: int) -> None:
        """Gives each process draws of its own for a round, the same whenever the round begins."""
        if self.number > 1:
            own = np.random.SeedSequence([seed, number, self.index]).generate_state(1)
            randomness.state().reset_from_seed(int(own[0]))

    def share(self, window: Window) -> Window:
        """This process's users of a window; one of them again where there are fewer users."""
        if self.number == 1:
            return window
        users = tf.shape(window.user)[0]
        own = tf.range(self.index, tf.maximum(users, self.index + 1), self.number) % users
        return Window(*(tf.gather(part, own) for part in window))

    def together(self, gradients: Gradients) -> Gradients:
        """The mean of all processes' gradients; a row that a process did not read counts as 0."""
        if self.number == 1:
            return gradients
        own = [row.values / self.number for row in gradients.rows]
        rows = self._of_all([row.indices for row in gradients.rows])
        slopes = self._of_all(own)
        joined = map(tf.IndexedSlices, slopes, rows)
        return Gradients(self.mean(gradients.dense), [each_row_once(one) for one in joined])

    def mean(self, tensors: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """The mean of each float tensor, of one shape everywhere, over all processes."""
        return self._reduced(tensors, tf.distribute.ReduceOp.MEAN)

    def follow_chief(self, variables: Sequence[tf.Variable]) -> None:
        """Gives all processes the chief's values; part of a graph."""
        for kind in sorted({variable.dtype for variable in variables}, key=str):
            own = [variable for variable in variables if variable.dtype == kind]
            shown = [tf.identity(v) if self.is_chief else tf.zeros_like(v) for v in own]
            values = self._reduced(shown, tf.distribute.ReduceOp.SUM)
            for variable, value in zip(own, values, strict=True):
                variable.assign(value)

    def told(self, say: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
        """What the chief, and nobody else, works out: something that JSON can hold."""
        if self.number == 1:
            return dict(say())
        text = json.dumps(say()) if self.is_chief else ""
        codes = tf.constant(list(text.encode()), tf.int32)
        found: dict[str, Any] = json.loads(bytes(self._codes(codes).numpy().tolist()))
        return found

    def wait_for_chief(self) -> None:
        """Returns when the chief has come here too."""
        self.told(dict)

    def _reduced(
        self, tensors: Sequence[tf.Tensor], kind: tf.distribute.ReduceOp
    ) -> list[tf.Tensor]:
        """The sum or mean of each tensor over all processes, in one message."""
        if self.number == 1:
            return list(tensors)
        flat = tf.concat([tf.reshape(tensor, [-1]) for tensor in tensors], 0)
        whole = self._exchanged(lambda here, own: here.all_reduce(kind, own), flat)
        parts = tf.split(whole, [tf.size(tensor) for tensor in tensors], num=len(tensors))
        return [tf.reshape(part, tf.shape(one)) for part, one in zip(parts, tensors, strict=True)]

    def _of_all(self, tensors: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """Each tensor with those of the other processes below it, in one message and its sizes."""
        sizes = self._gathered(tf.stack([tf.size(tensor) for tensor in tensors]))
        flat = self._gathered(tf.concat([tf.reshape(tensor, [-1]) for tensor in tensors], 0))
        parts = tf.split(flat, sizes, num=self.number * len(tensors))
        joined = [tf.concat(parts[place :: len(tensors)], 0) for place in range(len(tensors))]
        shapes = ([-1, *tensor.shape[1:]] for tensor in tensors)
        return list(map(tf.reshape, joined, shapes))

    def _gathered(self, tensor: tf.Tensor) -> tf.Tensor:
        """The tensor with those of the other processes behind it."""
        return self._exchanged(lambda here, own: here.all_gather(own, axis=0), tensor)

    def _exchanged(
        self,
        exchange: Callable[[tf.distribute.ReplicaContext, tf.Tensor], tf.Tensor],
        tensor: tf.Tensor,
    ) -> tf.Tensor:
        assert self._strategy is not None

        def own(tensor: tf.Tensor) -> tf.Tensor:
            # TensorFlow exchanges only what has a device.
            return exchange(tf.distribute.get_replica_context(), tf.identity(tensor))

        return self._strategy.run(own, (tensor,))


ALONE = Workers()


def join() -> Workers:
    """Meets the other processes that TF_CONFIG names; waits until all are there.

    TensorFlow must not have computed anything before in this process.
    """
    told = json.loads(os.environ.get(VARIABLE) or "{}")
    places = [
        {"type": kind, "index": index}
        for kind in ("chief", "worker")
        for index in range(len(told.get("cluster", {}).get(kind, ())))
    ]
    if len(places) < 2:
        return ALONE
    return Workers(tf.distribute.MultiWorkerMirroredStrategy(), places.index(told["task"]))

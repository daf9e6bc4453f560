"""Where calls of the graph run: a few threads, a bounded queue, a time limit, and batches."""

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry, Gauge, Histogram

S = TypeVar("S")
T = TypeVar("T")
Many = Callable[[Sequence[S]], Sequence[T]]
MOST_TOGETHER = 16  # requests that share a call


@dataclass(frozen=True)
class _Waiting:
    """A request that waits to share a call with others of its key."""

    key: Hashable
    function: Many[Any, Any]
    item: Any
    answer: "asyncio.Future[Any]"


class Busy(Exception):  # noqa: N818 (it is a state)
    """As much is waiting as may wait."""


class TooLate(Exception):  # noqa: N818 (it is an outcome)
    """The call took longer than it may."""


class Work:
    """Runs calls in threads and puts requests that wait at the same time into one call.

    Nothing waits for company: a call takes what has gathered while the last one ran.
    """

    def __init__(
        self, threads: int, queue: int, seconds: float, registry: CollectorRegistry
    ) -> None:
        """Starts the threads.

        Args:
          threads: calls at a time.
          queue: calls that run or wait; beyond, `Busy` is raised.
          seconds: how long one may take before `TooLate` is raised.
          registry: for the gauge of waiting calls and the histogram of batch sizes.
        """
        self._pool = ThreadPoolExecutor(threads, "greenlight")
        self._threads, self._queue, self._seconds = threads, queue, seconds
        self._waiting, self._batchers = 0, 0
        self._gathered: deque[_Waiting] = deque()
        gauge = Gauge("greenlight_calls_waiting", "Calls that run or wait", registry=registry)
        gauge.set_function(lambda: self._waiting)
        self._sizes = Histogram(
            "greenlight_batch_size", "Requests per shared call", registry=registry,
            buckets=[1, 2, 4, 8, MOST_TOGETHER],
        )  # fmt: skip

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Runs a function in a thread."""
        self._admit()
        loop = asyncio.get_running_loop()
        return await self._within(loop.run_in_executor(self._pool, function, *arguments))

    async def together(self, key: Hashable, function: Many[S, T], item: S) -> T:
        """Runs a function of several items on this one, maybe along with others of the same key."""
        self._admit()
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._gathered.append(_Waiting(key, function, item, answer))
        if self._batchers < self._threads:
            self._batchers += 1
            asyncio.get_running_loop().create_task(self._batches())
        return await self._within(answer)

    def stop(self) -> None:
        """Lets what runs end."""
        self._pool.shutdown(wait=True)

    def _admit(self) -> None:
        if self._waiting >= self._queue:
            raise Busy
        self._waiting += 1

    async def _within(self, future: "asyncio.Future[T]") -> T:
        # The place in the queue is free once the call has really ended, not when we gave up on it.
        future.add_done_callback(self._ended)
        try:
            return await asyncio.wait_for(asyncio.shield(future), self._seconds)
        except asyncio.TimeoutError as error:
            raise TooLate from error

    def _ended(self, future: "asyncio.Future[Any]") -> None:
        self._waiting -= 1
        if not future.cancelled():
            future.exception()  # one that nobody waits for any more is no news

    async def _batches(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._gathered:
                batch = [self._gathered.popleft()]
                while self._gathered and self._gathered[0].key == batch[0].key:
                    if len(batch) == MOST_TOGETHER:
                        break
                    batch.append(self._gathered.popleft())
                self._sizes.observe(len(batch))
                items = [one.item for one in batch]
                call = loop.run_in_executor(self._pool, batch[0].function, items)
                await _deliver(call, [one.answer for one in batch])
        finally:
            self._batchers -= 1


async def _deliver(
    call: "asyncio.Future[Sequence[Any]]", futures: Sequence["asyncio.Future[Any]"]
) -> None:
    try:
        answers = await call
    except Exception as error:  # noqa: BLE001 (it is raised where the answers are awaited)
        for future in futures:
            future.set_exception(error)
    else:
        for future, answer in zip(futures, answers, strict=True):
            future.set_result(answer)

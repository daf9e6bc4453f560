"""Where calls of the graph run: a few threads, a bounded queue, a time limit, and batches."""

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry, Gauge, Histogram

from serving.budget import Busy

S = TypeVar("S")
T = TypeVar("T")
Many = Callable[[Sequence[S]], Sequence[T]]
MOST_TOGETHER = 16  # requests that share a call


@dataclass(eq=False)
class _Waiting:
    """A request that waits to share a call with others of its key; `begun`: no longer."""

    key: Hashable
    function: Many[Any, Any]
    item: Any
    answer: "asyncio.Future[Any]"
    begun: bool = False


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
        call = self._pool.submit(function, *arguments)
        return await self._within(asyncio.wrap_future(call), call.cancel)

    async def together(self, key: Hashable, function: Many[S, T], item: S) -> T:
        """Runs a function of several items on this one, maybe along with others of the same key."""
        self._admit()
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        waiting = _Waiting(key, function, item, answer)
        self._gathered.append(waiting)
        if self._batchers < self._threads:
            self._batchers += 1
            asyncio.get_running_loop().create_task(self._batches())
        return await self._within(answer, partial(self._withdraw, waiting))

    def stop(self) -> None:
        """Lets what runs end."""
        self._pool.shutdown(wait=True)

    def _admit(self) -> None:
        if self._waiting >= self._queue:
            raise Busy("Too many requests are waiting: try again in a second.")
        self._waiting += 1

    async def _within(self, future: "asyncio.Future[T]", withdraw: Callable[[], object]) -> T:
        # What has not begun is withdrawn when we give up on it. What runs goes on: its place in the
        # queue is free once it has really ended.
        future.add_done_callback(self._ended)
        try:
            return await asyncio.wait_for(asyncio.shield(future), self._seconds)
        except asyncio.TimeoutError as error:
            withdraw()
            raise TooLate from error

    def _withdraw(self, waiting: _Waiting) -> None:
        if not waiting.begun:
            waiting.answer.cancel()

    def _ended(self, future: "asyncio.Future[Any]") -> None:
        self._waiting -= 1
        if not future.cancelled():
            future.exception()  # one that nobody waits for any more is no news

    async def _batches(self) -> None:
        try:
            while self._gathered:
                batch = [self._gathered.popleft()]
                while self._gathered and self._gathered[0].key == batch[0].key:
                    if len(batch) == MOST_TOGETHER:
                        break
                    batch.append(self._gathered.popleft())
                self._sizes.observe(len(batch))
                await self._answer(batch)
        finally:
            self._batchers -= 1

    async def _answer(self, batch: Sequence[_Waiting]) -> None:
        """Calls the function of a batch; where it fails, of each alone: none pays for another."""
        loop = asyncio.get_running_loop()
        try:
            answers = await loop.run_in_executor(self._pool, _call, batch)
        except Exception as error:  # noqa: BLE001 (it is raised where the answer is awaited)
            left = [one for one in batch if not one.answer.done()]
            if len(batch) == 1 and left:
                left[0].answer.set_exception(error)
                return
            for one in left:
                await self._answer([one])
        else:
            for one, answer in answers:
                if not one.answer.done():
                    one.answer.set_result(answer)


def _call(batch: Sequence[_Waiting]) -> list[tuple[_Waiting, Any]]:
    """Answers those of a batch that are still waited for."""
    for one in batch:
        one.begun = True
    wanted = [one for one in batch if not one.answer.done()]
    answers = batch[0].function([one.item for one in wanted]) if wanted else []
    return list(zip(wanted, answers, strict=True))

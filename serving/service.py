"""What the routes share, and the watch for other versions."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Gauge, ProcessCollector

from schemas.errors import UserError
from serving.budget import Budget
from serving.posters import NONE, Posters
from serving.versions import Versions
from serving.work import Work

log = logging.getLogger("greenlight.serving")


@dataclass(frozen=True)
class Limits:
    """What the server takes on.

    threads: calls of the graph at a time; queue: calls that run or wait; seconds: for one call;
    body: bytes; memory: bytes that the process holds when it takes on no more (None: any); poll:
    seconds between looks at the folder.
    """

    threads: int = 2
    queue: int = 128
    seconds: float = 10.0
    body: int = 1 << 20
    memory: int | None = None
    poll: float = 2.0


class Server:
    """What the routes share: versions, threads, metrics.

    stopping: whether it takes leave; fault: why it has to end, if it has to.
    """

    def __init__(
        self,
        folder: Path,
        limits: Limits,
        only: int | None = None,
        wait: bool = True,
        open_histories: bool = True,
        posters: Posters = NONE,
    ) -> None:
        """Loads nothing yet.

        Args:
          folder: of versions.
          limits: see `Limits`.
          only: the one version to serve; default: the first that works, see `Versions`.
          wait: whether to go on where there is no model at first.
          open_histories: whether it tells who its users are, and their histories.
          posters: what it shows of them.
        """
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        served = Gauge("greenlight_version", "The version in service", registry=self.registry)
        refused = Gauge("greenlight_refused", "Versions passed over", registry=self.registry)

        def note(versions: Versions) -> None:
            served.set(int(versions.version or 0))
            refused.set(len(versions.refused))

        budget = Budget(limits.memory)
        self.versions = Versions(
            folder, only, note, budget=budget, open_histories=open_histories, posters=posters
        )
        self.work = Work(limits.threads, limits.queue, limits.seconds, self.registry)
        self.stopping = False
        self.fault: UserError | None = None
        self._wait, self._poll = wait, limits.poll

    @property
    def ready(self) -> bool:
        """Whether it answers, and will go on doing so."""
        return self.versions.version is not None and not self.stopping

    @asynccontextmanager
    async def life(self, _: FastAPI) -> AsyncIterator[None]:
        """Watches for other versions as long as the server runs; lets what runs end."""
        watch = asyncio.create_task(self._watch())
        yield
        self.stopping = True
        watch.cancel()
        self.work.stop()

    async def _watch(self) -> None:
        last_warning = ""
        while self.fault is None:
            trouble = await asyncio.to_thread(self._look)
            if trouble and self.versions.version is None and not self._wait:
                self.fault = trouble
            elif trouble and str(trouble) != last_warning:
                log.warning("%s", trouble)
            last_warning = str(trouble or "")
            await asyncio.sleep(self._poll)

    def _look(self) -> UserError | None:
        """Looks at the folder; what is wrong with it, if anything is."""
        try:
            self.versions.refresh()
            return self.versions.trouble()
        except OSError as error:  # the folder may be away for a while; the model is not
            return UserError(f"{self.versions.folder} cannot be read: {error.strerror}.")
        except UserError as error:
            return error

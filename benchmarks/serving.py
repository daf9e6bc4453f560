"""Measures serving: in this process, over HTTP, in batch, and through swaps of the model.

    python -m benchmarks.serving [--movies 10000 60000] [--seconds 10] [--soak MINUTES]

Models have random weights and users with 100 stored ratings. The server is a process of its own,
and so is each load generator: all of them share this machine.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

USERS, EVENTS = 2000, 100
CONNECTIONS, K = 16, 10


def main() -> None:
    """Prints one JSON line per measurement."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--movies", type=int, nargs="+", default=[10_000, 60_000])
    options.add_argument("--seconds", type=float, default=10)
    options.add_argument("--soak", type=float, default=0, help="minutes of load with swaps")
    chosen = options.parse_args()
    for movies in chosen.movies:
        with tempfile.TemporaryDirectory() as folder:
            models = Path(folder)
            in_a_process(export, models / "1", movies)
            in_a_process(_in_process, models, movies)
            in_a_process(_batch, models, movies)
            _over_http(models, movies, chosen.seconds)
            if chosen.soak:
                found = soak(models, chosen.soak * 60, min(60.0, chosen.soak * 12))
                _say("soak", movies, minutes=chosen.soak, **found._asdict())


def in_a_process(function: Any, *arguments: Any) -> None:
    """Runs a function in a fresh process, so that nothing measured shares memory."""
    worker = multiprocessing.get_context("spawn").Process(target=function, args=arguments)
    worker.start()
    worker.join()
    if worker.exitcode:
        sys.exit(worker.exitcode)


def export(path: Path, movies: int) -> None:
    """Writes a model of random weights; for a process of its own."""
    from benchmarks.synthetic_model import export_random

    export_random(path, movies, USERS, EVENTS)


def _say(what: str, movies: int, **numbers: Any) -> None:
    print(json.dumps({"what": what, "movies": movies, **numbers}), flush=True)


def _timed(function: Any, times: int) -> tuple[float, float]:
    """Median and 99th percentile in milliseconds."""
    taken = []
    for number in range(times):
        started = time.perf_counter()
        function(number)
        taken.append(1e3 * (time.perf_counter() - started))
    return round(float(np.median(taken)), 3), round(float(np.percentile(taken, 99)), 3)


def _in_process(models: Path, movies: int) -> None:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(models / "1"))
    recommend = loaded.signatures["recommend"]
    history = {
        "history_movie_id": tf.constant([["1", "260", "318"]]),
        "history_rating": tf.constant([[5.0, 4.0, 4.5]]),
        "k": tf.constant(K),
    }
    by_id = {"history_movie_id": tf.constant([[""]]), "history_rating": tf.constant([[0.0]])}
    users = [tf.constant([str(1 + i % USERS)]) for i in range(500)]
    nobody = tf.constant([""])
    vectors = np.random.default_rng(1).normal(size=[movies, 64]).astype(np.float32)
    calls = {
        "numpy matrix-vector product": lambda i: vectors @ vectors[i],
        "recommend, 3 events": lambda i: recommend(user_id=nobody, **history),
        "recommend, user with 100 events": lambda i: recommend(
            user_id=users[i], k=history["k"], **by_id
        ),
    }
    for name, call in calls.items():
        _timed(call, 50)
        rounds = [_timed(call, 500) for _ in range(3)]
        median, high = min(rounds)
        _say(f"in process: {name}", movies, p50_ms=median, p99_ms=high)


def _batch(models: Path, movies: int) -> None:
    from serving.batch import write_batch
    from serving.versions import choose

    model = choose(models).model
    write_batch(model, model.users[:300], K, models / "warm.parquet")
    rates = []
    for _ in range(3):
        started = time.perf_counter()
        write_batch(model, model.users, K, models / "all.parquet")
        rates.append(len(model.users) / (time.perf_counter() - started))
    _say("batch", movies, users_per_s=round(max(rates)))


class Served:
    """A server process over some models."""

    def __init__(self, models: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.cli", "serve", "--model-dir", str(models),
             "--port", str(self.port)], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        while self.version() is None:
            if self.process.poll() is not None:
                sys.exit("The server ended.")
            time.sleep(0.2)

    def version(self) -> str | None:
        """The version in service; None before it answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz") as answer:
                return json.load(answer)["version"]
        except OSError:
            return None

    def megabytes(self) -> int:
        """Memory that the process holds."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return int(status.split("VmRSS:")[1].split()[0]) // 1024

    def stop(self) -> None:
        """Ends it."""
        self.process.terminate()
        self.process.wait()


def _bodies() -> dict[str, tuple[str, list[bytes]]]:
    """Routes to ask, and what to ask of each."""
    chosen = random.Random(1)
    users = [str(chosen.randrange(1, USERS + 1)) for _ in range(1000)]
    empty = {"history_movie_id": [], "history_rating": [], "k": K}
    return {
        "/recommend": ("/recommend", [json.dumps({"user": u, "k": K}).encode() for u in users]),
        ":predict": (
            "/v1/models/greenlight:predict",
            [json.dumps({"instances": [{"user_id": u, **empty}]}).encode() for u in users],
        ),
    }


async def _load(
    port: int, path: str, bodies: list[bytes], seconds: float
) -> tuple[list[float], Counter[str]]:
    """Asks over some connections at a time, each anew as soon as it has its answer.

    Returns the times in milliseconds, and the answers that were not a 200 by their status.
    """
    taken, failed = list[float](), Counter[str]()
    end = time.perf_counter() + seconds

    async def connection(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < end:
            body = bodies[number % len(bodies)]
            number += CONNECTIONS
            head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            started = time.perf_counter()
            writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(answer.lower().split(b"content-length:")[1].split()[0])
            await reader.readexactly(length)
            taken.append(1e3 * (time.perf_counter() - started))
            status = answer.split(maxsplit=2)[1].decode()
            failed.update([status] if status != "200" else [])
        writer.close()

    await asyncio.gather(*(connection(number) for number in range(CONNECTIONS)))
    return taken, failed


def _over_http(models: Path, movies: int, seconds: float) -> None:
    served = Served(models)
    try:
        for name, (path, bodies) in _bodies().items():
            asyncio.run(_load(served.port, path, bodies, 2))
            started = time.perf_counter()
            taken, failed = asyncio.run(_load(served.port, path, bodies, seconds))
            passed = time.perf_counter() - started
            p50, p99 = np.percentile(taken, [50, 99])
            _say(f"over HTTP: {name}", movies, requests_per_s=round(len(taken) / passed),
                 p50_ms=round(float(p50), 1), p99_ms=round(float(p99), 1), failed=dict(failed),
                 connections=CONNECTIONS)  # fmt: skip
    finally:
        served.stop()


class Soaked(NamedTuple):
    """What a soak saw: the slowest answer in milliseconds, memory before and after each swap."""

    swaps: int
    requests: int
    failed: dict[str, int]
    slowest: int
    megabytes: list[int]


def soak(models: Path, seconds: float, each: float) -> Soaked:
    """Load while a new version is pushed every `each` seconds; memory is told after each swap."""
    served = Served(models)
    path, bodies = _bodies()["/recommend"]
    asked, failed, held, version = 0, Counter[str](), [served.megabytes()], 1
    slowest = 0.0
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            version += 1
            _push(models, version)
            taken, wrong = asyncio.run(_load(served.port, path, bodies, each))
            asked, slowest = asked + len(taken), max(slowest, *taken)
            failed.update(wrong)
            held.append(served.megabytes())
            if served.version() != str(version):
                failed["not swapped"] += 1
    finally:
        served.stop()
    return Soaked(version - 1, asked, dict(failed), round(slowest), held)


def _push(models: Path, version: int) -> None:
    """As the Pusher does: the graph's file comes last; the version before the last is removed."""
    place = models / str(version)
    source = models / str(version - 1)
    shutil.copytree(source, place, ignore=shutil.ignore_patterns("saved_model.pb"))
    shutil.copy(source / "saved_model.pb", place)
    if version > 2:
        shutil.rmtree(models / str(version - 2))


if __name__ == "__main__":
    main()

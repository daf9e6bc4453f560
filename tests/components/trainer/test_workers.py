"""Two processes train what one does, agree on it, and go on when they were killed."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import tensorflow as tf

from components.model.window import Window
from components.trainer.workers import ALONE, VARIABLE, Workers, join
from tests.components.example_gen.small_data import make, read_splits, targets, write_tables
from tests.components.trainer import one_worker

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = "tests.components.trainer.one_worker"
SECONDS = 400


class Ended(NamedTuple):
    """What a process ended with."""

    status: int
    said: str
    epochs: list[dict[str, float]]
    weights: list[np.ndarray]
    shared: list[Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("workers")
    make(write_tables(made / "data"), made)
    users = sorted({user for user, *_ in targets(read_splits(made)["train"])})
    (made / "users.json").write_text(json.dumps(users))
    return made


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("localhost", 0))
        return int(found.getsockname()[1])


def train(folder: Path, work: Path, number: int, killed: str = "") -> list[Ended]:
    """Trains with so many processes; the last of them is killed before a round."""
    work.mkdir(exist_ok=True)
    addresses = [f"localhost:{free_port()}" for _ in range(number)]
    kinds = {"chief": addresses[:1], "worker": addresses[1:]}
    begun = []
    for place in range(number):
        kind, index = ("worker", place - 1) if place else ("chief", 0)
        told = {"cluster": kinds, "task": {"type": kind, "index": index}}
        words = [str(folder), str(work / "checkpoints"), str(work / f"{place}.npz")]
        words += [killed] if killed and place == number - 1 else []
        environment = {**os.environ, VARIABLE: json.dumps(told)}
        with (work / f"{place}.log").open("w") as log:
            command = [sys.executable, "-W", "ignore", "-m", PROGRAM, *words]
            begun.append(
                subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
            )
    try:
        statuses = [process.wait(SECONDS) for process in begun]
    finally:
        for process in begun:
            process.kill()
    said = [(work / f"{place}.log").read_text(encoding="utf-8") for place in range(number)]
    return [
        Ended(status, text, *ended(work / f"{place}.npz"))
        for place, (status, text) in enumerate(zip(statuses, said, strict=True))
    ]


def ended(path: Path) -> tuple[list[dict[str, float]], list[np.ndarray], list[Any]]:
    """Figures of each epoch, weights, what was exchanged; nothing of who did not get so far."""
    if not path.exists():
        return [], [], []
    rows = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    shared = json.loads(path.with_suffix(".shared").read_text(encoding="utf-8"))
    with np.load(path) as found:
        weights = [found[name] for name in found.files]
    return [{k: v for k, v in row.items() if k != "seconds"} for row in rows], weights, shared


@pytest.fixture(scope="module")
def both(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Ended]:
    return train(folder, tmp_path_factory.mktemp("both"), 2)


def test_two_processes_end_with_the_same_weights(both: list[Ended]) -> None:
    assert [one.status for one in both] == [0, 0], both[0].said + both[1].said
    assert both[0].epochs == both[1].epochs and len(both[0].epochs) == 2
    for one, two in zip(both[0].weights, both[1].weights, strict=True):
        np.testing.assert_array_equal(one, two)


def test_all_step_by_the_mean_of_their_gradients(both: list[Ended]) -> None:
    """Of a row that one of two did not read, half of the other's."""
    dense, rows, slopes = [1.5] * 3, [0, 1], [[1.5, 1.5], [1.0, 1.0]]
    assert [one.shared for one in both] == [[dense, rows, slopes]] * 2


def test_they_learn_what_one_does(folder: Path, both: list[Ended], tmp_path: Path) -> None:
    """Within noise: they draw other candidates and other noise than one process."""
    one_worker.main(str(folder), str(tmp_path / "checkpoints"), str(tmp_path / "alone.npz"))
    epochs, *_ = ended(tmp_path / "alone.npz")
    for one, two in zip(epochs, both[0].epochs, strict=True):
        for name in ("loss", "valid_loss", "valid_rmse"):
            assert two[name] == pytest.approx(one[name], rel=0.1), name
    assert both[0].epochs[1]["loss"] < both[0].epochs[0]["loss"]


def test_killed_they_go_on_from_the_last_checkpoint(
    folder: Path, both: list[Ended], tmp_path: Path
) -> None:
    """And end with what the undisturbed ones end with, to the last bit."""
    chief, worker = train(folder, tmp_path, 2, killed="1")
    assert worker.status == -signal.SIGKILL and chief.status not in (0, None)
    assert not chief.weights
    again = train(folder, tmp_path, 2)
    assert [one.status for one in again] == [0, 0], again[0].said
    assert again[0].epochs == both[0].epochs
    for one, two in zip(again[0].weights, both[0].weights, strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("users", [1, 2, 5])
def test_each_takes_its_share_of_the_users(users: int) -> None:
    column = tf.range(users)
    wide = tf.zeros([users, 3])
    window = Window(column, column[:, tf.newaxis], *(wide,) * 5, wide[..., tf.newaxis])
    shares = []
    for index in (0, 1):
        workers = Workers()
        workers.number, workers.index = 2, index
        shares.append(workers.share(window).user.numpy().tolist())
    assert {*shares[0], *shares[1]} == set(range(users)) and all(shares)
    assert len(shares[0]) + len(shares[1]) == max(users, 2)


def test_one_process_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert join() is ALONE and ALONE.is_chief
    told = {"cluster": {"chief": ["localhost:1"]}, "task": {"type": "chief", "index": 0}}
    monkeypatch.setenv(VARIABLE, json.dumps(told))
    assert join() is ALONE

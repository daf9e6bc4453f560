"""What workers share is made by one of them, and by the next where the first one failed."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from tests.shared import made_once


class Worker:
    """Stands for pytest's own factory: a worker's base folder is in the folder of the run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def getbasetemp(self) -> Path:
        return self.folder


def test_of_many_workers_who_ask_at_once_one_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    workers = [Worker(tmp_path / f"gw{number}") for number in range(4)]
    together, makers = Barrier(4), []

    def make(place: Path) -> None:
        makers.append(place)
        (place / "file").write_text("made")

    def ask(worker: Worker) -> str:
        together.wait()
        return (made_once(worker, "thing", make) / "file").read_text()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, workers)) == ["made"] * 4
    assert makers == [tmp_path / "shared" / "thing"]


def test_a_run_without_workers_keeps_to_its_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    own = Worker(tmp_path / "own")
    assert made_once(own, "thing", lambda place: None) == tmp_path / "own" / "shared" / "thing"


def test_what_failed_is_made_anew(tmp_path: Path) -> None:
    own = Worker(tmp_path / "own")

    def fail(place: Path) -> None:
        (place / "half").touch()
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        made_once(own, "thing", fail)
    place = made_once(own, "thing", lambda place: (place / "whole").touch())
    assert [path.name for path in place.iterdir()] == ["whole"]

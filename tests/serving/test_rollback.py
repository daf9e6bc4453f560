"""Which version is served after pushes, removals and rollbacks; by servers that run, and anew."""

import concurrent.futures
import shutil
import threading
import time
from typing import Any

import httpx
import pytest

from serving.versions import Versions, choose


@pytest.fixture
def folder(light, tmp_path):
    """A folder of its own with versions 1, 2 and 3."""
    for version in ("1", "2", "3"):
        shutil.copytree(light / "1", tmp_path / "pushed" / version)
    return tmp_path / "pushed"


def test_back_and_back_again_undone_and_pushed_over(greenlight, folder):
    def served():
        from serving.folder import in_order

        return in_order(folder)[0].name

    def back(*arguments):
        return greenlight("rollback", "--model-dir", folder, *arguments)

    status, out, err = back()
    assert (status, err, served()) == (0, "", "2")
    assert out.startswith("Version 2 is served, in place of 3, until one newer than 3 is pushed")
    assert back()[0] == 0 and served() == "1"
    status, out, err = back()
    assert (status, out, served()) == (2, "", "1")
    assert "no version before 1" in err and "there are 1, 2 and 3" in err
    assert back("--to", "2")[0] == 0 and served() == "2"
    assert back("--undo")[1].startswith("Version 3 is served again") and served() == "3"
    status, _, err = back("--undo")
    assert status == 2 and "There is no rollback to undo" in err
    assert back("--to", 1)[0] == 0 and served() == "1"
    assert "no rollback any more" in back("--to", 3)[1] and served() == "3"
    back()
    (folder / "4").mkdir()
    (folder / "4" / "saved_model.pb").touch()
    assert served() == "4"
    # What was rolled back once is not what an operator goes back to.
    assert "Version 2 is served, in place of 4" in back()[1] and served() == "2"


def test_mistakes_of_a_rollback(greenlight, folder, tmp_path):
    for arguments, words in (
        (["--to", "9", "--model-dir", folder], "no version 9"),
        (["--to", "1", "--undo"], "either --to or --undo"),
        (["--model-dir", folder, "--output-dir", tmp_path], "either --output-dir or --model-dir"),
        (["--model-dir", folder / "3"], f"give {folder}"),
        (["--output-dir", tmp_path / "nowhere"], "nowhere/serving_model"),
    ):
        status, out, err = greenlight("rollback", *arguments)
        assert (status, out) == (2, "") and err.count("\n") == 1 and words in err, err
    folder.rename(tmp_path / "serving_model")
    assert "Version 2" in greenlight("rollback", "--output-dir", tmp_path)[1]


def test_a_server_follows_within_ten_seconds_and_answers_all_the_while(
    start, push, folder, greenlight
):
    statuses: list[int] = []
    stop = threading.Event()

    def ask():
        with httpx.Client(base_url=server.url, timeout=30) as client:
            while not stop.wait(0.05):
                statuses.append(client.post("/recommend", json={"user": "3"}).status_code)

    def follows(version, action):
        began = time.monotonic()
        action()
        server.wait_for(lambda: server.version() == version)
        assert time.monotonic() - began < patience

    def back(*arguments):
        return lambda: greenlight("rollback", "--model-dir", folder, *arguments)

    began = time.monotonic()
    with (
        start(folder, fresh=True) as server,
        concurrent.futures.ThreadPoolExecutor(1) as pool,
    ):
        assert server.version() == "3"
        # Where other work makes a start slow, a turn is slow too.
        patience = max(10, time.monotonic() - began)
        asking = pool.submit(ask)
        try:
            follows("1", back("--to", "1"))
            follows("3", back("--undo"))
            follows("2", back())
            # Gone: what a server would serve that starts now.
            follows("1", lambda: shutil.rmtree(folder / "2"))
            follows("4", lambda: push(folder, "4"))
        finally:
            stop.set()
        asking.result()
    assert set(statuses) == {200} and len(statuses) > 50


def test_a_server_that_starts_later_obeys_a_rollback(start, folder, greenlight):
    greenlight("rollback", "--model-dir", folder)
    with start(folder) as server:
        assert server.version() == "2"


def test_one_version_alone_is_served_where_it_is_named(push, folder):
    versions = Versions(folder, only=2)
    versions.refresh()
    push(folder, "4")
    shutil.rmtree(folder / "3")
    versions.refresh()
    assert versions.version == "2" and choose(folder).model.version == "4"


@pytest.fixture
def versions(folder):
    """Over versions 1, 2 and 3, of which 3 is half copied."""
    (folder / "3" / "variables" / "variables.data-00000-of-00001").unlink()
    told: list[str] = []
    found: Any = Versions(folder, warn=told.append)
    found.told = told
    found.refresh()
    return found


def test_what_is_gone_is_neither_served_nor_listed(versions, folder):
    assert versions.version == "2" and list(versions.refused) == ["3"]
    assert len(versions.told) == 1 and versions.told[0].startswith("version 3 is refused: ")
    versions.refresh()
    assert len(versions.told) == 1  # it is not tried again and again
    shutil.rmtree(folder / "3")
    versions.refresh()
    assert versions.version == "2" and versions.refused == {}
    shutil.rmtree(folder / "2")
    versions.refresh()
    assert versions.version == "1" and versions.trouble() is None
    shutil.rmtree(folder)
    versions.refresh()
    assert versions.version == "1"  # better than none
    assert "version 1, which is in service, goes on" in str(versions.trouble())


def test_a_version_that_is_replaced_is_loaded_anew(versions, folder):
    first = versions.current
    shutil.copytree(folder / "1", folder / "2", dirs_exist_ok=True, copy_function=shutil.copy)
    versions.refresh()
    assert versions.version == "2" and versions.current is not first


def test_commands_pass_over_what_is_broken_as_the_server_does(
    greenlight, versions, models, folder, tmp_path
):
    shutil.rmtree(folder / "2")
    shutil.copytree(models / "1", folder / "2")  # one that can be asked for ratings
    (folder / "4").mkdir()
    (folder / "4" / "saved_model.pb").write_bytes(b"no graph")
    at = ["--model-dir", folder]
    commands = (
        ["recommend", "--user", "3", "--json"],
        ["rate", "--user", "3", "--movie", "heat", "--json"],
        ["batch", "-k", "1", "--output", tmp_path / "all.parquet"],
    )
    for command in commands:
        status, out, err = greenlight(*command, *at)
        assert status == 0 and out
        said = [line for line in err.splitlines() if line.startswith("greenlight: ")]
        assert [line[:34] for line in said] == [
            "greenlight: version 4 is refused: ", "greenlight: version 3 is refused: ",
        ]  # fmt: skip
        if "--json" in command:
            assert '"version": "2"' in out
    status, out, _ = greenlight(*commands[0], *at, "--version", "1")
    assert status == 0 and '"version": "1"' in out
    status, out, err = greenlight(*commands[0], *at, "--version", "3")
    assert (status, out) == (2, "") and "No version in" in err.splitlines()[-1]
    # The index is made of the same version; of so few movies there is none.
    status, out, err = greenlight("index", *at, "--output", tmp_path / "index")
    assert status == 2 and "scored exactly" in err and "version 4 is refused" in err

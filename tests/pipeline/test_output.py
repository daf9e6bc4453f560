"""The output directory: one run at a time, ids, folders, and a log that says what went wrong."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.config import Config
from pipeline.output import Folders, held, logged, make_output, new_run_id
from schemas.artifacts import LOCK_FILE, LOG_FILE
from schemas.errors import RunFailed, UserError

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}


def test_the_lock_is_free_again_however_a_run_ends(tmp_path):
    with pytest.raises(ZeroDivisionError), held(tmp_path):
        raise ZeroDivisionError
    with held(tmp_path):
        other = subprocess.run(
            [sys.executable, "-c", f"""
import pathlib
from pipeline.output import held
from schemas.errors import UserError
try:
    with held(pathlib.Path({str(tmp_path)!r})):
        print("free")
except UserError:
    print("held")
"""],
            capture_output=True, text=True, check=True, env=ENVIRONMENT,
        )  # fmt: skip
        assert other.stdout == "held\n"
    with held(tmp_path):
        pass


def test_run_ids_are_unique_even_within_a_second(tmp_path):
    taken = []
    for _ in range(3):
        taken.append(new_run_id(tmp_path))
        (tmp_path / taken[-1]).mkdir()
    assert len(set(taken)) == 3 and taken == sorted(taken)


def test_an_output_directory_knows_its_folders(tmp_path):
    folders = Folders(tmp_path)
    assert {folders.artifacts, folders.reports, folders.serving} == {
        tmp_path / name for name in ("artifacts", "reports", "serving_model")
    }


def test_what_nobody_foresaw_is_one_sentence_and_its_traceback_is_in_the_log(tmp_path, capfd):
    with pytest.raises(RunFailed) as failed, logged(tmp_path):
        os.write(1, b"noise of a library\n")
        raise ZeroDivisionError("division by zero\nsecond line")
    log = tmp_path / LOG_FILE
    assert str(failed.value) == f"The run failed: division by zero. The log says more: {log}"
    assert "Traceback" in log.read_text() and "noise of a library" in log.read_text()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("error", [UserError("mend this."), RunFailed("the service is away.")])
def test_a_sentence_of_ours_stays_as_it_is(tmp_path, error):
    with pytest.raises(type(error), match=str(error)), logged(tmp_path):
        raise error


@pytest.mark.parametrize("error", [
    RuntimeError("open: No space left on device [while running 'Write']"),  # as Beam hands it on
    sqlite3.OperationalError("database or disk is full"),
])  # fmt: skip
def test_a_full_disk_is_the_users_to_mend(tmp_path, error):
    with pytest.raises(UserError, match="There is no room"), logged(tmp_path):
        raise error
    with pytest.raises(UserError, match="There is no room"), logged(tmp_path):
        try:
            raise error
        finally:
            raise ValueError("and so the rest failed, too")


def test_a_log_without_room_ends_no_run(tmp_path, capfd):
    """In a process whose files may not grow."""
    program = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "from pathlib import Path; from pipeline.output import logged\n"
        f"with logged(Path({str(tmp_path)!r})) as console:\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
        "    print('noise' * 10_000, end='')\n"
        "print('the end')"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=ENVIRONMENT
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "the end\n", "")


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("nowhere")])
@pytest.mark.parametrize("name", [LOCK_FILE, LOG_FILE, "metadata.sqlite"])
def test_what_stands_where_a_file_has_to_be_is_named_before_anything_starts(tmp_path, name, make):
    make(tmp_path / name)
    with pytest.raises(UserError, match=f"{name} is not a file.*move it away"):
        make_output(Config(output_dir=str(tmp_path)))


@pytest.mark.parametrize("make", [Path.touch, os.mkfifo, lambda path: path.symlink_to("nowhere")])
@pytest.mark.parametrize("name", ["artifacts", "checkpoints", "reports", "serving_model"])
def test_what_stands_where_a_folder_has_to_be_is_named_too(tmp_path, name, make):
    make(tmp_path / name)
    with pytest.raises(UserError, match=f"{name} is not a folder.*move it away"):
        make_output(Config(output_dir=str(tmp_path)))


def test_a_folder_in_the_place_of_the_link_to_the_newest_report_is_named(tmp_path):
    (tmp_path / "reports" / "latest").mkdir(parents=True)
    with pytest.raises(UserError, match=r"latest is not a link"):
        make_output(Config(output_dir=str(tmp_path)))


def test_a_folder_that_takes_nothing_is_named(tmp_path):
    """In a process whose files may not grow."""
    program = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)); "
        "from pipeline.config import Config; from pipeline.output import make_output\n"
        f"try: make_output(Config(output_dir={str(tmp_path)!r}))\n"
        "except Exception as error: print(error)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=ENVIRONMENT
    )
    assert run.stdout == f"{tmp_path} cannot be written to: File too large.\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a [b] *?", "\u043a\u0438\u043d\u043e", "two\nlines", "n" * 250])
def test_names_are_taken_literally(tmp_path, name):
    path = make_output(Config(output_dir=str(tmp_path / name)))
    assert path == tmp_path / name and path.is_dir()
    with held(path), logged(path):
        os.write(1, b"said\n")
    assert (path / LOG_FILE).read_text() == "said\n"


def test_an_output_directory_that_cannot_be_made_is_a_mistake(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be made: Not a directory"):
        make_output(Config(output_dir=str(tmp_path / "file" / "out")))
    with pytest.raises(UserError, match="is no folder of this machine"):
        make_output(Config(output_dir="gs://bucket/out"))

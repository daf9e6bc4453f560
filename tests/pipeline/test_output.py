"""The output directory: one run at a time, ids, folders, and a log that says what went wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.config import Config
from pipeline.output import Folders, held, logged, make_output, new_run_id
from schemas.artifacts import LOG_FILE
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


def test_an_output_directory_that_cannot_be_made_is_a_mistake(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be made: Not a directory"):
        make_output(Config(output_dir=str(tmp_path / "file" / "out")))
    with pytest.raises(UserError, match="is no folder of this machine"):
        make_output(Config(output_dir="gs://bucket/out"))

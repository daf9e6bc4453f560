"""The command line as its user meets it: statuses, sentences, speed, and one run at a time."""

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline import cli, local
from pipeline.commands import run

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def _greenlight(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=ENVIRONMENT,
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--set", "split.colour=red"], "split.colour"),
        (["--set", "nothing"], "key=value"),
        (["--config", "none.yaml"], "none.yaml"),
        (["--source", "netflix"], "There is no source named 'netflix'"),
        (["--source", "movielens-1m"], "--data-dir"),
        (["--data-dir", "nowhere"], "nowhere does not exist"),
        (["--output-dir", "taken"], "taken"),
        (["--output-dir", "gs://bucket/runs"], "gs://bucket/runs is no folder of this machine"),
        (["--output-dir", ""], "The output directory has no name"),
        (["--data-dir", ""], "The data directory has no name"),
        (["--output-dir", "circle"], "The output directory 'circle' cannot be"),
        (["--data-dir", "circle"], "The data directory 'circle' cannot be"),
    ],
)
def test_a_mistake_is_status_2_and_one_line(tmp_path, monkeypatch, capsys, arguments, words):
    (tmp_path / "taken").write_text("a file")
    (tmp_path / "circle").symlink_to("circle")
    monkeypatch.chdir(tmp_path)
    if arguments == ["--source", "netflix"]:
        arguments = [*arguments, "--data-dir", "."]
    monkeypatch.setattr(sys, "argv", ["greenlight", "run", *arguments])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    out, err = capsys.readouterr()
    assert caught.value.code == 2
    assert out == "" and err.count("\n") == 1
    assert err.startswith("greenlight: ") and words in err


def test_the_whole_process_ends_so_too(tmp_path):
    done = _greenlight("run", "--set", "model.dim=3", cwd=tmp_path)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.splitlines() == [
        "greenlight: Configuration: model.dim: there is no such setting; is it model.dims?"
    ]
    assert list(tmp_path.iterdir()) == []  # nothing was written for a run that never began


@pytest.mark.parametrize(
    "arguments", [["fly"], ["run", "--nonsense"], ["run", "--set"], ["run", "extra"]]
)
def test_wrong_usage_is_status_2_without_a_traceback(monkeypatch, capsys, arguments):
    monkeypatch.setattr(sys, "argv", ["greenlight", *arguments])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    err = capsys.readouterr().err
    assert caught.value.code == 2
    assert "Error" in err and "Traceback" not in err


def test_help_is_quick_and_tells_the_options(tmp_path):
    started = time.monotonic()
    done = _greenlight("run", "--help", cwd=tmp_path)
    assert time.monotonic() - started < 3
    assert done.returncode == 0 and done.stderr == ""
    for option in ("--config", "--source", "--data-dir", "--output-dir", "--set"):
        assert option in done.stdout


def test_the_command_line_imports_nothing_heavy(tmp_path):
    code = (
        "import json, sys, pipeline.cli, pipeline.config, pipeline.local;"
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=ENVIRONMENT
    )
    heavy = {"tensorflow", "tfx", "apache_beam", "tf_keras", "ml_metadata", "pandas"}
    assert not heavy & set(json.loads(done.stdout))


def test_a_second_run_in_an_output_directory_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["greenlight", "run", "--output-dir", str(tmp_path / "out")])
    (tmp_path / "out").mkdir()
    with (tmp_path / "out" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(SystemExit) as caught:
            cli.main()
    assert caught.value.code == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and f"Another run is at work in {tmp_path / 'out'}" in err


def _outcome(monkeypatch, blessed, **content):
    blessing = {"blessed": blessed, "reasons": ["one", "two"], **content}
    outcome = local.Outcome(blessing, Path("reports/x"))
    monkeypatch.setattr(run, "run_local", lambda config: outcome)
    monkeypatch.setattr(sys, "argv", ["greenlight", "run"])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    return caught.value.code or 0


def test_the_status_tells_the_verdict(monkeypatch, capsys):
    assert _outcome(monkeypatch, True) == 0
    assert capsys.readouterr().out == "Blessed and pushed: reports/x\n  one.\n  two.\n"
    assert _outcome(monkeypatch, False) == 3
    assert capsys.readouterr().out.startswith("NOT blessed: reports/x\n")


def test_a_run_ends_with_what_it_reaches_or_what_to_do_and_on_what_that_rests(monkeypatch, capsys):
    told = {about: f"It is {about}." for about in ("lists", "ratings", "basis", "coverage")}
    summary = [{"about": about, "sentence": sentence} for about, sentence in told.items()]
    assert _outcome(monkeypatch, True, summary=summary) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert lines == ["  It is lists.", "  It is ratings.", "  It is basis."]
    failures = [{"sentence": f"{name} fails.", "next": "Do it."} for name in ("One", "Two")]
    assert _outcome(monkeypatch, False, summary=summary, failures=failures) == 3
    lines = capsys.readouterr().out.splitlines()[1:]
    assert lines == ["  One fails.", "  Two fails.", "  Next: Do it.", "  It is basis."]


def test_ctrl_c_is_one_line_and_status_130(monkeypatch, capsys):
    def interrupted(config):
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "run_local", interrupted)
    monkeypatch.setattr(sys, "argv", ["greenlight", "run"])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 130
    assert capsys.readouterr().err == ("greenlight: stopped; the same command goes on from here.\n")


def test_sigterm_says_the_same_and_is_status_143(monkeypatch, capsys):
    """And what is done at the end of a block is done: temporary files are removed there."""
    ended = []

    def terminated(config):
        try:
            signal.raise_signal(signal.SIGTERM)
            pytest.fail("it went on")
        finally:
            ended.append(True)

    monkeypatch.setattr(run, "run_local", terminated)
    monkeypatch.setattr(sys, "argv", ["greenlight", "run"])
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as caught:
            cli.main()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert caught.value.code == 143 and ended
    assert capsys.readouterr().err == "greenlight: stopped; the same command goes on from here.\n"


@pytest.mark.parametrize("error", [
    OSError(errno.ENOSPC, "No space left on device", "/full/file"),
    OSError(errno.EDQUOT, "Disk quota exceeded", "/full/file"),
])  # fmt: skip
def test_a_full_disk_is_one_line_wherever_it_is_met(monkeypatch, capsys, error):
    def full(config):
        raise error

    monkeypatch.setattr(run, "run_local", full)
    monkeypatch.setattr(sys, "argv", ["greenlight", "run"])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 2
    err = capsys.readouterr().err
    assert err.startswith("greenlight: There is no room for /full/file (") and err.count("\n") == 1


def test_a_fault_of_ours_is_not_dressed_up_as_the_users(monkeypatch):
    monkeypatch.setattr(run, "run_local", lambda config: 1 / 0)
    monkeypatch.setattr(sys, "argv", ["greenlight", "run"])
    with pytest.raises(ZeroDivisionError):
        cli.main()

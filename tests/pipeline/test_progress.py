"""What reaches the terminal while a run is under way, and what goes to the log."""

import io
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from absl import logging as absl_logging
from rich.console import Console

from pipeline.progress import NodeProgress

ROOT = Path(__file__).parents[2]
NODES = ["RatingExampleGen", "MovieTrainer", "Evaluator"]
LAST = {"RatingExampleGen": 10.0, "MovieTrainer": 80.0, "Evaluator": 10.0}
NOISY = """
import ctypes, logging, os, subprocess, sys, warnings
from pathlib import Path
from pipeline.progress import quiet

print("before")
with quiet(Path(sys.argv[1])) as console:
    print("from python")
    print("from python's stderr", file=sys.stderr)
    os.write(1, b"from the descriptor\\n")
    os.write(2, b"from the other descriptor\\n")
    subprocess.run(["sh", "-c", "echo from a child; echo from its stderr >&2"])
    libc = ctypes.CDLL(None)
    libc.puts(b"from C")
    libc.fflush(None)
    logging.getLogger("some.library").warning("from a logger")
    logging.getLogger("absl").info("from TFX")
    warnings.warn("from a warning")
    console.print("to the user")
    if sys.argv[2:] == ["fail"]:
        raise ValueError("the fault itself")
print("after")
print("after on stderr", file=sys.stderr)
"""
NOISE = [
    "from python", "from python's stderr", "from the descriptor", "from the other descriptor",
    "from a child", "from its stderr", "from C", "WARNING some.library: from a logger",
    "INFO absl: from TFX",
]  # fmt: skip


def _noisy(log, *arguments):
    return subprocess.run(
        [sys.executable, "-c", NOISY, str(log), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        # Buffered as a user's Python is, or what is printed late would go unnoticed.
        env={k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"},
    )


def test_only_the_console_reaches_the_user(tmp_path):
    log = tmp_path / "log"
    log.write_text("an earlier run\n")
    done = _noisy(log)
    assert done.stdout == "before\nafter\n"
    assert done.stderr == "to the user\nafter on stderr\n"
    written = log.read_text().splitlines()
    assert written[0] == "an earlier run"
    for words in NOISE:
        assert any(line.endswith(words) for line in written), words


def test_a_fault_passes_through_and_gives_the_terminal_back(tmp_path):
    done = _noisy(tmp_path / "log", "fail")
    assert done.returncode == 1
    assert done.stdout == "before\n"
    assert "ValueError: the fault itself" in done.stderr
    assert not any(words in done.stderr for words in NOISE)


@pytest.fixture
def shown():
    """A progress on a console that is no terminal, and what it printed."""
    console = Console(file=io.StringIO(), width=100, force_terminal=False)
    return NodeProgress(console, NODES, LAST), console.file


def _tell(message, *arguments, **extra):
    name = "greenlight.progress" if extra else "absl"
    logging.getLogger(name).info(message, *arguments, extra=extra)


def _bar(progress):
    return progress._bar.tasks[0]


def test_nodes_are_counted_by_the_seconds_they_took(shown):
    progress, _ = shown
    with progress.following():
        assert _bar(progress).total == 100
        _tell("Component %s is running.", "RatingExampleGen")
        assert _bar(progress).completed == 0
        _tell("Component %s is finished.", "RatingExampleGen")
        assert _bar(progress).completed == 10
        _tell("Component %s is running.", "MovieTrainer")
        _tell("epoch 2 of 4", done=0.25)
        assert _bar(progress).completed == 30
        assert "[2/3] MovieTrainer: epoch 2 of 4" in _bar(progress).description
        _tell("Component %s is finished.", "MovieTrainer")
        _tell("Component %s is running.", "Evaluator")
        _tell("Component %s is finished.", "Evaluator")
        assert _bar(progress).completed == 100


def test_without_a_terminal_each_node_is_a_line(shown):
    progress, printed = shown
    with progress.following():
        for node in NODES:
            _tell("Component %s is running.", node)
            _tell("Component %s is finished.", node)
    lines = [line.strip() for line in printed.getvalue().splitlines() if line.strip()]
    assert lines == [f"[{i}/3] {node}" for i, node in enumerate(NODES, 1)]


def test_what_is_found_in_the_data_is_a_line_in_one_piece(shown):
    progress, printed = shown
    with progress.following():
        logging.getLogger("greenlight.findings").warning("%s", "[x] words " * 30)
    assert f"Note: {'[x] words ' * 30}".strip() in printed.getvalue()


def test_other_records_and_unknown_nodes_disturb_nothing(shown):
    progress, _ = shown
    with progress.following():
        _tell("Component %s is running.", "Surprise")
        _tell("Component %s is finished.", "Surprise")
        _tell("something else: %s", "MovieTrainer")
        assert _bar(progress).completed == 0


def test_nodes_that_never_ran_have_usual_seconds(shown):
    console = Console(file=io.StringIO())
    assert _bar(NodeProgress(console, NODES, {})).total > 30
    assert _bar(NodeProgress(console, ["Unheard"], {})).total == 1


def test_a_node_that_silences_absl_for_a_while_does_not_end_the_progress(shown):
    progress, printed = shown
    with progress.following():
        before = absl_logging.get_verbosity()
        absl_logging.set_verbosity(absl_logging.FATAL)
        absl_logging.set_verbosity(before)
        _tell("Component %s is running.", "MovieTrainer")
    assert "[2/3] MovieTrainer" in printed.getvalue()


def test_loggers_are_left_as_they_were(shown):
    absl = logging.getLogger("absl")
    before = (absl.level, list(absl.handlers))
    with pytest.raises(KeyError), shown[0].following():
        assert shown[0] in absl.handlers
        raise KeyError
    assert (absl.level, list(absl.handlers)) == before


def test_tfx_still_says_what_the_progress_listens_to():
    """The runner's two messages are not promised to anyone: notice when they change."""
    import tfx.orchestration.local.local_dag_runner as runner

    text = Path(runner.__file__).read_text()
    for message in (NodeProgress.STARTED, NodeProgress.FINISHED):
        assert message in text

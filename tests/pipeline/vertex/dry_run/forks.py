"""A dry run's commands in forks of one process of its environment that has imported TFX.

Importing is most of what a short step does, and the same each time. The process is begun as each
step would be: by the environment's own Python, with its variables, in an empty folder.
"""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import pytest

from pipeline.vertex.compile import DRIVER
from pipeline.vertex.dry_run import run as dry_run

EXECUTOR = "tfx.orchestration.kubeflow.v2.container.kubeflow_v2_run_executor"
# Takes a command's words and log as a line of JSON; answers with its exit status.
FORKING = f"""
import gc, json, os, runpy, sys
import pipeline.pipeline, {DRIVER}, {EXECUTOR}
gc.freeze()  # nothing that a fork begins with is garbage
for line in sys.stdin:
    (option, module, *arguments), log = json.loads(line)
    assert option == "-m", option
    child = os.fork()
    if not child:
        file = os.open(log, os.O_WRONLY | os.O_APPEND)
        for number in (1, 2):
            os.dup2(file, number)
        sys.argv = [module, *arguments]
        del sys.modules[module]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        sys.exit()
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@contextmanager
def forked_steps() -> Iterator[None]:
    """Has the steps of one dry run begin as forks."""
    forking: list[subprocess.Popen[str]] = []

    def begin(
        command: list[str], *, env: Mapping[str, str], cwd: Path, stdout: IO[bytes], **_: Any
    ) -> SimpleNamespace:
        python, *words = command
        if not forking:
            begun = [python, "-c", FORKING]
            pipe = subprocess.PIPE
            forking.append(
                subprocess.Popen(begun, env=env, cwd=cwd, stdin=pipe, stdout=pipe, text=True)
            )
        told, answer = forking[0].stdin, forking[0].stdout
        assert told is not None and answer is not None
        print(json.dumps([words, stdout.name]), file=told, flush=True)
        status = int(answer.readline())
        return SimpleNamespace(wait=lambda: status)

    with pytest.MonkeyPatch.context() as patch:
        own = SimpleNamespace(Popen=begin, STDOUT=subprocess.STDOUT)
        patch.setattr(dry_run, "subprocess", own)
        try:
            yield
        finally:
            for process in forking:
                process.communicate()

"""Trials that are a formula instead of a training; a process of its own finds them by name."""

import functools
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from components.tuner.config import Range, TuningConfig

SPACE = {
    "model.dims": [16, 32, 64, 128],
    "model.dropout": Range(low=0.0, high=0.5),
    "training.learning_rate": Range(low=0.001, high=0.01, scale="log"),
}
MOST = 9  # epochs


def formula(plan):
    """Best at 32 dims, dropout 0.3 and rate 0.004, and the better the more epochs."""
    folder = Path(plan.folder)
    folder.mkdir(parents=True, exist_ok=True)
    epochs = began = int((folder / "epochs").read_text()) if (folder / "epochs").exists() else 0
    while epochs < MOST and not plan.enough(epochs):
        epochs += 1
        (folder / "epochs").write_text(str(epochs))
    values = plan.values
    score = -abs(values["model.dropout"] - 0.3) - abs(values["model.dims"] - 32) / 32
    score -= 100 * abs(values["training.learning_rate"] - 0.004) + 0.1 / max(1, epochs)
    return {"score": score, "epochs": epochs, "began": began}


def parts(**tuning):
    """A configuration and its oracle."""
    from components.model.config import ModelConfig
    from components.trainer.settings import TrainerSettings
    from components.tuner.oracles import make_oracle
    from components.tuner.space import hyperparameters

    config = TuningConfig(**{"space": SPACE, "trials": 8, **tuning})
    own = TrainerSettings(model=ModelConfig(dims=64), scale=None, checkpoints="")
    return config, make_oracle(config, hyperparameters(config.space, own), MOST)


def promoted(trials):
    """How many trials go on from others, all of them where those ended; trials: by number."""
    further = [row for row in trials.values() if row["goes_on_from"]]
    for row in further:
        before = trials[row["goes_on_from"]]
        assert row["values"] == before["values"]
        assert row["rung"] == row["epochs"] > before["epochs"] == before["rung"] == row["began"]
    return len(further)


def make_formula(run, *more):
    """What a process makes its trials of; `run` is given the plan and `more`."""
    process = {"pid": os.getpid(), "threads": int(os.environ["OMP_NUM_THREADS"])}
    return lambda plan: {**run(plan, *more), **process}


def meeting(plan, barrier):
    """Waits for another trial: one after another none would get by."""
    barrier.wait(timeout=60)
    return formula(plan)


def narrow(plan):
    """Some fail."""
    if plan.values["model.dims"] == 128:
        raise ValueError("out of memory")
    return formula(plan)


def killed(plan, numbers):
    """The process of some trials is killed."""
    if int(plan.label) in numbers:
        os.kill(os.getpid(), signal.SIGKILL)
    return formula(plan)


def until_the_end(plan):
    """Trains as long as it may."""
    epochs = 0
    while not plan.enough(epochs):
        epochs += 1
    return {**formula(plan), "epochs": epochs}


def talking(plan, barrier):
    """Tells how far it is, each epoch when the other has told of its own; warns of something."""
    for epoch in (1, 2):
        logging.getLogger("greenlight.progress").info("%s: epoch %d", plan.label, epoch)
        barrier.wait(timeout=60)
    logging.getLogger("some.library").warning("trial %s: careful", plan.label)
    return formula(plan)


def stuck(plan):
    """Says that its first epoch is done, and stays in its second."""
    formula(plan._replace(epochs=1))
    print(plan.label, flush=True)
    threading.Event().wait()


def search_that_is_stuck(folder):
    """Begins two trials, as a process that is to be killed."""
    from components.tuner.parallel import SideBySide
    from components.tuner.workers import Worker

    config, oracle = parts(algorithm="hyperband")
    workers = [Worker(functools.partial(make_formula, stuck), 1) for _ in range(2)]
    SideBySide(oracle, workers, config, folder).search()


if __name__ == "__main__":
    search_that_is_stuck(sys.argv[1])

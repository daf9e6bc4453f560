"""The search: trial after trial until trials or minutes are used up, and on again after a kill."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import tensorflow as tf
from keras_tuner.engine import base_tuner
from keras_tuner.engine import oracle as kt_oracle
from keras_tuner.engine import trial as kt_trial

from components.tuner.config import TuningConfig
from components.tuner.oracles import SCORE, write_state

logger = logging.getLogger("greenlight.tuner")

Figures = dict[str, float]


class Plan(NamedTuple):
    """What one trial is asked for.

    values: dotted setting to value.
    enough: whether to stop after so many epochs, counted from the training's first.
    folder: where the training keeps its weights; one that goes on finds them there.
    told: which trial this is, in words.
    share: how much of the search is done.
    """

    values: Mapping[str, Any]
    enough: Callable[[int], bool]
    folder: str
    told: str
    share: float


Run = Callable[[Plan], Figures]


class Search(base_tuner.BaseTuner):
    """KerasTuner's loop around any training; its state lives in `directory`.

    The same directory goes on where a killed search was, or, with more trials or minutes, where a
    finished one ended.
    """

    def __init__(
        self, oracle: kt_oracle.Oracle, run: Run, tuning: TuningConfig, directory: str
    ) -> None:
        """Makes the search.

        Args:
          oracle: says what to try.
          run: trains as planned and measures; returns at least `score`, the more the better, to
            which are added `seconds` and `cut`, 1 where the end of the minutes cut it short.
          tuning: what the user chose.
          directory: where the state is kept.
        """
        self.run, self.tuning = run, tuning
        super().__init__(oracle, directory=directory, project_name="search")

    @property
    def spent(self) -> float:
        """Seconds that ended trials took, in this process or an earlier one."""
        ended = (trial.metrics for trial in self.oracle.trials.values())
        return sum(found.get_best_value("seconds") for found in ended if found.exists("seconds"))

    @property
    def ended(self) -> str:
        """What ended the search: minutes, trials or space (everything was tried)."""
        if self.spent >= 60 * self.tuning.minutes:
            return "minutes"
        return "trials" if len(self.oracle.trials) >= self.tuning.trials else "space"

    def save(self) -> None:
        """Writes the state of the search and of its oracle."""
        self.oracle.save()
        write_state(self._get_tuner_fname(), self.get_state())

    def pre_create_trial(self) -> None:
        """Lets no further trial begin when the minutes are used up."""
        if self.spent >= 60 * self.tuning.minutes:
            self.oracle.max_trials = len(self.oracle.trials)

    def run_trial(self, trial: kt_trial.Trial) -> Figures:
        """Runs one trial; at the end of the minutes it stops after the epoch that it is in."""
        values, started, spent = trial.hyperparameters.values, time.monotonic(), self.spent
        most, budget = values.get("tuner/epochs"), 60 * self.tuning.minutes
        last = started + budget - spent
        number, best = _number(trial), self._best()
        plan = Plan(
            values=values,
            enough=lambda n: n > 0 and (n == most or time.monotonic() >= last),
            folder=f"{self.get_trial_dir(self.root(trial))}/training",
            told=f"trial {number}" + (f" (best {best:.4f})" if best is not None else ""),
            share=min(1.0, max(spent / budget, (number - 1) / self.tuning.trials)),
        )
        found, now = self.run(plan), time.monotonic()
        return {**found, "seconds": now - started, "cut": now >= last}

    def on_trial_end(self, trial: kt_trial.Trial) -> None:
        """Tells how a trial ended and drops weights that no further trial goes on from."""
        super().on_trial_end(trial)
        ended = self.oracle.get_trial(trial.trial_id)
        logger.info(
            "trial %s %s, score %s: %s%s", ended.trial_id, ended.status, ended.score,
            ended.hyperparameters.values, f"\n{ended.message}" if ended.message else "",
        )  # fmt: skip
        self._drop_weights()

    def on_search_end(self) -> None:
        """Drops all weights; raises RuntimeError if no trial came to an end."""
        self._drop_weights(all_of_them=True)
        if self._best() is None:
            failed = [trial.message for trial in self.oracle.trials.values() if trial.message]
            why = failed[-1].strip().splitlines()[-1] if failed else "no score was a number"
            raise RuntimeError(f"no trial of the tuner came to an end: {why}")

    def root(self, trial: kt_trial.Trial) -> str:
        """The first of the trials that this one goes on from: their weights share a folder."""
        values = trial.hyperparameters.values
        while values.get("tuner/trial_id"):
            trial = self.oracle.get_trial(values["tuner/trial_id"])
            values = trial.hyperparameters.values
        return str(trial.trial_id)

    def _best(self) -> float | None:
        scores = [t.score for t in self.oracle.trials.values() if t.status == "COMPLETED"]
        return max(scores, default=None)

    def _drop_weights(self, all_of_them: bool = False) -> None:
        brackets = [] if all_of_them else self.oracle.get_state().get("brackets", [])
        kept = {entry["id"] for one in brackets for rung in one["rounds"] for entry in rung}
        roots = {self.root(self.oracle.get_trial(number)) for number in kept}
        for trial in self.oracle.trials.values():
            folder = f"{self.get_trial_dir(trial.trial_id)}/training"
            if trial.trial_id not in roots and tf.io.gfile.exists(folder):
                tf.io.gfile.rmtree(folder)


def results(search: Search) -> dict[str, Any]:
    """What a search found, in the order of trials; see `docs/tuning.md`."""
    tuning = search.tuning
    trials = [_told(trial) for trial in sorted(search.oracle.trials.values(), key=_number)]
    done = [row for row in trials if row["status"] == "COMPLETED"]
    return {
        **tuning.model_dump(exclude={"enabled"}),
        "ended": search.ended,
        "seconds": round(search.spent, 1),
        "best": max(done, key=lambda row: row[SCORE])["trial"],
        "trials": trials,
    }


def _number(trial: kt_trial.Trial) -> int:
    """Trials count from 1 for people."""
    return int(trial.trial_id) + 1


def _told(trial: kt_trial.Trial) -> dict[str, Any]:
    values, metrics = trial.hyperparameters.values, trial.metrics
    figures = {name: metrics.get_best_value(name) for name in metrics.metrics}
    return {
        "trial": _number(trial),
        "status": str(trial.status),
        "values": {name: value for name, value in values.items() if "/" not in name},
        "rung": values.get("tuner/epochs"),
        "goes_on_from": int(before) + 1 if (before := values.get("tuner/trial_id")) else None,
        "message": (trial.message or "").strip().splitlines()[-1:],
        **{name: None if value != value else value for name, value in figures.items()},
    }

"""The search: trial after trial until trials or minutes are used up, and on again after a kill."""

import logging
import time
from typing import Any

import tensorflow as tf
from keras_tuner.engine import base_tuner
from keras_tuner.engine import oracle as kt_oracle
from keras_tuner.engine import trial as kt_trial

from components.tuner.config import TuningConfig
from components.tuner.oracles import SCORE, drop_damaged, write_state
from components.tuner.plan import Figures, Plan, Run, carry_out

logger = logging.getLogger("greenlight.tuner")
PROJECT = "search"  # KerasTuner's name for a folder of states


class Search(base_tuner.BaseTuner):
    """What all searches have in common; their state is kept in `directory`.

    The same directory goes on where a killed search was, or, with more trials or minutes, where a
    finished one ended.
    """

    at_once = 1

    def __init__(self, oracle: kt_oracle.Oracle, tuning: TuningConfig, directory: str) -> None:
        """Makes the search.

        Args:
          oracle: says what to try.
          tuning: what the user chose.
          directory: where the state is kept.
        """
        self.tuning = tuning
        drop_damaged(f"{directory}/{PROJECT}")
        super().__init__(oracle, directory=directory, project_name=PROJECT)

    @property
    def spent(self) -> float:
        """Seconds that the search took until its last trial ended, over all its processes."""
        ended = (trial.metrics for trial in self.oracle.trials.values())
        return max((m.get_best_value("clock") for m in ended if m.exists("clock")), default=0.0)

    @property
    def budget(self) -> float:
        """Seconds that the search may take."""
        return 60 * self.tuning.minutes

    @property
    def ended(self) -> str:
        """What ended the search: minutes, trials or space (everything was tried)."""
        if self.spent >= self.budget:
            return "minutes"
        return "trials" if len(self.oracle.trials) >= self.tuning.trials else "space"

    def save(self) -> None:  # type: ignore[override]  # as KerasTuner's own
        """Writes the state of the search and of its oracle."""
        self.oracle.save()
        write_state(self._get_tuner_fname(), self.get_state())

    @property
    def share(self) -> float:
        """How much of the search is done, by trials or by minutes, whichever is more."""
        trials = len(self.oracle.end_order) / self.tuning.trials
        return min(1.0, max(self._clock() / self.budget, trials))

    def on_search_begin(self) -> None:
        """Starts the clock where an earlier process stopped it."""
        self._began = time.monotonic() - self.spent
        self.save()  # or a kill within the first trials would leave no state to go on from

    def pre_create_trial(self) -> None:
        """Lets no further trial begin when the minutes are used up."""
        if self.spent >= self.budget:
            self.oracle.max_trials = len(self.oracle.trials)

    def plan(self, trial: kt_trial.Trial) -> Plan:
        """The plan of a trial, which stops after its epoch when the minutes are used up."""
        values, best = trial.hyperparameters.values, self.best()
        return Plan(
            values=values,
            epochs=values.get("tuner/epochs"),
            deadline=self._began + self.budget,
            folder=f"{self.get_trial_dir(self.root(trial))}/training",
            label=f"trial {number(trial)}" + (f" (best {best:.4f})" if best is not None else ""),
            share=self.share,
        )

    def timed(self, figures: Figures) -> Figures:
        """A trial's figures, and the search's `clock` at its end."""
        return {**figures, "clock": self._clock()}

    def _clock(self) -> float:
        return time.monotonic() - self._began

    def on_trial_end(self, trial: kt_trial.Trial) -> None:
        """Logs how a trial ended, and drops weights that no further trial goes on from."""
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
        if self.best() is None:
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

    def best(self) -> float | None:
        """The best score so far."""
        scores = [t.score for t in self.oracle.trials.values() if t.status == "COMPLETED"]
        return max(scores, default=None)

    def _drop_weights(self, all_of_them: bool = False) -> None:
        brackets = [] if all_of_them else self.oracle.get_state().get("brackets", [])
        kept = {entry["id"] for one in brackets for rung in one["rounds"] for entry in rung}
        # Hyperband forgets a bracket when its last trials have begun.
        kept |= {trial.trial_id for trial in self.oracle.ongoing_trials.values()}
        roots = {self.root(self.oracle.get_trial(number)) for number in kept}
        for trial in self.oracle.trials.values():
            folder = f"{self.get_trial_dir(trial.trial_id)}/training"
            if trial.trial_id not in roots and tf.io.gfile.exists(folder):
                tf.io.gfile.rmtree(folder)


class OneByOne(Search):
    """KerasTuner's loop around any training, in this process."""

    def __init__(
        self, oracle: kt_oracle.Oracle, run: Run, tuning: TuningConfig, directory: str
    ) -> None:
        """Makes the search; `run` trains as planned and measures.

        It returns at least `score`, the more the better; `carry_out` adds the times.
        """
        super().__init__(oracle, tuning, directory)
        self.run = run

    def run_trial(self, trial: kt_trial.Trial) -> Figures:
        """Runs one trial."""
        return self.timed(carry_out(self.run, self.plan(trial)))


def results(search: Search) -> dict[str, Any]:
    """The content of trials.json, but for the user's own settings; see `docs/tuning.md`."""
    tuning = search.tuning
    trials = [_row(trial) for trial in sorted(search.oracle.trials.values(), key=number)]
    done = [row for row in trials if row["status"] == "COMPLETED"]
    return {
        **tuning.model_dump(exclude={"enabled"}),
        "parallel": search.at_once,
        "ended": search.ended,
        "seconds": round(search.spent, 1),
        "best": max(done, key=lambda row: row[SCORE])["trial"],
        "trials": trials,
    }


def number(trial: kt_trial.Trial) -> int:
    """The trial's number as people see it, from 1."""
    return int(trial.trial_id) + 1


def _row(trial: kt_trial.Trial) -> dict[str, Any]:
    values, metrics = trial.hyperparameters.values, trial.metrics
    figures = {name: metrics.get_best_value(name) for name in metrics.metrics}
    return {
        "trial": number(trial),
        "status": str(trial.status),
        "values": {name: value for name, value in values.items() if "/" not in name},
        "rung": values.get("tuner/epochs"),
        "goes_on_from": int(before) + 1 if (before := values.get("tuner/trial_id")) else None,
        "message": (trial.message or "").strip().splitlines()[-1:],
        **{name: None if value != value else value for name, value in figures.items()},
    }

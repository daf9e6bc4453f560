"""KerasTuner's algorithms, with a first trial of the configuration's own and states that hold."""

import json
import logging
from collections.abc import Mapping
from typing import Any

import keras_tuner as kt
import tensorflow as tf
from keras_tuner.engine import oracle as kt_oracle
from keras_tuner.engine import trial as kt_trial
from keras_tuner.engine.hyperparameters import Float

from components.examples.paths import literal
from components.tuner.config import TuningConfig

FINDINGS = logging.getLogger("greenlight.findings")
SCORE = "score"
FACTOR = 3  # of a Hyperband rung, the best third goes on, and for three times as long


def rounded(space: kt.HyperParameters, values: Mapping[str, Any]) -> dict[str, float]:
    """The values that come from a range, to three digits and within it."""
    ranges = [one for one in space.space if isinstance(one, Float)]
    return {
        one.name: min(max(float(f"{values[one.name]:.3g}"), one.min_value), one.max_value)
        for one in ranges
    }


def write_state(path: str, state: dict[str, Any]) -> None:
    """Writes JSON aside and renames it."""
    with tf.io.gfile.GFile(f"{path}.part", "w") as file:
        file.write(json.dumps(state))
    tf.io.gfile.rename(f"{path}.part", path, overwrite=True)


def drop_damaged(folder: str) -> None:
    """Removes a search's states if any of them cannot be read: the search begins anew."""
    place = literal(folder)
    for path in sorted(tf.io.gfile.glob([f"{place}/*.json", f"{place}/*/*.json"])):
        try:
            with tf.io.gfile.GFile(path) as file:
                json.load(file)
        except ValueError:
            FINDINGS.warning("%s of an earlier search is damaged: the search begins anew", path)
            tf.io.gfile.rmtree(folder)
            return


class _FirstOwn(kt_oracle.Oracle):
    """Tries the defaults first, so that the best trial is compared with the user's own settings.

    Its state is written aside and then renamed: no kill leaves half a file.
    """

    def _random_values(self) -> dict[str, Any] | None:
        if not self.trials:
            return {one.name: one.default for one in self.hyperparameters.space}
        return super()._random_values()

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """What to try next; numbers of a range have three digits, since more would mean nothing."""
        proposal = super().populate_space(trial_id)
        if proposal.get("values"):
            proposal["values"] |= rounded(self.hyperparameters, proposal["values"])
        return proposal

    def save(self) -> None:  # type: ignore[override]  # as KerasTuner's own
        """Writes the state, but for the trials', which have files of their own."""
        write_state(self._get_oracle_fname(), self.get_state())

    def _save_trial(self, trial: kt_trial.Trial) -> None:
        write_state(f"{self._get_trial_dir(trial.trial_id)}/trial.json", trial.get_state())


class Hyperband(_FirstOwn, kt.oracles.HyperbandOracle):
    """Many short trainings, of which the best go on (Li and others, 2018)."""


class Bayesian(_FirstOwn, kt.oracles.BayesianOptimizationOracle):
    """A Gaussian process over settings and scores says what to try (Snoek and others, 2012)."""


def make_oracle(
    tuning: TuningConfig, space: kt.HyperParameters, most_epochs: int
) -> kt_oracle.Oracle:
    """The configured algorithm; Hyperband goes round until trials or minutes are used up."""
    options = {
        "objective": kt.Objective(SCORE, "max"),
        "hyperparameters": space,
        "allow_new_entries": False,
        "seed": tuning.seed,
    }
    if tuning.algorithm == "bayesian":
        # A third at random: KerasTuner's own three per setting would be all of a short search.
        start = min(3 * len(space.space), max(3, tuning.trials // 3))
        oracle: kt_oracle.Oracle = Bayesian(**options, num_initial_points=start)
    else:
        limits = {"max_epochs": most_epochs, "hyperband_iterations": None}
        oracle = Hyperband(**options, **limits, factor=FACTOR)
    oracle.max_trials, oracle.verbose = tuning.trials, 0
    return oracle

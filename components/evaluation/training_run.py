"""What the Trainer wrote down of its run, as far as the gates need it."""

import json
from typing import Any

import tensorflow as tf

from schemas.artifacts import HISTORY_FILE


def tasks_off(model_run: str) -> dict[str, str]:
    """The tasks that training found nothing to learn of, each with the reason in words."""
    off: dict[str, str] = _history(model_run).get("off", {})
    return off


def trained_metrics(model_run: str) -> dict[str, float] | None:
    """What training measured on valid; None where it measured nothing.

    Those are the figures of the model as it was exported, if the history has them (`exported`);
    else the RMSE of the epoch that was kept: what is added to retrieval after the epochs leaves
    ratings as they were.
    """
    history = _history(model_run)
    names, measured = {"valid_hit_rate@10", "valid_rmse"}, history.get("exported") or {}
    if history.get("exported") is None and 0 < history["best_epoch"] <= len(history["epochs"]):
        names, measured = {"valid_rmse"}, history["epochs"][history["best_epoch"] - 1]
    return {name: measured[name] for name in names if name in measured} or None


def _history(model_run: str) -> dict[str, Any]:
    with tf.io.gfile.GFile(f"{model_run}/{HISTORY_FILE}") as file:
        history: dict[str, Any] = json.load(file)
    return history

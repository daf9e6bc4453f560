"""What a report asks the exported model of a run."""

from typing import Any

import tensorflow as tf

from components.evaluation.gates import GatesConfig
from components.examples.catalogue import read_catalogue
from components.examples.rows import read_rows
from components.peers.config import PeersConfig
from components.peers.measure import measure
from components.report import people
from components.report.learned import learned
from components.tfx.artifacts import Artifacts, folder, saved_model, split_files
from schemas.artifacts import CATALOGUE

Content = dict[str, Any]


def load(inputs: Artifacts) -> Any:
    """The exported model."""
    return tf.saved_model.load(saved_model(inputs["model"]))


def peers(
    inputs: Artifacts, config: Content, refit: bool, mix: float, model: Any
) -> Content | None:
    """The model beside simple recommenders; None where it gives no answers, or none is asked.

    What the model learned from they learn from: valid too, after a refit. There are none where that
    is more than one process should hold. `mix` is that of the lists for people.
    """
    settings = PeersConfig.model_validate(config.get("report", {}).get("peers", {"rows": 0}))
    learned = ("train", "valid") if refit else ("train",)
    sizes = read_rows(folder(inputs["examples"]))["splits"]
    many = sum(sizes[split]["ratings"] for split in learned) > settings.ratings
    if model is None or many or not settings.rows:
        return None
    splits = {split: split_files(inputs["examples"], split) for split in ("train", "valid", "eval")}
    return measure(
        model.signatures,
        splits,
        learned,
        read_catalogue(sorted(split_files(inputs[CATALOGUE], CATALOGUE))),
        settings,
        GatesConfig.model_validate(config["gates"]),
        config["training"]["seed"],
        mix,
    )


def of_model(inputs: Artifacts, k: int, orders: Content | None, model: Any) -> Content:
    """A few users' lists and what the model learned of movies, from the exported model."""
    if model is None:
        return {"people": [], "learned": None}
    catalogue = people.titles_and_genres(split_files(inputs[CATALOGUE], CATALOGUE))
    chosen = people.choose(split_files(inputs["examples"], "eval"))
    mix = (orders or {}).get("mix") or people.MIX
    shown = people.recommend(model, chosen, catalogue, k, mix)
    return {"people": shown, "mix": mix, "learned": learned(model)}

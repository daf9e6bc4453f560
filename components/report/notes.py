"""What a reader should know beside the gates, in sentences."""

from collections.abc import Mapping
from typing import Any

from components.evaluation.gates import GatesConfig
from components.evaluation.slices import OVERALL
from components.report.evaluator_output import Evaluation

WITHOUT_WEIGHT = {
    "retrieval": "model.retrieval_weight is 0: lists were not learned, and yet they are served.",
    "rating": "model.rating_weight is 0: ratings were not learned, and yet they are predicted.",
}


def notes(
    config: Mapping[str, Any],
    rows: Mapping[str, Any],
    training: Mapping[str, Any],
    evaluation: Evaluation,
) -> list[str]:
    """All notes of a run: on its data, its training and its evaluation.

    Args:
      config, rows, training, evaluation: as for `blessing.blessing`.
    """
    settings = GatesConfig.model_validate(config["gates"])
    return [
        *rows.get("findings", []),
        *unlearned(config, training.get("off", {}), settings),
        *([training["start"]] if training.get("start") else []),
        *(f"{note}." for note in evaluation.checks.notes),
        *_outside(evaluation),
    ]


def unlearned(config: Mapping[str, Any], off: Mapping[str, str], gates: GatesConfig) -> list[str]:
    """Sentences on the tasks that the model cannot do, did not learn, or is not judged by."""
    sentences = [
        f"The model retrieves alone, as {why}; the gates on ratings are off."
        for why in off.values()
    ]
    for task, words in WITHOUT_WEIGHT.items():
        if task not in off and config.get("model", {}).get(f"{task}_weight") == 0:
            sentences.append(f"{words} With gates.{task}=false they are left out of the verdict.")
    switched_off = [f"The gates on {task} are off: {why}." for task, why in gates.off.items()]
    return [*sentences, *switched_off]


def _outside(evaluation: Evaluation) -> list[str]:
    values = evaluation.candidate.get(OVERALL, {})
    if not values.get("outside"):
        return []
    return [
        f"{values['outside']:,.0f} of {values['ratings']:,.0f} evaluated ratings are of movies "
        "that the catalogue lacks: they count as ranked last and rated with the mean."
    ]

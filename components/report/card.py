"""The model card, written from the run's facts (after Mitchell and others, 2019)."""

from collections.abc import Mapping
from typing import Any

from components.evaluation.metric_name import RMSE
from components.evaluation.slices import OVERALL
from components.report.tables import shared_moments
from schemas.artifacts import UNJUDGED

Content = Mapping[str, Any]
WEAKEST = 5  # slices that are named where the candidate is surely worse in none
SPLITS = {
    "temporal": "the newest {eval:,} ratings of all are held out, after the newest {valid:,} "
    "before them for early stopping",
    "random": "a seeded {eval:,} ratings are held out, and {valid:,} more for early stopping",
    "leave_last_n": "the last ratings of each user are held out, {eval:,} in all, and the "
    "{valid:,} before them for early stopping",
    "predefined": "the {eval:,} ratings of a file of its own are held out, and {valid:,} of the "
    "other file for early stopping",
}


def sections(blessing: Content, facts: Content) -> list[tuple[str, list[str]]]:
    """Titles and sentences of the card."""
    return [
        ("Intended use", intended(facts)),
        ("Data and licence", data(blessing, facts)),
        ("Evaluation protocol", protocol(blessing)),
        ("Known weak slices", weak(facts)),
    ]


def intended(facts: Content) -> list[str]:
    """What the model is for, and what not."""
    if facts["scale"] is None:
        task, event = "watch next, out of what the person has seen before", "movies"
    else:
        low, high = facts["scale"]
        task = (
            "watch and rate next, and predicts the rating, "
            f"from {low:g} to {high:g}, out of what the person has rated before"
        )
        event = "ratings"
    return [
        f"Finds movies that a person is likely to {task}. Newcomers are served from their first "
        f"{event} on; with none they get the most popular movies, and are told so.",
        "It knows nothing of what a movie shows or for whom it is suitable, and it repeats the "
        "tastes of those it learned of: do not use it to judge people, or to choose for children.",
    ]


def data(blessing: Content, facts: Content) -> list[str]:
    """Where the data come from and on what terms."""
    config, rows = blessing["config"], blessing["rows"]
    words = (
        f"Source {config['source']}: {rows['kept']:,} ratings of {facts['data']['movies'] or 0:,} "
        f"movies by {facts['data']['users'] or 0:,} users."
    )
    if config["data_dir"] is None:
        terms = (
            "MovieLens data by GroupLens (Harper and Konstan, 2015): no commercial use without "
            "their leave; the README beside the data has the terms."
        )
    else:
        terms = (
            "The run cannot know the terms of these files: see those of their publisher before "
            "the model is put to use."
        )
    return [words, terms]


def protocol(blessing: Content) -> list[str]:
    """How the model was judged."""
    split, gates = blessing["split"], blessing["config"]["gates"]
    sizes = {name: split[name]["ratings"] for name in ("valid", "eval")}
    how = SPLITS[split["kind"]].format(**sizes)
    beside = (
        "Popularity and user+movie bias are"
        if RMSE in blessing["metrics"][OVERALL]
        else "Popularity is"
    )
    return [
        f"Split {split['kind']}: {how}; the model was fitted on {split['train']['ratings']:,}"
        f"{_and_valid(blessing['training'])}.",
        *_unjudged(split),
        *_ties(split["eval"]),
        "Each held-out movie is ranked among the whole catalogue, movies already seen left out and "
        f"ties ranked at their mean place, by the exported model itself. {beside} measured on the "
        f"same rows.{_of_late(blessing['training'].get('popular_days'))}",
        f"Intervals are {gates['level']:.0%} percentile intervals of a paired Poisson bootstrap "
        f"over users with {gates['replicates']} resamples.",
    ]


def _of_late(days: int | None) -> str:
    """Which events popularity counts, where not all of train."""
    if not days:
        return ""
    return (
        f" Popularity counts the last {days} days before train ends: by them it ranks the "
        "validation ratings surely better than by all of train."
    )


def _and_valid(training: Content) -> str:
    """That the model went on with valid, where it did; runs of older versions do not say."""
    return ", then on these and the validation ratings" if training.get("refit") else ""


def _unjudged(split: Content) -> list[str]:
    """What else was held out and does not judge; empty where eval is no larger than it may be."""
    if UNJUDGED not in split or not split[UNJUDGED]["ratings"]:
        return []
    return [
        f"These are of users drawn at random: the {split[UNJUDGED]['ratings']:,} held-out ratings "
        "of the others are neither learned nor judged by."
    ]


def _ties(split: Content) -> list[str]:
    """What follows where held-out ratings share their moment with others; empty if none does."""
    if not split["tied"]:
        return []
    return [
        f"{shared_moments(split):.1%} of the held-out ratings are of the same moment as others of "
        "their user: nothing there comes first, so none of them is history to another."
    ]


def weak(facts: Content) -> list[str]:
    """The slices in which the candidate is surely worse, or else those in which it gains least."""
    sentences = []
    for metric, rows in facts["slices"].items():
        counted = [row for row in rows if row["judged"] and row["label"] != OVERALL]
        worse = [row["label"] for row in counted if row["verdict"] == "worse"]
        if worse:
            sentences.append(f"By {metric} it is worse, and not by chance, in: {', '.join(worse)}.")
        elif counted:
            last = sorted(counted, key=lambda row: row["value"])[:WEAKEST]
            names = ", ".join(f"{row['label']} ({row['value']:+.4f})" for row in last)
            sentences.append(f"By {metric} it is surely worse in none; it gains least in {names}.")
    return sentences or ["No slice holds enough users to tell."]

"""Asks an exported model, in a process of its own, all that its signatures can answer.

Run as `python -m components.evaluation.reload JOB`: nothing of the training process is there, and
nothing of the project's model code is imported. JOB is a JSON file with the fields of `Job`; the
answers go to `Job.output` and `Job.told`, written aside and renamed. Movies are rows of the
catalogue there, -1 for none: names may be long, and many.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.examples.records import records
from schemas.features import USER_FEATURES
from schemas.text import to_text, to_texts

BATCH = 256
NEEDED = {
    "evaluate": {"examples"},
    "recommend": {"user_id", "history_movie_id", "history_rating", "k"},
    "rate": {"user_id", "history_movie_id", "history_rating", "movie_id"},
}
# The same two, told what `evaluate` reads of users in the Example; and what the server asks too.
TOLD_LISTS, TOLD_RATINGS = "recommend_filtered", "rate_as"
ASKED_TOO = ("similar", "explain")
MOST_LISTED = 100  # of a list that the server is asked for
EXPLAINED = 10  # pairs: each takes fifty readings of the whole catalogue
NO_WISHES = {
    "genres": tf.constant([[]], tf.string),
    "year_from": tf.constant([0]),
    "year_to": tf.constant([0]),
    "keep_seen": tf.constant([False]),
    "mix": tf.constant([0.0]),
    "retrieve": tf.constant([1]),
}
HISTORY = {
    "user_id": tf.io.FixedLenFeature([], tf.string),
    "movie_id": tf.io.FixedLenFeature([], tf.string),
    "history_movie_id": tf.io.RaggedFeature(tf.string),
    "history_rating": tf.io.RaggedFeature(tf.float32),
    "seen_movie_id": tf.io.RaggedFeature(tf.string),
    **{name: tf.io.FixedLenFeature([], tf.string, "") for name in USER_FEATURES},
}


@dataclass(frozen=True)
class Job:
    """What to ask.

    model: folder of the SavedModel.
    catalogue: TFRecord files of the catalogue's Examples.
    examples: TFRecord files of Examples of one target each; each user's last one is asked about.
    users: the most users to ask about.
    k: length of the lists.
    outputs: what `evaluate` has to answer.
    valid, valid_rows: the files, and how many of their rows, that training measured.
    people: users to ask about by their id alone, beside those of `examples`.
    pairs: users and movies to ask about as the server is asked.
    output: the .npz file to write.
    told: the JSON file to write.
    rates: whether the model is to predict ratings; none: whatever it does.
    rated_outputs: what `evaluate` has to answer besides if it does.
    """

    model: str
    catalogue: list[str]
    examples: list[str]
    users: int
    k: int
    outputs: list[str]
    valid: list[str]
    valid_rows: int
    people: list[str]
    pairs: list[tuple[str, str]]
    output: str
    told: str
    rates: bool | None = None
    rated_outputs: tuple[str, ...] = ()


def answers(job: Job) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Asks everything.

    Returns arrays, and what is text. The arrays are, by user at their last moment: `user` (a hash),
    `movies` and `again` (two askings of the lists [users, k]), `ratings` (of the lists), `history`
    [users, longest], `target`, `rank`, `rating` and what else `evaluate` says, and `rated` (the
    target by `rate`); `left_out_owner` and `left_out` are pairs of users and the movies of their
    history or before it. `served` are the lists [people, k] by id alone. Besides `valid_hit_rate`
    and `valid_rmse`. The text is `people`, those of `served`, and `pairs`: see `as_served`. A model
    without ratings answers nothing of these.

    Raises:
      ValueError: a signature is missing, or takes or answers something else than it should.
    """
    signatures = tf.saved_model.load(job.model).signatures
    check_signatures(signatures, job)
    rows = catalogue_rows(job.catalogue)
    asked = moments(job)
    parts = [
        _ask(signatures, asked_of, first, rows, job.k)
        for first, asked_of in _batched([example for _, example in asked])
    ]
    found = {name: _stacked([part[name] for part in parts]) for name in (parts[0] if parts else ())}
    people = list(dict.fromkeys([*(user for user, _ in asked), *map(str.encode, job.people)]))
    found["served"] = _by_id(signatures["recommend"], people, rows, job.k)
    told = {"people": to_texts(people), "pairs": as_served(signatures, job)}
    return found | _on_valid(signatures["evaluate"], job), told


def catalogue_rows(files: Sequence[str]) -> Any:
    """A table from the catalogue's ids to their rows in these files, -1 for all others."""
    spec = {"movie_id": HISTORY["movie_id"]}
    ids = [tf.io.parse_example(batch, spec)["movie_id"] for batch in records(files, 8192)]
    keys = tf.concat(ids or [tf.constant([], tf.string)], 0)
    pairs = tf.lookup.KeyValueTensorInitializer(keys, tf.range(len(keys)))
    return tf.lookup.StaticHashTable(pairs, -1)


def check_signatures(signatures: Mapping[str, Any], job: Job) -> None:
    """Raises ValueError unless the signatures take and answer what the gates ask of them."""
    rates = TOLD_RATINGS in signatures if job.rates is None else job.rates
    if job.rates is False and TOLD_RATINGS in signatures:
        raise ValueError("it predicts ratings, and training had none to learn from")
    outputs = [*job.outputs, *(job.rated_outputs if rates else ())]
    for name, needed in NEEDED.items():
        if name == "rate" and not rates:
            continue
        if name not in signatures:
            raise ValueError(f"the signature {name} is missing")
        taken = set(signatures[name].structured_input_signature[1])
        if taken != needed:
            changed = ", ".join(sorted(taken ^ needed))
            raise ValueError(f"the inputs of the signature {name} have changed: {changed}")
    others = ASKED_TOO if job.pairs else ()
    for name in (TOLD_LISTS, *([TOLD_RATINGS] if rates else ()), *others):
        if name not in signatures:
            raise ValueError(f"the signature {name} is missing")
    missing = sorted(set(outputs) - set(signatures["evaluate"].structured_outputs))
    if missing:
        raise ValueError(f"the signature evaluate does not answer {', '.join(missing)}")


def moments(job: Job) -> list[tuple[bytes, bytes]]:
    """The first `job.users` users, each with the last Example."""
    last: dict[bytes, bytes] = {}
    for batch in records(job.examples, 1024):
        users = tf.io.parse_example(batch, {"user_id": HISTORY["user_id"]})["user_id"].numpy()
        for user, example in zip(users, batch.numpy(), strict=True):
            if user in last or len(last) < job.users:
                last[user] = example
    return list(last.items())


def _batched(values: list[bytes]) -> Iterator[tuple[int, list[bytes]]]:
    for start in range(0, len(values), BATCH):
        yield start, values[start : start + BATCH]


def _by_id(recommend: Any, people: list[bytes], rows: Any, k: int) -> NDArray[Any]:
    """The lists of people of whom nothing is told but the id: rows [people, k]."""
    nothing = {"history_movie_id": tf.constant([[]], tf.string), "history_rating": tf.zeros([1, 0])}
    found = [np.zeros([0, k], np.int32)]
    for _, users in _batched(people):
        listed = recommend(user_id=tf.constant(users), k=tf.constant([k]), **nothing)["movie_id"]
        found.append(np.pad(rows.lookup(listed).numpy(), [(0, 0), (0, k - listed.shape[1])],
                            constant_values=-1))  # fmt: skip
    return np.concatenate(found)


def as_served(signatures: Mapping[str, Any], job: Job) -> list[dict[str, Any]]:
    """What the graph answers to `job.pairs`, in the form in which the server should.

    Each has `user` and `movie`; `listed` and `similar`, pairs of id and score; if the model rates,
    `rating`, of the movie, none where it is no number; and, of the first few pairs, `explained`:
    ids of events.
    """
    found, k = [], min(job.k, MOST_LISTED)
    for place, (user, movie) in enumerate(job.pairs):
        who, what = tf.constant([user]), tf.constant([movie])
        answer: dict[str, Any] = {"user": user, "movie": movie}
        answer["listed"] = _scored(_call(signatures["recommend"], user_id=who, k=[k]))
        if "rate" in signatures:
            rated = _call(signatures["rate"], user_id=who, movie_id=what[tf.newaxis])
            rating = rated["rating"].numpy().item()
            answer["rating"] = None if np.isnan(rating) else rating
        answer["similar"] = _scored(_call(signatures["similar"], movie_id=what, k=[k]))
        if place < EXPLAINED:
            told = _call(signatures["explain"], user_id=who, movie_id=what)
            answer["explained"] = [to_text(v) for v in told["history_movie_id"].numpy()[0] if v]
        found.append(answer)
    return found


def _scored(found: Mapping[str, Any]) -> list[tuple[str, float]]:
    both = zip(found["movie_id"].numpy()[0], found["score"].numpy()[0].tolist(), strict=True)
    return [(to_text(movie), score) for movie, score in both if movie]


def inputs(signature: Any, **given: Any) -> dict[str, tf.Tensor]:
    """The inputs of a signature; what is not given is left open for all rows: '', 0, no values."""
    return {
        name: tf.convert_to_tensor(given[name], spec.dtype)
        if name in given
        else tf.zeros([1, *[0] * (spec.shape.rank - 1)], spec.dtype)
        for name, spec in signature.structured_input_signature[1].items()
    }


def _call(signature: Any, **given: Any) -> Mapping[str, Any]:
    found: Mapping[str, Any] = signature(**inputs(signature, **given))
    return found


def _ask(
    signatures: Mapping[str, Any], examples: list[bytes], first: int, rows: Any, k: int
) -> dict[str, NDArray[Any]]:
    """What the model says of users at a moment, of whom the first is the `first` of all."""
    parsed = tf.io.parse_example(tf.constant(examples), HISTORY)
    # Asked by id with no history, the export would read what it has stored since.
    told_history = parsed["history_movie_id"].row_lengths() > 0
    movies = parsed["history_movie_id"].to_tensor("")
    user = {
        "user_id": tf.where(told_history, parsed["user_id"], ""),
        "history_movie_id": movies,
        "history_rating": parsed["history_rating"].to_tensor(np.nan, shape=tf.shape(movies)),
        **{name: parsed[name] for name in USER_FEATURES},
    }
    told = {n: v.numpy() for n, v in signatures["evaluate"](examples=tf.constant(examples)).items()}
    # What was seen before the history is told in the one way there is: as movies to leave out.
    wishes = {**NO_WISHES, "exclude_movie_id": parsed["seen_movie_id"].to_tensor("")}
    lists = [signatures[TOLD_LISTS](**user, **wishes, k=tf.constant([k])) for _ in range(2)]
    left_out = tf.concat([parsed["seen_movie_id"], parsed["history_movie_id"]], 1)
    if TOLD_RATINGS in signatures:
        rated = signatures[TOLD_RATINGS](**user, movie_id=parsed["movie_id"][:, tf.newaxis])
        told |= {"rated": rated["rating"].numpy()[:, 0], "ratings": lists[0]["rating"].numpy()}
    return {
        **told,
        "movies": rows.lookup(lists[0]["movie_id"]).numpy(),
        "again": rows.lookup(lists[1]["movie_id"]).numpy(),
        "history": rows.lookup(user["history_movie_id"]).numpy(),
        "left_out_owner": first + left_out.value_rowids().numpy(),
        "left_out": rows.lookup(left_out.values).numpy(),
        "target": rows.lookup(parsed["movie_id"]).numpy(),
    }


def _stacked(parts: list[NDArray[Any]]) -> NDArray[Any]:
    if parts[0].ndim == 1:
        return np.concatenate(parts)
    width = max(part.shape[1] for part in parts)
    return np.concatenate([
        np.pad(part, [(0, 0), (0, width - part.shape[1])], constant_values=-1) for part in parts
    ])  # fmt: skip


def _on_valid(evaluate: Any, job: Job) -> dict[str, NDArray[Any]]:
    """Measures the rows of valid that training measured: NaN where there are none."""
    dataset = records(job.valid, BATCH)
    hits, squares = [np.zeros(0)], [np.zeros(0)]
    for examples in dataset.take(-(-job.valid_rows // BATCH)) if job.valid else []:
        told = evaluate(examples=examples)
        hits.append((told["rank"] <= 10).numpy().astype(np.float64))
        if "rating" in told:
            rated = ~np.isnan(told["label"].numpy())
            error = (told["rating"] - told["label"]).numpy()[rated]
            squares.append(np.square(error, dtype=np.float64))
    hit, square = (_mean(np.concatenate(parts)) for parts in (hits, squares))
    return {"valid_hit_rate": np.array(hit), "valid_rmse": np.sqrt(square)}


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else float("nan")


def main(path: str) -> None:
    """Does the job described in a JSON file; its fault, if any, is the last line on stderr."""
    job = Job(**json.loads(Path(path).read_text(encoding="utf-8")))
    try:
        found, told = answers(job)
    except (ValueError, OSError, tf.errors.OpError) as error:
        print(str(error).splitlines()[0], file=sys.stderr)
        sys.exit(1)
    Path(job.told).write_text(json.dumps(told), encoding="utf-8")
    aside = Path(f"{job.output}.part.npz")
    np.savez(aside, **found)
    aside.rename(job.output)


if __name__ == "__main__":
    main(sys.argv[1])

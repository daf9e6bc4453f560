"""Asks an exported model, in a process of its own, all that its signatures can answer.

Run as `python -m components.evaluation.reload JOB`: nothing of the training process is there, and
nothing of the project's model code is imported. JOB is a JSON file with the fields of `Job`; the
answers go to `Job.output`, written aside and renamed.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from schemas.features import USER_FEATURES

BATCH = 256
NEEDED = {
    "evaluate": {"examples"},
    "recommend": {"user_id", "history_movie_id", "history_rating", "k"},
    "rate": {"user_id", "history_movie_id", "history_rating", "movie_id"},
}
# The same two, told what `evaluate` reads of users in the Example.
TOLD_LISTS, TOLD_RATINGS = "recommend_filtered", "rate_as"
NO_WISHES = {
    "exclude_movie_id": tf.constant([[]], tf.string),
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
    **{name: tf.io.FixedLenFeature([], tf.string, "") for name in USER_FEATURES},
}


@dataclass(frozen=True)
class Job:
    """What to ask.

    model: folder of the SavedModel.
    examples: TFRecord files of Examples of one target each; each user's last one is asked about.
    users: the most users to ask about.
    k: length of the lists.
    outputs: what `evaluate` has to answer.
    valid, valid_rows: the files, and how many of their rows, that training measured.
    output: the .npz file to write.
    rates: whether the model is to predict ratings; none: whatever it does.
    rated_outputs: what `evaluate` has to answer besides if it does.
    """

    model: str
    examples: list[str]
    users: int
    k: int
    outputs: list[str]
    valid: list[str]
    valid_rows: int
    output: str
    rates: bool | None = None
    rated_outputs: tuple[str, ...] = ()


def answers(job: Job) -> dict[str, NDArray[Any]]:
    """Asks everything.

    Returns, by user: `user` (a hash), `movies` and `again` (two askings of the lists, bytes
    [users, k], b"" where none are left), `ratings` (of the lists), `history` (bytes [users,
    longest], b"" padded), `target` (bytes), `rank`, `rating` and what else `evaluate` says, `rated`
    (the target by `rate`). Besides `valid_hit_rate` and `valid_rmse`. A model without ratings
    answers nothing of these.

    Raises:
      ValueError: a signature is missing, or takes or answers something else than it should.
    """
    signatures = tf.saved_model.load(job.model).signatures
    check_signatures(signatures, job)
    parts = [_ask(signatures, batch, job.k) for batch in _batched(moments(job))]
    found = {name: _stacked([part[name] for part in parts]) for name in (parts[0] if parts else ())}
    return found | _on_valid(signatures["evaluate"], job)


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
    for name in (TOLD_LISTS, *([TOLD_RATINGS] if rates else ())):
        if name not in signatures:
            raise ValueError(f"the signature {name} is missing")
    missing = sorted(set(outputs) - set(signatures["evaluate"].structured_outputs))
    if missing:
        raise ValueError(f"the signature evaluate does not answer {', '.join(missing)}")


def moments(job: Job) -> list[bytes]:
    """The last Example of each of the first `job.users` users."""
    last: dict[bytes, bytes] = {}
    for batch in tf.data.TFRecordDataset(job.examples, compression_type="GZIP").batch(1024):
        users = tf.io.parse_example(batch, {"user_id": HISTORY["user_id"]})["user_id"].numpy()
        for user, example in zip(users, batch.numpy(), strict=True):
            if user in last or len(last) < job.users:
                last[user] = example
    return list(last.values())


def _batched(examples: list[bytes]) -> Iterator[list[bytes]]:
    for start in range(0, len(examples), BATCH):
        yield examples[start : start + BATCH]


def _ask(signatures: Mapping[str, Any], examples: list[bytes], k: int) -> dict[str, NDArray[Any]]:
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
    lists = [signatures[TOLD_LISTS](**user, **NO_WISHES, k=tf.constant([k])) for _ in range(2)]
    if TOLD_RATINGS in signatures:
        rated = signatures[TOLD_RATINGS](**user, movie_id=parsed["movie_id"][:, tf.newaxis])
        told |= {"rated": rated["rating"].numpy()[:, 0], "ratings": lists[0]["rating"].numpy()}
    return {
        **told,
        "movies": lists[0]["movie_id"].numpy().astype("S"),
        "again": lists[1]["movie_id"].numpy().astype("S"),
        "history": user["history_movie_id"].numpy().astype("S"),
        "target": parsed["movie_id"].numpy().astype("S"),
    }


def _stacked(parts: list[NDArray[Any]]) -> NDArray[Any]:
    if parts[0].ndim == 1:
        return np.concatenate(parts)
    width = max(part.shape[1] for part in parts)
    return np.concatenate([np.pad(part, [(0, 0), (0, width - part.shape[1])]) for part in parts])


def _on_valid(evaluate: Any, job: Job) -> dict[str, NDArray[Any]]:
    """Measures the rows of valid that training measured: NaN where there are none."""
    dataset = tf.data.TFRecordDataset(job.valid, compression_type="GZIP").batch(BATCH)
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
        found = answers(job)
    except (ValueError, OSError, tf.errors.OpError) as error:
        print(str(error).splitlines()[0], file=sys.stderr)
        sys.exit(1)
    aside = Path(f"{job.output}.part.npz")
    np.savez(aside, **found)
    aside.rename(job.output)


if __name__ == "__main__":
    main(sys.argv[1])

"""The signatures that an export must have, and how one is called."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from components.evaluation.reload.job import Job

EVALUATE, RECOMMEND, RATE = "evaluate", "recommend", "rate"
# The same two with all that an Example says of a user, and what else the server asks for.
RECOMMEND_FILTERED, RATE_AS = "recommend_filtered", "rate_as"
SIMILAR, EXPLAIN = "similar", "explain"
INPUTS = {
    EVALUATE: {"examples"},
    RECOMMEND: {"user_id", "history_movie_id", "history_rating", "k"},
    RATE: {"user_id", "history_movie_id", "history_rating", "movie_id"},
}
_WISHES = {"mix", "weights"}  # numbers that say how a list is made
Signatures = Mapping[str, Any]


def check_signatures(signatures: Signatures, job: Job) -> None:
    """Raises ValueError unless the signatures take and answer what the gates ask of them."""
    rates = RATE_AS in signatures if job.rates is None else job.rates
    if job.rates is False and RATE_AS in signatures:
        raise ValueError("it predicts ratings, and training had none to learn from")
    for name in (EVALUATE, RECOMMEND, *([RATE] if rates else ())):
        _check_inputs(signatures, name)
    asked_by_the_server = (SIMILAR, EXPLAIN) if job.pairs else ()
    for name in (RECOMMEND_FILTERED, *([RATE_AS] if rates else ()), *asked_by_the_server):
        _check_there(signatures, name)
    outputs = {*job.outputs, *(job.rated_outputs if rates else ())}
    missing = sorted(outputs - set(signatures[EVALUATE].structured_outputs))
    if missing:
        raise ValueError(f"the signature evaluate does not answer {', '.join(missing)}")


def _check_there(signatures: Signatures, name: str) -> None:
    if name not in signatures:
        raise ValueError(f"the signature {name} is missing")


def _check_inputs(signatures: Signatures, name: str) -> None:
    _check_there(signatures, name)
    taken = set(signatures[name].structured_input_signature[1])
    if taken != INPUTS[name]:
        changed = ", ".join(sorted(taken ^ INPUTS[name]))
        raise ValueError(f"the inputs of the signature {name} have changed: {changed}")


def inputs(signature: Any, **given: Any) -> dict[str, tf.Tensor]:
    """The inputs of a signature; what is not given is left open for all rows.

    That is '', no values, 0 of wishes, and NaN of features that are numbers.
    """
    return {
        name: tf.convert_to_tensor(given[name], spec.dtype)
        if name in given
        else tf.fill([1, *[0] * (spec.shape.rank - 1)], _nothing(name, spec.dtype))
        for name, spec in signature.structured_input_signature[1].items()
    }


def _nothing(name: str, dtype: tf.DType) -> tf.Tensor:
    feature = dtype == tf.float32 and name not in _WISHES
    return tf.constant(float("nan")) if feature else tf.zeros([], dtype)


def call(signature: Any, **given: Any) -> Mapping[str, tf.Tensor]:
    """What a signature answers, with what is not given left open."""
    answer: Mapping[str, tf.Tensor] = signature(**inputs(signature, **given))
    return answer

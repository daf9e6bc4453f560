"""Measures a model on valid, for early stopping."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from components.examples.records import records
from components.model import scoring
from components.model.losses import MASKED
from components.model.parsing import Lookup, history, parse
from components.model.protocol import Model
from components.model.scoring import BATCH
from components.model.tables import MovieTables


class Judge:
    """Each task's loss on valid and the joint one, with hit rate and RMSE beside them.

    Retrieval chooses its epoch by one minus NDCG without a cut, which is what lists are judged by
    and moves with every rank. In the joint loss retrieval counts as the cross-entropy of the true
    movie among those not seen, rating as the squared error divided by the variance of train's
    ratings. Ratings are measured where valid has any and the model predicts them.
    """

    def __init__(self, files: Sequence[str], lookup: Lookup, rows: int, reach: int) -> None:
        self.examples = records(files, BATCH).take(-(-rows // BATCH))
        self._lookup, self._reach = lookup, reach
        self._graph: tf.types.experimental.ConcreteFunction | None = None

    def __call__(self, model: Model) -> dict[str, float]:
        """Returns the losses, valid_hit_rate@10 and valid_rmse; nothing where valid is empty.

        valid_rating and valid_rmse are left out where no rating was predicted.
        """
        tables = model.movie_tables()
        if self._graph is None:
            measure = tf.function(
                lambda tables, x: self._measure(model, tables, x), autograph=False
            )
            # For batches of any size: the last one is smaller than the others.
            self._graph = measure.get_concrete_function(tables, tf.TensorSpec([None], tf.string))
        rows = [self._graph(tables, examples).numpy() for examples in self.examples]
        if not rows:
            return {}
        nats, ndcg, hit, square, rated = np.concatenate(rows, axis=1).mean(1)
        loss = model.config.retrieval_weight * nats
        figures = {"valid_retrieval": float(1.0 - ndcg), "valid_hit_rate@10": float(hit)}
        if rated:
            square /= rated
            share = square / model.facts.variance
            loss += model.config.rating_weight * share
            figures |= {"valid_rating": float(share), "valid_rmse": float(np.sqrt(square))}
        return {"valid_loss": float(loss), **figures}

    def _measure(self, model: Model, tables: MovieTables, examples: tf.Tensor) -> tf.Tensor:
        """Cross-entropy, NDCG, hit at 10, squared error, and 1 where rated: float32 [5, batch]."""
        parsed = parse(self._lookup, examples)
        window, target = history(parsed), parsed.target
        scores = scoring.score(model, tables, window, self._reach, parsed.seen_movie)
        masked = scores.model + tf.where(scores.seen, MASKED, 0.0)
        chosen = tf.gather(scores.model, target, batch_dims=1)
        nats = tf.reduce_logsumexp(masked, 1) - chosen
        rank = scoring.expected_rank(scores.model, target, scores.seen)
        given = parsed.target_rating
        error = scoring.squared_error(model, tables, window, target, given, self._reach)
        hit = tf.cast(rank <= 10, tf.float32)
        return tf.stack([nats, scoring.uncut_ndcg(rank), hit, *error])

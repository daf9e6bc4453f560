"""Tiny facts, models, windows and Examples that the components' tests share."""

import numpy as np
import pytest


def _feature(value):
    import tensorflow as tf

    values = value if isinstance(value, list | tuple) else [value]
    if not values:
        return tf.train.Feature()
    if any(isinstance(v, str | bytes) for v in values):
        texts = [v.encode() if isinstance(v, str) else v for v in values]
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=texts))
    if any(isinstance(v, float) for v in values):
        return tf.train.Feature(float_list=tf.train.FloatList(value=values))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


@pytest.fixture(scope="session")
def example():
    """Serializes an Example; a value's type (or its first one's) is the feature's."""
    import tensorflow as tf

    def make(**features):
        named = {name: _feature(value) for name, value in features.items()}
        return tf.train.Example(features=tf.train.Features(feature=named)).SerializeToString()

    return make


@pytest.fixture(scope="session")
def write_records():
    """Writes serialized Examples to a gzipped TFRecord file and returns its path."""
    import tensorflow as tf

    def write(path, examples):
        with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
            for serialized in examples:
                writer.write(serialized)
        return str(path)

    return write


@pytest.fixture(scope="session")
def make_facts():
    """Makes Facts of a few movies; the last two were never met in train.

    `rated` says which events of train have ratings: all, some or none.
    """
    from components.model.facts import Facts, Raters

    def make(movies=12, scale=(0.5, 5.0), features=True, rated="all"):
        rng = np.random.default_rng(5)
        met = movies - 2
        oov = (met + np.arange(movies) % 2).astype(np.int32)
        rows = np.where(np.arange(movies) < met, np.arange(movies), oov).astype(np.int32)
        genres = rng.integers(0, 4, [movies, 2]).astype(np.int32)
        genres[::3, 1] = -1
        genres[1] = -1
        year = rng.integers(0, 3, [movies, 1]).astype(np.int32)
        counts = np.where(np.arange(movies) < met, 2.0 * movies - np.arange(movies), 0.0)
        rated_counts = np.floor(counts * {"all": 1.0, "some": 0.7, "none": 0.0}[rated])
        means = rng.uniform(scale[0], scale[1], movies)
        users = [b"u0", b"u1", b"u2", b"u3"]
        user_features = {"gender": [b"F", b"M"], "age": [b"25-34"]} if features else {}
        movie_features = {"genres": [b"A", b"B", b"C", b"D"], "year": [b"1", b"2", b"3"]}
        keys = {"movie_id": [b"m%d" % i for i in range(met)], "user_id": users}
        return Facts(
            movie_ids=[b"m%d" % i for i in range(movies)],
            movie_titles=[b"Film %d" % i for i in range(movies)],
            id_rows=rows,
            oov_rows=oov,
            features={"genres": genres, "year": year} if features else {},
            user_ids=users,
            user_features=user_features,
            scale=None if rated == "none" else scale,
            counts=counts,
            rated_counts=rated_counts,
            rating_sums=rated_counts * means,
            squares=float((rated_counts * (means**2 + 0.5)).sum()),
            raters=Raters(
                movie=np.repeat(np.arange(met, dtype=np.int32), 2),
                user=np.tile(np.array([[0, 1], [2, 3]], np.int32), (met // 2, 1)).ravel(),
                weight=np.full(2 * met, 0.5**0.5, np.float32),
            ),
            keys={**keys, **user_features, **(movie_features if features else {})},
            trained_until=1000,
        )

    return make


@pytest.fixture(scope="session")
def make_window():
    """Draws a window of some users; lengths say how many events each holds, padded as told.

    As many events are rated as in train: all, two of three, or none. Each has a moment of its own.
    """
    import tensorflow as tf

    from components.model.window import Window

    def make(facts, lengths, seed=0, front=False):
        rng = np.random.default_rng(seed)
        longest = max([1, *lengths])
        movie = np.zeros([len(lengths), longest], np.int32)
        rating = np.zeros([len(lengths), longest], np.float32)
        present = np.zeros([len(lengths), longest], np.float32)
        low, high = facts.scale or (0.5, 5.0)
        whole = facts.counts.sum() == facts.rated_counts.sum()
        rated = np.ones_like(present) * facts.rates * (whole | (np.arange(longest) % 3 != 1))
        for row, length in enumerate(lengths):
            place = slice(longest - length, None) if front else slice(0, length)
            movie[row, place] = rng.permutation(len(facts.movie_ids))[:length]
            rating[row, place] = np.round(rng.uniform(low, high, length) * 2) / 2
            present[row, place] = 1
        users = rng.integers(0, len(facts.user_ids) + 1, len(lengths)).astype(np.int32)
        known = [len(values) for values in facts.user_features.values()]
        features = [rng.integers(0, n + 1, len(lengths)) for n in known]
        rows = np.stack(features, 1) if features else np.zeros([len(lengths), 0])
        rated = (rated * present).astype(np.float32)
        moment = np.tile(np.arange(longest, dtype=np.int32), [len(lengths), 1])
        told = [len(values) for values in facts.asked.values()]
        asked = [rng.integers(-1, n, [len(lengths), longest]) for n in told]
        asked += [np.full([len(lengths), longest], -1)] if facts.ages is not None else []  # its day
        own = np.stack(asked, -1) if asked else np.zeros([len(lengths), 1, 0])
        arrays = (users, rows.astype(np.int32), movie, rating * rated, present, rated, moment,
                  own.astype(np.int32))  # fmt: skip
        return Window(*(tf.constant(array) for array in arrays))

    return make


@pytest.fixture(scope="session")
def make_model(make_facts, make_window):
    """Builds a model whose every weight is drawn anew, so that nothing hides behind a zero."""
    from components.model import randomness
    from components.model.config import ModelConfig
    from components.trainer.models import build_model

    def make(ordered, facts=None, **config):
        facts = facts or make_facts()
        randomness.seed(9)
        sizes = {"dims": 8, "rating_heads": 2, "rating_dims": 3, "hidden": 16}
        model = build_model(ModelConfig(**{**sizes, **config}), facts, ordered)
        model.compute_loss(make_window(facts, [3, 5]))
        rng = np.random.default_rng(9)
        for variable in model.trainable_variables:
            variable.assign_add(rng.normal(0, 0.3, variable.shape).astype(np.float32))
        return model

    return make


@pytest.fixture(scope="session")
def make_lookup():
    """Builds the look-up tables that belong to some facts."""
    from components.examples.buckets import bounds_of
    from components.model.parsing import Buckets, Lookup, table
    from schemas.text import to_texts

    def make(facts):
        def tables(features):
            return {
                name: Buckets(bounds_of(to_texts(values)))
                if name in facts.numbers
                else table(values, len(values))
                for name, values in features.items()
            }

        users, movies = table(facts.user_ids, len(facts.user_ids)), table(facts.movie_ids, -1)
        return Lookup(movies, users, tables(facts.user_features), tables(facts.asked))

    return make

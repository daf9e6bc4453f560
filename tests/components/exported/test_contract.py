"""What every signature keeps: named, typed inputs with a batch axis, and rows that stand alone."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from components.exported.module import ExportedRecommender, save

REACH = 6
TYPES = {tf.string, tf.float32, tf.int32, tf.bool}
PERSON = {"user_id", "history_movie_id", "history_rating"}
FEATURES = {"gender", "age", "occupation"}
WISHES = {"k", "exclude_movie_id", "genres", "having", "year_from", "year_to", "keep_seen",
          "mix", "retrieve"}  # fmt: skip
LISTED = {"movie_id", "movie_title", "score", "rating"}
# u0 is known by id and history, the second a stranger with a history, of the last nothing is known.
PEOPLE: dict[str, list[Any]] = {
    "user_id": ["u0", "nobody", ""],
    "history_movie_id": [["m1", "m7"], ["m3", ""], ["", ""]],
    "history_rating": [[5.0, 2.0], [4.5, 0.0], [0.0, 0.0]],
}
NO_HISTORY: dict[str, list[list[str]]] = {"history_movie_id": [[]], "history_rating": [[]]}


@pytest.fixture(scope="module")
def module(make_model, make_lookup, valued_facts, stored):
    return ExportedRecommender(
        make_model(True, valued_facts), make_lookup(valued_facts), REACH, stored, sorted(FEATURES)
    )


@pytest.fixture(scope="module")
def path(module, tmp_path_factory):
    folder = tmp_path_factory.mktemp("contract")
    save(module, str(folder))
    return folder


@pytest.fixture(scope="module")
def saved(path):
    """What the SavedModel's file says."""
    from tensorflow.core.protobuf import saved_model_pb2

    found = saved_model_pb2.SavedModel()
    found.ParseFromString((path / "saved_model.pb").read_bytes())
    return found


@pytest.fixture(scope="module")
def loaded(path, saved):
    """The SavedModel, and the defaults that its signatures declare."""
    declared = saved.meta_graphs[0].signature_def
    defaults = {
        name: {key: tf.constant(tf.make_ndarray(value)) for key, value in own.defaults.items()}
        for name, own in declared.items()
    }
    model = tf.saved_model.load(str(path))
    return model, defaults


def _same(found, expected):
    """Compares answers by name, as wide as the narrower one: padding stands behind."""
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        other = found[name]
        if value.ndim > 1:
            width = min(value.shape[1], other.shape[1])
            value, other = value[:, :width], other[:, :width]
        if value.dtype.kind == "f":
            np.testing.assert_allclose(other, value, atol=1e-5, err_msg=name)
        else:
            np.testing.assert_array_equal(other, value, err_msg=name)


class SignatureContract:
    """Every signature; a subclass says which one, and asks it for three rows."""

    name: str
    required: set = set()
    optional: set = set()
    outputs: set
    asked: dict

    @pytest.fixture
    def function(self, module):
        return module.functions[self.name]

    @pytest.fixture
    def call(self, function):
        """Answers, as arrays, plain lists; inputs that are left out have their defaults."""
        types = {spec.name: spec.dtype for spec in function.input_signature}

        def ask(**inputs):
            tensors = {name: tf.constant(value, types[name]) for name, value in inputs.items()}
            return {name: value.numpy() for name, value in function(**tensors).items()}

        return ask

    def row(self, place):
        """One of the rows that are asked for, as a batch of its own."""
        return {name: value[place : place + 1] for name, value in self.asked.items()}

    def test_inputs_are_named_and_typed_and_their_first_axis_is_the_batchs(self, function):
        names = [spec.name for spec in function.input_signature]
        assert set(names) == self.required | self.optional and len(set(names)) == len(names)
        for spec in function.input_signature:
            assert spec.dtype in TYPES
            open_shape = spec.shape.rank is None  # one value for all, or one of each row
            assert (spec.name == "k") == open_shape
            assert open_shape or (spec.shape.rank > 0 and set(spec.shape) == {None})

    def test_outputs_have_a_row_for_each_that_is_asked(self, call):
        found = call(**self.asked)
        assert set(found) == self.outputs
        assert {value.shape[0] for value in found.values()} == {3}

    def test_rows_do_not_depend_on_their_batch(self, call):
        whole = call(**self.asked)
        for place in range(3):
            own = {name: value[place : place + 1] for name, value in whole.items()}
            _same(call(**self.row(place)), own)

    def test_the_same_is_answered_twice(self, call):
        _same(call(**self.asked), call(**self.asked))

    def test_the_saved_model_answers_the_same_and_tells_what_may_be_left_out(
        self, function, call, loaded
    ):
        model, defaults = loaded
        saved = model.signatures[self.name]
        assert defaults[self.name].keys() == self.optional
        types = {spec.name: spec.dtype for spec in function.input_signature}
        told = {name: tf.constant(value, types[name]) for name, value in self.asked.items()}
        answer = saved(**{**defaults[self.name], **told})
        _same({name: value.numpy() for name, value in answer.items()}, call(**self.asked))


class PersonContract(SignatureContract):
    """Signatures that are asked for a person; `nobody` asks for a single one, told by the test."""

    nobody: dict

    def test_an_unknown_user_without_history_falls_back_to_popularity(self, call):
        anyone = call(user_id=[""], **NO_HISTORY, **self.nobody)
        assert anyone["source"].tolist() == [b"popularity"]
        _same(call(user_id=["nobody"], **NO_HISTORY, **self.nobody), anyone)
        lost = {"history_movie_id": [["lost", ""]], "history_rating": [[5.0, 1.0]]}
        _same(call(user_id=["nobody"], **lost, **self.nobody), anyone)

    def test_a_strangers_history_counts(self, call):
        own = {"history_movie_id": [["m3", "m7"]], "history_rating": [[4.5, 1.0]]}
        found = call(user_id=["nobody"], **own, **self.nobody)
        assert found["source"].tolist() == [b"history"]
        assert _differs(found, call(user_id=["nobody"], **NO_HISTORY, **self.nobody))

    def test_what_is_stored_of_a_user_stands_in_for_a_history(self, call):
        stored = {"history_movie_id": [["m2", "m7", "m4"]], "history_rating": [[4.0, 1.5, 5.0]]}
        by_id = call(user_id=["u0"], **NO_HISTORY, **self.nobody)
        assert by_id["source"].tolist() == [b"user"]
        _same(call(user_id=["u0"], **stored, **self.nobody), by_id)

    def test_a_person_of_one_row_is_shared_by_all(self, call):
        one = {name: PEOPLE[name][:1] for name in PERSON}
        rest = {name: value for name, value in self.asked.items() if name not in PERSON}
        if rest:
            _same(call(**rest, **one), call(**rest, **{n: v * 3 for n, v in one.items()}))

    def test_padding_of_a_history_changes_nothing(self, call):
        padded = {
            **self.asked,
            "history_movie_id": [["", *own, ""] for own in self.asked["history_movie_id"]],
            "history_rating": [[3.0, *own, 3.0] for own in self.asked["history_rating"]],
        }
        _same(self.shown(call(**padded)), self.shown(call(**self.asked)))

    def shown(self, answer):
        """What of an answer does not show the padding of the history."""
        return answer


class FeatureContract(PersonContract):
    """Signatures that may be told of a person's features."""

    def test_a_feature_that_is_left_out_is_what_is_stored(self, call):
        plain = call(user_id=["u0"], **self.nobody)
        _same(call(user_id=["u0"], gender=["M"], age=["25-34"], **self.nobody), plain)
        for told in ({"gender": ["F"]}, {"age": ["of no such age"]}):
            assert _differs(call(user_id=["u0"], **told, **self.nobody), plain)

    def test_a_feature_that_the_model_never_met_says_nothing(self, call):
        plain = call(user_id=["u0"], **self.nobody)
        _same(call(user_id=["u0"], occupation=["baker"], **self.nobody), plain)


def _differs(found, other):
    return any(
        not np.allclose(found[name], other[name], atol=1e-4, equal_nan=True)
        for name in found
        if found[name].dtype.kind == "f" and found[name].shape == other[name].shape
    )


class TestRecommend(PersonContract):
    name = "recommend"
    required = PERSON | {"k"}
    outputs = LISTED | {"known", "source"}
    asked = {**PEOPLE, "k": [2, 4, 3]}
    nobody = {"k": [3]}

    def test_one_k_for_all_needs_no_axis(self, call):
        _same(call(**PEOPLE, k=4), call(**PEOPLE, k=[4, 4, 4]))


class TestRecommendFiltered(FeatureContract):
    name = "recommend_filtered"
    optional = PERSON | FEATURES | WISHES
    outputs = LISTED | {"known", "source"}
    asked = {
        **PEOPLE,
        "k": [2, 4, 3],
        "genres": [["", ""], ["Drama", ""], ["Comedy", "Drama"]],
        "year_from": [0, 1993, 0],
        "mix": [0.0, 0.0, 1.0],
        "keep_seen": [False, True, False],
    }
    nobody = {"k": [3]}


class TestRecommendGroup(FeatureContract):
    name = "recommend_group"
    optional = PERSON | FEATURES | WISHES | {"weights", "rule"}
    outputs = LISTED | {"person_rating", "source"}
    asked = {
        "user_id": [["u0", "nobody"], ["u1", ""], ["", ""]],
        "history_movie_id": [[["m1"], ["m7"]], [[""], ["m3"]], [[""], [""]]],
        "history_rating": [[[5.0], [2.0]], [[0.0], [4.5]], [[0.0], [0.0]]],
        "weights": [[1.0, 2.0], [1.0, 1.0], [1.0, 0.0]],
        "rule": ["mean", "least_misery", "most_pleasure"],
        "k": [2, 4, 3],
    }
    nobody = {"k": [3]}

    @pytest.fixture
    def call(self, function):
        """Takes a lone person for a group of one, so that a group keeps a person's contract."""
        types = {spec.name: (spec.dtype, spec.shape.rank) for spec in function.input_signature}

        def ask(**inputs):
            tensors = {}
            for name, value in inputs.items():
                dtype, rank = types[name]
                tensor = tf.constant(value, dtype)
                of_one = name in PERSON | FEATURES and tensor.shape.rank < rank
                tensors[name] = tensor[tf.newaxis] if of_one else tensor
            found = {name: value.numpy() for name, value in function(**tensors).items()}
            lone = "user_id" in inputs and isinstance(inputs["user_id"][0], str)
            return {**found, "source": found["source"][:, 0]} if lone else found

        return ask

    def test_a_person_of_one_row_is_shared_by_all(self, call):
        """A group of one row is shared, and one of its people stands for as many as there are."""
        group = {name: self.asked[name][:1] for name in PERSON}
        rest = {name: self.asked[name] for name in ("weights", "rule", "k")}
        _same(call(**rest, **group), call(**rest, **{n: v * 3 for n, v in group.items()}))

    def test_padding_of_a_history_changes_nothing(self, call):
        padded = {
            **self.asked,
            "history_movie_id": [[["", *x, ""] for x in row] for row in
                                 self.asked["history_movie_id"]],
            "history_rating": [[[1.0, *x, 1.0] for x in row] for row in
                               self.asked["history_rating"]],
        }  # fmt: skip
        _same(call(**padded), call(**self.asked))


class TestRank(FeatureContract):
    name = "rank"
    required = {"movie_id"}
    optional = PERSON | FEATURES | {"mix"}
    outputs = LISTED | {"source"}
    asked = {**PEOPLE, "movie_id": [["m1", "m5"], ["m2", "lost"], ["m9", "m4"]]}
    nobody = {"movie_id": [["m1", "m5", "lost"]]}


class TestExplain(FeatureContract):
    name = "explain"
    required = {"movie_id"}
    optional = PERSON | FEATURES
    outputs = {
        "history_movie_id", "history_movie_title", "history_rating", "effect", "rating_effect",
        "known", "source",
    }  # fmt: skip
    asked = {**PEOPLE, "movie_id": ["m5", "lost", "m2"]}
    nobody = {"movie_id": ["m5"]}

    def test_a_strangers_history_counts(self, call):
        own = {"history_movie_id": [["m3", "m7"]], "history_rating": [[4.5, 1.0]]}
        found = call(user_id=["nobody"], **own, **self.nobody)
        assert found["source"].tolist() == [b"history"]
        assert set(found["history_movie_id"][0, :2]) == {b"m3", b"m7"}
        assert np.abs(found["effect"][0, :2]).min() > 1e-4


class TestRate(PersonContract):
    name = "rate"
    required = PERSON | {"movie_id"}
    outputs = {"rating", "known", "source"}
    asked = {**PEOPLE, "movie_id": [["m1", "m5"], ["m2", "lost"], ["m9", "m4"]]}
    nobody = {"movie_id": [["m1", "m5", "lost"]]}


class TestRateAs(FeatureContract):
    name = "rate_as"
    required = {"movie_id"}
    optional = PERSON | FEATURES
    outputs = {"rating", "known", "source"}
    asked = TestRate.asked
    nobody = TestRate.nobody


class TestQuery(PersonContract):
    name = "query"
    required = PERSON
    outputs = {"query", "linear", "known", "history_row", "source"}
    asked = PEOPLE
    nobody = {}

    def shown(self, answer):
        seen = [sorted(set(row) - {-1}) for row in answer["history_row"].tolist()]
        width = max(map(len, seen))
        rows = np.array([row + [-1] * (width - len(row)) for row in seen])
        return {**answer, "history_row": rows}

    def test_what_is_stored_of_a_user_stands_in_for_a_history(self, call):
        stored = {"history_movie_id": [["m2", "m7", "m4"]], "history_rating": [[4.0, 1.5, 5.0]]}
        by_id = self.shown(call(user_id=["u0"], **NO_HISTORY))
        assert by_id["source"].tolist() == [b"user"]
        _same(self.shown(call(user_id=["u0"], **stored)), by_id)


class TestSimilar(SignatureContract):
    name = "similar"
    required = {"movie_id"}
    optional = {"k"}
    outputs = {"movie_id", "movie_title", "score", "known"}
    asked = {"movie_id": ["m5", "lost", "Film 3"], "k": [2, 4, 3]}


class TestHistory(SignatureContract):
    name = "history"
    required = {"user_id"}
    outputs = {"movie_id", "movie_title", "rating", "known"}
    asked = {"user_id": ["u0", "nobody", "new"]}


class TestEvaluate(SignatureContract):
    name = "evaluate"
    required = {"examples"}
    outputs = {
        "user", "rank", "unmasked_rank", "popularity_rank", "popularity_unmasked_rank",
        "known_movie", "known_user", "movie_tenth", "label", "rating", "bias_rating", "lowest",
        "highest",
    }  # fmt: skip

    @pytest.fixture(autouse=True)
    def examples(self, example):
        people = zip(*(PEOPLE[name] for name in PEOPLE), ["m5", "lost", "m2"], strict=True)
        self.asked = {
            "examples": [
                example(user_id=user, gender="M", movie_id=[movie], rating=[3.5],
                        history_movie_id=movies, history_rating=ratings)
                for user, movies, ratings, movie in people
            ]
        }  # fmt: skip


def test_the_saved_model_tells_the_defaults_and_the_catalogue(loaded):
    model, defaults = loaded
    assert model.catalogue.year.numpy().tolist() == [0, *range(1991, 2002)]
    assert model.catalogue.genre_names.numpy()[1] == b"Comedy\x1fDrama"
    assert model.user_ids.numpy().tolist() == [b"new", b"u0", b"u1", b"u2", b"u3"]
    assert defaults["recommend_filtered"]["k"].numpy().tolist() == [10]
    assert defaults["recommend_filtered"]["history_rating"].shape == (1, 0)
    assert defaults["rank"]["mix"].numpy().tolist() == [1.0]


def test_every_signature_keeps_the_contract(module):
    kept = {own.name for own in _leaves(SignatureContract)}
    assert kept == set(module.functions)


def _leaves(kind):
    below = [leaf for own in kind.__subclasses__() for leaf in _leaves(own)]
    return below or [kind]


def test_a_model_without_ratings_has_the_other_signatures(
    make_model, make_facts, make_lookup, module
):
    facts = make_facts(rated="none")
    functions = ExportedRecommender(make_model(True, facts), make_lookup(facts), REACH).functions
    assert set(functions) == set(module.functions) - {"rate", "rate_as"}
    found = functions["recommend_filtered"](k=tf.constant([3]))
    assert "rating" not in found
    with pytest.raises(tf.errors.InvalidArgumentError, match="without ratings"):
        functions["recommend_filtered"](mix=tf.constant([0.5]))


def test_what_signatures_share_is_saved_once(saved):
    """Traced anew for each, it would be most of the graph, and of the time to load it."""
    names = [
        function.signature.name for function in saved.meta_graphs[0].graph_def.library.function
    ]
    for part, kinds in (("_score", 1), ("_rate", 1), ("_resolve", 2)):
        assert sum(f"inference_{part}_" in name for name in names) == kinds, names

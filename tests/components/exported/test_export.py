"""The exported graph, in this process and in one that has TensorFlow alone."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from components.exported.module import ExportedRecommender, save
from components.model import scoring
from components.model.window import Window, apart

REACH = 6
MOVIES = 12
# Histories, newest last: longer than the reach, with a movie that the catalogue lacks, short, none.
HISTORIES = [
    [("m1", 5.0), ("m7", 2.0), ("m3", 4.5), ("m0", 1.0), ("m9", 3.0), ("m4", 0.5), ("m11", 4.0)],
    [("m2", 4.0), ("lost", 1.0), ("m8", 2.5)],
    [("m5", 3.5)],
    [],
    [],
]
USERS = ["u1", "nobody", "u0", "u2", "nobody"]
TARGETS = [("m5", 3.0), ("m0", 1.5), ("m10", 5.0), ("lost", 2.0), ("m6", 4.0)]

# Loads each model with nothing of the project at hand and answers what stdin asks.
ALONE = """
import json, sys
import tensorflow as tf

asked = json.load(sys.stdin)
answers = {}
for name, ask in asked.items():
    model = tf.saved_model.load(ask["path"])
    examples = [bytes.fromhex(text) for text in ask["examples"]]
    moment = {
        "user_id": tf.constant(ask["users"]),
        "history_movie_id": tf.constant(ask["movies"]),
        "history_rating": tf.constant(ask["ratings"], tf.float32),
    }
    found = {
        "evaluate": model.signatures["evaluate"](examples=tf.constant(examples)),
        "recommend": model.signatures["recommend"](**moment, k=tf.constant(5)),
        "serving_default": model.signatures["serving_default"](**moment, k=tf.constant(5)),
        "rate": model.signatures["rate"](**moment, movie_id=tf.constant(ask["targets"])),
    }
    answers[name] = {
        signature: {
            key: value.numpy().astype(str).tolist()
            if value.dtype == tf.string else value.numpy().tolist()
            for key, value in outputs.items()
        }
        for signature, outputs in found.items()
    }
ours = {"components", "schemas", "pipeline", "tensorflow_recommenders", "tfx"}
answers["imported"] = sorted(ours & {name.split(".")[0] for name in sys.modules})
print(json.dumps(answers))
"""


def _padded(histories, front=True):
    """Movie ids and ratings as a caller of the signatures pads them."""
    longest = max(1, *map(len, histories))
    movies, ratings = [], []
    for events in histories:
        gap = longest - len(events)
        ids, given = [movie for movie, _ in events], [rating for _, rating in events]
        movies.append([""] * gap + ids if front else ids + [""] * gap)
        ratings.append([0.0] * gap + given if front else given + [0.0] * gap)
    return movies, ratings


def _moment(users=USERS, histories=HISTORIES, front=True):
    movies, ratings = _padded(histories, front)
    return {
        "user_id": tf.constant(users),
        "history_movie_id": tf.constant(movies),
        "history_rating": tf.constant(ratings),
    }


def _window(facts, features=None):
    """The same moments as the model reads them, made by hand; unknown movies simply left out."""
    known = [[e for e in events if e[0] != "lost"] for events in HISTORIES]
    ids, rating = _padded(known)
    rows = [[facts.movie_ids.index(m.encode()) if m else 0 for m in row] for row in ids]
    present = [[float(m != "") for m in row] for row in ids]
    users = [facts.user_ids.index(u.encode()) if u != "nobody" else 4 for u in USERS]
    unknown = [len(values) for values in facts.user_features.values()]
    rows_of_features = [unknown] * len(USERS) if features is None else features
    return Window(
        tf.constant(users),
        tf.constant(rows_of_features),
        tf.constant(rows),
        tf.constant(rating),
        tf.constant(present),
        tf.constant(present),
        apart(tf.constant(rows)),
        tf.zeros([len(users), 1, 0], tf.int32),
    )


@pytest.fixture(scope="module", params=["ordered", "crossed set"])
def form(request):
    return request.param


@pytest.fixture(scope="module")
def models(make_model):
    crossed = make_model(False, cross_layers=1, rating_cross_layers=1)
    return {"ordered": make_model(True), "crossed set": crossed}


@pytest.fixture(scope="module")
def model(form, models):
    return models[form]


@pytest.fixture(scope="module")
def modules(models, make_lookup):
    return {
        form: ExportedRecommender(model, make_lookup(model.facts), REACH)
        for form, model in models.items()
    }


@pytest.fixture(scope="module")
def functions(form, modules):
    return modules[form].functions


@pytest.fixture(scope="module")
def examples(example):
    return [
        example(
            user_id=user,
            gender="M" if row % 2 else "F",
            age="25-34" if row else "never seen",
            movie_id=[movie],
            rating=[rating],
            history_movie_id=[m for m, _ in events],
            history_rating=[r for _, r in events],
        )
        for row, (user, (movie, rating), events) in enumerate(
            zip(USERS, TARGETS, HISTORIES, strict=True)
        )
    ]


@pytest.fixture(scope="module")
def alone(modules, examples, tmp_path_factory):
    """What a fresh process answers, for each model that it is given."""
    movies, ratings = _padded(HISTORIES)
    asked = {}
    for form, module in modules.items():
        path = str(tmp_path_factory.mktemp("model"))
        save(module, path)
        asked[form] = {
            "path": path,
            "examples": [text.hex() for text in examples],
            "users": USERS,
            "movies": movies,
            "ratings": ratings,
            "targets": [["m0", "m5", "lost"]] * len(USERS),
        }
    done = subprocess.run(
        [sys.executable, "-I", "-c", ALONE],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path_factory.mktemp("elsewhere"),
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


FEATURES = [[0, 1], [1, 0], [0, 0], [1, 0], [0, 0]]  # what `examples` says, in rows


def test_evaluate_agrees_with_the_trained_model(model, functions, examples):
    found = {k: v.numpy() for k, v in functions["evaluate"](tf.constant(examples)).items()}
    window = _window(model.facts, FEATURES)
    tables = model.movie_tables()
    scores = scoring.score(model, tables, window, REACH)
    np.testing.assert_allclose(found["label"], [rating for _, rating in TARGETS])
    hidden = scores.seen.numpy()
    for row in (0, 1, 2, 4):
        target = int(TARGETS[row][0][1:])
        for prefix, table in (("", scores.model), ("popularity_", scores.popularity)):
            own, rivals = table.numpy()[row, target], np.delete(table.numpy()[row], target)
            places = (rivals > own) + (rivals == own) / 2  # a tie is half a place
            assert found[f"{prefix}unmasked_rank"][row] == 1 + places.sum()
            unseen = ~np.delete(hidden[row], target)
            assert found[f"{prefix}rank"][row] == 1 + places[unseen].sum()
        rating = scoring.rate(model, tables, window, tf.fill([5, 1], target), REACH)
        assert found["rating"][row] == pytest.approx(rating.numpy()[row, 0], abs=1e-5)
        bias = scoring.bias_rating(model.facts, window, tf.fill([5], target))
        assert found["bias_rating"][row] == pytest.approx(bias.numpy()[row], abs=1e-5)
    assert [found[name][3] for name in found if name.endswith("rank")] == [MOVIES] * 4
    assert found["user"][1] == found["user"][4] and len(set(found["user"])) == 4


def test_evaluate_takes_one_as_it_takes_many(functions, examples):
    many = functions["evaluate"](tf.constant(examples))
    for row, serialized in enumerate(examples):
        for name, value in functions["evaluate"](tf.constant([serialized])).items():
            np.testing.assert_allclose(value[0], many[name][row], atol=1e-5, err_msg=name)


def test_what_was_seen_before_the_history_is_left_out_and_not_read(model, functions, example):
    history, earlier = HISTORIES[1], ["m6", "m11", "gone", "m9", "m3"]

    def ask(seen):
        moment = example(
            user_id="u1", movie_id=["m0"], rating=[1.5], seen_movie_id=seen,
            history_movie_id=[m for m, _ in history], history_rating=[r for _, r in history],
        )  # fmt: skip
        return {name: value.numpy()[0] for name, value in functions["evaluate"]([moment]).items()}

    plain, told = ask([]), ask(earlier)
    ranks = {name for name in plain if name.endswith("rank") and "unmasked" not in name}
    assert {name for name in plain if plain[name] != told[name]} <= ranks
    listed = functions["recommend"](**_moment(["u1"], [history]), k=MOVIES)["movie_id"].numpy()[0]
    ahead = [movie.decode() for movie in listed[: listed.tolist().index(b"m0")]]
    assert plain["rank"] == 1 + len(ahead)
    assert told["rank"] == 1 + len([movie for movie in ahead if movie not in earlier])
    assert told["rank"] < plain["rank"] or not set(ahead) & set(earlier)
    assert told["popularity_rank"] == plain["popularity_rank"]  # m0 is the most popular


def test_recommend_gives_the_best_unseen_movies(model, functions):
    found = {k: v.numpy() for k, v in functions["recommend"](**_moment(), k=4).items()}
    window, tables = _window(model.facts), model.movie_tables()
    scores = scoring.score(model, tables, window, REACH)
    table = np.where(scores.seen, -np.inf, scores.model)
    for row in range(5):
        best = np.argsort(-table[row], kind="stable")[:4]
        assert found["movie_id"][row].tolist() == [b"m%d" % i for i in best]
        assert found["movie_title"][row].tolist() == [b"Film %d" % i for i in best]
        np.testing.assert_allclose(found["score"][row], table[row][best], atol=1e-5)
        rating = scoring.rate(model, tables, window, tf.constant([best] * 5, tf.int32), REACH)
        np.testing.assert_allclose(found["rating"][row], rating[row], atol=1e-5)
    assert found["known"].tolist() == [True, True, True, True, False]


@pytest.mark.parametrize("k", [1, 4, MOVIES, 1000])
def test_recommend_never_repeats_nor_gives_what_was_seen(functions, k):
    found = {name: v.numpy() for name, v in functions["recommend"](**_moment(), k=k).items()}
    assert found["movie_id"].shape == (5, min(k, MOVIES))
    for row, events in enumerate(HISTORIES):
        seen = {movie.encode() for movie, _ in events if movie != "lost"}
        given = [movie for movie in found["movie_id"][row] if movie]
        assert len(given) == len(set(given)) == min(k, MOVIES - len(seen))
        assert not seen & set(given)
        assert (found["movie_id"][row] != b"").tolist() == np.isfinite(found["score"][row]).tolist()
        assert ((found["movie_title"][row] != b"") == (found["movie_id"][row] != b"")).all()


def test_padding_and_unknown_movies_may_stand_anywhere(functions):
    plain = functions["recommend"](**_moment(), k=4)
    lost = [[("gone", 5.0), *events[:1], ("", 3.0), *events[1:]] for events in HISTORIES]
    for same in (
        _moment(front=False),
        _moment(histories=lost),
        _moment(histories=lost, front=False),
    ):
        found = functions["recommend"](**same, k=4)
        np.testing.assert_array_equal(found["movie_id"], plain["movie_id"])
        np.testing.assert_allclose(found["rating"], plain["rating"], atol=1e-5)
        np.testing.assert_array_equal(found["known"], plain["known"])


def test_rate_agrees_with_the_trained_model(model, functions):
    asked = tf.constant([["m0", "m5", "lost"]] * 5)
    found = functions["rate"](**_moment(), movie_id=asked)
    target = tf.constant([[0, 5]] * 5)
    expected = scoring.rate(model, model.movie_tables(), _window(model.facts), target, REACH)
    np.testing.assert_allclose(found["rating"][:, :2], expected, atol=1e-5)
    assert found["known"].numpy().tolist() == [[True, True, False]] * 5


def test_what_is_evaluated_is_what_is_served(make_facts, make_model, make_lookup, example):
    """The rank in evaluation is the place in the list that a user is shown."""
    facts = make_facts(features=False)
    plain = make_model(True, facts)
    functions = ExportedRecommender(plain, make_lookup(facts), REACH).functions
    served = functions["recommend"](**_moment(), k=MOVIES)["movie_id"].numpy()
    rated = functions["rate"](**_moment(), movie_id=tf.constant([[m] for m, _ in TARGETS]))
    asked = [
        example(user_id=user, movie_id=[movie], rating=[rating],
                history_movie_id=[m for m, _ in events],
                history_rating=[r for _, r in events])
        for user, (movie, rating), events in zip(USERS, TARGETS, HISTORIES, strict=True)
    ]  # fmt: skip
    found = {name: value.numpy() for name, value in functions["evaluate"](asked).items()}
    for row in (0, 1, 2, 4):
        place = 1 + served[row].tolist().index(TARGETS[row][0].encode())
        assert found["rank"][row] == place
        assert found["rating"][row] == pytest.approx(float(rated["rating"][row, 0]), abs=1e-5)


@pytest.mark.parametrize("signature", ["evaluate", "recommend", "serving_default", "rate"])
def test_a_fresh_process_without_the_project_answers_the_same(
    form, functions, examples, alone, signature
):
    here = {
        "evaluate": lambda: functions["evaluate"](tf.constant(examples)),
        "recommend": lambda: functions["recommend"](**_moment(), k=5),
        "serving_default": lambda: functions["recommend"](**_moment(), k=5),
        "rate": lambda: functions["rate"](
            **_moment(), movie_id=tf.constant([["m0", "m5", "lost"]] * 5)
        ),
    }[signature]()
    there = alone[form][signature]
    assert set(there) == set(here)
    for name, value in here.items():
        if value.dtype == tf.string:
            assert there[name] == value.numpy().astype(str).tolist()
        else:
            np.testing.assert_allclose(there[name], value, atol=1e-5, err_msg=name)


def test_the_fresh_process_needed_nothing_of_the_project(alone):
    assert alone["imported"] == []

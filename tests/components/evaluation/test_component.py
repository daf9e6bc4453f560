"""The exported model asked in a fresh process, and what every kind of misuse leads to."""

import copy
import dataclasses
import json
import subprocess

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from google.protobuf import json_format
from tfx.types import standard_artifacts

from components.evaluation import export_checks, list_checks, rated
from components.evaluation import review as review_module
from components.evaluation.check_results import CheckResults
from components.evaluation.component import MovieEvaluatorExecutor
from components.evaluation.eval_config import EvaluationSettings, eval_config
from components.evaluation.gates import GatesConfig
from components.evaluation.reload.job import Job
from components.evaluation.reload.moments import last_moments
from components.evaluation.review import Review
from components.evaluation.server import process
from components.evaluation.training_run import trained_metrics
from components.evaluation.verdicts import Kind
from components.example_gen.generate import LOCAL_BEAM_ARGS
from components.exported.module import ExportedRecommender, save
from components.exported.stored import StoredUsers
from components.report.evaluator_output import read_evaluation
from components.report.gates import gate_outcomes
from tests import engines, processes

REACH, MOVIES, HISTORY = 6, 12, 4
GENRES = {
    movie: ["Drama", "War"][: place % 3]
    for place, movie in enumerate(sorted(b"m%d" % number for number in range(MOVIES)))
}
GATES = GatesConfig(ks=[3], k=3, replicates=50, slices=[], list_users=50)
TRAINED = {"valid_hit_rate@10": 0.0, "valid_rmse": 0.0}


def _artifact(kind, uri, number, splits=None):
    artifact = kind()
    artifact.uri, artifact.id = str(uri), number
    if splits:
        artifact.split_names = json.dumps(splits)
        artifact.set_string_custom_property("file_format", "tfrecords_gzip")
        artifact.set_string_custom_property("payload_format", "FORMAT_TF_EXAMPLE")
    return artifact


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("evaluator")


@pytest.fixture(scope="module", autouse=True)
def forks():
    """Exports and servers are asked in forks of a process that has imported TensorFlow."""
    with processes.started_by(review_module, process):
        yield


@pytest.fixture(scope="module", autouse=True)
def memory():
    """Exports, and servers on them, answer the same when they are asked the same again."""
    answers, ask, ask_server = {}, Review.ask, Review._ask_the_server

    def once(question, answer):
        if question not in answers:
            answers[question] = answer()
        return copy.deepcopy(answers[question])

    def asked(review, key):
        return once(str(review._job(key, "")), lambda: ask(review, key))

    def server_asked(review, found, rated):
        asked = review._job("model", "").model, found["pairs"], found["people"], review._names
        question = str((asked, rated.owner.tolist(), rated.movie.tolist()))
        return once(question, lambda: ask_server(review, found, rated))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Review, "ask", asked)
        patch.setattr(Review, "_ask_the_server", server_asked)
        yield


@pytest.fixture(scope="module")
def export(folder, make_facts, make_model, make_lookup):
    """Saves a model of random weights as the Trainer does; returns the artifact's folder."""

    def make(name, stored=None, **changed):
        stored = stored or _stored()
        facts = make_facts(features=False, **changed)
        if "ids" in name:
            ids = [b"other%d" % movie for movie in range(MOVIES)]
            facts = dataclasses.replace(facts, movie_ids=ids)
        genres = [list(map(str.encode, GENRES.get(movie, []))) for movie in facts.movie_ids]
        facts = dataclasses.replace(facts, values={"genres": genres})
        module = ExportedRecommender(make_model(True, facts), make_lookup(facts), REACH, stored)
        save(module, str(folder / name / "Format-Serving"))
        return folder / name

    return make


def _rated():
    """What each user rates, a movie at a time: some much, most a little, the last ten once."""
    rng = np.random.default_rng(2)
    counts = [*rng.integers(6, 9, 3), *rng.integers(3, 5, 17), *[1] * 10]
    return [rng.permutation(MOVIES)[:count] for count in counts]


def _stored(newest=MOVIES):
    """Every user has all their ratings by the time of the export, or the newest few of them."""
    own = [movies[-newest:] for movies in _rated()]
    users = [b"u%d" % user for user in range(30)]
    offsets = np.cumsum([0, *map(len, own)])
    movies = np.concatenate(own).astype(np.int32)
    ratings = np.full(len(movies), 4, np.float32)
    return StoredUsers(users, np.zeros([30, 0], np.int32), offsets, movies, ratings)


@pytest.fixture(scope="module")
def model(export):
    return export("model")


@pytest.fixture(scope="module")
def inputs(folder, model, example, write_records):
    """The node's inputs: of each user's ratings the last two in eval, one in valid before that."""
    given = _rated()

    def moment(user, place):
        names = [b"m%d" % movie for movie in given[user]]
        earlier = names[:place]
        return example(
            user_id=f"u{user}", movie_id=[names[place]], rating=[4.0], timestamp=[place],
            seen_movie_id=earlier[:-HISTORY], history_movie_id=earlier[-HISTORY:],
            history_rating=[4.0] * len(earlier[-HISTORY:]), year=[1999],
        )  # fmt: skip

    examples = folder / "examples"
    ends = [len(own) for own in given]
    splits = {
        "train": [
            example(
                user_id=f"u{user}", movie_id=[b"m%d" % movie for movie in given[user][:-3]],
                rating=[4.0] * (end - 3), timestamp=[*range(end - 3)],
            )
            for user, end in enumerate(ends) if end > 3
        ],
        "valid": [moment(user, end - 3) for user, end in enumerate(ends) if end > 2],
        "eval": [moment(u, place) for u, end in enumerate(ends) for place in range(end)[-2:]],
    }  # fmt: skip
    for split, rows in splits.items():
        (examples / f"Split-{split}").mkdir(parents=True)
        write_records(examples / f"Split-{split}" / "data.gz", rows)
    (examples / "rows.json").write_text(json.dumps({"history": "before"}))
    (folder / "catalogue" / "Split-catalogue").mkdir(parents=True)
    movies = [example(movie_id=m, movie_title=m, genres=own) for m, own in GENRES.items()]
    write_records(folder / "catalogue" / "Split-catalogue" / "data.gz", movies)
    run = folder / "run"
    run.mkdir()
    history = {"best_epoch": 1, "epochs": [TRAINED]}
    (run / "history.json").write_text(json.dumps(history))
    return {
        "examples": [_artifact(standard_artifacts.Examples, examples, 1, list(splits))],
        "catalogue": [
            _artifact(standard_artifacts.Examples, folder / "catalogue", 2, ["catalogue"])
        ],
        "model": [_artifact(standard_artifacts.Model, model, 3)],
        "model_run": [_artifact(standard_artifacts.ModelRun, run, 4)],
    }


def _settings(scale=(0.5, 5.0), gates=GATES):
    return EvaluationSettings(gates=gates, seed=1, scale=scale)


WHY = "all ratings of train are 1: there is nothing to predict"


@pytest.fixture(scope="module")
def unrated(folder, export, inputs):
    """The node's inputs where training found no ratings to learn from."""
    run = folder / "unrated run"
    run.mkdir()
    history = {"best_epoch": 1, "epochs": [{}], "off": {"rating": WHY}}
    (run / "history.json").write_text(json.dumps(history))
    model = _artifact(standard_artifacts.Model, export("unrated", rated="none"), 13)
    model_run = _artifact(standard_artifacts.ModelRun, run, 14)
    return inputs | {"model": [model], "model_run": [model_run]}


@pytest.fixture(scope="module")
def answers(inputs):
    """What the good model answers in a fresh process."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (review_module, process):
            patch.setattr(module, "subprocess", subprocess)
        found, fault = Review(inputs, _settings(), 30).ask("model")
    assert found is not None, fault
    return found


def _changed_model(path, how):
    """A SavedModel that is not what the gates ask."""
    module = tf.Module()

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "examples")])
    def evaluate(examples):
        return {"rank": tf.ones(tf.shape(examples))}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "user_id")])
    def recommend(user_id):
        return {"movie_id": user_id}

    signatures = {"evaluate": evaluate}
    if how == "another input":
        signatures |= {"recommend": recommend, "rate": recommend}
    tf.saved_model.save(module, str(path / "Format-Serving"), signatures)
    return path


def _do(folder, name, inputs, gates=GATES, beam_args=LOCAL_BEAM_ARGS):
    """The node's verdict, and the gates as the report lists them."""
    evaluation = _artifact(standard_artifacts.ModelEvaluation, folder / f"evaluation {name}", 10)
    blessing = _artifact(standard_artifacts.ModelBlessing, folder / f"blessing {name}", 11)
    config = json_format.MessageToJson(
        eval_config(gates, 1, (0.5, 5.0)), preserving_proto_field_name=True
    )
    outputs = {"evaluation": [evaluation], "blessing": [blessing]}
    context = MovieEvaluatorExecutor.Context(beam_pipeline_args=list(beam_args))
    MovieEvaluatorExecutor(context).Do(
        inputs, outputs,
        {"eval_config": config, "valid_rows": 30, "example_splits": '["eval"]',
         "module_path": "components.evaluation.extractors"},
    )  # fmt: skip
    found = read_evaluation(evaluation.uri)
    rows = gate_outcomes(gates, found, {"rating": WHY})
    return blessing.get_int_custom_property("blessed"), found, rows


@pytest.mark.parametrize("engine", engines.NAMES)
def test_another_engine_measures_the_same(folder, inputs, engine):
    """The Evaluator's part of the contract in tests/pipeline/engine/test_contract.py."""
    there = engines.beam_args_of(engine)
    (_, one, _), (_, other, _) = (
        _do(folder, f"{place} of {engine}", inputs, beam_args=args)
        for place, args in (("here", LOCAL_BEAM_ARGS), ("there", there))
    )
    assert one.candidate.keys() == other.candidate.keys() and one.failed == other.failed
    assert {"hit_rate@3", "rmse", "hit_rate@3/low"} <= one.candidate["overall"].keys()
    for own, metrics in one.candidate.items():
        assert other.candidate[own] == pytest.approx(metrics, abs=1e-6, nan_ok=True), own


def test_a_model_without_ratings_is_judged_by_its_lists(folder, unrated):
    review = Review(unrated, _settings(), 30)
    found, fault = review.ask("model")
    assert found is not None, fault
    assert found["movies"].shape == (30, 3)
    absent = {"rating", "label", "bias_rating", "lowest", "highest", "rated", "ratings"}
    assert not absent & set(found) and np.isnan(found["valid_rmse"])
    names = [outcome.gate.name for outcome in review.judge(found, fault).outcomes]
    assert "the served list is the judged one" in names
    assert "the served rating is the judged one" not in names


def test_the_node_leaves_out_the_gates_on_ratings(folder, unrated):
    _, found, rows = _do(folder, "unrated", unrated)
    metrics = found.candidate["overall"]
    assert not [name for name in metrics if "rmse" in name and not name.startswith("gate/")]
    (row,) = [row for row in rows if str(row.gate.metric) == "rmse"]
    assert (row.judged, row.passed) == (False, True) and np.isnan(row.value)
    assert row.reason == f"beats user+movie bias: not judged, as {WHY}"
    assert found.failed <= {("", "gate/baseline/hit_rate@3/overall")}


def test_where_neither_task_is_judged_the_model_is_refused(folder, unrated):
    gates = GATES.model_copy(update={"retrieval": False})
    blessed, _, rows = _do(folder, "neither", unrated, gates)
    assert blessed == 0
    refused = [row.reason for row in rows if row.gate.metric == "tasks" and not row.passed]
    assert refused == [
        f"nothing tells whether the model is any good (rating: {WHY}; "
        "retrieval: gates.retrieval is false)"
    ]
    assert not [row for row in rows if row.gate.kind is Kind.BASELINE and row.judged]


@pytest.mark.parametrize(
    ("training", "words"),
    [
        ({"off": {"rating": WHY}}, "it predicts ratings, and training had none to learn from"),
        ({}, "the signature rate is missing"),
    ],
)
def test_an_export_must_do_what_training_says(folder, inputs, unrated, training, words):
    run = folder / f"run {len(training)}"
    run.mkdir()
    (run / "history.json").write_text(json.dumps({"best_epoch": 1, "epochs": [{}], **training}))
    model = (inputs if training else unrated)["model"]
    run = _artifact(standard_artifacts.ModelRun, run, 15)
    asked = inputs | {"model": model, "model_run": [run]}
    assert Review(asked, _settings(), 30).ask("model") == (None, words)


@pytest.mark.parametrize("meant", [True, False])
def test_a_model_that_lost_its_ratings_needs_leave(inputs, unrated, meant):
    gates = GATES.model_copy(update={"rating": not meant})
    asked = unrated | {"baseline_model": inputs["model"]}
    results = CheckResults()
    assert Review(asked, _settings(gates=gates), 30).compare(asked, results) == asked
    reasons = [outcome.reason for outcome in results.outcomes if not outcome.passed]
    said = f"the blessed model predicts ratings and this one cannot, as {WHY}"
    assert reasons == ([] if meant else [f"{said}; if that is meant, set gates.rating to false"])
    assert results.notes == [] and "blessed" in results.lists


def test_a_model_with_ratings_is_compared_with_one_without(inputs, unrated):
    asked = inputs | {"baseline_model": unrated["model"]}
    results = CheckResults()
    assert Review(asked, _settings(), 30).compare(asked, results) == asked
    assert results.outcomes == [] and results.notes == []


def test_a_fresh_process_gives_sound_lists_that_agree_with_the_evaluation(answers):
    assert answers["movies"].shape == (30, 3)
    assert (answers["history"] < 0).all(1).sum() == 10
    outcomes = list_checks.sanity_outcomes(answers, MOVIES) + export_checks.agreement_outcomes(
        answers, None
    )
    assert [outcome.passed for outcome in outcomes] == [True] * 6
    assert len(np.unique(answers["user"])) == 30


def test_the_export_is_held_against_what_training_measured(answers):
    own = {"valid_hit_rate@10": float(answers["valid_hit_rate"]),
           "valid_rmse": float(answers["valid_rmse"])}  # fmt: skip
    for trained, expected in (
        (own, [True, True]),
        (own | {"valid_rmse": own["valid_rmse"] + 0.01}, [True, False]),
        (own | {"valid_hit_rate@10": own["valid_hit_rate@10"] - 0.02}, [False, True]),
    ):
        outcomes = export_checks.agreement_outcomes(answers, trained)[2:]
        assert [outcome.passed for outcome in outcomes] == expected
        assert "reloaded and was" in outcomes[0].reason


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("repeat", "1 have a list that repeats a movie"),
        ("seen", "1 have a list that holds a movie already seen"),
        ("again", "1 have a list that differs when asked again"),
        ("short", "1 have a list that is shorter than k"),
        ("apart", "of the users' lists disagree with the rank evaluated"),
        ("rated", "rate and evaluate differ by 0.5 at most"),
    ],
)
def test_unsound_answers_fail_with_a_sentence(answers, change, words):
    found = {n: value.copy() for n, value in answers.items() if isinstance(value, np.ndarray)}
    history = found["history"]
    first = int(np.argmax((history >= 0).sum(1)))
    if change == "repeat":
        found["movies"][first, 1] = found["movies"][first, 0]
    if change == "seen":
        found["movies"][first, 0] = history[first].max()
    if change == "again":
        found["again"][first] = found["again"][first][::-1]
    if change == "short":
        found["movies"][int(np.argmin((history >= 0).sum(1))), 2] = -1
    if change == "apart":
        found["rank"] = np.where(found["rank"] <= 3, 9, 1).astype(np.float32)
    if change == "rated":
        found["rated"][np.argmax(found["known_movie"])] += 0.5
    outcomes = list_checks.sanity_outcomes(found, MOVIES) + export_checks.agreement_outcomes(
        found, None
    )
    failed = [outcome for outcome in outcomes if not outcome.passed]
    assert any(words in outcome.reason for outcome in failed), failed


def test_a_good_model_passes_every_gate_on_lists_and_export(inputs, answers):
    results = Review(inputs, _settings(), 30).judge(answers, "")
    failed = {o.gate.name: o.reason for o in results.outcomes if not o.passed}
    # The fixture says that training measured an RMSE of 0.
    assert failed.keys() == {"the export is the trained model"}, failed
    assert len(results.outcomes) == 10


def test_a_model_that_forgets_what_was_seen_is_caught_by_the_rating_files(folder, export, inputs):
    forgetful = export("forgetful", stored=_stored(newest=2))
    asked = inputs | {"model": [_artifact(standard_artifacts.Model, forgetful, 12)]}
    review = Review(asked, _settings(), 30)
    results = review.judge(*review.ask("model"))
    failed = {o.gate.name: o.reason for o in results.outcomes if not o.passed}
    assert failed.keys() == {
        "no served list holds a movie that was rated", "the server answers as the graph does",
        "the export is the trained model",
    }, failed  # fmt: skip
    served = failed["no served list holds a movie that was rated"]
    assert "have a list with a movie they rated, as that of 'u" in served
    assert "and the rating files have" in failed["the server answers as the graph does"]


def test_examples_that_forget_what_was_seen_are_caught_by_the_rating_files(answers, inputs):
    """The history as its Example holds it is no witness: it may be cut."""
    review = Review(inputs, _settings(), 30)
    people = pa.array([name.encode() for name in answers["people"]], pa.large_binary())
    ids = review.data.movie_ids
    seen = list_checks.earlier(rated.ratings_of(review.data.splits, people, ids), 30, before=True)
    at = int(np.argmax(np.bincount(seen.owner)))
    movie = seen.movie[seen.owner == at][0]
    found = {n: value.copy() for n, value in answers.items() if isinstance(value, np.ndarray)}
    found["movies"][at, 0] = found["again"][at, 0] = movie
    kept = (found["left_out_owner"] != at) | (found["left_out"] != movie)
    found |= {name: found[name][kept] for name in ("left_out_owner", "left_out")}
    wrong = [o.gate.name for o in list_checks.sanity_outcomes(found, MOVIES, seen) if not o.passed]
    assert wrong == ["no list holds a movie already seen"]


def test_what_was_rated_is_what_the_examples_hold(inputs):
    review = Review(inputs, _settings(), 30)
    users, counts = rated.count_users(review.data.splits)
    by_user = dict(zip(users.to_pylist(), counts.tolist(), strict=True))
    assert by_user == {b"u%d" % user: len(own) for user, own in enumerate(_rated())}
    asked = pa.array([b"u2", b"nobody", b"u25"], pa.large_binary())
    names = review.data.movie_ids
    found = rated.ratings_of(review.data.splits, asked, names)
    for place, user in ((0, 2), (2, 25)):
        own = found.owner == place
        order = np.argsort(found.time[own])
        movies = names.take(pa.array(found.movie[own][order])).to_pylist()
        assert movies == [b"m%d" % movie for movie in _rated()[user]]
        assert found.eval[own].sum() == min(2, len(movies))
    assert not (found.owner == 1).any()


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("fewer", "the signature recommend is missing"),
        ("another input", "the inputs of the signature recommend have changed: history_movie_id"),
    ],
)
def test_a_changed_signature_is_refused_without_a_crash(folder, inputs, how, words):
    broken = _changed_model(folder / f"broken {how}", how)
    asked = inputs | {"model": [_artifact(standard_artifacts.Model, broken, 9)]}
    evaluation = _artifact(standard_artifacts.ModelEvaluation, folder / f"evaluation {how}", 10)
    blessing = _artifact(standard_artifacts.ModelBlessing, folder / f"blessing {how}", 11)
    config = json_format.MessageToJson(
        eval_config(GATES, 1, (0.5, 5.0)), preserving_proto_field_name=True
    )
    MovieEvaluatorExecutor().Do(
        asked, {"evaluation": [evaluation], "blessing": [blessing]},
        {"eval_config": config, "valid_rows": 30},
    )  # fmt: skip
    assert blessing.get_int_custom_property("blessed") == 0
    found = read_evaluation(evaluation.uri)
    rows = gate_outcomes(GATES, found)
    assert not rows[0].passed
    assert words in rows[0].reason and rows[0].reason.startswith("reloaded in a fresh")
    assert {row.reason for row in rows[1:]} == {
        "beats popularity: no rating of the eval split was evaluated",
        "beats user+movie bias: no rating of the eval split was evaluated",
    }


@pytest.fixture(scope="module")
def beside(folder, export):
    """Blessed models that are of no use beside the candidate."""
    return {
        "elsewhere": export("other ids", scale=(1.0, 10.0)),
        "old": _changed_model(folder / "old", "fewer"),
    }


@pytest.mark.parametrize(
    ("name", "scale", "words"),
    [
        ("elsewhere", (0.5, 5.0), "it rates from 1 to 10, not from 0.5 to 5"),
        ("elsewhere", (1.0, 10.0),
         "it knows only 0% of the evaluated movies: it is of another catalogue"),
        ("old", (0.5, 5.0),
         "it does not answer as the candidate does (the signature recommend is missing)"),
    ],
)  # fmt: skip
def test_a_baseline_that_cannot_be_compared_is_left_out_and_named(
    beside, inputs, name, scale, words
):
    asked = inputs | {"baseline_model": [_artifact(standard_artifacts.Model, beside[name], 8)]}
    results = CheckResults()
    left = Review(asked, _settings(scale), 30).compare(asked, results)
    assert left["baseline_model"] == []
    start = "The candidate was not compared with the latest blessed model: "
    assert results.notes == [start + words]


def test_a_baseline_that_fits_is_compared(inputs):
    asked = inputs | {"baseline_model": inputs["model"]}
    review = Review(asked, _settings(), 30)
    results = review.judge(*review.ask("model"))
    assert review.compare(asked, results) == asked
    coverage = results.lists["blessed"]["coverage"][0]
    assert results.notes == [] and coverage is not None and coverage > 0
    assert set(results.exposure) == {"candidate", "history", "blessed"}
    assert results.exposure["candidate"] == results.exposure["blessed"]
    assert sum(results.exposure["history"]) == pytest.approx(1.0)
    everyone, *groups = results.changes  # none, as it is the same model
    assert (everyone["new"], everyone["found"], everyone["lost"]) == (0.0, 0, 0)
    assert everyone["people"] == sum(row["people"] for row in groups) > 0


def test_an_empty_eval_split_is_said_in_words(folder, inputs, write_records):
    empty = folder / "empty"
    for split in ("train", "valid", "eval"):
        (empty / f"Split-{split}").mkdir(parents=True)
    write_records(empty / "Split-eval" / "data.gz", [])
    for name in ("Split-train/data.gz", "rows.json"):
        (empty / name).write_bytes((folder / "examples" / name).read_bytes())
    splits = ["train", "valid", "eval"]
    asked = inputs | {"examples": [_artifact(standard_artifacts.Examples, empty, 7, splits)]}
    review = Review(asked, _settings(), 30)
    found, fault = review.ask("model")
    results = review.judge(found, fault)
    assert results.notes == ["No user could be asked: the eval split is empty"]
    assert results.outcomes[0].passed


def test_bounds_on_the_lists_hold_at_the_unfavourable_end():
    measured: dict[str, list[float | None]] = {
        "coverage": [0.3, None, None], "novelty": [5.0, 4.0, 6.0], "diversity": [None] * 3,
        "popularity_lift": [0.5, 0.4, 0.6], "genre_divergence": [0.5, 0.4, 0.6],
        "full_list": [1.0, 1.0, 1.0],
    }  # fmt: skip
    for bounds, expected in (
        ({"coverage": 0.3, "novelty": 4.0, "popularity_lift": 0.6}, [True] * 3),
        ({"coverage": 0.31, "novelty": 4.1, "popularity_lift": 0.59}, [False] * 3),
        ({"diversity": 0.0, "full_list": 1.0, "rmse": 0.1}, [False, True]),
    ):
        outcomes = list_checks.list_outcomes(GATES.model_copy(update={"bounds": bounds}), measured)
        assert [outcome.passed for outcome in outcomes] == expected
    assert outcomes[0].reason == "diversity is no number where at least 0 is asked"


def test_what_training_measured_is_only_taken_where_it_measured(tmp_path):
    path = tmp_path / "history.json"
    for history, expected in (
        ({"best_epoch": 0, "epochs": []}, None),
        ({"best_epoch": 1, "epochs": [{"loss": 1.0}]}, None),
        ({"best_epoch": 2, "epochs": [{}, TRAINED]}, {"valid_rmse": 0.0}),
        ({"best_epoch": 1, "epochs": [{}], "exported": TRAINED | {"loss": 1}}, TRAINED),
    ):
        path.write_text(json.dumps(history))
        assert trained_metrics(str(tmp_path)) == expected


def test_each_user_is_asked_about_at_the_last_moment(example, write_records, tmp_path):
    path = write_records(
        tmp_path / "data.gz",
        [
            example(user_id="a", movie_id=["m1"], gender="F", age="25"),
            example(user_id="b", movie_id=["m2"], gender="F"),
            example(user_id="a", movie_id=["m3"], gender="F"),
        ],
    )
    job = Job("", [], [path], 1, 3, [], [], 0, [], [], "", "")
    ((user, kept),) = last_moments(job)
    assert user == b"a"
    features = tf.train.Example.FromString(kept).features.feature
    assert features["gender"].bytes_list.value[0] == b"F"  # serving is told what evaluate reads
    assert features["movie_id"].bytes_list.value[0] == b"m3"

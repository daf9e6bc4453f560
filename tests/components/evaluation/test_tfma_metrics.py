"""The gates as TFMA itself runs them, on SavedModels that answer what each Example says."""

from typing import Any

import apache_beam as beam
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_model_analysis as tfma
from tfx_bsl.tfxio import tf_example_record

from components.evaluation import bands, bootstrap, measures
from components.evaluation.eval_config import eval_config
from components.evaluation.extractors import custom_extractors
from components.evaluation.gates import GatesConfig, SliceGates
from components.evaluation.verdicts import Kind
from components.example_gen.generate import LOCAL_BEAM_ARGS
from components.report.evaluator_output import read_evaluation
from components.report.gates import gate_outcomes, judged

KS = (1, 10)
GATES = GatesConfig(
    ks=list(KS), replicates=50, slices=["gender"], slice_users=10,
    hit_rate_tolerance=0.02, rmse_tolerance=0.02,
)  # fmt: skip
SCALE = (0.5, 5.0)
OVERALL = GATES.model_copy(update={"slices": [], "ks": [10]})
SEED = 3
RANKS = ("rank", "unmasked_rank", "popularity_rank", "popularity_unmasked_rank")
HIT_RATE = ("", "gate/baseline/hit_rate@10/overall")
RMSE = ("", "gate/baseline/rmse/overall")
FLOATS = (*RANKS, "rating", "bias_rating")
FACTS = ("known_movie", "known_user", "movie_tenth")


def _save(path, prefix="", rates=True):
    """A model whose outputs are the Examples' own features, those of a prefix where they exist."""
    spec = {name: tf.io.FixedLenFeature([], tf.float32) for name in (*FLOATS, "label")}
    others = {f"{prefix}{name}": tf.io.FixedLenFeature([], tf.float32) for name in FLOATS}
    users = {"user": tf.io.FixedLenFeature([], tf.int64)}
    facts = {name: tf.io.FixedLenFeature([], tf.float32, 1.0) for name in FACTS}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "examples")])
    def evaluate(examples):
        found = tf.io.parse_example(examples, spec | others | users | facts)
        outputs = {name: found[f"{prefix}{name}"] for name in FLOATS}
        outputs |= {name: found[name] for name in ("label", "user", *FACTS)}
        if rates:
            return outputs
        return {name: outputs[name] for name in outputs if name not in measures.RATED_OUTPUTS}

    module = tf.Module()
    module.evaluate = evaluate
    tf.saved_model.save(module, str(path), {"evaluate": evaluate})
    return str(path)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {
        (prefix, rates): _save(folder / f"model{prefix}{rates}", prefix, rates)
        for prefix in ("", "blessed_")
        for rates in (True, False)
    }


def _data(seed=0, rows=400):
    """A good model: better ranks than popularity, smaller errors than bias; 40 users."""
    rng = np.random.default_rng(seed)
    label = rng.integers(1, 11, rows) / 2
    rank = rng.integers(2, 40, rows) / 2
    return {
        "user": rng.integers(0, 40, rows) * 10**14,
        "label": label,
        "rank": rank,
        "unmasked_rank": rank + rng.integers(0, 3, rows),
        "popularity_rank": rank + rng.integers(0, 30, rows),
        "popularity_unmasked_rank": rank + rng.integers(3, 40, rows),
        "rating": label + rng.normal(0, 0.8, rows),
        "bias_rating": label + rng.normal(0, 1.0, rows),
        "gender": np.where(rng.random(rows) < 0.3, "F", "M"),
    }


@pytest.fixture(scope="module")
def judge(example, models, tmp_path_factory):
    """Runs TFMA as the Evaluator does; returns what it found and whether it blesses."""

    def run(data, gates=OVERALL, off=None, rates=True, blessed_rates=True):
        beside = "blessed_rank" in data
        config = tfma.utils.update_eval_config_with_defaults(
            eval_config(gates, SEED, SCALE, off), has_baseline=beside, rubber_stamp=True
        )
        shared = [
            tfma.default_eval_shared_model(
                eval_saved_model_path=models[
                    ("blessed_", blessed_rates) if spec.is_baseline else ("", rates)
                ],
                model_name=spec.name,
                eval_config=config,
            )
            for spec in config.model_specs
        ]
        rows = list(zip(*(column.tolist() for column in data.values()), strict=True))
        examples = [example(**dict(zip(data, row, strict=True))) for row in rows]
        source = tf_example_record.TFExampleBeamRecord(
            physical_format="inmem", raw_record_column_name=tfma.ARROW_INPUT_COLUMN
        )
        uri = str(tmp_path_factory.mktemp("judged") / "evaluation")
        with beam.Pipeline(argv=list(LOCAL_BEAM_ARGS)) as pipeline:
            _ = (
                pipeline
                | beam.Create(examples)
                | source.BeamSource()
                | tfma.ExtractEvaluateAndWriteResults(
                    eval_config=config,
                    eval_shared_model=shared if beside else shared[0],
                    extractors=custom_extractors(shared if beside else shared[0], config, None),
                    output_path=uri,
                )
            )
        verdict: Any = tfma.load_validation_result(uri)
        return read_evaluation(uri), verdict.validation_ok

    return run


def _by_hand(data, rows):
    """The metrics of some rows, written out."""
    found = {}
    for name in RANKS:
        rank = data[name][rows]
        prefix = {"rank": "", "unmasked_rank": "unmasked/", "popularity_rank": "popularity/",
                  "popularity_unmasked_rank": "popularity/unmasked/"}[name]  # fmt: skip
        for k in KS:
            found[f"{prefix}hit_rate@{k}"] = np.mean(rank <= k)
            found[f"{prefix}ndcg@{k}"] = np.mean(np.where(rank <= k, 1 / np.log2(rank + 1), 0))
        found[f"{prefix}mrr"] = np.mean(1 / rank)
    for prefix, name in (("", "rating"), ("bias/", "bias_rating")):
        error = (data[name] - data["label"])[rows]
        error = error[~np.isnan(error)]
        found[f"{prefix}rmse"] = np.sqrt(np.mean(error**2))
        found[f"{prefix}mae"] = np.mean(np.abs(error))
    for name in list(found):
        if f"popularity/{name}" in found:
            found[f"gain/{name}"] = found[name] - found[f"popularity/{name}"]
        elif f"bias/{name}" in found:
            found[f"gain/{name}"] = found[f"bias/{name}"] - found[name]
    return found


def _as_float32(data):
    return {
        name: column.astype(np.float32).astype(np.float64) if column.dtype == float else column
        for name, column in data.items()
    }


def test_every_metric_agrees_with_numpy_in_every_slice(judge):
    data = _as_float32(_data())
    evaluation, blessed = judge(data, GATES)
    assert blessed and evaluation.blessed is None and evaluation.failed == frozenset()
    everyone = np.ones(400, bool)
    slices = {"overall": everyone} | {f"gender={g}": data["gender"] == g for g in ("F", "M")}
    assert set(evaluation.candidate) == set(slices)
    for name, rows in slices.items():
        metrics, expected = evaluation.candidate[name], _by_hand(data, rows)
        plain = {metric for metric in metrics if not metric.endswith(("/low", "/high"))}
        counts = {"users", "ratings", "outside", "rated", "rated_users", "calibration_error"}
        assert {name for name in plain if not name.startswith("gate/")} - counts == set(expected)
        assert set(expected) == set(map(str, measures.metric_names(KS)))
        assert metrics["ratings"] == rows.sum() and metrics["outside"] == 0
        assert metrics["users"] == len(np.unique(data["user"][rows]))
        for metric, value in expected.items():
            assert metrics[metric] == pytest.approx(value, abs=1e-6), (name, metric)
    for name, rows in slices.items():
        for metric in ("rmse", "gain/rmse", "gain/hit_rate@10"):
            _check_interval(data, rows, metric, evaluation.candidate[name])


def _check_interval(data, rows, metric, metrics):
    """The ends lie where each replicate, computed by itself, puts them."""
    weights = bootstrap.user_weights(data["user"][rows], GATES.replicates, SEED).astype(int)
    index = np.flatnonzero(rows)
    drawn = [_by_hand(data, np.repeat(index, column))[metric] for column in weights.T]
    low, high = np.percentile(drawn, [2.5, 97.5])
    assert metrics[f"{metric}/low"] == pytest.approx(low, abs=1e-6), metric
    assert metrics[f"{metric}/high"] == pytest.approx(high, abs=1e-6), metric


def test_targets_that_are_not_rated_count_for_lists_alone(judge):
    data = _as_float32(_data())
    women = data["gender"] == "F"
    data["label"][women | (np.arange(400) % 4 == 0)] = np.nan
    part = {"gender": SliceGates(bias_margin=0.0, popularity_margin=0.0)}
    gates = GATES.model_copy(update={"per_slice": part})
    evaluation, blessed = judge(data, gates)
    assert blessed
    rated = ~np.isnan(data["label"])
    for name, rows in {"overall": np.ones(400, bool), "gender=M": ~women}.items():
        metrics, expected = evaluation.candidate[name], _by_hand(data, rows)
        assert (metrics["ratings"], metrics["rated"]) == (rows.sum(), (rows & rated).sum())
        assert metrics["rated_users"] == len(np.unique(data["user"][rows & rated]))
        for metric, value in expected.items():
            assert metrics[metric] == pytest.approx(value, abs=1e-6), (name, metric)
        for metric in ("rmse", "gain/rmse", "gain/hit_rate@10"):
            _check_interval(data, rows, metric, metrics)
    assert evaluation.bands[0, :, 0].sum() == rated.sum()
    found = evaluation.candidate["gender=F"]
    assert found["rated"] == found["rated_users"] == 0 and found["users"] > 10
    assert not [name for name in found if "rmse" in name and not name.startswith("gate/")]
    outcomes = gate_outcomes(gates, evaluation)
    by_gate = {(str(o.gate.metric), o.gate.slice): o for o in outcomes}
    assert by_gate["hit_rate@10", "gender=F"].judged
    words = "beats user+movie bias in gender=F: not judged, with 0 users only"
    assert by_gate["rmse", "gender=F"].reason == words


@pytest.mark.parametrize("rates", [True, False])
def test_nothing_rated_is_judged_by_lists_alone_where_training_says_so(judge, rates):
    data, off = _data(), {"rating": "all ratings of train are 1: there is nothing to predict"}
    data["label"][:] = np.nan
    gates = OVERALL.model_copy(update={"bounds": {"rmse": 0.1}})
    evaluation, blessed = judge(data, gates, off, rates)
    assert blessed and evaluation.bands is None
    metrics = evaluation.candidate["overall"]
    assert not [n for n in metrics if "rmse" in n and not n.startswith("gate/")]
    assert metrics["hit_rate@10"] == np.mean(data["rank"] <= 10)
    rows = gate_outcomes(gates, evaluation, off)
    assert [(str(row.gate.metric), row.judged, row.passed) for row in rows] == [
        ("hit_rate@10", True, True), ("rmse", False, True), ("rmse", False, True),
    ]  # fmt: skip
    assert rows[1].reason == f"beats user+movie bias: not judged, as {off['rating']}"


def test_a_model_that_predicts_ratings_is_refused_where_no_target_has_one(judge):
    data = _data()
    data["label"][:] = np.nan
    evaluation, blessed = judge(data)
    assert not blessed and evaluation.failed == {RMSE}
    row = gate_outcomes(OVERALL, evaluation)[1]
    assert row.reason == "beats user+movie bias: no rating of the eval split was evaluated"


def test_beside_a_blessed_model_without_ratings_lists_alone_are_compared(judge):
    evaluation, blessed = judge(_beside(), blessed_rates=False)
    assert blessed and "rmse" not in evaluation.blessed["overall"]
    outcomes = gate_outcomes(OVERALL, evaluation)
    rows = {str(o.gate.metric): o for o in outcomes if o.gate.kind is Kind.BLESSED}
    assert rows["hit_rate@10"].judged and not rows["rmse"].judged
    assert rows["rmse"].reason.endswith("not judged, as the blessed model predicts no ratings")
    evaluation, blessed = judge(_beside(4.0), blessed_rates=False)
    assert not blessed and evaluation.failed == {("", "gate/blessed/hit_rate@10/overall")}


def test_a_model_that_is_its_baselines_is_not_blessed(judge):
    data = _data()
    data["popularity_rank"], data["bias_rating"] = data["rank"], data["rating"]
    evaluation, blessed = judge(data)
    assert not blessed
    assert evaluation.failed == {HIT_RATE, RMSE}
    assert evaluation.candidate["overall"]["gain/rmse"] == 0


def test_a_task_that_the_user_switches_off_is_measured_and_not_judged(judge):
    """Ratings that were refused above."""
    data = _data()
    data["bias_rating"] = data["rating"]
    gates = OVERALL.model_copy(update={"rating": False})
    evaluation, blessed = judge(data, gates)
    assert blessed
    row = gate_outcomes(gates, evaluation)[1]
    assert (row.judged, row.passed, row.value) == (False, True, 0)
    assert row.reason == "beats user+movie bias: not judged, as gates.rating is false"


def test_predictions_that_are_no_numbers_are_not_blessed(judge):
    data = _data()
    data["rating"][7] = data["rank"][7] = np.nan
    evaluation, blessed = judge(data)
    assert not blessed
    assert RMSE in evaluation.failed
    metrics = evaluation.candidate["overall"]
    assert np.isnan(metrics["rmse"]) and np.isnan(metrics["mrr"])
    assert metrics["hit_rate@10"] == np.mean(data["rank"] <= 10)  # a miss
    assert np.isfinite(metrics["bias/rmse"])


def test_scores_that_are_all_equal_gain_nothing(judge):
    """Every movie ties with all others, so each target stands in the middle of forty."""
    data = _data()
    data["rank"][:] = data["unmasked_rank"][:] = 20.5
    evaluation, blessed = judge(data)
    assert not blessed and evaluation.failed == {HIT_RATE}
    row = gate_outcomes(OVERALL, evaluation)[0]
    assert row.reason.startswith("beats popularity: hit_rate@10 is ")
    assert "below the baseline's" in row.reason and "does not clear" in row.reason


def _beside(rank=0.0, rating=1.0):
    """A blessed model whose ranks are better by so much, its errors smaller by this factor."""
    data = _data()
    blessed = {f"blessed_{name}": data[name] for name in FLOATS}
    blessed["blessed_rank"] = np.maximum(1.0, data["rank"] - rank)
    blessed["blessed_rating"] = data["label"] + rating * (data["rating"] - data["label"])
    return data | blessed


WORSE = {("", "gate/blessed/hit_rate@10/overall"), ("", "gate/blessed/rmse/overall")}


@pytest.mark.parametrize(
    ("rank", "rating", "failed"),
    [
        (-3.0, 0.99, set()),  # better ranks; errors worse, but within the tolerance
        (0.0, 1.0, set()),  # the very same
        (4.0, 0.9, WORSE),
    ],
)
def test_no_worse_than_the_blessed_model(judge, rank, rating, failed):
    data = _as_float32(_beside(rank, rating))
    evaluation, blessed = judge(data)
    assert blessed == (not failed)
    assert evaluation.failed == failed
    everyone = np.ones(400, bool)
    theirs = data | {name: data[f"blessed_{name}"] for name in FLOATS}
    for found, expected in (
        (evaluation.candidate, _by_hand(data, everyone)),
        (evaluation.blessed, _by_hand(theirs, everyone)),
    ):
        for name in ("hit_rate@10", "unmasked/mrr", "rmse", "bias/mae", "gain/ndcg@10"):
            assert found["overall"][name] == pytest.approx(expected[name], abs=1e-6), name
    _check_change(data, theirs, evaluation.candidate["overall"])


def _check_change(data, theirs, metrics):
    """The interval of a change pairs both models user by user."""
    weights = bootstrap.user_weights(data["user"], OVERALL.replicates, SEED).astype(int)
    index = np.arange(400)
    for name in ("hit_rate@10", "rmse"):
        drawn = [
            _by_hand(data, rows)[name] - _by_hand(theirs, rows)[name]
            for rows in (np.repeat(index, column) for column in weights.T)
        ]
        low, high = np.percentile(drawn, [2.5, 97.5])
        assert metrics[f"change/{name}/low"] == pytest.approx(low, abs=1e-6)
        assert metrics[f"change/{name}/high"] == pytest.approx(high, abs=1e-6)


def test_a_drop_that_may_be_chance_is_not_refused(judge):
    """One user in forty lost much: beyond the tolerance, but many resamples say otherwise."""
    data = _beside()
    first = data["user"] == data["user"].min()
    data["blessed_rank"] = np.where(first, 1.0, data["rank"])
    data["rank"] = np.where(first, 39.0, data["rank"])
    data["popularity_rank"] = np.maximum(data["popularity_rank"], data["rank"])
    gates = OVERALL.model_copy(update={"hit_rate_tolerance": 0.001})
    evaluation, blessed = judge(data, gates)
    metrics = evaluation.candidate["overall"]
    assert metrics["change/hit_rate@10"] < -0.001 <= 0 == metrics["change/hit_rate@10/high"]
    assert blessed


def test_a_slice_gate_refuses_alone_and_small_slices_are_only_shown(judge):
    data = _data()
    women = data["gender"] == "F"
    data["rating"] = np.where(women, data["bias_rating"], data["rating"])
    data["gender"][:3] = "X"  # three ratings of at most three users
    data["rating"][:3] = data["label"][:3] + 4
    part = {"gender": SliceGates(bias_margin=0.0)}
    gates = GATES.model_copy(update={"per_slice": part})
    evaluation, blessed = judge(data, gates)
    assert not blessed
    assert evaluation.failed == {("gender=F", "gate/baseline/rmse/gender")}
    assert not judged(evaluation.candidate["gender=X"], "gate/baseline/rmse/gender")
    assert judged(evaluation.candidate["gender=M"], "gate/baseline/rmse/gender")
    rows = [row for row in gate_outcomes(gates, evaluation) if row.gate.slice != "overall"]
    assert [(row.gate.slice, row.judged, row.passed) for row in rows] == [
        ("gender=F", True, False), ("gender=M", True, True), ("gender=X", False, True),
    ]  # fmt: skip
    assert rows[2].reason.startswith("beats user+movie bias in gender=X: not judged, with ")


def test_a_gate_on_a_slice_that_is_not_there_is_not_passed(judge):
    part = {"gender=Z": SliceGates(bounds={"rmse": 9.0})}
    gates = GATES.model_copy(update={"per_slice": part})
    evaluation, blessed = judge(_data(), gates)
    assert not blessed
    row = gate_outcomes(gates, evaluation)[-1]
    assert not row.passed
    assert row.reason == "bound on rmse in gender=Z: no rating of the slice gender=Z was evaluated"


def test_a_single_user_leaves_no_interval_and_is_not_blessed(judge):
    data = _data(rows=50)
    data["user"][:] = 7
    evaluation, blessed = judge(data)
    assert not blessed
    assert {HIT_RATE, RMSE} <= evaluation.failed
    row = gate_outcomes(OVERALL, evaluation)[0]
    assert row.reason.endswith("an interval over users needs at least two, and there is one")


def test_no_examples_at_all_are_not_blessed(judge):
    nothing = {name: column[:0] for name, column in _data().items()}
    evaluation, blessed = judge(nothing)
    assert not blessed and evaluation.candidate == {}
    reasons = [row.reason for row in gate_outcomes(OVERALL, evaluation)]
    assert reasons == [
        "beats popularity: no rating of the eval split was evaluated",
        "beats user+movie bias: no rating of the eval split was evaluated",
    ]


def test_bands_hold_every_rating_once_and_targets_outside_the_catalogue_are_counted(judge):
    data = _as_float32(_data()) | {"known_movie": np.where(np.arange(400) < 5, 0.0, 1.0)}
    evaluation, _ = judge(data)
    assert evaluation.candidate["overall"]["outside"] == 5
    by_model, by_bias, by_label = evaluation.bands
    for banded in (by_model, by_bias, by_label):
        assert banded[:, 0].sum() == 400
        assert banded[:, 3].sum() == pytest.approx(data["label"].sum())
    ratings, counts = np.unique(data["label"], return_counts=True)
    np.testing.assert_array_equal(bands.centres(SCALE), ratings)
    np.testing.assert_array_equal(by_label[:, 0], counts)
    for place, rating in enumerate(ratings):
        rows = data["label"] == rating
        square = np.square(data["rating"] - data["label"])[rows].sum()
        assert by_label[place, 4] == pytest.approx(square)


def test_absolute_bounds(judge):
    """A bound stands beside the change of the same metric: only the bound is missed here."""
    bounds = {"rmse": 0.5, "mae": 2.0, "mrr": 0.01, "unmasked/mrr": 0.9}
    evaluation, blessed = judge(_beside(), OVERALL.model_copy(update={"bounds": bounds}))
    assert not blessed
    assert evaluation.failed == {
        ("", "gate/absolute/rmse/overall"), ("", "gate/absolute/unmasked/mrr/overall"),
    }  # fmt: skip

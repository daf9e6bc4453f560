"""The gates as TFMA itself runs them, on SavedModels that answer what each Example says."""

import apache_beam as beam
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_model_analysis as tfma
from tfx_bsl.tfxio import tf_example_record

from components.evaluation import bootstrap, measures
from components.evaluation.eval_config import eval_config
from components.evaluation.gates import GatesConfig
from components.report.evaluation import read_evaluation

KS = (1, 10)
GATES = GatesConfig(
    ks=list(KS), replicates=50, slices=["gender"], hit_rate_tolerance=0.02, rmse_tolerance=0.02
)
OVERALL = GATES.model_copy(update={"slices": [], "ks": [10]})
SEED = 3
RANKS = ("rank", "unmasked_rank", "popularity_rank", "popularity_unmasked_rank")
FLOATS = (*RANKS, "rating", "bias_rating")


def _save(path, prefix=""):
    """A model whose outputs are the Examples' own features, those of a prefix where they exist."""
    spec = {name: tf.io.FixedLenFeature([], tf.float32) for name in (*FLOATS, "label")}
    others = {f"{prefix}{name}": tf.io.FixedLenFeature([], tf.float32) for name in FLOATS}
    users = {"user": tf.io.FixedLenFeature([], tf.int64)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "examples")])
    def evaluate(examples):
        found = tf.io.parse_example(examples, spec | others | users)
        outputs = {name: found[f"{prefix}{name}"] for name in FLOATS}
        return outputs | {"label": found["label"], "user": found["user"]}

    module = tf.Module()
    module.evaluate = evaluate
    tf.saved_model.save(module, str(path), {"evaluate": evaluate})
    return str(path)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {prefix: _save(folder / f"model{prefix}", prefix) for prefix in ("", "blessed_")}


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


@pytest.fixture
def judge(example, models, tmp_path):
    """Runs TFMA as the Evaluator does; returns what it found and whether it blesses."""

    def run(data, gates=OVERALL):
        beside = "blessed_rank" in data
        config = tfma.utils.update_eval_config_with_defaults(
            eval_config(gates, SEED), has_baseline=beside, rubber_stamp=True
        )
        shared = [
            tfma.default_eval_shared_model(
                eval_saved_model_path=models["blessed_" if spec.is_baseline else ""],
                model_name=spec.name,
                eval_config=config,
            )
            for spec in config.model_specs
        ]
        rows = zip(*(column.tolist() for column in data.values()), strict=True)
        examples = [example(**dict(zip(data, row, strict=True))) for row in rows]
        source = tf_example_record.TFExampleBeamRecord(
            physical_format="inmem", raw_record_column_name=tfma.ARROW_INPUT_COLUMN
        )
        uri = str(tmp_path / "evaluation")
        with beam.Pipeline(runner="FnApiRunner") as pipeline:
            _ = (
                pipeline
                | beam.Create(examples)
                | source.BeamSource()
                | tfma.ExtractEvaluateAndWriteResults(
                    eval_config=config,
                    eval_shared_model=shared if beside else shared[0],
                    output_path=uri,
                )
            )
        return read_evaluation(uri), tfma.load_validation_result(uri).validation_ok

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
        assert plain == set(expected) == set(measures.metric_names(KS))
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


def test_a_model_that_is_its_baselines_is_not_blessed(judge):
    data = _data()
    data["popularity_rank"], data["bias_rating"] = data["rank"], data["rating"]
    evaluation, blessed = judge(data)
    assert not blessed
    assert evaluation.failed == {("gain/hit_rate@10/low", False), ("gain/rmse/low", False)}
    assert evaluation.candidate["overall"]["gain/rmse"] == 0


def test_predictions_that_are_no_numbers_are_not_blessed(judge):
    data = _data()
    data["rating"][7] = data["rank"][7] = np.nan
    evaluation, blessed = judge(data)
    assert not blessed
    assert ("gain/rmse/low", False) in evaluation.failed
    metrics = evaluation.candidate["overall"]
    assert np.isnan(metrics["rmse"]) and np.isnan(metrics["mrr"])
    assert metrics["hit_rate@10"] == np.mean(data["rank"] <= 10)  # a miss
    assert np.isfinite(metrics["bias/rmse"])


def _beside(rank=0.0, rating=1.0):
    """A blessed model whose ranks are better by so much, its errors smaller by this factor."""
    data = _data()
    blessed = {f"blessed_{name}": data[name] for name in FLOATS}
    blessed["blessed_rank"] = np.maximum(1.0, data["rank"] - rank)
    blessed["blessed_rating"] = data["label"] + rating * (data["rating"] - data["label"])
    return data | blessed


@pytest.mark.parametrize(
    ("rank", "rating", "failed"),
    [
        (-3.0, 0.99, set()),  # better ranks; errors worse, but within the tolerance
        (4.0, 0.9, {("hit_rate@10", True), ("rmse", True)}),
    ],
)
def test_no_worse_than_the_blessed_model(judge, rank, rating, failed):
    data = _beside(rank, rating)
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


def test_absolute_bounds(judge):
    """A bound stands beside the change of the same metric: only the bound is missed here."""
    bounds = {"rmse": 0.5, "mae": 2.0, "mrr": 0.01, "unmasked/mrr": 0.9}
    evaluation, blessed = judge(_beside(), OVERALL.model_copy(update={"bounds": bounds}))
    assert not blessed
    assert evaluation.failed == {("rmse", False), ("unmasked/mrr", False)}

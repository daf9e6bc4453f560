"""One contract that every measure of examples keeps, each against its definition in numpy.

A class for each measure says how it is computed; the contract does the rest.
"""

import math
from typing import ClassVar

import numpy as np
import pytest

from components.evaluation import measures
from components.evaluation.metric_name import ERRORS, MetricName, Subject

KS = (1, 3, 10)
RANKS = ("rank", "unmasked_rank", "popularity_rank", "popularity_unmasked_rank")
SEEDS = range(12)


def draw(seed, rows=None):
    """Outputs of a few examples: ranks tie at halves, and a label may be NaN (seen, not rated)."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(1, 30) if rows is None else rows
    outputs = {name: rng.integers(2, 61, rows) / 2 for name in RANKS}
    outputs |= {name: rng.uniform(-2, 12, rows) for name in ("rating", "bias_rating", "label")}
    outputs["label"][rng.random(rows) < 0.2] = math.nan
    return outputs


def metrics(*groups):
    """The code's own metrics, [groups] each."""
    columns = [measures.columns(group, KS) for group in groups]
    sums = np.stack([[column.sum() for column in own.values()] for own in columns])
    counts = np.array([float(len(group["label"])) for group in groups])
    rated = np.array([float((~np.isnan(group["label"])).sum()) for group in groups])
    return measures.metrics(sums, counts, KS, rated)


class MeasureContract:
    """What holds for every measure.

    name: of the model's own metric.
    outputs: by subject, which output of the model it reads.
    ideal: what a model answers of an example labelled 4 that nothing can beat; worse: a poorer one.
    """

    name: MetricName
    outputs: ClassVar[dict[Subject, str]] = {}
    ideal: float
    worse: float

    def by_hand(self, values, labels):
        """The measure of some outputs, float [examples], as its definition says."""
        raise NotImplementedError

    def expected(self, outputs, subject):
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.by_hand(outputs[self.outputs[subject]], outputs["label"])

    @property
    def baseline(self):
        (subject,) = {*self.outputs} - {Subject.MODEL}
        return subject

    @pytest.mark.parametrize("seed", SEEDS)
    def test_it_agrees_with_numpy(self, seed):
        outputs = draw(seed)
        found = metrics(outputs)
        for subject in self.outputs:
            expected = pytest.approx(self.expected(outputs, subject), rel=1e-9, nan_ok=True)
            assert found[self.name.of(subject)][0] == expected, subject

    @pytest.mark.parametrize("seed", SEEDS)
    def test_a_gain_is_the_difference_to_the_baseline(self, seed):
        found = metrics(draw(seed))
        own, theirs = found[self.name], found[self.name.of(self.baseline)]
        gain = theirs - own if self.name.lower_is_better else own - theirs
        np.testing.assert_array_equal(found[self.name.of(Subject.GAIN)], gain)

    def test_a_gain_is_positive_where_the_model_is_better(self):
        outputs = draw(0, 1) | {"label": np.array([4.0])}
        for model, baseline, sign in (
            (self.ideal, self.worse, 1),
            (self.worse, self.ideal, -1),
            (self.worse, self.worse, 0),
        ):
            outputs[self.outputs[Subject.MODEL]] = np.array([model])
            outputs[self.outputs[self.baseline]] = np.array([baseline])
            assert np.sign(metrics(outputs)[self.name.of(Subject.GAIN)][0]) == sign

    def test_groups_are_measured_apart(self):
        groups = [draw(seed) for seed in range(4)]
        together = metrics(*groups)
        for place, group in enumerate(groups):
            for name in (self.name, self.name.of(self.baseline), self.name.of(Subject.GAIN)):
                alone = metrics(group)[name][0]
                assert together[name][place] == pytest.approx(alone, rel=1e-9, nan_ok=True)

    def test_an_empty_group_has_none_and_spoils_no_other(self):
        one = draw(5)
        found = metrics(draw(0, 0), one)[self.name]
        assert np.isnan(found[0])
        assert found[1] == pytest.approx(self.expected(one, Subject.MODEL), rel=1e-9)


class RankContract(MeasureContract):
    outputs: ClassVar = {Subject.MODEL: "rank", Subject.POPULARITY: "popularity_rank"}
    ideal, worse = 1.0, 11.0


class UnmaskedContract(RankContract):
    outputs: ClassVar = {
        Subject.MODEL: "unmasked_rank",
        Subject.POPULARITY: "popularity_unmasked_rank",
    }


class TestHitRate(RankContract):
    name = MetricName("hit_rate", 10)

    def by_hand(self, values, labels):
        return np.mean(values <= 10)

    def test_a_rank_that_is_no_number_is_never_a_hit(self):
        outputs = draw(3, 1) | {"rank": np.array([math.nan])}
        assert metrics(outputs)[self.name][0] == 0


class TestUnmaskedHitRate(UnmaskedContract):
    name = MetricName("hit_rate", 3, unmasked=True)

    def by_hand(self, values, labels):
        return np.mean(values <= 3)


class TestNdcg(RankContract):
    name = MetricName("ndcg", 10)

    def by_hand(self, values, labels):
        return np.mean([math.log(2) / math.log(rank + 1) if rank <= 10 else 0 for rank in values])

    def test_the_third_place_counts_half(self):
        assert metrics(draw(3, 1) | {"rank": np.array([3.0])})[self.name][0] == 0.5  # 1 / log2(4)


class TestUnmaskedNdcg(UnmaskedContract):
    name = MetricName("ndcg", 3, unmasked=True)

    def by_hand(self, values, labels):
        return np.mean([math.log(2) / math.log(rank + 1) if rank <= 3 else 0 for rank in values])


class TestMrr(RankContract):
    name = MetricName("mrr")

    def by_hand(self, values, labels):
        return np.mean(1 / values)


class TestUnmaskedMrr(UnmaskedContract):
    name = MetricName("mrr", unmasked=True)

    def by_hand(self, values, labels):
        return np.mean(1 / values)


class ErrorContract(MeasureContract):
    outputs: ClassVar = {Subject.MODEL: "rating", Subject.BIAS: "bias_rating"}
    ideal, worse = 4.0, 2.5

    def test_where_nothing_is_rated_there_is_none(self):
        outputs = draw(0) | {"label": np.full(len(draw(0)["label"]), math.nan)}
        assert np.isnan(metrics(outputs)[self.name][0])

    @pytest.mark.parametrize("value", [math.nan, math.inf])
    def test_a_rating_that_is_no_number_shows_in_the_errors_alone(self, value):
        outputs = draw(4, 2) | {"label": np.array([4.0, 3.0]), "rating": np.array([4.0, value])}
        found = metrics(outputs)
        assert not np.isfinite(found[self.name][0])
        assert not np.isfinite(found[self.name.of(Subject.GAIN)][0])
        assert np.isfinite(found[self.name.of(Subject.BIAS)][0])
        assert np.isfinite(found[MetricName("hit_rate", 3)][0])


class TestRmse(ErrorContract):
    name = MetricName("rmse")

    def by_hand(self, values, labels):
        errors = (values - labels)[~np.isnan(labels)]
        return math.sqrt(np.mean(errors**2)) if len(errors) else math.nan


class TestMae(ErrorContract):
    name = MetricName("mae")

    def by_hand(self, values, labels):
        errors = (values - labels)[~np.isnan(labels)]
        return np.mean(np.abs(errors)) if len(errors) else math.nan


def test_every_metric_has_a_contract():
    """Those of other lengths of the list are of the same measures."""
    contracts = {TestHitRate, TestUnmaskedHitRate, TestNdcg, TestUnmaskedNdcg, TestMrr,
                 TestUnmaskedMrr, TestRmse, TestMae}  # fmt: skip
    kept = {(c.name.measure, c.name.unmasked, s) for c in contracts for s in c.outputs}
    names = [n for n in measures.metric_names(KS) if n.subject is not Subject.GAIN]
    assert {(name.measure, name.unmasked, name.subject) for name in names} == kept


def test_names_are_those_of_the_values():
    assert measures.metric_names(KS) == list(metrics(draw(0)))
    assert len(measures.column_names(KS)) == 4 * (2 * len(KS) + 1) + 2 * len(ERRORS)

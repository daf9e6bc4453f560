"""One contract that every measure of the lists keeps, each against a plain computation."""

import itertools
import math

import numpy as np
import pytest

from components.evaluation import bootstrap, lists
from components.evaluation.metric_name import LIST_MEASURES
from components.examples.activity import Movies

GENRES = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0]], bool)
COUNTS = np.array([10.0, 4, 0, 1, 7, 2])
MOVIES = Movies(COUNTS, 12, GENRES)
SEEDS = range(12)
LEVEL = 0.9


def draw(seed, users=None):
    """Lists and histories of up to three of six movies; some are shorter, some empty."""
    rng = np.random.default_rng(seed)
    users = rng.integers(1, 7) if users is None else users
    sides = np.stack([[rng.permutation(6)[:3] for _ in range(users)] for _ in range(2)])
    sides[np.arange(3) >= rng.integers(0, 4, [2, users, 1])] = -1
    return sides


def listed(row):
    return [movie for movie in row if movie >= 0]


def mean(values):
    values = [value for value in values if value is not None]
    return math.fsum(values) / len(values) if values else math.nan


class ListMeasureContract:
    """What holds for every measure of the lists; a class for each says how it is computed."""

    name = ""

    def by_hand(self, rows, histories):
        """The measure of lists and histories of rows, NaN where it has none."""
        raise NotImplementedError

    def measure(self, rows, histories, movies=MOVIES, users=None):
        users = np.arange(len(rows)) * 10**9 if users is None else users
        return lists.measure(rows, histories, movies, users, 60, 9)[self.name]

    @pytest.mark.parametrize("seed", SEEDS)
    def test_it_agrees_with_a_plain_computation(self, seed):
        rows, histories = draw(seed)
        expected = self.by_hand(rows.tolist(), histories.tolist())
        value = self.measure(rows, histories)[0]
        assert value == pytest.approx(expected, abs=1e-6, nan_ok=True)

    def test_lists_of_nobody_break_nothing(self):
        rows = np.full([2, 3], -1)
        assert not self.measure(rows, rows)[0] > 0

    def test_it_is_shown_with_its_interval(self):
        rows, histories = draw(4, 40)
        measured = {self.name: self.measure(rows, histories)}
        value, low, high = lists.with_intervals(measured, LEVEL)[self.name]
        assert value == measured[self.name][0]
        assert value is not None and low is not None and high is not None
        assert low < value < high


class ResampledContract(ListMeasureContract):
    """A measure with an interval."""

    def test_its_interval_resamples_users(self):
        rows, histories = draw(4, 40)
        users = np.random.default_rng(4).integers(0, 2**60, 40)
        values = self.measure(rows, histories, users=users)
        weights = bootstrap.user_weights(users, 60, 9).astype(int)
        for replicate in (0, 17, 59):
            drawn = np.repeat(np.arange(40), weights[:, replicate])
            expected = self.by_hand(rows[drawn].tolist(), histories[drawn].tolist())
            assert values[1 + replicate] == pytest.approx(expected, abs=1e-6)


class GenreContract(ResampledContract):
    """A measure of genres."""

    def test_a_source_without_genres_has_none(self):
        rows = np.array([[0, 1, 2]])
        measured = {self.name: self.measure(rows, rows, Movies(COUNTS, 12, np.zeros([6, 0], bool)))}
        assert lists.with_intervals(measured, LEVEL)[self.name] == [None, None, None]


class TestCoverage(ListMeasureContract):
    name = "coverage"

    def by_hand(self, rows, histories):
        return len({movie for row in rows for movie in listed(row)}) / 6

    def test_it_is_shown_with_its_interval(self):
        """It grows with the users asked, so a resampled interval would lie below it."""
        rows, histories = draw(4, 40)
        measured = {self.name: self.measure(rows, histories)}
        assert lists.with_intervals(measured, LEVEL)[self.name] == [1.0, None, None]


class TestNovelty(ResampledContract):
    name = "novelty"

    def by_hand(self, rows, histories):
        bits = {movie: math.log2(13 / (count + 1)) for movie, count in enumerate(COUNTS)}
        return mean(mean(bits[m] for m in listed(row)) for row in rows if listed(row))


class TestDiversity(GenreContract):
    name = "diversity"

    def by_hand(self, rows, histories):
        per_user = [
            mean(self._distance(*pair) for pair in itertools.combinations(listed(row), 2))
            for row in rows
        ]
        return mean(value for value in per_user if not math.isnan(value))

    def _distance(self, one, other):
        a, b = (set(np.flatnonzero(GENRES[movie])) for movie in (one, other))
        return 1 - len(a & b) / len(a | b) if a and b else None


class TestPopularityLift(ResampledContract):
    name = "popularity_lift"

    def by_hand(self, rows, histories):
        pairs = [
            [mean(COUNTS[movie] for movie in listed(row)) for row in pair]
            for pair in zip(rows, histories, strict=True)
            if all(map(listed, pair))
        ]
        given, rated = (sum(side) for side in zip(*pairs, strict=True)) if pairs else (0, 0)
        if rated:
            return given / rated - 1
        return math.inf if given else math.nan


class TestGenreDivergence(GenreContract):
    name = "genre_divergence"

    def by_hand(self, rows, histories):
        return mean(map(self._divergence, rows, histories))

    def _divergence(self, row, history):
        p, q = self._shares(history), self._shares(row)
        if p is None or q is None:
            return None
        pairs = [(a, b) for a, b in zip(p, q, strict=True) if a > 0]
        return sum(a * math.log(a / (0.99 * b + 0.01 * a)) for a, b in pairs)

    def _shares(self, row):
        total = np.zeros(3)
        for movie in listed(row):
            if GENRES[movie].any():
                total += GENRES[movie] / GENRES[movie].sum()
        return total / total.sum() if total.sum() else None


class TestFullList(ResampledContract):
    name = "full_list"

    def by_hand(self, rows, histories):
        return mean(1.0 if len(listed(row)) == 3 else 0.0 for row in rows)


def test_every_measure_has_a_contract():
    contracts = {TestCoverage, TestNovelty, TestDiversity, TestPopularityLift, TestGenreDivergence,
                 TestFullList}  # fmt: skip
    assert {contract.name for contract in contracts} == {*LIST_MEASURES}
    rows, histories = draw(1, 2)
    assert {*lists.measure(rows, histories, MOVIES, np.arange(2), 50, 1)} == {*LIST_MEASURES}

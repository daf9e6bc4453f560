"""The popularity baseline counts the events that rank valid best, and only those of train."""

import numpy as np
import pytest

from components.examples.records import records, serialized
from components.model.facts import log_shares
from components.trainer import gather
from components.trainer.popularity import DAYS, newest

DAY = 86_400_000_000
END = 1_000 * DAY


@pytest.fixture
def lookup(make_facts, make_lookup):
    return make_lookup(make_facts())


def _ndcg(counts, seen, target):
    scores = log_shares(counts)
    others = [m for m in range(len(counts)) if m not in seen and m != target]
    rank = 1 + sum(scores[m] > scores[target] for m in others)
    rank += sum(scores[m] == scores[target] for m in others) / 2
    return 1 / np.log2(1 + rank)


@pytest.mark.parametrize("liked", [None, 7, 30])
def test_valid_chooses_as_numpy_does(example, write_records, tmp_path, lookup, liked):
    rng = np.random.default_rng(liked or 1)
    counts = {days: rng.permutation(12).astype(float) for days in (None, 7, 30)}
    rows, sums = [], dict.fromkeys(counts, 0.0)
    for number in range(40):
        *seen, target = rng.permutation(np.argsort(-counts[liked])[:6])
        rows.append(example(
            user_id=f"v{number}", movie_id=[f"m{target}"], rating=[3.0], timestamp=[END],
            history_movie_id=[f"m{m}" for m in seen[:2]], history_rating=[3.0] * 2,
            history_timestamp=[1, 2], seen_movie_id=[f"m{m}" for m in seen[2:4]],
        ))  # fmt: skip
        for days, own in counts.items():
            sums[days] += _ndcg(own, set(seen[:4]), target)
    assert max(sums, key=lambda days: sums[days]) == liked
    valid = records([write_records(tmp_path / "valid.gz", rows)], 16)
    recent = {days: own for days, own in counts.items() if days}
    assert newest(counts[None], recent, valid, lookup) == liked
    assert newest(counts[None], {}, valid, lookup) is None
    assert newest(counts[None], recent, valid.take(0), lookup) is None


def test_what_may_be_luck_chooses_nothing(example, write_records, tmp_path, lookup):
    counts, recent = np.arange(12.0), {7: np.arange(12.0)[::-1].copy()}

    def chosen(*targets):
        rows = [
            example(user_id="v", movie_id=[f"m{target}"], rating=[3.0], timestamp=[END],
                    history_movie_id=[], history_rating=[], history_timestamp=[], seen_movie_id=[])
            for target in targets
        ]  # fmt: skip
        valid = records([write_records(tmp_path / "valid.gz", rows)], 16)
        return newest(counts, recent, valid, lookup)

    assert chosen(*[0] * 11, *[11] * 10) is None  # one row more is ranked first
    assert chosen(*[0] * 18, *[11] * 3) == 7


def test_days_are_counted_back_from_where_train_ends(example, write_records, tmp_path, lookup):
    rng = np.random.default_rng(5)
    windows: list[bytes] = []
    events: list[tuple[int, int]] = []
    for _ in range(50):
        movies = rng.permutation(12)[:4]
        times = END - np.sort(rng.integers(1, 60 * DAY, 4))[::-1]
        times[-1] = END - 7 * DAY  # the first moment that counts
        events += zip(movies, times, strict=True)
        windows.append(example(
            user_id="u1", movie_id=[f"m{m}" for m in movies], rating=[3.0] * 4,
            timestamp=times.tolist(),
        ))  # fmt: skip
    files = [write_records(tmp_path / "train.gz", windows)]
    found = gather.count_train(serialized(files), lookup, 12, END, DAYS)
    for days in DAYS:
        own = [movie for movie, time in events if time >= END - days * DAY]
        np.testing.assert_array_equal(found.recent[days], np.bincount(own, minlength=12))
        assert 0 < found.recent[days].sum() < len(events)
    assert gather.count_train(serialized(files), lookup, 12, None, DAYS).recent == {}

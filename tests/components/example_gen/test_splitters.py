"""What every kind of split owes: each rating in one split, no leakage, nothing left to chance."""

from collections import Counter
from typing import Any, ClassVar

import numpy as np
import pytest

from components.example_gen.config import SplitConfig
from tests.components.example_gen.small_data import (
    SPLITS,
    digest,
    make,
    read_examples,
    read_splits,
    small_rows,
    small_source,
    targets,
    write_table,
    write_tables,
)

HISTORY = 7
SHORT = {"history_length": HISTORY, "window_length": 5}


@pytest.fixture(scope="class")
def data(request, tmp_path_factory):
    """The folder of the source of a kind of split."""
    return write_tables(tmp_path_factory.mktemp("source") / "data", request.cls.times)


@pytest.fixture(scope="class")
def made(request, data, tmp_path_factory):
    """The folder of the Examples of a kind of split, and what rows.json says of them."""
    out = tmp_path_factory.mktemp("made")
    return out, request.cls().make(data, out)


class SplitterContract:
    """The contract; a kind of split says its settings, and whether its source has times."""

    settings: ClassVar[dict[str, Any]]
    times: ClassVar[bool] = True

    def make(self, data, out, **changed):
        settings = {**self.settings, **SHORT, **changed}
        return make(data, out, small_source(self.times), **settings)

    def rows(self):
        """User, movie, rating and time of what the source holds."""
        return [(*row[:3], row[3] if self.times else None) for row in small_rows()]

    def test_every_kept_rating_is_a_target_of_one_split(self, made):
        out, report = made
        splits = read_splits(out)
        rated = [rating for examples in splits.values() for rating in targets(examples)]
        assert sorted(rated) == sorted(self.rows())
        assert report["read"] == report["kept"] == len(rated)
        moments = Counter((user, time) for user, _, _, time in rated)
        for name, examples in splits.items():
            own = targets(examples)
            tied = sum(moments[user, time] > 1 for user, _, _, time in own) if self.times else 0
            counts = {"ratings": len(own), "examples": len(examples), "tied": tied}
            assert report["splits"][name] == counts and own
        assert bool(report["splits"]["eval"]["tied"]) == self.times
        assert all(len(e["movie_id"]) == 1 for name in ("valid", "eval") for e in splits[name])
        assert all(e["history_movie_id"] == [] for e in splits["train"])
        assert not (out / "examples" / "_work").exists()

    def test_valid_and_eval_hold_about_as_much_as_they_may(self, data, made, tmp_path):
        report = self.make(data, tmp_path, most_valid=20, most_eval=25)
        splits, whole = read_splits(tmp_path), read_splits(made[0])
        left = read_examples(tmp_path / "examples" / "Split-unjudged")
        rated = [row for part in [*splits.values(), left] for row in targets(part)]
        assert sorted(rated) == sorted(self.rows()) and left
        assert 0 < report["splits"]["valid"]["ratings"] < len(whole["valid"])
        assert set(targets(splits["eval"] + left)) == set(targets(whole["eval"]))
        assert set(targets(splits["valid"])) < set(targets(whole["valid"]))
        assert set(targets(splits["train"])) > set(targets(whole["train"]))
        judges, others = ({user for user, *_ in targets(part)} for part in (splits["eval"], left))
        assert judges and not judges & others
        assert report["splits"]["unjudged"]["ratings"] == len(targets(left))
        assert report["splits"]["unjudged"]["examples"] == len(left)

    def test_to_refit_are_train_and_valid_of_those_in_valid(self, made):
        out, report = made
        splits = read_splits(out)
        both = read_examples(out / "examples" / "Split-refit")
        people = {user for user, *_ in targets(splits["valid"])}
        before = targets(splits["train"]) + targets(splits["valid"])
        assert sorted(targets(both)) == sorted(row for row in before if row[0] in people)
        assert all(example["history_movie_id"] == [] for example in both)
        assert all(len(example["movie_id"]) <= SHORT["window_length"] for example in both)
        if self.times:
            times = {user: [row[3] for row in targets(both) if row[0] == user] for user in people}
            assert all(own == sorted(own) for own in times.values())
        assert "refit" not in report["splits"]

    def test_history_and_seen_are_all_that_a_list_leaves_out(self, made):
        out, report = made
        splits = read_splits(out)
        assert all(example["seen_movie_id"] == [] for example in splits["train"])
        longer = 0
        for pool, example in self.with_pools(report, splits):
            (target,) = targets([example])
            left_out = example["seen_movie_id"] + example["history_movie_id"]
            own = {row for row in pool if row[0] == target[0]}
            if report["history"] == "before":
                own = {row for row in own if row[3] < target[3]}
            assert {row[1] for row in own} <= set(left_out)
            assert target[1] not in left_out and len(set(left_out)) == len(left_out)
            longer += len(example["seen_movie_id"]) > 0
            assert len(example["history_movie_id"]) == HISTORY or not example["seen_movie_id"]
        assert longer

    def test_no_history_leaks(self, made):
        out, report = made
        splits = read_splits(out)
        for pool, example in self.with_pools(report, splits):
            (target,) = targets([example])
            history = targets([example], "history_")
            assert target not in history and len(history) <= HISTORY
            if self.times:
                assert [row[3] for row in history] == sorted(row[3] for row in history)
            assert pool.issuperset(history)
            if report["history"] == "before":
                assert all(row[3] < target[3] for row in history)

    def with_pools(self, report, splits):
        """Each Example of valid and eval, with all that its history may be of."""
        for name, before in (("valid", ("train",)), ("eval", ("train", "valid"))):
            if report["history"] == "rest":
                pool = {row for part in before for row in targets(splits[part])}
            else:
                pool = set(self.rows())
            yield from ((pool, example) for example in splits[name])

    def test_equal_runs_write_equal_bytes_and_the_seed_matters(self, data, made, tmp_path):
        self.make(data, tmp_path / "again")
        self.make(data, tmp_path / "other", seed=SplitConfig().seed + 1)
        assert digest(tmp_path / "again") == digest(made[0]) != digest(tmp_path / "other")

    def test_the_order_of_lines_and_files_decides_nothing(self, data, tmp_path):
        """Byte for byte: what is history, what is held out, and which of two ratings stays."""
        again = [(user, movie, 6 - rating, time) for user, movie, rating, time in self.rows()[::5]]
        held_out = len(small_rows()) // 5
        rng, digests = np.random.default_rng(3), []
        for turn in ("by movie", "shuffled"):
            rows = self.rows()
            parts = [[*rows[:held_out], *again[: held_out // 3]], [*rows[held_out:], *again]]
            for part in parts:
                if turn == "by movie":
                    part.sort(key=lambda row: row[1])
                else:
                    rng.shuffle(part)
            place = write_tables(tmp_path / f"data {turn}", self.times)
            first, second = parts if turn == "by movie" else parts[::-1]
            files = {"eval": parts[0], "train": parts[1], "ratings-1": first, "ratings-2": second}
            for name, part in files.items():
                write_table(place / f"{name}.csv", part)
            report = self.make(place, tmp_path / turn, max_bad_share=0.5)
            assert report["dropped"]["superseded"] >= len(again) * 0.6
            found = digest(tmp_path / turn)
            digests.append({k: v for k, v in found.items() if not k.endswith("rows.json")})
        assert digests[0] == digests[1]


class TestTemporal(SplitterContract):
    settings = SPLITS["temporal"]


class TestTemporalWithTheRestAsHistory(SplitterContract):
    settings = SPLITS["temporal-rest"]


class TestRandom(SplitterContract):
    settings = SPLITS["random"]

    def test_another_seed_holds_other_ratings_out(self, data, made, tmp_path):
        self.make(data, tmp_path / "other", seed=SplitConfig().seed + 1)
        held_out = [set(targets(read_splits(out)["eval"])) for out in (made[0], tmp_path / "other")]
        assert held_out[0] != held_out[1]


class TestRandomWithoutTimes(SplitterContract):
    settings, times = SPLITS["random"], False


class TestLeaveLastN(SplitterContract):
    settings = SPLITS["leave_last_n"]


class TestPredefined(SplitterContract):
    settings = SPLITS["predefined"]


class TestPredefinedWithoutTimes(SplitterContract):
    settings, times = SPLITS["predefined"], False

"""What the model card says of how the model was judged."""

from components.evaluation.slices import OVERALL
from components.report.card import protocol


def _blessing(training=None, **more):
    sizes = {"train": 800, "valid": 100, "eval": 60}
    split = {name: {"ratings": n, "examples": n, "tied": 0} for name, n in sizes.items()}
    return {
        "split": {"kind": "random", **split, **more},
        "config": {"gates": {"level": 0.95, "replicates": 1000}},
        "metrics": {OVERALL: {}},
        "training": training or {},
    }


def test_what_popularity_counts_is_told_where_it_is_not_all_of_train():
    assert any("the last 7 days" in words for words in protocol(_blessing({"popular_days": 7})))
    for training in ({}, {"popular_days": None}):
        assert not any(" days " in words for words in protocol(_blessing(training)))


def test_held_out_ratings_that_do_not_judge_are_told_of():
    unjudged = {"ratings": 1240, "examples": 12, "tied": 0}
    assert any("1,240 held-out" in words for words in protocol(_blessing(unjudged=unjudged)))
    for none in ({}, {"unjudged": {**unjudged, "ratings": 0}}):
        assert not any(
            "neither learned nor judged" in words for words in protocol(_blessing(**none))
        )

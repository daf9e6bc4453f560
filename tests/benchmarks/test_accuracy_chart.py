"""The chart of the comparison: who is in it, in which order, and that it is drawn."""

from benchmarks.accuracy_chart import draw, points

CONTENT = {
    "results": {
        "Greenlight": {"hit_rate@10": 0.2, "ndcg@10": 0.1, "rmse": 0.9},
        "EASE": {"hit_rate@10": 0.3, "ndcg@10": 0.05},
        "myFM": {"rmse": 0.8},
    },
    "noise": {"hit_rate@10": 0.01, "ndcg@10": 0.0, "rmse": 0.02},
}


def test_the_best_comes_first_whichever_way_better_is():
    assert [row["system"] for row in points(CONTENT, "hit_rate@10")] == ["EASE", "Greenlight"]
    assert [row["system"] for row in points(CONTENT, "ndcg@10")] == ["Greenlight", "EASE"]
    assert [row["system"] for row in points(CONTENT, "rmse")] == ["myFM", "Greenlight"]


def test_only_greenlight_has_a_spread():
    ease, ours = points(CONTENT, "hit_rate@10")
    assert (ours["low"], ours["high"]) == (0.19, 0.21000000000000002) and ours["ours"]
    assert ease["low"] == ease["high"] == 0.3 and not ease["ours"]


def test_every_system_and_figure_is_drawn(tmp_path):
    draw({"some data, some split": CONTENT}, tmp_path / "chart.svg")
    drawn = (tmp_path / "chart.svg").read_text(encoding="utf-8")
    for words in ("some data, some split", "EASE", "myFM", "hit rate@10", "RMSE"):
        assert words in drawn

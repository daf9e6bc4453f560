"""What the first screen of a report says, against figures that are known."""

from typing import Any

import pytest

from components.evaluation.check_results import CheckResults
from components.evaluation.gates import GatesConfig
from components.evaluation.metric_name import MetricName, Subject
from components.report.blessing import slice_sizes
from components.report.decides import behind, decides
from components.report.evaluator_output import Evaluation
from components.report.summary import Judged, summary
from components.report.wording import sentence, share

GATES = GatesConfig(ks=[10])
HITS, RMSE = MetricName("hit_rate", 10), MetricName("rmse")


def _part(users, ratings, hits, popular, low, high):
    return {
        "users": users, "ratings": ratings, "rated": ratings, "hit_rate@10": hits / ratings,
        "popularity/hit_rate@10": popular / ratings, "gain/hit_rate@10": (hits - popular) / ratings,
        "gain/hit_rate@10/low": low, "gain/hit_rate@10/high": high,
    }  # fmt: skip


RATED = {"rmse": 0.744, "bias/rmse": 0.831, "gain/rmse": 0.087,
         "gain/rmse/low": 0.05, "gain/rmse/high": 0.11}  # fmt: skip
PARTS: dict[str, Any] = {
    "overall": {**_part(74, 10_000, 998, 269, 0.05, 0.11), **RATED},
    "session=same": _part(74, 9_400, 900, 200, 0.05, 0.11),
    "session=after a pause": _part(49, 532, 15, 8, -0.005, 0.03),
    "session=first of all": _part(20, 68, 30, 30, -0.1, 0.1),
    "movie=cold": _part(65, 2_029, 0, 0, 0.0, 0.0),
}
LISTS = CheckResults(lists={"candidate": {"coverage": [0.0394, None, None]}})


def _judged(parts=None, history="before", off=(), blessed=None, checks=LISTS):
    evaluation = Evaluation(PARTS if parts is None else parts, blessed, frozenset(), checks)
    reasons = dict.fromkeys(off, "it is so")
    return Judged(GATES, history, reasons, evaluation, slice_sizes(evaluation, GATES))


def _told(**changed):
    return {one["about"]: one["sentence"] for one in summary(_judged(**changed))}


def test_what_decides_is_said_in_plain_words():
    assert _told() == {
        "lists": "Of 100 movies that people rated next, 10 were in their top 10; a bestseller list "
        "has 3, surely fewer.",
        "ratings": "Predicted ratings are typically off by 0.74; averages of user and movie by "
        "0.83, surely more.",
        "basis": "This rests on 10,000 ratings by 74 people; 94% of them came in the same sitting "
        "as the one before, within the hour.",
        "after a pause": "After a pause of an hour or more, of 532 movies (49 people) 15 were in "
        "the top 10; a bestseller list has 8: the difference may be chance.",
        "new movies": "Movies new since training are not found: of 2,029 ratings of them, none "
        "was in the top 10.",
        "coverage": "The lists of 74 people hold 4% of the catalogue between them.",
        "not judged": "Not judged: any change, as there was no blessed model to compare with; "
        "1 of 4 slices, each of fewer than 30 people.",
    }


def test_each_sentence_names_its_slice_and_its_figures():
    found = {one["about"]: one for one in summary(_judged())}
    pause = found["after a pause"]
    assert pause["slice"] == "session=after a pause"
    assert pause["figures"] == {
        name: PARTS[pause["slice"]][name]
        for name in ("hit_rate@10", "popularity/hit_rate@10", "gain/hit_rate@10",
                     "gain/hit_rate@10/low", "gain/hit_rate@10/high")
    }  # fmt: skip
    assert found["basis"]["figures"] == {"users": 74, "ratings": 10_000, "same_sitting": 0.94}
    rows = {row["about"]: row["cells"] for row in behind(_blessing(), GATES)}
    assert rows["after a pause"] == [
        "49", "532", "hit_rate@10", "0.0282", "0.0150", "0.0132 (-0.0050 to 0.0300)",
    ]  # fmt: skip
    assert rows["basis"] == ["74", "9,400", "same sitting", "94%", "", ""]
    assert set(rows) == set(found) - {"not judged"}


def test_the_verdict_says_what_was_judged_and_the_rest_stands_below():
    gate = {"metric": "hit_rate@10", "judged": True}
    blessing = {"gates": [gate, gate | {"metric": "rmse"}], "blessed": True, "reasons": ["so"]}
    told = decides({**blessing, **_blessing()})
    assert [text.split()[0] for text in told["said"]] == ["Of", "Predicted"]
    unjudged = decides({**blessing, **_blessing(), "gates": [gate]})
    assert [text.split()[0] for text in unjudged["said"]] == ["Of"]
    assert unjudged["rest"] == [told["said"][1], *told["rest"]]
    assert decides(blessing) == {"said": ["so."], "failed": [], "rest": []}  # an older run's


def test_failures_with_one_next_step_stand_together_and_many_are_cut_short():
    failures = [{"sentence": f"{i} fails.", "next": "Do it."} for i in range(7)]
    failures.append({"sentence": "It fails.", "next": "Do that."})
    blessing = {"gates": [], "blessed": False, "reasons": ["so"], "failures": failures}
    told = decides({**blessing, **_blessing()})
    assert told["failed"] == [
        {"sentences": [f"{i} fails." for i in range(5)], "more": 2, "next": "Do it."},
        {"sentences": ["It fails."], "more": 0, "next": "Do that."},
    ]
    assert told["said"] == [] and len(told["rest"]) == len(_blessing()["summary"])


def _blessing():
    judged = _judged()
    return {"summary": summary(judged), "slices": judged.sizes}


def test_new_movies_that_are_found_are_counted():
    parts = {**PARTS, "movie=cold": _part(65, 2_029, 1, 0, 0.0, 0.0)}
    assert _told(parts=parts)["new movies"] == (
        "Movies new since training: of 2,029 ratings of them, 1 was in the top 10."
    )


def test_where_a_split_mixes_the_times_nothing_is_said_of_pauses():
    told = _told(history="rest")
    assert told["lists"].startswith("Of 100 movies held out, 10 were")
    assert told["basis"] == "This rests on 10,000 ratings by 74 people."
    assert "after a pause" not in told and "what people choose after a pause" in told["not judged"]
    assert told["new movies"].startswith("Movies that training never saw are not found")


def test_what_was_not_measured_is_said_to_be_not_judged():
    alone = {"overall": _part(40, 80, 8, 2, 0.01, 0.1)}
    told = _told(parts=alone, off=["rating"], blessed=alone, checks=CheckResults())
    assert list(told) == ["lists", "basis", "not judged"]
    assert told["basis"] == "This rests on 80 events by 40 people."
    assert told["not judged"] == (
        "Not judged: predicted ratings; what people choose after a pause; movies new since "
        "training."
    )
    assert summary(_judged(parts={})) == []


@pytest.mark.parametrize(
    ("hits", "popular", "ends", "words"),
    [
        (0.0982, 0.0951, (-0.01, 0.02), "Of 1,000 movies, 98 were in their top 10; a bestseller "
         "list has 95: the difference may be chance"),
        (0.02, 0.09, (-0.1, -0.05), "Of 100 movies, 2 were in their top 10; a bestseller list has "
         "9, surely more"),
        (0.0004, 0.0, (0.0001, 0.0006), "Of 10,000 movies, 4 were in their top 10; a bestseller "
         "list has 0, surely fewer"),
        (0.0, 0.012, (-0.02, -0.01), "Of 100 movies, none was in their top 10; a bestseller list "
         "has 1, surely more"),
    ],
)  # fmt: skip
def test_counts_are_whole_and_differ_where_the_rates_do(hits, popular, ends, words):
    low, high = ends
    values = {"hit_rate@10": hits, "popularity/hit_rate@10": popular,
              "gain/hit_rate@10/low": low, "gain/hit_rate@10/high": high}  # fmt: skip
    assert sentence(values, HITS, Subject.GAIN, "movies") == words


@pytest.mark.parametrize(
    ("change", "ends", "proof"),
    [(0.1, (0.05, 0.15), ", surely less"), (-0.1, (-0.15, -0.05), ", surely more"),
     (0.1, (-0.1, 0.3), ": the difference may be chance")],
)  # fmt: skip
def test_a_change_of_rmse_for_the_worse_is_not_called_better(change, ends, proof):
    low, high = ends
    values = {"rmse": 0.8, "change/rmse": change, "change/rmse/low": low, "change/rmse/high": high}
    assert sentence(values, RMSE, Subject.CHANGE, "movies", " in genre=War") == (
        "Predicted ratings in genre=War are typically off by 0.80; the last blessed model by "
        f"{0.8 - change:.2f}{proof}"
    )


def test_a_share_that_is_nearly_none_or_all_keeps_a_digit():
    assert [share(x) for x in (0, 0.004, 0.03, 0.94, 0.996, 1)] == [
        "0%", "0.4%", "3%", "94%", "99.6%", "100%",
    ]  # fmt: skip

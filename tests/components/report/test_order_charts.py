"""What the report says of the order for people, and of simple recommenders."""

import pytest

from components.report.order_charts import drawn_orders, order_words
from components.report.peer_charts import drawn_peers, peer_table, peer_words
from tests.components.report.conftest import ORDERS, PEERS


def test_the_sentence_says_what_the_choice_costs_and_gives() -> None:
    words = order_words(ORDERS)
    assert "with a mix of 0.3" in words and "surely keeps 95% of the hits" in words
    assert "hit rate 9.91% after 10.00%" in words and "from 3.50 to 3.65" in words
    assert "likely to choose next" in order_words({**ORDERS, "mix": 0.0})


def test_the_curve_marks_the_choice_and_names_few_points() -> None:
    (rows,) = drawn_orders(ORDERS)["orders"]["datasets"].values()
    assert [row["mix"] for row in rows if row["chosen"]] == [0.3]
    assert [row["said"] for row in rows if row["said"]] == ["0", "0.3", "0.5", "1"]
    assert drawn_orders({}) == {}


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(-0.03, -0.01, "surely behind"), (-0.03, 0.01, "perhaps by chance behind"),
     (None, None, "perhaps by chance behind")],
)  # fmt: skip
def test_the_best_of_the_simple_ones_is_named(low, high, words) -> None:
    *others, last, mixed = PEERS["models"]
    rows = [*others, mixed, {**last, "gain": {"value": -0.01, "low": low, "high": high}}]
    told = peer_words({**PEERS, "models": rows})
    assert "is EASE, with a hit rate of 11.00%" in told and words in told
    assert told.endswith("In the order for people, a mix of 0.3, it is 9.00%.")
    assert "for people" not in peer_words({**PEERS, "models": [*others, last], "mix": 0})


def test_the_table_has_no_gain_of_the_candidate_over_itself() -> None:
    own, popularity, *_ = peer_table(PEERS)
    assert own["cells"][1] == "" and popularity["cells"][1].startswith("0.08")


def test_without_times_there_is_no_chart_of_them() -> None:
    assert set(drawn_peers(PEERS)) == {"peers", "over-time"}
    assert set(drawn_peers({**PEERS, "times": []})) == {"peers"}
    assert drawn_peers({}) == {}

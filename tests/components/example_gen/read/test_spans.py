"""Which spans a folder holds, and how patterns read in them."""

import pytest

from components.example_gen.read.spans import find_window
from schemas.errors import UserError


@pytest.fixture
def folder(tmp_path):
    def make(*paths):
        for path in paths:
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text("x")
        return str(tmp_path)

    return make


def test_numbers_are_ordered_as_numbers_and_keep_their_zeros(folder):
    base = folder("r-08.csv", "r-9.csv", "r-010.csv", "r-x.csv", "r-11.txt")
    window = find_window(base, {"ratings": ["r-{SPAN}.csv"]}, 2)
    assert window.spans == [9, 10]
    assert window.filled == {"r-{SPAN}.csv": ["r-9.csv", "r-010.csv"]}


def test_a_width_is_kept_to(folder):
    base = folder("r-008.csv", "r-9.csv")
    assert find_window(base, {"ratings": ["r-{SPAN:3}.csv"]}, 5).spans == [8]


def test_dates_count_in_days_and_a_gap_costs_no_place_in_the_window(folder):
    base = folder("2026/02/28.csv", "2026/03/02.csv", "2026/01/01.csv", "2026/02/30.csv")
    window = find_window(base, {"ratings": ["{YYYY}/{MM}/{DD}.csv"]}, 2)
    assert window.spans[1] - window.spans[0] == 2
    assert window.filled["{YYYY}/{MM}/{DD}.csv"] == ["2026/02/28.csv", "2026/03/02.csv"]


def test_the_newest_version_of_each_span_counts(folder):
    base = folder("1/v2/r.csv", "1/v10/r.csv", "2/v1/r.csv")
    assert find_window(base, {"ratings": ["{SPAN}/v{VERSION}/r.csv"]}, 3).filled == {
        "{SPAN}/v{VERSION}/r.csv": ["1/v10/r.csv", "2/v1/r.csv"]
    }


def test_alternatives_and_fixed_tables_and_stars(folder):
    base = folder("1/a-1.csv", "1/a-2.csv", "2/a.csv.gz", "movies.csv")
    tables = {"ratings": ["{SPAN}/a*.csv", "{SPAN}/a*.csv.gz"], "movies": ["movies.csv"]}
    window = find_window(base, tables, 3)
    assert window.spans == [1, 2]
    assert window.filled == {
        "{SPAN}/a*.csv": ["1/a*.csv", ""],
        "{SPAN}/a*.csv.gz": ["", "2/a*.csv.gz"],
        "movies.csv": ["movies.csv"],
    }


def test_without_spans_there_is_one_window(folder):
    window = find_window(folder("r.csv"), {"ratings": ["r.csv"]}, 3)
    assert window.spans == [] and window.filled == {"r.csv": ["r.csv"]}


def test_what_is_missing_is_named(folder):
    with pytest.raises(UserError, match=r"has no r-\{SPAN\}.csv: give the folder"):
        find_window(folder("r.csv"), {"ratings": ["r-{SPAN}.csv"]}, 3)
    tables = {"ratings": ["{SPAN}/r.csv"], "movies": ["{SPAN}/m.csv"]}
    base = folder("1/r.csv", "1/m.csv", "2/r.csv", "2/m.csv", "3/m.csv")
    with pytest.raises(UserError, match="holds the ratings, for span 3"):
        find_window(base, tables, 1)

"""What the dates of a source make."""

from pathlib import Path

import pytest

from schemas.errors import UserError
from schemas.source import load_source

SOURCE = """
scale: [1, 5]
ratings:
  files: r.csv
  columns: {user_id: u, movie_id: m, rating: r, timestamp: t}
  features: {device: {column: d, known_when_asked: true}}
movies:
  files: m.csv
  columns: {movie_id: id, movie_title: name}
  features: {released: {kind: date, column: day}}
users:
  files: u.csv
  columns: {user_id: id}
  features: {joined: {kind: date, column: since, label: member since}, plan: p}
"""


def _source(folder: Path, text: str = SOURCE):
    (folder / "mine.yaml").write_text(text, encoding="utf-8")
    return load_source(str(folder / "mine.yaml"))


def test_a_date_makes_parts_and_an_age_of_each_rating(tmp_path):
    source = _source(tmp_path)
    names = source.features
    assert names.users == ("joined", "joined_month", "joined_weekday", "plan")
    assert names.movies == ("released", "released_month", "released_weekday")
    assert names.events == ("device", "released_age", "joined_age")
    assert names.ages == ("released_age", "joined_age")
    assert names.asked == ("device", "joined_age")  # of who asks it is known
    assert names.movie_ages == ("released_age",)
    assert {"joined", "released", "released_age", "joined_age"} == {*names.numbers}
    assert {*names.read} == {*names.users, *names.movies, *names.events}
    assert source.labels["joined_age"] == "member since: age"
    assert source.labels["joined_month"] == "member since: month"


def test_without_times_nothing_has_an_age(tmp_path):
    names = _source(tmp_path, SOURCE.replace(", timestamp: t", "")).features
    assert names.events == names.asked == ("device",) and names.ages == ()
    assert "joined_month" in names.users


@pytest.mark.parametrize(
    ("old", "new"),
    [("device:", "joined_age:"), ("device:", "released_age:"), ("plan:", "joined_month:")],
)
def test_a_name_that_a_date_makes_is_taken(tmp_path, old, new):
    with pytest.raises(UserError, match=f"features.{new} a date makes a feature of this name"):
        _source(tmp_path, SOURCE.replace(old, new))

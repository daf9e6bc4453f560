"""The parts of a guess by themselves: forms of text, marks, times, and the YAML."""

import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.example_gen.read.times import moments
from components.guess.form import guess_form
from components.guess.marks import guess_marks
from components.guess.names import role
from components.guess.sample import MOST_BYTES, Column, read_sample
from components.guess.times import guess_times
from components.guess.told import Section, Told
from components.guess.written import as_yaml
from schemas.source_yaml import read_yaml


def _column(cells, name="x"):
    return Column(name, pa.array([str(cell) for cell in cells], pa.string()))


@pytest.mark.parametrize(("cells", "scale", "unrated"), [
    ([1, 2, 3, 4, 5], ["1", "5"], None),
    ([2, 3, 4, 5], ["1", "5"], None),
    ([0.5, 3, 4.5, 5], ["0.5", "5"], None),
    ([0, 1, 5, 9, 10], ["0", "10"], None),
    ([-1, 2, 7, 10], ["1", "10"], ["-1"]),
    ([0, 0, 0, 0, 7, 8, 10], ["1", "10"], ["0"]),
    ([1, -1, 1], ["-1", "1"], None),
    ([0, 1, 1], ["0", "1"], None),
    (["4,5", "3,0", ""], ["1", "5"], [""]),
    ([12, 35.5, 97], ["0", "100"], None),
])  # fmt: skip
def test_the_scale_is_a_usual_one_around_what_is_seen(cells, scale, unrated):
    told = guess_marks(_column(cells * 50))
    assert told is not None
    values = {key: part.value for key, part in told.items() if isinstance(part, Told)}
    assert (values["scale"], values.get("unrated")) == (scale, unrated)


@pytest.mark.parametrize("cells", [[1, 1, 1], ["fine", "so so"], [], ["like", "maybe"]])
def test_what_is_all_alike_or_not_understood_is_no_rating(cells):
    assert guess_marks(_column(cells * 50)) is None


FORMS = ("iso", "seconds", "milliseconds", "%d.%m.%Y %H:%M", "%Y/%m/%d", "%d %b %Y %H:%M:%S",
         "%Y%m%d", "%a %b %d %H:%M:%S %z %Y")  # fmt: skip


def _written(time: datetime, form: str) -> str:
    if form == "iso":
        return time.isoformat() + "+02:00"
    if form in ("seconds", "milliseconds"):
        return str(int(time.timestamp()) * (1000 if form == "milliseconds" else 1))
    return time.strftime(form.replace("%z", "+0100"))


@settings(max_examples=20)
@given(st.sampled_from(FORMS), st.lists(st.integers(0, 10**8), min_size=30, max_size=60))
def test_times_are_read_as_they_were_written(form, seconds):
    """In another form of the same moments, maybe: both have then to say the same."""
    times = [datetime(2005, 1, 13) + timedelta(seconds=second) for second in sorted(seconds)]
    column = _column([_written(time, form) for time in times])
    told = guess_times(column)
    assert told is not None
    assert moments(column.cells, str(told.value)).equals(moments(column.cells, form))


def test_days_and_months_are_told_apart_by_the_order_of_the_file():
    days = [datetime(2021, 1, 1) + timedelta(days=day * 32) for day in range(11)]
    days = [day.replace(day=13 - day.month) for day in days]
    for form in ("%d/%m/%Y", "%m/%d/%Y"):
        told = guess_times(_column([day.strftime(form) for day in days]))
        assert told is not None and told.value == form and "not sure" not in told.why
    twice = guess_times(_column(["05/05/2021", "06/06/2021"]))
    assert twice is not None and "not sure" in twice.why


@pytest.mark.parametrize("cells", [["1", "2", "3"], ["2001", "1999"], ["Heat", "Alien"], [""]])
def test_numbers_years_and_words_are_no_times(cells):
    assert guess_times(_column(cells)) is None


@given(
    st.sampled_from([",", ";", "\t", "|", "::", "\x01"]),
    st.booleans(),
    st.lists(st.tuples(st.integers(1, 99), st.integers(1, 9)), min_size=3, max_size=30),
)
def test_separator_and_header_are_those_of_the_file(mark, named, rows):
    lines = [["userId", "film"]] * named + [[f"u{user}", str(film)] for user, film in rows]
    text = "".join(mark.join(line) + "\n" for line in lines)
    form = guess_form("x.csv", text.encode())
    assert (form.table.separator, form.table.header, form.width) == (mark, named, 2)
    assert form.rows(text.encode()) == lines


def test_quotes_in_the_text_are_no_quotes_around_it():
    text = '1|12" Single|5\n2|"Heroes|4\n3|7" EP|3\n'
    form = guess_form("x.csv", text.encode())
    assert not form.table.quoting and form.table.separator == "|"
    assert form.rows(text.encode())[1] == ["2", '"Heroes', "4"]
    quoted = guess_form("x.csv", b'user,film\n1,"Big, the"\n2,"Up, or ""not"""\n3,Heat\n')
    assert quoted.table.quoting and quoted.width == 2


def test_a_large_file_is_looked_at_all_over(tmp_path):
    rows = 2 * MOST_BYTES // 20
    lines = (
        f"u{row % 1000:07},m{row % 50:07},{1 if row < rows * 0.9 else 5}\n" for row in range(rows)
    )
    path = tmp_path / "ratings.csv"
    path.write_text("user_id,movie_id,rating\n" + "".join(lines))
    sample = read_sample(path)
    assert not sample.whole and set(sample.columns["rating"].counts) == {"1", "5"}


@pytest.mark.parametrize(("name", "expected"), [
    ("userId", "user"), ("MOVIE_ID", "item"), ("user_rating", "rating"), ("review_date", "time"),
    ("price", None), ("Release Year", "year"),
])  # fmt: skip
def test_names_say_roles(name, expected):
    assert role(name) == expected


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1)))
def test_yaml_says_every_word_again(words):
    section: Section = {"columns": {f"k{i}": Told(word, "why\nso") for i, word in enumerate(words)},
               "list": Told(words), "map": Told({word: word for word in words})}  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.yaml"
        path.write_text(as_yaml(section, ["a: b # c"]), encoding="utf-8")
        read = read_yaml(path)
    assert (read["list"], read["map"]) == (words, {word: word for word in words})
    assert list((read["columns"] or {}).values()) == words

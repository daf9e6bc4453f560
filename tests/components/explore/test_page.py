"""The data page in a real browser: drawn, quiet, harmless and true to the facts."""

import itertools
import json
import math
import re

import pytest

from components.explore import page
from components.explore.content import make_content
from components.explore.findings import findings
from components.explore.page_charts import page_charts
from schemas.words import Item
from tests.browser import browser
from tests.looks import DRAWN, check_fit, check_phone, check_print

EVIL = "<script>alert('x')</script> \"quoted\" & 'so' 😀 </title> ]]>"
FEATURE = {
    "feature": EVIL, "split": "train", "values": 1200, "distinct": 3, "unknown": 0.25,
    "common": EVIL,
}  # fmt: skip


@pytest.fixture(scope="module")
def tab():
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def facts(make_explored, drawn_ratings):
    """Facts of a source that has everything, with hostile titles and names."""
    users = {
        f"u{i}": {"gender": "FM"[i % 2], "age": ("18-24", "")[i % 2], "occupation": EVIL}
        for i in range(60)
    }
    explored = make_explored(
        drawn_ratings,
        users,
        dropped={"off_scale": 3},
        genres=[["A", EVIL][: 1 + i % 2] for i in range(40)],
        year=[1950 + i for i in range(40)],
        director=[f"Director {i % 7}" for i in range(40)],
        star=[EVIL] * 40,
        titles=[f"{EVIL} {i} with a title that is too long for any line" for i in range(40)],
    )
    made = make_content(explored, movie=7)
    sample = {"reason": "off_scale", "file": "r.csv", "line": 7, "text": EVIL}
    first = {"file": "m.csv", "line": 3, "text": EVIL}
    cell = {"column": f"movies.genres.{EVIL}", "reason": "unreadable_flag", "cells": 2, "of": 9}
    made["rows"] |= {
        "samples": [sample], "tables_dropped": {"duplicate_id": 2}, "findings": [EVIL],
        "cells": [cell | {"first": first}],
    }  # fmt: skip
    return made | {"features": [FEATURE]}


@pytest.fixture(scope="module")
def address(facts, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "index.html"
    path.write_text(page.render(facts, findings(facts), EVIL, "today"), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def shown(address, tab):
    tab.look()
    tab.open(address, DRAWN)
    return tab


def table(tab, label):
    """The cells of a table, row by row."""
    return tab.js(
        f"[...document.querySelectorAll('[aria-label=\"{label}\"] tbody tr')]"
        ".map(r => [...r.children].map(c => c.textContent.trim()))"
    )


def test_it_opens_from_a_file_with_no_request_and_no_complaint(address, shown):
    assert shown.requests() == [address]
    assert shown.complaints() == []


def test_every_chart_is_drawn_and_described(facts, shown):
    marks = shown.js(
        "[...document.querySelectorAll('.chart')].map(c => [c.id, c.getAttribute('aria-label'),"
        " c.querySelectorAll('svg path').length, c.getBoundingClientRect().width,"
        " c.querySelector('svg').getBoundingClientRect().height])"
    )
    assert {mark[0] for mark in marks} == set(page_charts(facts))
    for name, words, paths, width, height in marks:
        assert len(words) > 10 and paths > 2, name
        assert width > 200 and height > 80, name
    repeated = shown.js(
        "[...document.querySelectorAll('[id]')].map(e => e.id).filter(id => id !== 'charts')"
        ".filter((id, i, all) => all.indexOf(id) !== i)"
    )
    assert repeated == []


def test_features_of_one_value_are_named_as_the_source_names_them(facts, shown):
    note = shown.js("document.querySelector('#makers + .note').textContent")
    assert note.endswith("Of each director and star, those of the most movies are shown.")


def test_the_sentences_stand_with_their_splits(facts, shown):
    lines = shown.js("[...document.querySelectorAll('.words li')].map(l => l.textContent)")
    expected = [f"{s.text} ({', '.join(s.splits)})" for s in findings(facts)]
    assert lines == expected and len(lines) > 3


def test_the_tables_say_what_the_facts_say(facts, shown):
    rows = table(shown, "Splits")
    assert rows[0] == ["ratings", *(f"{s['ratings']:,}" for s in facts["splits"].values())]
    eval_new = facts["splits"]["eval"]["new_users"]
    assert rows[7] == ["ratings of users that train never saw", "", rows[7][2], f"{eval_new:.1%}"]
    best = table(shown, "The best")
    assert [row[3] for row in best] == [f"{m['shrunken']:.2f}" for m in facts["movies"]["best"]]
    ages = table(shown, "By age group")
    assert [row[0] for row in ages] == ["18-24", "unknown"]
    assert table(shown, "Dropped rows") == [["off scale", "3"]]
    assert table(shown, "Features")[0][1:5] == ["train", "1,200", "3", "25.0%"]


def test_hostile_texts_are_shown_and_do_nothing(shown):
    assert shown.js("document.querySelectorAll('script').length") == 3
    assert EVIL in shown.js("document.querySelector('h1').textContent")
    assert EVIL in shown.js("document.querySelector('h2#movie').textContent")
    links = shown.js("[...document.querySelectorAll('a')].map(a => a.getAttribute('href'))")
    assert links and all(link.startswith("#") for link in links)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_and_has_contrast(address, tab, width, dark):
    check_fit(tab, address, width, dark)


def test_it_prints_light_whatever_the_screen(address, tab):
    check_print(tab, address)


def test_headings_descend_and_every_section_is_linked(shown):
    levels = shown.js("[...document.querySelectorAll('h1,h2,h3')].map(h => Number(h.tagName[1]))")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(later <= before + 1 for before, later in itertools.pairwise(levels))
    linked = shown.js("[...document.querySelectorAll('nav a')].map(a => a.hash.slice(1))")
    assert linked == shown.js("[...document.querySelectorAll('h2')].map(h => h.id)")


def test_the_least_that_a_source_can_have_is_a_page_too(make_explored, tab, tmp_path):
    """No times, no groups, no features, no valid: what is not known is left out."""
    ratings = [("a", 0, 3.0, None, "train"), ("b", 1, 4.0, None, "eval")]
    facts = make_content(make_explored(ratings))
    path = tmp_path / "index.html"
    path.write_text(page.render(facts, findings(facts), "mine", "today"), encoding="utf-8")
    tab.look()
    tab.open(path.as_uri(), DRAWN)
    assert tab.complaints() == []
    linked = tab.js("[...document.querySelectorAll('nav a')].map(a => a.hash.slice(1))")
    assert linked == ["words", "splits", "ratings", "users", "movies", "quality"]
    assert linked == tab.js("[...document.querySelectorAll('h2')].map(h => h.id)")
    text = tab.js("document.body.innerText")
    assert "does not say who its users are" in text and "No rating row was dropped" in text


def test_a_source_without_ratings_is_a_page_too(make_explored, drawn_ratings, tab, tmp_path):
    """Whatever says how people rate is left out; how much, when and what is not."""
    seen = [(user, movie, math.nan, *rest) for user, movie, _, *rest in drawn_ratings]
    users = {f"u{i}": {"gender": "FM"[i % 2]} for i in range(60)}
    explored = make_explored(seen, users, scale=None, genres=[["A"]] * 40)
    facts = make_content(explored, movie=7)
    path = tmp_path / "index.html"
    path.write_text(page.render(facts, findings(facts), "mine", "today"), encoding="utf-8")
    tab.look()
    tab.open(path.as_uri(), DRAWN)
    assert tab.complaints() == []
    drawn = tab.js("[...document.querySelectorAll('.chart')].map(c => c.id)")
    assert {"activity", "popularity", "timeline", "most-rated", "amount-gender"} <= set(drawn)
    of_ratings = {"levels", "yearly", "scatter", "best", "worst", "levels-gender", "mean-genres"}
    assert not of_ratings & set(drawn)
    text = tab.js("document.body.innerText")
    assert "Nothing is rated" in text and "nan" not in text.lower().split()


def test_on_a_phone_it_is_no_longer_than_ten_screens(address, tab):
    check_phone(tab, address)


def test_the_page_calls_movies_what_the_source_calls_them(facts):
    """But for what the data hold: here a title, and the names of tables and columns."""
    game = Item("board game", "board games")
    told = page.render(facts, findings(facts, game), "own", "today", game)
    plain = re.sub(r"<(script|style).*?</\1>|<[^>]*>", " ", told, flags=re.S)
    assert not re.findall(r"[^<>\n]{0,40}\bmovies?\b(?!\.)[^<>\n]{0,40}", plain, re.I)
    assert "ratings of board games that train never saw" in plain
    for name, spec in page_charts(facts, game).items():
        titles = re.findall(r'"(?:title|description)": "([^"]*)"', json.dumps(spec))
        assert titles and not [text for text in titles if "movie" in text], name
    assert {row["of"] for row in _rows(page_charts(facts, game)["one-movie"])} == {
        "this board game", "all board games",
    }  # fmt: skip


def _rows(spec):
    (rows,) = spec.get("datasets", {"": spec["data"].get("values")}).values()
    return rows

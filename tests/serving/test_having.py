"""Lists limited to values of what the source calls a category: by REST, page and command line."""

import dataclasses

import httpx
import pytest

from components.exported.module import ExportedRecommender, save
from schemas.errors import UserError
from serving.requests import RecommendRequest
from serving.versions import choose
from tests.browser import browser
from tests.components.conftest import (  # noqa: F401 (fixtures)
    make_facts,
    make_lookup,
    make_model,
    make_window,
)

MOVIES = 60
COUNTRY = ["France", "Côte d'Ivoire", "a=b"]
DIRECTOR = [f"Director {number}" for number in range(30)]
VALUES = {
    "genres": [[b"Drama"] if i % 2 else [] for i in range(MOVIES)],
    "country": [[COUNTRY[i % 3].encode(), b"Japan"][: 1 + (i % 4 == 0)] for i in range(MOVIES)],
    "director": [[DIRECTOR[i % 30].encode()] for i in range(MOVIES)],
    "plot": [[b"word"]] * MOVIES,
}
KNOWN = "the categories are: country, director, genres."
SHOWN = "[...document.querySelectorAll('#movies .name')].map(own => own.firstChild.data).join()"
ASKED = "Number(document.querySelector('#movies').dataset.asked)"
INPUT = "document.querySelector('[data-category=director] input')"


@pytest.fixture(scope="module")
def models(make_facts, make_model, make_lookup, tmp_path_factory):  # noqa: F811
    facts = dataclasses.replace(
        make_facts(movies=MOVIES),
        values=VALUES,
        categories=("genres", "country", "director"),
        movie_titles=[b"Film %d" % i for i in range(MOVIES)],
    )
    folder = tmp_path_factory.mktemp("models")
    labels = {"director": "directed by"}
    module = ExportedRecommender(make_model(True, facts), make_lookup(facts), 20, labels=labels)
    save(module, str(folder / "1"))
    return folder


@pytest.fixture(scope="module")
def server(models, start):
    with start(models) as running:
        yield running


@pytest.fixture(scope="module")
def answers(models):
    return choose(models)


def _fitting(answers, **wishes):
    found = answers.recommend(RecommendRequest(k=MOVIES, **wishes))["movies"]
    return {int(movie["title"].split()[1]) for movie in found}


@pytest.mark.parametrize(
    "having",
    [
        {"country": ["Japan"]},
        {"country": ["France", "a=b"], "director": ["Director 2", "Director 3"]},
        {"director": ["Director 7"], "country": []},
        {"director": ["Director 0"], "country": ["a=b"]},
    ],
)
def test_a_list_has_any_value_of_each_category(answers, having):
    told = {name: {value.encode() for value in own} for name, own in having.items() if own}
    fits = {
        movie
        for movie in range(MOVIES)
        if all(own & {*VALUES[name][movie]} for name, own in told.items())
    }
    assert _fitting(answers, having=having) == fits
    assert _fitting(answers, having=having, genres=["Drama"]) == {own for own in fits if own % 2}


def test_people_who_ask_together_have_each_their_own(answers):
    wishes = [{"having": {"country": ["Japan"]}}, {}, {"having": {"director": ["Director 7"]}}]
    asked = [answers.prepare(RecommendRequest(k=MOVIES, **own)) for own in wishes]
    together = answers.recommend_many(asked)
    assert [len(own["movies"]) for own in together] == [15, MOVIES, 2]


@pytest.mark.parametrize(
    ("having", "sentence"),
    [
        ({"studio": ["A24"]}, f"There is no category 'studio'; {KNOWN}"),
        ({"plot": ["word"]}, f"There is no category 'plot'; {KNOWN}"),
        ({"country": ["Atlantis"]}, "No movie has country 'Atlantis'."),
    ],
)  # fmt: skip
def test_what_there_is_not_is_told(answers, having, sentence):
    with pytest.raises(UserError) as told:
        answers.prepare(RecommendRequest(having=having))
    assert str(told.value) == sentence


def test_about_tells_them_and_values_finds_more(server):
    categories = httpx.get(f"{server.url}/about").json()["categories"]
    assert [(own["name"], own["label"], own["total"]) for own in categories] == [
        ("country", "country", 4),
        ("director", "directed by", 30),
        ("genres", "genres", 1),
    ]
    assert categories[0]["values"][0] == "Côte d'Ivoire" and set(categories[1]["values"]) == {
        *DIRECTOR
    }
    found = httpx.get(f"{server.url}/values", params={"category": "director", "q": "OR 2", "k": 3})
    assert found.json() == {"values": ["Director 2", "Director 20", "Director 21"]}
    wrong = httpx.get(f"{server.url}/values", params={"category": "plot"})
    assert wrong.status_code == 400 and "There is no category 'plot'" in wrong.json()["error"]


def test_the_group_and_the_plain_signature_take_them(server, answers):
    limited = {"k": MOVIES, "having": {"director": ["Director 4"]}}
    movies = httpx.post(f"{server.url}/group", json={"people": [{}, {}], **limited}).json()
    assert {own["title"] for own in movies["movies"]} == {"Film 4", "Film 34"}
    plain = answers.model.call("recommend_filtered", k=[2], having=[["director=Director 4"]])
    assert {*plain["movie_title"][0]} == {b"Film 4", b"Film 34"}


def test_the_command_line_takes_them(models, greenlight):
    asking = ["recommend", "--load", "--model-dir", models, "--having"]
    status, out, _ = greenlight(*asking, "country=a=b", "director=Director 2")
    assert status == 0 and "Film 2 " in out and "Film 32 " in out and "Film 5 " not in out
    status, _, err = greenlight(*asking, "France")
    assert status == 2 and "--having takes a category and a value, NAME=VALUE" in err


def _next(page, action):
    before = page.js(ASKED)
    action()
    page.wait_for(f"{ASKED} > {before}")
    return page.js(SHOWN).split(",")


def test_the_page_marks_few_values_and_searches_many(server):
    with browser() as page:
        page.look(390)
        page.open(server.url, "document.querySelectorAll('#movies .name').length === 10")
        page.click("#filters summary")
        legends = "[...document.querySelectorAll('#categories legend, #categories .field')]"
        assert page.js(f"{legends}.map(own => own.firstChild.data)") == ["Country", "Directed by"]
        _next(page, lambda: page.click("[data-category=country] input[value=Japan]"))
        page.js(f"{INPUT}.focus()")
        page.type("director 1")
        page.wait_for("document.querySelectorAll('#of-director option').length === 10")
        page.type("2")
        page.wait_for("document.querySelectorAll('#of-director option').length === 1")
        assert _next(page, lambda: page.press("Enter")) == ["Film 12"]
        assert page.js("document.querySelector('.values button').ariaLabel") == "Remove Director 12"
        assert page.js("document.documentElement.scrollWidth <= innerWidth")
        assert len(_next(page, lambda: page.click(".values button"))) == 10
        assert page.complaints() == []

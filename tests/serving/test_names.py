"""What trains can be served: names of every kind, and one who rated much, through every door."""

import asyncio
import dataclasses
import json
import random
import sys
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import httpx
import numpy as np
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from typer.testing import CliRunner

from components.evaluation.reload.served import as_served
from components.evaluation.server.process import running
from components.evaluation.server.questions import Asked, first_fault
from components.exported.module import ExportedRecommender, save
from components.exported.stored import StoredUsers
from pipeline.cli import app, main
from schemas.features import SEPARATOR
from schemas.titles import Titles
from serving import friendly  # noqa: F401 (it registers the convertor)
from serving.batch import write_batch
from serving.commands import _history
from serving.versions import choose
from tests.browser import browser
from tests.components.conftest import (  # noqa: F401 (fixtures)
    make_facts,
    make_lookup,
    make_model,
    make_window,
)

MOVIES, REACH, HEAVY = 2_000, 100, 1_600
STRANGE = [
    "zoë", "Θίασος", "七人の侍", "أفلام", "עברית", "हिन्दी", "e\u0301", "🎬", "👩\u200d👧", "𐍈𐍉",
    "a/b", "/", "//", "a/history", "..", ".", "../..", "a b", " a", "a ", "\u3000a",
    "%", "%2F", "%252F", "100%", "a?b=c", "#", "a#b", "a&b", "a+b", "a=5", "=", "a;b", "a:b", "a,b",
    "a|b", 'say "a"', "it's", "`a`", "<b>", "</script>", "[red]", "[/a]", "{a}", "$(a)", "*",
    "a\\b", "~", "@a", "-a", "--user", "_", "(1999)", "A (1999)", "The", "a\nb", "a\r\nb", "a\tb",
    "a\0b", "a\0", "\x1b[31m", "\u202eabc", "\u200bab", "\ufeffa", "nan", "None", "1e3", "007", "7",
    "x" * 1_000, "é" * 500, "🎬" * 250, "/" * 1_000,
]  # fmt: skip


def _drawn(count):
    """Names of letters from all of Unicode, up to 1,000 bytes."""
    draw = random.Random(11)
    every = [*range(1, 0xD800), *range(0xE000, 0x110000)]
    planes = [range(1, 128), range(128, 0x3000), every]
    lengths = [1, 2, 5, 30, 250]
    return ["".join(chr(draw.choice(draw.choice(planes))) for _ in range(draw.choice(lengths)))
            for _ in range(count)]  # fmt: skip


NAMES = list(dict.fromkeys([*STRANGE, *_drawn(40)]))
GENRES = [name for name in NAMES if SEPARATOR not in name]
TITLES = NAMES[::-1]  # each is the id of another movie


@pytest.fixture(scope="module")
def folder(make_facts, make_model, make_lookup, tmp_path_factory):  # noqa: F811
    """Version 1: users, movies, titles and genres called so; the last user rated 1,600 movies."""
    plain = make_facts(movies=MOVIES, features=False)
    movies = [*NAMES, *(f"x{i}" for i in range(len(NAMES), MOVIES))]
    titles = [*TITLES, *(f"Film {i}" for i in range(len(NAMES), MOVIES))]
    users = [*NAMES, "heavy"]
    facts = dataclasses.replace(
        plain,
        movie_ids=[name.encode() for name in movies],
        movie_titles=[name.encode() for name in titles],
        user_ids=[name.encode() for name in users],
        keys={},
        values={"genres": [[name.encode()] for name in GENRES] + [[]] * (MOVIES - len(GENRES))},
    )
    rng = np.random.default_rng(4)
    counts = [3] * len(NAMES) + [HEAVY]
    events = np.concatenate([rng.permutation(MOVIES)[:count] for count in counts])
    stored = StoredUsers(
        facts.user_ids, np.zeros([len(users), 0], np.int32), np.cumsum([0, *counts]),
        events.astype(np.int32), rng.integers(1, 11, len(events)).astype(np.float32) / 2,
    )  # fmt: skip
    path = tmp_path_factory.mktemp("models")
    save(ExportedRecommender(make_model(True, facts), make_lookup(facts), REACH, stored),
         str(path / "1"))  # fmt: skip
    return SimpleNamespace(
        path=path,
        rated={
            user: {movies[row] for row in own}
            for user, own in zip(users, np.split(events, np.cumsum(counts)[:-1]), strict=True)
        },
    )


@pytest.fixture(scope="module")
def model(folder):
    return choose(folder.path).model


def _asked(folder, pairs):
    signatures = tf.saved_model.load(str(folder.path / "1")).signatures
    job: Any = SimpleNamespace(pairs=pairs, k=7)
    told = as_served(signatures, job)
    return Asked(told, folder.rated, NAMES, GENRES)


@pytest.fixture(scope="module")
def server(folder):
    with running(str(folder.path / "1")) as server:
        server.wait()
        yield server


def test_the_server_answers_as_the_graph_does_for_every_name(folder, server):
    asked = _asked(folder, [*zip(NAMES, NAMES, strict=True), ("heavy", "x1999")])
    assert first_fault(server, asked) is None
    apart = asked._replace(histories={**folder.rated, "zoë": {"x1"}})
    assert "for the user 'zoë'" in str(first_fault(server, apart))
    assert "'x'" in str(first_fault(server, asked._replace(pairs=[], titles=["x"])))


def test_the_server_lists_nothing_that_was_seen_unless_told_to(folder, server):
    def listed(path, **body):
        return {movie["movie_id"] for movie in server.post(path, {"k": 500, **body})["movies"]}

    seen = folder.rated["heavy"]
    assert len(listed("/recommend", user="heavy")) == MOVIES - HEAVY
    assert not listed("/recommend", user="heavy") & seen
    assert listed("/recommend", user="heavy", keep_seen=True) & seen
    people = [{"user": "heavy"}, {"user": "zoë"}]
    assert not listed("/group", people=people) & (seen | folder.rated["zoë"])


def test_the_page_shows_any_user(folder, server):
    shown = "[...document.querySelectorAll('#history li span:first-child')].map(s => s.textContent)"
    titles = dict(zip(NAMES, TITLES, strict=True))
    with browser() as page:
        page.open(server.url, "document.querySelectorAll('#movies .name').length === 10")
        page.click("#tab-user")
        for user in ("a/b", "..", "%2F", "أفلام"):
            page.js("document.querySelector('#user').focus()")
            page.js("document.querySelector('#user').select()")
            page.call("Input.insertText", text=user)
            page.wait_for(f"{shown}.length === 3")
            own = [titles.get(movie, f"Film {movie[1:]}") for movie in folder.rated[user]]
            assert sorted(page.js(shown)) == sorted(own)
            page.js("document.querySelector('#history').replaceChildren()")
        assert page.complaints() == []


def test_a_server_that_does_not_start_is_told_in_its_own_words(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"no model")
    with running(str(tmp_path)) as server:
        told = first_fault(server, Asked([], {}, [], []))
        assert "the server does not start: " in str(told)


def test_the_batch_holds_everyone_and_nothing_they_have_seen(folder, model, tmp_path):
    write_batch(model, model.users, 50, tmp_path / "all.parquet")
    table = pq.read_table(tmp_path / "all.parquet")
    found: dict[str, set[str]] = {}
    for row in table.select(["user_id", "movie_id"]).to_pylist():
        found.setdefault(row["user_id"], set()).add(row["movie_id"])
    assert found.keys() == folder.rated.keys()
    assert {*model.catalogue.ids} >= {*table["movie_id"].to_pylist()}
    for user, movies in found.items():
        assert len(movies) == 50 and not movies & folder.rated[user]


@pytest.mark.parametrize("signature", ["recommend", "recommend_filtered", "recommend_group"])
def test_no_signature_lists_what_was_seen(folder, model, signature):
    asked = {"user_id": ["heavy"], "history_movie_id": [[]], "history_rating": [[]], "k": [MOVIES]}
    if signature == "recommend_group":
        asked = {"user_id": [["heavy"]], "k": [MOVIES]}
    found = {*model.call(signature, **asked)["movie_id"][0].tolist()} - {b""}
    assert len(found) == MOVIES - HEAVY
    assert not {movie.decode() for movie in found} & folder.rated["heavy"]


def test_the_history_is_all_of_it(folder, model):
    found = model.call("history", user_id=["heavy", "zoë"])["movie_id"]
    for row, user in enumerate(("heavy", "zoë")):
        assert {movie.decode() for movie in found[row] if movie} == folder.rated[user]


@pytest.mark.parametrize("name", ["zoë", "[/a]", "\x1b[31m"])
@pytest.mark.usefixtures("loads_once")
def test_the_command_line_takes_and_shows_every_name(folder, name):
    where = ["--model-dir", str(folder.path)]
    for command in (
        ["recommend", "--user", name], ["recommend", f"--users={name}", "--users=-a"],
        ["recommend", f"--liked={name}"], ["rate", "--user", name, f"--movie={name}"],
        ["recommend", "--json", "--liked", name, "-k", "500"],
    ):  # fmt: skip
        done = CliRunner().invoke(app, [*command, *where])
        assert done.exit_code == 0, (command, done.output, done.exception)
        assert all(line.isprintable() for line in done.output.split("\n"))
    assert [movie["title"] for movie in json.loads(done.output)["history"]] == [
        dict(zip(NAMES, TITLES, strict=True))[name]
    ]


@pytest.mark.usefixtures("loads_once")
def test_a_title_that_is_close_steers_no_terminal(folder, monkeypatch, capsys):
    told = ["recommend", "--liked", "31mm", "--model-dir", str(folder.path)]
    monkeypatch.setattr(sys, "argv", ["greenlight", *told])
    with pytest.raises(SystemExit):
        main()
    said = capsys.readouterr().err
    assert "did you mean" in said and "\\x1b[31m" in said and "\x1b" not in said


def test_what_a_command_is_told_to_like_is_a_name_before_it_is_a_rating(model):
    movies = model.catalogue
    titles = Titles(movies.ids, movies.titles, movies.years, movies.ratings)
    answers: Any = SimpleNamespace(names=titles.names)
    assert _history(answers, ["a=5", "zoë=4", "="]) == [
        {"movie": "a=5"}, {"movie": "zoë", "rating": 4.0}, {"movie": "="},
    ]  # fmt: skip


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


@given(names.filter(lambda name: name not in (".", "..")))
def test_any_id_is_part_of_a_path(name):
    route = Route("/users/{user:any}/history", lambda r: JSONResponse(r.path_params["user"]))
    transport = httpx.ASGITransport(Starlette(routes=[route]))

    async def asked():
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            return await client.get(f"/users/{quote(name, safe='')}/history")

    assert asyncio.run(asked()).json() == name


@given(st.lists(names, min_size=1, max_size=6, unique=True), st.randoms())
def test_any_movie_is_found_by_its_id_and_its_title(ids, draw):
    titles = [draw.choice(ids) for _ in ids]
    unknown_years, counts = [0] * len(ids), np.arange(len(ids))
    found = Titles(ids, titles, unknown_years, counts)
    for row, movie in enumerate(ids):
        assert found.find(movie) == row
    fresh = Titles([f"id {row}" for row in range(len(ids))], titles, unknown_years, counts)
    for title in titles:
        assert titles[fresh.find(title)] == title

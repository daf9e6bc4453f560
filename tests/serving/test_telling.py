"""What a newcomer says of themselves on the page: a field for each feature that the model knows."""

import dataclasses

import httpx
import pytest

from components.examples.buckets import bucket_names
from components.exported.module import ExportedRecommender, save
from components.exported.stored import StoredUsers
from serving.versions import choose
from tests.browser import browser
from tests.components.conftest import (  # noqa: F401 (fixtures)
    make_facts,
    make_lookup,
    make_model,
    make_window,
)

FEATURES = {
    "age": [b"25-34", b"56+", b"under 18"],
    "fee": [name.encode() for name in bucket_names([2, 9.5, 14])],
    "region": [b"region %d" % number for number in range(60)],
}
LABELS = {"age": "age group", "fee": "monthly fee"}
RATED = "[...document.querySelectorAll('#movies .rated')].map(rating => rating.textContent).join()"
FIELD = "document.querySelector('[data-feature={}]')"
ASKED = "document.querySelector('#movies').dataset.asked"


@pytest.fixture(scope="module")
def models(make_facts, make_model, make_lookup, tmp_path_factory):  # noqa: F811
    facts = dataclasses.replace(
        make_facts(movies=40), user_features=FEATURES, numbers=("fee", "income")
    )
    folder = tmp_path_factory.mktemp("models")
    stored = StoredUsers.none(len(FEATURES))
    module = ExportedRecommender(
        make_model(True, facts), make_lookup(facts), 20, stored, [*FEATURES, "income"],
        labels=LABELS,
    )  # fmt: skip
    save(module, str(folder / "1"))
    return folder


@pytest.fixture(scope="module")
def server(models, start):
    with start(models) as running:
        yield running


def test_about_says_what_a_form_may_ask(server):
    about = httpx.get(f"{server.url}/about").json()
    assert about["user_features"] == [*FEATURES]
    assert about["asked"] == [
        {"name": "age", "label": "age group", "number": False,
         "values": ["25-34", "56+", "under 18"], "usual": None},
        {"name": "fee", "label": "monthly fee", "number": True, "values": [], "usual": [2, 14]},
        {"name": "region", "label": "region", "number": False,
         "values": [f"region {number}" for number in range(60)], "usual": None},
    ]  # fmt: skip


def test_only_what_the_model_knows_is_asked(light):
    assert [own.name for own in choose(light).model.asked] == ["gender"]


def _fill(page, name, value):
    before = int(page.js(ASKED))
    field = FIELD.format(name)
    page.js(f"{field}.value = {value!r};"
            f"{field}.dispatchEvent(new Event('input', {{bubbles: true}}))")  # fmt: skip
    page.wait_for(f"{ASKED} > {before}")
    return page.js(RATED)


def test_what_is_told_on_the_page_counts_and_outlives_a_reload(server):
    with browser() as page:
        page.look(390)
        page.open(server.url, "document.querySelectorAll('#movies .name').length === 10")
        assert not page.js("document.querySelector('#fields').checkVisibility()")
        page.click("#telling summary")
        names = "[...document.querySelectorAll('#fields label')].map(l => l.firstChild.data)"
        assert page.js(names) == ["Age group", "Monthly fee", "Region"]
        choices = f"[...{FIELD.format('age')}.options].map(option => option.textContent)"
        assert page.js(choices) == ["not told", "under 18", "25-34", "56+"]
        assert page.js(f"{FIELD.format('fee')}.placeholder") == "mostly 2 to 14"
        assert page.js(f"{FIELD.format('region')}.list.options.length") == 60
        shown = [page.js(RATED)]
        for name, value in (("fee", "12.5"), ("age", "56+"), ("region", "region 41")):
            shown.append(_fill(page, name, value))
        assert len(set(shown)) == 4  # each changes what the same movies are rated
        asked = {"age": "56+", "fee": 12.5, "region": "region 41"}
        told = httpx.post(f"{server.url}/recommend", json=asked).json()["movies"]
        assert shown[-1] == ",".join(f"★ {movie['rating']:.1f}" for movie in told)
        page.open(page.js("location.href"), f"{RATED} === {shown[-1]!r}")
        assert page.js("document.querySelector('#telling').open")
        assert page.js("document.documentElement.scrollWidth <= innerWidth")
        for name in asked:
            _fill(page, name, "")
        assert page.js(RATED) == shown[0]
        assert page.complaints() == []

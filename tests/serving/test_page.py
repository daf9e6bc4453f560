"""The page in a real browser: whole journeys, by keyboard, on a phone, in the dark."""

import json
import subprocess
from urllib.request import urlopen

import pytest

from tests.browser import browser
from tests.models import MIX
from tests.serving.test_examples import ADDRESS, BLOCKS

FIRST = "document.querySelector('#movies .name')?.firstChild.textContent"
SHOWN = "[...document.querySelectorAll('#movies .name')].map(name => name.firstChild.textContent)"
SOURCE = "document.querySelector('#source').textContent"
OPTIONS = "[...document.querySelectorAll('.options:not([hidden]) [role=option]')]"


@pytest.fixture(scope="module")
def tab():
    with browser() as opened:
        yield opened


@pytest.fixture
def page(tab, server):
    tab.look(1200)
    for _ in range(2):  # the second time without what another test chose
        tab.open(server.url, f"{SHOWN}.length === 10")
        tab.js("sessionStorage.clear()")
    yield tab
    _stayed_at(tab, server)


def _stayed_at(tab, server):
    """Nothing outside was asked for, and the console has no complaint."""
    assert tab.complaints() == []
    assert [url for url in tab.requests() if not url.startswith(server.url)] == []


def _after(page, action):
    """Does something and waits until the page has shown the recommendations it led to."""
    before = int(page.js("document.querySelector('#movies').dataset.asked"))
    action()
    page.wait_for(f"document.querySelector('#movies').dataset.asked > {before}")


def _add(page, person, typed):
    page.js(f"document.querySelector('[data-person=\"{person}\"] input').focus()")
    page.type(typed)
    page.wait_for(f"{OPTIONS}.length")
    page.wait_for(f"{OPTIONS}[0].textContent.toLowerCase().includes({typed.lower()!r})")
    _after(page, lambda: page.press("Enter"))


def test_a_newcomer_is_served_at_once_and_told_from_what(page):
    assert "what most people watch" in page.js(SOURCE)
    popular = page.js(SHOWN)
    _add(page, 0, "toy story")
    assert page.js(SOURCE) == "from the movies you named"
    liked = page.js(SHOWN)
    assert liked != popular and "Toy Story (1995)" not in liked
    _after(page, lambda: page.click(".stars button:first-child"))
    assert page.js("document.querySelector('.stars [aria-checked=true]').ariaLabel") == "1 star"
    assert page.js("document.querySelectorAll('.stars .on').length") == 1
    ratings = page.js("[...document.querySelectorAll('#movies .rated')].map(r => r.textContent)")
    assert len(ratings) == 10 and all(0.5 <= float(text[2:]) <= 5 for text in ratings)
    _after(page, lambda: page.click(".remove"))
    assert page.js(SHOWN) == popular


def test_everything_by_keyboard(page):
    page.press("Tab")
    assert page.js("document.activeElement.className") == "skip"
    page.press("Tab")
    assert page.js("document.activeElement.id") == "tab-me"
    page.press("Tab")
    page.type("jum")
    page.wait_for(f"{OPTIONS}.length")
    page.press("Escape")
    assert page.js("document.querySelector('.options').hidden")
    page.type("anji")
    page.wait_for(f"{OPTIONS}[0]?.textContent === 'Jumanji (1995)'")
    page.press("ArrowDown")
    page.press("ArrowUp")
    _after(page, lambda: page.press("Enter"))
    page.press("Tab")
    assert page.js("document.activeElement.ariaLabel") == "5 stars"
    _after(page, lambda: page.press("ArrowLeft"))
    assert page.js("document.activeElement.ariaLabel") == "4 stars"
    page.js("document.querySelector('#tab-me').focus()")
    _after(page, lambda: page.press("ArrowRight"))
    assert page.js("document.activeElement.id") == "tab-user"
    assert page.js("document.querySelector('#panel-me').hidden")


def test_a_known_users_history_stands_beside_the_recommendations(page):
    _after(page, lambda: page.click("#tab-user"))
    page.js("document.querySelector('#user').focus()")
    _after(page, lambda: page.type("7"))
    page.wait_for("document.querySelectorAll('#history li').length === 30")
    assert page.js(SOURCE) == "from what this user rated"
    seen = page.js("[...document.querySelectorAll('#history li span:first-child')]"
                   ".map(title => title.textContent)")  # fmt: skip
    assert not set(seen) & set(page.js(SHOWN))
    page.wait_for("document.querySelectorAll('#user-ids option').length")


def test_two_people_and_whose_taste_counts(page):
    _after(page, lambda: page.click("#tab-two"))
    _add(page, 1, "toy story")
    _add(page, 2, "heat")
    both = page.js(SHOWN)
    assert page.js("document.querySelectorAll('#movies small').length") == 10

    def slide(to):
        page.js(f"document.querySelector('#weight').value = {to};"
                "document.querySelector('#weight').dispatchEvent(new Event('input'))")  # fmt: skip

    _after(page, lambda: slide(0))
    assert page.js("document.querySelector('#weight-said').textContent") == "the one decides"
    one = page.js(SHOWN)
    _after(page, lambda: slide(100))
    assert len({tuple(both), tuple(one), tuple(page.js(SHOWN))}) == 3


def test_three_people_choose_together(page):
    _after(page, lambda: page.click("#tab-two"))
    _add(page, 1, "toy story")
    _add(page, 2, "heat")
    _after(page, lambda: page.click("#add-person"))
    _add(page, 3, "jumanji")
    each = page.js("document.querySelector('#movies small').textContent")
    assert each.count(" and ") == 2
    assert not page.js("document.querySelector('#weight').offsetParent")
    shown = page.js(SHOWN)
    page.open(page.js("location.href"), f"{SHOWN}.join() === {json.dumps(','.join(shown))}")
    assert page.js("document.querySelectorAll('.liked li').length") == 3


def test_a_reload_keeps_what_was_chosen(page):
    _add(page, 0, "toy story")
    _after(page, lambda: page.click(".stars button:nth-child(2)"))
    shown = page.js(SHOWN)
    page.open(page.js("location.href"), f"{SHOWN}.join() === {json.dumps(','.join(shown))}")
    assert page.js("document.querySelector('.liked .title').textContent") == "Toy Story (1995)"
    assert page.js("document.querySelector('.stars [aria-checked=true]').ariaLabel") == "2 stars"


def test_what_is_similar_and_where_nothing_fits(page):
    page.click(".similar")
    page.wait_for("document.querySelectorAll('.of-similar li').length === 5")
    page.click("#filters summary")
    page.js("document.querySelector('#year-from').focus()")
    _after(page, lambda: page.type("2030"))
    none = "document.querySelector('#movies .none')"
    assert page.js(f"{none}.textContent") == "No movie fits these filters."
    line = page.js(f"parseFloat(getComputedStyle({none}).lineHeight)")
    assert page.js(f"{none}.getClientRects()[0].height") < 2 * line + 24  # its padding


def test_the_order_is_the_one_that_the_training_chose_until_somebody_says_otherwise(page):
    assert page.js("wishes().mix") == MIX
    assert page.js("byId('mix').selectedOptions[0].textContent") == "between the two"
    page.js("orderBy(0)")  # as of a model that chose none
    assert page.js("wishes().mix") == MIX
    page.js("orderBy(1)")
    assert page.js("[wishes().mix, byId('mix').selectedIndex]") == [1, 2]


def test_filters_and_why(page):
    _add(page, 0, "toy story")
    page.click("#filters summary")
    _after(page, lambda: page.click("#genres input[value=Horror]"))
    lines = page.js("[...document.querySelectorAll('.genre-line')].map(line => line.textContent)")
    assert lines and all("Horror" in line for line in lines)
    page.js("document.querySelector('#year-from').focus()")
    _after(page, lambda: page.type("1995"))
    assert all(int(title[-5:-1]) >= 1995 for title in page.js(SHOWN))
    page.click(".why")
    page.wait_for("document.querySelector('.reasons')")
    assert page.js("document.querySelector('.why').ariaExpanded") == "true"
    page.click(".why")
    assert not page.js("document.querySelector('.reasons')")


def test_titles_are_text_never_markup(page):
    evil = '<img src=x onerror="document.title = 1">'
    found = page.js(
        f"(() => {{ const item = movieItem({{title: {evil!r}, genres: [{evil!r}], rating: 3}}, 0);"
        "document.body.append(item); return [item.querySelector('img'), item.textContent]; })()"
    )
    assert found[0] is None and evil in found[1]
    policy = page.js("fetch('/').then(r => r.headers.get('content-security-policy'))")
    assert policy.startswith("default-src 'self'")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_fits_a_phone_and_can_be_read(page, dark, tmp_path):
    page.look(390, 844, dark)
    _add(page, 0, "toy story")
    assert page.js("document.documentElement.scrollWidth <= innerWidth")
    small = page.js(
        "[...document.querySelectorAll('button, input:not([type=checkbox]), select, summary')]"
        ".filter(e => e.offsetParent && e.getBoundingClientRect().height < 32)"
        ".map(e => e.outerHTML)"
    )
    assert small == []
    assert page.js(CONTRAST) >= 4.5
    page.screenshot(tmp_path / "phone.png")
    assert (tmp_path / "phone.png").stat().st_size > 10_000


# The least contrast of text with its card, by WCAG 2.1's formula of relative luminance.
CONTRAST = """(() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map((c) => c / 255)
      .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const card = light(getComputedStyle(document.querySelector('#results')).backgroundColor);
  return Math.min(...['.name', '.genre-line', '.rated', '.why', '#source', '.lead'].map((place) => {
    const own = light(getComputedStyle(document.querySelector(place)).color);
    return (Math.max(own, card) + 0.05) / (Math.min(own, card) + 0.05);
  }));
})()"""


def test_the_interface_is_described_on_a_page_of_its_own(tab, server):
    with urlopen(f"{server.url}/openapi.json") as answer:
        paths = json.load(answer)["paths"]
    operations = sum(map(len, paths.values()))
    assert operations > 8
    shown = f"document.querySelectorAll('.operation').length === {operations}"
    tab.open(f"{server.url}/docs", shown)
    assert tab.js("document.body.textContent.includes('POST /recommend')")
    commands = tab.js("[...document.querySelectorAll('pre')].map(pre => pre.textContent)")
    assert len(commands) == operations
    for command in commands:
        fail = command.replace("curl ", "curl --fail-with-body -sS ", 1)
        subprocess.run(["bash", "-c", fail], capture_output=True, check=True)
    linked = tab.js("[...document.querySelectorAll('td a')].map(a => a.hash.slice(1))")
    assert {"Movie", "Rated", "Scored"} <= {*linked}
    assert tab.js(f"{json.dumps(linked)}.every(name => document.getElementById(name))")
    tab.look(390, 844)
    screens = tab.js("document.documentElement.scrollHeight / innerHeight")
    assert screens < 10 and tab.js("document.documentElement.scrollWidth <= innerWidth")
    tab.js("location.hash = '#Rated'")
    tab.wait_for("document.getElementById('Rated').offsetParent")
    _stayed_at(tab, server)


def test_the_javascript_of_the_docs_is_answered(page, server):
    script = BLOCKS["js"].replace(ADDRESS, server.url).replace("console.log(", "return [")
    head, _, last = script.rpartition(");")
    found = page.js(f"(async () => {{ {head}]{last} }})()")
    assert len(found[0]) == 5 and isinstance(found[1], float) and found[2] == "1"


def test_a_server_with_a_token_asks_for_it(start, light, tab):
    with start(light, GREENLIGHT_TOKEN="let me in") as guarded:
        tab.look(1200)
        tab.open(guarded.url, "!document.querySelector('#token').hidden")
        tab.js("document.querySelector('#token input').focus()")
        tab.type("let me in")
        tab.press("Enter")
        tab.wait_for(f"{SHOWN}.length === 10")
        assert tab.js("document.querySelector('#error').hidden")
        tab.open(f"{guarded.url}/docs", "document.querySelector('.operation')")
        assert "Authorization: Bearer TOKEN" in tab.js("document.body.textContent")

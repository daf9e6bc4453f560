"""The report's pages in a real browser: drawn, quiet, harmless and true to blessing.json."""

import itertools
import json
import re
from typing import Any

import pytest

from components.evaluation.verdicts import Outcome
from components.pages import html
from components.report import page, tables
from components.report.cross_charts import percent
from components.report.importance_charts import MATTERS, MISLEADS, UNCLEAR, ranked
from components.report.runs_page import NEWEST, render_history
from tests.browser import browser
from tests.components.report.conftest import EVIL, WHY
from tests.looks import DRAWN, check_fit, check_phone, check_print

RMSE = ("", "gate/baseline/rmse/overall")


@pytest.fixture(scope="module")
def tab():
    with browser() as found:
        yield found


@pytest.fixture(scope="module", params=[True, False], ids=["blessed", "refused"])
def made(request, make_blessing, make_evaluation, make_report_facts, tmp_path_factory):
    """blessing.json, the files of the report, and where they lie."""
    evaluation = make_evaluation([] if request.param else [RMSE], compared=request.param)
    content = make_blessing(evaluation, request.param)
    content["seconds"] = {"MovieTrainer": 12.3}
    content["lists"] = {"candidate": {name: [0.1, 0.05, 0.2] for name in tables.LIST_WORDS}}
    files = page.render(content, make_report_facts(evaluation))
    folder = tmp_path_factory.mktemp("page")
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return content, files, folder


@pytest.mark.parametrize("compared", [True, False])
def test_without_ratings_no_figure_on_them_is_left(
    make_blessing, make_evaluation, make_report_facts, tmp_path, tab, compared
):
    evaluation = make_evaluation(compared=compared, rated=False)
    content = make_blessing(evaluation, True, off={"rating": WHY})
    files = page.render(content, make_report_facts(evaluation, rated=False))
    place = tmp_path / "index.html"
    place.write_text(files["index.html"], encoding="utf-8")
    tab.events.clear()
    tab.look()
    tab.open(place.as_uri(), DRAWN)
    assert tab.complaints() == []
    charts = tab.js("[...document.querySelectorAll('.chart')].map(c => c.id)")
    assert {"hit-rate", "importance-lists", "slices-0"} <= set(charts)
    assert not {"calibration", "error", "ratings", "valid-rmse", "importance-ratings"} & set(charts)
    text = tab.js("document.body.innerText")
    assert f"The model retrieves alone, as {WHY}" in text
    assert text.count("not judged") >= 1 + compared
    for word in ("RMSE", "NaN", "None", "no number"):
        assert word not in text, word
    history = render_history([(content, "run-1/index.html")], {})
    assert "no number" not in history and ">none<" in history


@pytest.fixture
def shown(made, tab):
    """The page as opened from its file."""
    tab.events.clear()
    tab.look()
    tab.open((made[2] / "index.html").as_uri(), DRAWN)
    return tab


def test_it_opens_from_a_file_with_no_request_and_no_complaint(made, shown):
    assert shown.requests() == [(made[2] / "index.html").as_uri()]
    assert shown.complaints() == []
    assert (made[2] / "index.html").stat().st_size < 3_000_000


def test_every_chart_is_drawn_and_described(made, shown):
    marks = shown.js(
        "[...document.querySelectorAll('.chart')].map(c => [c.id, c.getAttribute('aria-label'),"
        " c.querySelectorAll('svg path').length, c.getBoundingClientRect().width,"
        " c.querySelector('svg').getBoundingClientRect().height])"
    )
    ids = [mark[0] for mark in marks]
    assert len(ids) == len(set(ids)) >= 10
    assert {"hit-rate", "calibration", "error", "loss", "ratings", "slices-0", "map-genre",
            "importance-lists", "importance-ratings", "crosses-candidate", "crosses-query",
            "crosses-rating"} <= set(ids)  # fmt: skip
    for name, words, paths, width, height in marks:
        assert len(words) > 10 and paths > 5, name
        assert width > 200 and height > 80, name


def test_verdict_and_gates_are_those_of_blessing_json(made, shown):
    content = made[0]
    verdict = shown.js("document.querySelector('#verdict').innerText")
    assert ("Not blessed" in verdict) != content["blessed"]
    header = shown.js("document.querySelector('header').innerText")
    for one in content["summary"]:
        assert one["sentence"] in header
    for failure in content["failures"]:
        assert failure["sentence"] in verdict
        assert f"Next: {failure['next'].replace('`', '')}" in verdict
    assert "rmse" not in header and "interval" not in header
    figures = shown.js("document.querySelector('header details').textContent")
    for reason in content["reasons"]:
        assert reason in figures
    top = shown.js("document.querySelector('#verdict').getBoundingClientRect().top")
    assert top < 120
    rows = shown.js(
        "[...document.querySelectorAll('table.gates tbody tr')].map(r => [...r.children]"
        ".map(c => c.textContent.trim()))"
    )
    expected = [
        list(tables.gate_cells(Outcome.from_json(gate)).values()) for gate in content["gates"]
    ]
    assert rows == [[*cells, verdict + why] for *cells, verdict, why in expected]
    for cells, gate in zip(rows, content["gates"], strict=True):
        assert cells[5] == ("passed" if gate["passed"] else "failed")
        assert cells[2] == f"{gate['value']:+.4f}"


def test_hostile_texts_are_shown_and_do_nothing(made, shown):
    assert shown.js("document.querySelectorAll('script').length") == 3
    assert shown.js("document.title").count("run-1") == 1
    people = shown.js("document.querySelector('.person').innerText")
    assert "<script>alert('x')</script> \"quoted\" & 'so' 😀 </title>" in people
    lists = shown.js("[...document.querySelectorAll('.person ol')].map(l => l.innerText)")
    assert len(lists) == 3 and lists[1] == lists[2]  # of the second person, both orders
    links = shown.js("[...document.querySelectorAll('a')].map(a => a.getAttribute('href'))")
    assert all(link.startswith("#") for link in links)


def test_a_movie_of_the_map_tells_its_title_as_text(shown):
    x, y = shown.js(
        "(() => {"
        " const d = document.querySelectorAll('#map-decade .mark-symbol.role-mark path')[1];"
        " d.scrollIntoView({block: 'center'}); const r = d.getBoundingClientRect();"
        " return [r.x + r.width / 2, r.y + r.height / 2] })()"
    )
    shown.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    shown.wait_for("document.querySelector('#vg-tooltip-element.visible')")
    told = shown.js("document.querySelector('#vg-tooltip-element').innerText")
    assert "<script>alert('x')</script>" in told and "War" in told and "1999" in told
    nearest = shown.js("document.querySelector('[aria-label=\"Nearest movies\"] td').innerText")
    assert nearest.startswith("<script>alert('x')</script>") and nearest.endswith("War")


def test_groups_of_inputs_are_ranked_by_what_they_are_worth(made, shown):
    def texts(selector):
        found = shown.js(
            f"[...document.querySelectorAll('{selector}')].map(t => t.textContent.trim())"
        )
        return [text.removesuffix("…") for text in found]

    evil = json.loads(made[1]["facts.json"])["importance"]["groups"][2]["group"]
    best_first = ["history", "genres", "user id", evil]
    for name, expected in (("lists", best_first), ("ratings", best_first[::-1])):
        labels = texts(f"#importance-{name} .role-axis-label text")
        drawn = [group for label in labels for group in expected if group.startswith(label)]
        assert drawn == expected
    table = '[aria-label="What matters to the model"] tbody'
    assert texts(f"{table} th") == best_first
    assert texts(f"{table} tr:first-child td") == [
        "0.0800 (0.0784 to 0.0818)", "0.0400 (0.0384 to 0.0418)", "-0.0600 (-0.0616 to -0.0582)",
    ]  # fmt: skip
    assert texts(f"{table} tr:nth-child(3) td")[0] == "0.0000 (-0.0016 to 0.0018)"
    words = shown.js("document.querySelector('#importance-lists').getAttribute('aria-label')")
    assert words.index("history 0.0800 (0.0784 to 0.0818)") < words.index("genres 0.0021")


def test_only_what_clearly_matters_has_the_colour_of_what_matters(made):
    importance = json.loads(made[1]["facts.json"])["importance"]
    verdicts = {row["label"]: row["verdict"] for row in ranked(importance, "ndcg")}
    assert list(verdicts.values()) == [MATTERS, MATTERS, UNCLEAR, MISLEADS]
    assert list(verdicts)[:3] == ["history", "genres", "user id"]


def test_a_report_of_a_run_that_measured_no_inputs_has_no_word_on_them(
    make_blessing, make_evaluation, make_report_facts
):
    evaluation = make_evaluation()
    facts, content = make_report_facts(evaluation), make_blessing(evaluation, True)
    del facts["importance"]
    without: dict[str, Any]
    for without in ({}, {"importance": {}}):
        text = page.render(content, facts | without)["index.html"]
        assert "What matters to it" not in text and 'id="importance-' not in text


def test_every_pair_has_its_square_and_its_number(made, shown):
    crosses = json.loads(made[1]["facts.json"])["crosses"]
    for name, found in crosses.items():
        numbers = shown.js(
            f"[...document.querySelectorAll('#crosses-{name} .mark-text.role-mark text')]"
            ".map(t => t.textContent)"
        )
        count = len(found["parts"])
        expected = [percent(found["strength"][i][j]) for i in range(count) for j in range(i + 1)]
        assert sorted(numbers) == sorted(expected)
        squares = shown.js(
            f"[...document.querySelectorAll('#crosses-{name} .mark-rect.role-mark path')]"
            ".map(p => Number(p.getAttribute('opacity')))"
        )
        assert len(squares) == len(expected) and 0 < min(squares) <= max(squares) <= 0.5


def test_the_numbers_of_pairs_do_not_touch_on_a_phone(made, tab):
    tab.look(360)
    tab.open((made[2] / "index.html").as_uri(), DRAWN)
    boxes = tab.js(
        "[...document.querySelectorAll('#crosses-rating .mark-text.role-mark text')]"
        ".map(t => t.getBoundingClientRect()).map(r => [r.y, r.x, r.right])"
    )
    rows = itertools.groupby(sorted(boxes), key=lambda box: round(box[0]))
    for _, row in rows:
        for (_, _, end), (_, start, _) in itertools.pairwise(row):
            assert start > end


def test_a_report_without_crosses_has_no_word_on_them(
    make_blessing, make_evaluation, make_report_facts
):
    evaluation = make_evaluation()
    facts, content = make_report_facts(evaluation), make_blessing(evaluation, True)
    del facts["crosses"]
    without: dict[str, Any]
    for without in ({}, {"crosses": {}}):
        text = page.render(content, facts | without)["index.html"]
        assert "Pairs of features" not in text and 'id="crosses-' not in text


@pytest.mark.parametrize("without", [{}, {"learned": None}], ids=["older facts", "no vectors"])
def test_a_report_without_vectors_says_so(
    make_blessing, make_evaluation, make_report_facts, without
):
    evaluation = make_evaluation()
    facts = make_report_facts(evaluation)
    del facts["learned"]
    text = page.render(make_blessing(evaluation, True), facts | without)["index.html"]
    assert "No vectors of movies could be read" in text and 'id="map-genre"' not in text


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_and_has_contrast(made, tab, width, dark):
    check_fit(tab, (made[2] / "index.html").as_uri(), width, dark)


def test_it_prints_light_whatever_the_screen(made, tab):
    check_print(tab, (made[2] / "index.html").as_uri())


def test_headings_descend_and_every_section_is_linked(shown):
    levels = shown.js("[...document.querySelectorAll('h1,h2,h3')].map(h => Number(h.tagName[1]))")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(later <= before + 1 for before, later in itertools.pairwise(levels))
    assert shown.js(
        "[...document.querySelectorAll('nav a')].every(a => document.querySelector(a.hash))"
    )
    tables = shown.js(
        "[...document.querySelectorAll('table')].every(t => t.querySelector('th[scope]'))"
    )
    assert tables and shown.js("document.documentElement.lang") == "en"


def test_the_markdown_says_the_same_and_nothing_in_it_is_markup(made):
    content, files, _ = made
    text = files["report.md"]
    assert text.startswith(f"# {page.headline(content)}\n")
    told = [one["sentence"] for one in content["summary"]]
    told += [text for one in content["failures"] for text in (one["sentence"], one["next"])]
    for sentence in (*content["reasons"], *told):
        assert html.markdown(sentence) in text
    rows = [line for line in text.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == len(content["gates"])
    assert not re.search(r"(?<!\\)<", text)


def test_json_in_a_script_cannot_end_it():
    hostile = {"title": "</script><!-- <script>&", "line": "\u2028"}
    text = html.script_json(hostile)
    assert "<" not in text and ">" not in text and "&" not in text
    assert json.loads(text) == hostile


def test_nothing_evaluated_is_a_page_too(make_blessing, make_report_facts, tab, tmp_path):
    from components.report.evaluator_output import Evaluation

    nothing = Evaluation({}, None, frozenset())
    content = make_blessing(nothing, False)
    facts = make_report_facts(nothing) | {"people": []}
    (tmp_path / "index.html").write_text(page.render(content, facts)["index.html"], "utf-8")
    tab.events.clear()
    tab.open((tmp_path / "index.html").as_uri(), DRAWN)
    assert tab.complaints() == []
    words = tab.js("document.body.innerText")
    assert "no rating of the eval split was evaluated" in words
    assert not tab.js("!!document.querySelector('#slices')")


def test_one_page_over_all_runs(make_blessing, make_evaluation, tab, tmp_path):
    runs = []
    for i in range(4):
        content = make_blessing(make_evaluation([RMSE] if i % 2 else []), not i % 2)
        content |= {"run_id": f"2026-{i}", "pushed_version": None if i % 2 else f"17{i}"}
        content["config"] |= {"training": {"seed": i // 2, "note": EVIL}}
        runs.append((content, f"2026-{i}/index.html"))
    states = {"170": "rolled back", "172": "in service"}
    (tmp_path / "history.html").write_text(render_history(runs, states), "utf-8")
    tab.events.clear()
    tab.look()
    tab.open((tmp_path / "history.html").as_uri(), DRAWN)
    assert tab.complaints() == [] and len(tab.requests()) == 1
    links = tab.js("[...document.querySelectorAll('td a, th a')].map(a => a.getAttribute('href'))")
    assert links == [f"2026-{i}/index.html" for i in (3, 2, 1, 0)]
    assert tab.js("document.querySelector('h1').textContent") == "4 runs, 2 blessed"
    assert tab.js("document.querySelectorAll('.chart svg').length") == 2
    rows = tab.js("[...document.querySelectorAll('[aria-label=Runs] tbody tr')].map(r => [2, 6]"
                  ".map(place => r.children[place].innerText.trim()))")  # fmt: skip
    assert rows == [
        ["none", "no setting changed"], ["172, in service", "training.seed: 0 → 1"],
        ["none", "no setting changed"], ["170, rolled back", "the first run"],
    ]  # fmt: skip


def test_the_axes_of_the_runs_have_numbers_that_tell_them_apart(
    make_blessing, make_evaluation, tab, tmp_path
):
    runs = []
    for i in range(3):
        close = {"rmse": 0.742 + i * 1e-4, "rmse/low": 0.70, "rmse/high": 0.78}
        runs.append((make_blessing(make_evaluation(**close), True) | {"run_id": f"r{i}"}, "page"))
    tab.events.clear()
    tab.look()
    (tmp_path / "history.html").write_text(render_history(runs, {}), "utf-8")
    tab.open((tmp_path / "history.html").as_uri(), DRAWN)
    labels = tab.js("[...document.querySelectorAll('#rmse .role-axis-label text')]"
                    ".map(t => t.textContent).filter(text => !text.startsWith('r'))")  # fmt: skip
    assert len(set(labels)) == len(labels) >= 3
    assert all(re.fullmatch(r"0\.\d{1,3}", label) for label in labels)
    whiskers = tab.js("document.querySelectorAll('#rmse .mark-rule.role-mark line').length")
    assert whiskers == 3


def test_any_two_runs_stand_side_by_side(make_blessing, make_evaluation, tab, tmp_path):
    runs = []
    for i in range(3):
        content = make_blessing(make_evaluation(**{"hit_rate@10": 0.1 + 0.02 * i}), True)
        content |= {"run_id": f"r{i}"}
        content["config"] |= {"training": {"seed": i}, "source": f"{EVIL}{i}"}
        runs.append((content, "page"))
    (tmp_path / "history.html").write_text(render_history(runs, {}), "utf-8")
    tab.events.clear()
    tab.open((tmp_path / "history.html").as_uri(), DRAWN)
    tab.js("(() => { const s = document.querySelector('#left'); s.value = '0';"
           " s.dispatchEvent(new Event('change')) })()")  # fmt: skip
    rows = tab.js(
        "[...document.querySelectorAll('#compared tbody tr')]"
        ".map(r => [...r.children].map(c => c.textContent))"
    )
    lines = {name: cells for name, *cells in rows}
    assert lines["training.seed"] == ["0", "2", "changed"]
    assert lines["source"] == [json.dumps(f"{EVIL}{i}", ensure_ascii=False) for i in (0, 2)] + [
        "changed"
    ]
    assert lines["hit_rate@10"][2] == "+0.0400" and lines["rmse"][2] == "+0.0000"
    assert lines["hit_rate@10"][0].startswith("0.1000 (0.1")
    assert "split.kind" not in lines and tab.complaints() == []


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_over_all_runs_fits(make_blessing, make_evaluation, tab, tmp_path, width):
    runs = [(make_blessing(make_evaluation(), True) | {"run_id": f"2026112{i}-021500"}, "page")
            for i in range(2)]  # fmt: skip
    (tmp_path / "history.html").write_text(render_history(runs, {}), "utf-8")
    check_fit(tab, (tmp_path / "history.html").as_uri(), width, dark=width < 600)


def test_on_a_phone_many_runs_are_no_longer_than_ten_screens(
    make_blessing, make_evaluation, tab, tmp_path
):
    runs = [(make_blessing(make_evaluation(), True) | {"run_id": f"202611{i:02d}-021500"}, "page")
            for i in range(NEWEST + 18)]  # fmt: skip
    (tmp_path / "history.html").write_text(render_history(runs, {}), "utf-8")
    check_phone(tab, (tmp_path / "history.html").as_uri())
    shown = "[...document.querySelectorAll('th.run')].filter(cell => cell.checkVisibility()).length"
    tab.js("document.querySelectorAll('details.fold').forEach(one => { one.open = true; })")
    assert tab.js(shown) == NEWEST
    tab.js("[...document.querySelectorAll('summary')].at(-1).click()")
    assert tab.js(shown) == NEWEST + 18
    assert tab.js("document.querySelector('.why:last-child').innerText") == "no setting changed"
    assert tab.js("[...document.querySelectorAll('th.run ~ .why')].at(-1).innerText") == (
        "the first run"
    )


def test_the_header_says_when_the_run_was_and_what_was_pushed(
    make_blessing, make_evaluation, make_report_facts
):
    evaluation = make_evaluation()
    content, facts = make_blessing(evaluation, True), make_report_facts(evaluation)
    assert "pushed as version" not in page.render(content, facts)["index.html"]
    content |= {"made": "2026-11-27T02:17:59Z", "pushed_version": "1795750082"}
    for name in ("index.html", "report.md"):
        text = page.render(content, facts)[name]
        assert "2026-11-27 02:17 UTC" in text and "pushed as version 1795750082" in text
    del content["made"]
    assert page.ended(content | {"run_id": "20261126-235901-1"}) == "2026-11-26 23:59 UTC"
    assert page.ended(content) == ""


def test_on_a_phone_it_is_no_longer_than_ten_screens(made, tab):
    check_phone(tab, (made[2] / "index.html").as_uri())
    assert check_phone(tab, (made[2] / "index.html").as_uri(), height=400) > 3

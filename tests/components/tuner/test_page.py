"""The page of a search: what its figures say, and how it looks in a real browser."""

from typing import Any

import numpy as np
import pytest

from components.tuner.effects import effects, relative
from components.tuner.page import pareto, render_trials
from tests.browser import browser
from tests.looks import DRAWN, check_fit, check_phone

SPACE = {
    "model.dims": [32, 64, 128],
    "model.towers": ["history", "ids"],
    "model.dropout": {"low": 0.0, "high": 0.5, "scale": "linear"},
    "training.learning_rate": {"low": 0.001, "high": 0.01, "scale": "log"},
}
OWN = {"model.dims": 64, "model.towers": "history", "model.dropout": 0.2,
       "training.learning_rate": 0.003}  # fmt: skip


def _trial(number, values, rung, score, goes_on_from=None, **figures):
    found = {"ndcg": 0.2, "hit_rate@10": 0.08, "rmse": 0.8, "epochs": float(rung), "seconds": 9.5,
             "cut": 0.0}  # fmt: skip
    return {
        "trial": number, "status": "COMPLETED", "values": values, "rung": rung,
        "goes_on_from": goes_on_from, "message": [], "score": score, **found, **figures,
    }  # fmt: skip


def _search(trials=30):
    """Trials in which only the dropout matters, and a long training most of all."""
    rng = np.random.default_rng(4)
    rows = [_trial(1, OWN, 3, -0.31)]
    for number in range(2, trials + 1):
        values: dict[str, Any] = {
            "model.dims": int(rng.choice([32, 64, 128])), "model.towers": "history",
            "model.dropout": round(float(rng.uniform(0, 0.5)), 3),
            "training.learning_rate": float(f"{0.001 * 10 ** rng.uniform(0, 1):.3g}"),
        }  # fmt: skip
        rung = 3 if number % 3 else 8
        score = -0.3 - 0.1 * values["model.dropout"] + 0.05 * (rung == 8) + rng.normal(0, 0.002)
        rows.append(_trial(number, values, rung, score, ndcg=0.2 + score / 10, rmse=0.8 - score))
    failed = {"trial": trials + 1, "status": "FAILED", "values": OWN, "rung": 8,
              "goes_on_from": None, "message": ["ValueError: <b>no</b> memory"]}  # fmt: skip
    best = max(rows, key=lambda row: row["score"])["trial"]
    return {
        "algorithm": "hyperband", "space": SPACE, "mix": 0.5, "trials": [*rows, failed],
        "minutes": 30.0, "seed": 42, "ended": "trials", "seconds": 900.0, "best": best,
        "own": OWN,
    }  # fmt: skip


def test_without_ratings_the_page_is_of_lists_alone():
    found = _search()
    for row in found["trials"]:
        row.pop("rmse", None)
    text = render_trials(found)
    body = text[text.index("<main") : text.index("</main>")]
    assert "RMSE" not in body and "There are no ratings to predict" in text
    assert 'id="coordinates"' in body and 'id="pareto"' not in body


def test_each_configuration_counts_once_and_against_those_of_as_many_epochs():
    rows = [
        _trial(1, {"a": 1}, 3, -0.4), _trial(2, {"a": 2}, 3, -0.2),
        _trial(3, {"a": 2}, 8, -0.1, goes_on_from=2),
        _trial(4, {"a": 3}, 8, -0.1), _trial(5, {"a": 4}, 8, -0.2),
        _trial(7, {"a": 9}, 8, -0.9, cut=1.0),
        _trial(6, {"a": 5}, 2, -0.5),  # alone on its rung: nothing to hold it against
    ]  # fmt: skip
    values, scores = zip(*relative(rows), strict=True)
    assert [one["a"] for one in values] == [1, 2, 3, 4]
    np.testing.assert_allclose(scores, [-0.1, 0.1, 0.05, -0.05], atol=1e-12)


def test_what_mattered_is_found_and_what_did_not_is_not():
    found = {row["label"]: row for row in effects(SPACE, _search(60)["trials"][:-1])}
    dropout = [row for label, row in found.items() if label.startswith("dropout")]
    assert [row["verdict"] for row in dropout] == ["better", "no clear difference", "worse"]
    assert all("learning_rate" not in label or row["verdict"] == "no clear difference"
               for label, row in found.items())  # fmt: skip
    assert "towers = ids" not in found  # nobody tried it
    assert sum(row["n"] for row in dropout) == 60


def test_intervals_are_student_s():
    rows = [_trial(i, {"a": 1}, 3, score) for i, score in enumerate([-0.1, -0.2, -0.6])]
    rows += [_trial(9, {"a": 2}, 3, -0.3)]
    (row,) = effects({"a": [1, 2]}, rows)
    values = np.array([-0.1, -0.2, -0.6]) + 0.3
    assert row["value"] == pytest.approx(values.mean())
    # The 97.5th percentile of t with two degrees of freedom, from a table.
    half = 4.303 * values.std(ddof=1) / 3**0.5
    assert (row["low"], row["high"]) == pytest.approx(
        (values.mean() - half, values.mean() + half), abs=1e-4
    )


def test_the_front_holds_those_that_no_other_beats_in_both():
    points = [(0.20, 0.80), (0.21, 0.85), (0.19, 0.82), (0.22, 0.90), (0.20, 0.79), (0.15, 0.70)]
    rows = [_trial(i, OWN, 3, 0.0, ndcg=n, rmse=r) for i, (n, r) in enumerate(points)]
    assert pareto(rows) == [3, 1, 4, 5]


@pytest.fixture(scope="module")
def tab():
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("tuning") / "index.html"
    path.write_text(render_trials(_search()), encoding="utf-8")
    return path


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_fits_has_contrast_and_asks_for_nothing(page, tab, width, dark):
    tab.events.clear()
    check_fit(tab, page.as_uri(), width, dark)
    assert tab.requests() == [page.as_uri()] and tab.complaints() == []
    assert tab.js("[...document.querySelectorAll('.chart')].map(c => c.id)") == [
        "coordinates", "effects", "pareto",
    ]  # fmt: skip
    ids = tab.js("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))


def test_every_trial_is_a_line_and_a_point(page, tab):
    tab.look()
    tab.open(page.as_uri(), DRAWN)
    lines = "document.querySelectorAll('#coordinates .mark-line path').length"
    points = "document.querySelectorAll('#pareto .mark-symbol.role-mark path').length"
    assert tab.js(lines) == 30
    assert tab.js(points) == 30
    labels = tab.js("document.querySelector('#coordinates svg').textContent")
    for text in ("model.dims", "128", "history", "ids", "0.001", "0.5"):
        assert text in labels
    words = tab.js("document.body.innerText")
    assert "<b>no</b> memory" in words and "1 trial failed: 31" in words
    assert "Your own settings scored -0.3100 after 3 epochs." in words


def test_a_search_of_one_trial_is_a_page_too(tab, tmp_path):
    found = _search(1)
    (tmp_path / "index.html").write_text(render_trials(found), encoding="utf-8")
    tab.events.clear()
    tab.open((tmp_path / "index.html").as_uri(), DRAWN)
    assert tab.complaints() == []
    assert "Too few trials to tell." in tab.js("document.body.innerText")


def test_on_a_phone_it_is_no_longer_than_ten_screens(page, tab):
    check_phone(tab, page.as_uri())

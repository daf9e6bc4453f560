"""Gates on one axis, and what lists show and change, from the numbers of blessing.json."""

import pytest

from components.evaluation.verdicts import Outcome
from components.report import tables
from components.report.exposure_charts import (
    change_table,
    change_words,
    drawn_exposure,
    exposure_words,
)
from components.report.gate_charts import drawn_gates, lifts
from components.report.gather import word
from components.report.movie_maps import drawn_maps
from schemas.words import Item


@pytest.fixture(scope="module")
def content(make_blessing, make_evaluation, gates):
    config = gates.model_copy(update={"bounds": {"rmse": 0.5, "coverage": 0.1}})
    return make_blessing(make_evaluation(compared=True), True, config=config)


def _rows(content):
    outcomes = [Outcome.from_json(row) for row in content["gates"]]
    return {row["label"]: row for row in lifts(outcomes, content["baselines"])}


def test_lifts_are_parts_of_what_a_gate_is_compared_with(content):
    rows = _rows(content)
    told = {(g["kind"], g["metric"], g["slice"]): g for g in content["gates"]}
    base, metrics = content["baselines"], content["metrics"]["overall"]
    gain = told["baseline", "rmse", "overall"]
    row = rows["rmse v. bias"]
    assert row["value"] == pytest.approx(gain["value"] / base["bias"]["overall"]["rmse"])
    assert row["against"] == "bias" and row["low"] < row["value"] < row["high"]
    bound = rows["bound on rmse v. bias"]
    own, other = metrics["rmse"], base["bias"]["overall"]["rmse"]
    assert bound["value"] == pytest.approx((other - own) / other)
    assert bound["bound"] == pytest.approx((other - 0.5) / other)
    change = told["blessed", "rmse", "overall"]
    row = rows["rmse v. blessed model"]
    assert row["value"] == pytest.approx(-change["value"] / base["blessed"]["overall"]["rmse"])
    assert row["bound"] < 0 < row["value"]  # a tolerance is for the worse, this change the better
    assert not any("coverage" in label for label in rows)


def test_overall_gates_stand_first_and_are_told_in_words(content):
    outcomes = [Outcome.from_json(row) for row in content["gates"]]
    slices = [row["slice"] for row in lifts(outcomes, content["baselines"])]
    assert slices == sorted(slices, key=lambda name: name != "overall")
    assert "is the bound" in drawn_gates(content)["gate-lifts"]["description"]
    none = {**content, "gates": [row for row in content["gates"] if row["kind"] == "sanity"]}
    assert drawn_gates(none) == {}


EXPOSURE = {"candidate": [0.1, 0.6, *[0.0] * 8, 0.3], "history": [0.0, 0.2, *[0.1] * 8, 0.0]}


def test_exposure_says_what_the_most_rated_have():
    words = exposure_words(EXPOSURE)
    assert "has 60% of the places" in words and "20% of what the same people" in words
    assert "have 30% and 80%, and movies that train has no rating of 10% and 0%" in words
    assert set(drawn_exposure(EXPOSURE)) == {"exposure"} and drawn_exposure({}) == {}


def test_changes_name_the_slices_that_are_sure():
    row = {"verdict": "better", "judged": True}
    slices = {"rmse": [{**row, "label": "overall"}, {**row, "label": "genre=War"},
                       {**row, "label": "genre=Film", "judged": False},
                       {**row, "label": "genre=Noir", "verdict": "worse"}],
              "hit_rate@10": []}  # fmt: skip
    change = {"group": "overall", "people": 1200, "new": 0.25, "found": 3, "lost": 1}
    first, by_error, by_hits = change_words([change], slices)
    assert "1,200 people 25% is new" in first and "3 were found" in first and "1 was lost" in first
    assert "better in genre=War, and worse in genre=Noir, not by chance" in by_error
    assert "no slice" in by_hits
    assert change_table([change]) == [{"group": "overall", "cells": ["1,200", "25%", "3", "1"]}]
    assert change_words([], slices) == []
    many = [{**row, "label": f"decade={year}0s"} for year in range(190, 200)]
    assert "decade=1950s and 4 more, not" in change_words([change], {"rmse": many})[1]


def test_what_is_shown_of_gates_and_maps_has_the_sources_word(content):
    """Names of gates in blessing.json stay: settings and programs know them."""
    game = Item("board game", "board games")
    names = {tables.gate_cells(Outcome.from_json(row), game)["name"] for row in content["gates"]}
    assert "beats user+board game bias" in names
    assert not [name for name in names if "movie" in name]
    learned = {"movies": [{"title": "Go", "genres": ["War"], "year": 1990, "x": 0.0, "y": 1.0}]}
    assert "1 board games by their" in drawn_maps(learned, game)["map-genre"]["description"]
    told = {"summary": [], "failures": [], "notes": ["a movie"], "reasons": ["no movie twice"],
            "gates": [{"name": "repeats a movie", "reason": "a list repeats a movie"}]}  # fmt: skip
    word(told, game)
    assert told["notes"] == ["a board game"] and told["reasons"] == ["no board game twice"]
    assert told["gates"] == [{"name": "repeats a movie", "reason": "a list repeats a board game"}]
    assert told["item"] == ["board game", "board games"]

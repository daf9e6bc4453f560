"""What kind of model a configuration makes, and that nobody else knows the experiments."""

import ast
from pathlib import Path

import pytest

import components
from components.experiments.crosses import CrossedRating, CrossedSum
from components.experiments.two_towers import TwoTowers
from components.model.config import ModelConfig
from components.model.recommender import Recommender
from components.trainer.models import build_model, extra_findings


def _build(facts, **settings):
    return build_model(ModelConfig(dims=8, **settings), facts, ordered=True)


def test_towers_name_the_kind_of_model(make_facts):
    assert isinstance(_build(make_facts()), Recommender)
    assert isinstance(_build(make_facts(), towers="ids"), TwoTowers)


@pytest.mark.parametrize("cross_layers", [0, 1])
@pytest.mark.parametrize("rating_cross_layers", [0, 2])
def test_cross_layers_are_where_they_are_asked_for(
    make_facts, make_window, cross_layers, rating_cross_layers
):
    settings = {"cross_layers": cross_layers, "rating_cross_layers": rating_cross_layers}
    model = _build(make_facts(), **settings)
    for combine in (model.combine_movie, model.combine_query):
        assert isinstance(combine, CrossedSum) == bool(cross_layers)
    assert isinstance(model.rating_head.interaction, CrossedRating) == bool(rating_cross_layers)
    window = make_window(model.facts, [4, 2])
    model.compute_loss(window)
    names = {variable.name.split("/")[0] for variable in model.variables}
    assert ("movie_crosses" in names) == ("query_crosses" in names) == bool(cross_layers)
    assert ("rating_crosses" in names) == bool(rating_cross_layers)
    assert ("rating_parts" in model.movie_tables().by_name()) == bool(rating_cross_layers)
    found = extra_findings(model, [window])
    measured = [
        ("candidate", cross_layers),
        ("query", cross_layers),
        ("rating", rating_cross_layers),
    ]
    assert found.keys() == ({"crosses.json"} if cross_layers or rating_cross_layers else set())
    assert list(found.get("crosses.json", {})) == [name for name, layers in measured if layers]


def test_a_model_without_ratings_crosses_none(make_facts, make_window):
    model = _build(make_facts(rated="none"), rating_cross_layers=1)
    assert model.rating_head is None
    model.compute_loss(make_window(model.facts, [4, 2]))
    assert extra_findings(model, [make_window(model.facts, [4, 2])]) == {"crosses.json": {}}


def test_only_the_registry_imports_experiments():
    (folder,) = map(Path, components.__path__)
    importing = {
        file.relative_to(folder).as_posix()
        for file in folder.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom | ast.Import)
        for name in [getattr(node, "module", None), *(alias.name for alias in node.names)]
        if name and name.startswith("components.experiments")
    }
    core = {file for file in importing if not file.startswith("experiments/")}
    assert core == {"trainer/models.py"}

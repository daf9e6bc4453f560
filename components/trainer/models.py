"""From a configuration to a model: the one place that knows every kind of model there is."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from components.experiments.crosses import CrossedRating, CrossedSum
from components.experiments.strengths import strengths
from components.experiments.two_towers import TwoTowers
from components.model.config import ModelConfig
from components.model.facts import Facts
from components.model.protocol import Model
from components.model.recommender import Recommender
from components.model.window import Window
from schemas.artifacts import CROSSES_FILE


def build_model(config: ModelConfig, facts: Facts, ordered: bool) -> Model:
    """Builds the kind of model that the settings ask for; its first loss makes the weights."""
    return MODELS[config.towers](config, facts, ordered)


def extra_findings(model: Model, windows: Iterable[Window]) -> dict[str, Any]:
    """What only some kinds of model can say of themselves, on windows of train, by file name."""
    config = model.config
    crossed = config.cross_layers or config.rating_cross_layers
    if crossed and isinstance(model, Recommender):
        return {CROSSES_FILE: strengths(model, windows)}
    return {}


def _recommender(config: ModelConfig, facts: Facts, ordered: bool) -> Recommender:
    given: dict[str, Any] = {}
    if layers := config.cross_layers:
        movie, query = facts.movie_parts, ["history", *facts.user_parts]
        given["combine_movie"] = CrossedSum(movie, config.dims, layers, "movie_crosses")
        given["combine_query"] = CrossedSum(query, config.dims, layers, "query_crosses")
    if facts.rates and (layers := config.rating_cross_layers):
        parts = ["history", *facts.user_features, *facts.movie_parts]
        width = config.rating_heads * (1 + config.rating_dims)
        given["interaction"] = CrossedRating(parts, width, layers, "rating_crosses")
    return Recommender(config, facts, ordered, **given)


MODELS: Mapping[str, Callable[[ModelConfig, Facts, bool], Model]] = {
    "history": _recommender,
    "ids": TwoTowers,
}

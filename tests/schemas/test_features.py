"""Features are declared: which names they may have, and that no code knows one of them."""

import ast
import re
from pathlib import Path

import pytest

from schemas.features import GENRES, TAKEN, YEAR, feature_name
from schemas.source import load_source, source_names

ROOT = Path(__file__).parents[2]
PACKAGES = ("components", "greenlight", "pipeline", "serving")
GUESS = ROOT / "components" / "guess"  # knows the words that people's columns are named by
CODE = [
    path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if GUESS not in path.parents
]
SHOWN = [
    path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*"))
    if path.suffix in (".html", ".js", ".j2")
]


def _declared() -> set[str]:
    """What the sources that ship declare, beside the two roles of movie features."""
    features = [load_source(name).features for name in source_names()]
    names = {name for own in features for name in (*own.users, *own.movies)}
    assert {"gender", "age", "occupation", "director", "star"} <= names
    return names - {YEAR, GENRES}


DECLARED = _declared()


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_feature_is_named_in_code(path: Path) -> None:
    """Model and served graph do not even name the two that have a role."""
    named = DECLARED | ({YEAR, GENRES} if path.parts[-2] in ("model", "exported") else set())
    tree = ast.parse(path.read_text(encoding="utf-8"))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert not named & {text for text in texts if isinstance(text, str)}


def test_no_feature_of_users_is_named_on_a_page() -> None:
    assert len(SHOWN) >= 8
    for path in SHOWN:
        assert not re.search(r"\b(gender|occupation)\b", path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize("name", ["plan", "zip_code", "A1", "favourite_genre", "historyless"])
def test_a_feature_may_be_called_what_python_may(name: str) -> None:
    assert feature_name(name) == name


@pytest.mark.parametrize("name", ["", "zip-code", "1st", "_plan", "class", "Größe", "a b", "None"])
def test_a_feature_may_not_be_called_what_python_may_not(name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a feature: take letters, digits and _"):
        feature_name(name)


@pytest.mark.parametrize("name", [*sorted(TAKEN), "history_plan", "seen_plan"])
def test_a_feature_may_not_be_called_as_something_else_is(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is the name of something else"):
        feature_name(name)

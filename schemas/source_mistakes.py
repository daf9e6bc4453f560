"""Says in a sentence what is wrong with a source description, and how to write it right."""

import difflib
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from schemas.source_parts import KINDS, Category, ColumnSet, Several
from schemas.source_tables import Table

_NOTHING = "nothing is written there; put signs such as # | , in single quotes"
_FORMS = {
    "string_too_short": _NOTHING,
    "string_type": "write one word",
    "bool_parsing": "write true or false",
    "bool_type": "write true or false",
    "float_parsing": "write a number",
    "float_type": "write a number",
    "finite_number": "write a finite number",
    "list_type": "write a list, such as [a, b]",
    "tuple_type": "write a list, such as [a, b]",
    "too_short": "write at least one",
    "dict_type": "write keys with values, such as {F: female, M: male}",
    "model_type": "write keys with values, such as {files: ratings.csv}",
}


def sentence(error: ValidationError, model: type[BaseModel]) -> str:
    """The first mistake: the key, what is wrong, and what to write; without a full stop.

    Args:
      error: what the model's validation raised.
      model: what the whole file describes.
    """
    first = error.errors()[0]
    place = [part for part in first["loc"] if part != "[key]"]
    place = place[:1] if place[:1] == ["scale"] else place  # not its first or second number
    kinds = [i for i, part in enumerate(place) if _is_kind(part, place[:i])]
    described = [KINDS[str(place.pop(i))] for i in kinds]
    key = ".".join(map(str, place)) or "the file as a whole"
    return f"{key}: {_advice(dict(first), place, [*_models(model, place[:-1]), *described])}"


def _is_kind(part: Any, before: list[Any]) -> bool:
    """Whether pydantic names a feature's kind there, which is no key."""
    return part in KINDS and before[-2:-1] == ["features"]


def _advice(first: dict[str, Any], place: list[Any], parents: list[type[BaseModel]]) -> str:
    kind = first["type"]
    if kind == "value_error":
        return str(first["msg"]).removeprefix("Value error, ")
    if place == ["scale"]:
        return "write the lowest and the highest rating, such as [1, 5]"
    if kind == "missing":
        held = parents and issubclass(parents[-1], ColumnSet)
        return "it is missing" + (": name the file's column that holds it" if held else "")
    if kind == "extra_forbidden" and parents:
        return _unknown(str(place[-1]), parents[-1])
    if kind == "literal_error":
        return f"only {first['ctx']['expected']} can stand there"
    if first["input"] in (None, ""):
        return _NOTHING
    return _FORMS.get(kind, str(first["msg"]))


def _unknown(key: str, model: type[BaseModel]) -> str:
    names = list(model.model_fields)
    close = difflib.get_close_matches(key, names, 1)
    if close:
        return f"there is no such key; is it {close[0]}?"
    if model is Category and key in Several.model_fields:
        return "it is for features of several values: add kind: categories"
    if key in Table.model_fields and not issubclass(model, Table):
        return "it belongs to a table, such as ratings: indent it below the table's name"
    return f"there is no such key; those here are {', '.join(names)}"


def _models(model: type[BaseModel], place: list[Any]) -> list[type[BaseModel]]:
    """The models that the keys lead through, the whole file's first; empty if one leads nowhere."""
    models, keys = [model], iter(place)
    for key in keys:
        field = models[-1].model_fields.get(str(key))
        inner = [] if field is None else _inner(field.annotation)
        if not inner:
            return []
        if field is not None and get_origin(field.annotation) is dict and next(keys, None) is None:
            return []
        models.append(inner[0])
    return models


def _inner(annotation: Any) -> list[type[BaseModel]]:
    """The models that an annotation is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _inner(part)]

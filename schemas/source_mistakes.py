"""Says in a sentence what is wrong with a source description, and how to write it right."""

import difflib
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from schemas.source_parts import ColumnSet
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
    key = ".".join(map(str, place)) or "the file as a whole"
    return f"{key}: {_advice(dict(first), place, model)}"


def _advice(first: dict[str, Any], place: list[Any], model: type[BaseModel]) -> str:
    kind = first["type"]
    parents = _models(model, place[:-1])
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
    if key in Table.model_fields and not issubclass(model, Table):
        return "it belongs to a table, such as ratings: indent it below the table's name"
    return f"there is no such key; those here are {', '.join(names)}"


def _models(model: type[BaseModel], place: list[Any]) -> list[type[BaseModel]]:
    """The models that the keys lead through, the whole file's first; empty if one leads nowhere."""
    models = [model]
    for key in place:
        field = models[-1].model_fields.get(str(key))
        kinds = [] if field is None else [field.annotation, *get_args(field.annotation)]
        inner = [k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)]
        if not inner:
            return []
        models.append(inner[0])
    return models

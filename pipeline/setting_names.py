"""The names of the settings, and which of them is meant by a name that is none."""

import difflib
from collections.abc import Iterator

from pydantic import BaseModel


def setting_names(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every setting below a section by its dotted name, and every section."""
    for name, field in model.model_fields.items():
        yield f"{prefix}{name}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from setting_names(field.annotation, f"{prefix}{name}.")


def meant(typed: str, model: type[BaseModel]) -> str:
    """What to say of a setting that there is not: the nearest one, or all there are beside it."""
    names = list(setting_names(model))
    section, _, last = typed.rpartition(".")
    beside = {name.rpartition(".")[2]: name for name in names if name.rpartition(".")[0] == section}
    close = [beside[name] for name in difflib.get_close_matches(last.lower(), beside, 1)]
    close = close or [name for name in names if name.rpartition(".")[2] == last]
    if close:
        return f"there is no such setting; is it {close[0]}?"
    return f"there is no such setting; there are {', '.join(beside.values())}"

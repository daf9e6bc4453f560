"""The documentation says what the code says."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from pipeline.config import Config
from schemas.source import source_names


def settings(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """A table row for every setting: key, default, meaning."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from settings(field.annotation, f"{prefix}{name}.")
            continue
        value = str(field.default).lower() if isinstance(field.default, bool) else field.default
        shown = "" if value is None else f"`{value}`"
        assert field.description, f"{prefix}{name} has no description"
        yield f"| `{prefix}{name}` | {shown} | {field.description} |"


def test_configuration_page_lists_every_setting_with_its_default() -> None:
    page = Path("docs/configuration.md").read_text(encoding="utf-8")
    assert [line for line in page.splitlines() if line.startswith("| `")] == list(settings(Config))


def test_every_source_is_named_in_the_readme() -> None:
    readme = Path("README.md").read_text(encoding="utf-8")
    for name in source_names():
        assert f"`{name}`" in readme or f"`-{name.removeprefix('movielens-')}`" in readme, name


def test_readme_shows_both_commands_and_links_to_files_that_exist() -> None:
    readme = Path("README.md").read_text(encoding="utf-8")
    assert "make run" in readme
    assert "make test" in readme
    links = [part.split(")")[0] for part in readme.split("](")[1:]]
    for link in links:
        assert link.startswith("https://") or Path(link).exists(), link

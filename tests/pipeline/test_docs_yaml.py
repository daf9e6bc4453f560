"""Every YAML example in the docs works: a source reads files of its shape, the rest configures."""

import csv
import datetime
import io
import itertools
import random
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from components.example_gen.config import SplitConfig
from components.example_gen.generate import generate
from pipeline.config import load_config
from schemas.source import Source, load_source
from schemas.source_tables import Table

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```ya?ml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
USERS, EACH, MOVIES = 30, 12, 40


class Example(NamedTuple):
    """A block of YAML and where it stands."""

    place: str
    text: str

    @property
    def keys(self) -> set[str]:
        return set(yaml.safe_load(self.text) or {})


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
EXAMPLES = [
    Example(f"{page.name}:{text[: found.start()].count(chr(10)) + 2}", found[1])
    for page in PAGES
    for text in [page.read_text(encoding="utf-8")]
    for found in BLOCK.finditer(text)
]
SOURCES = [example for example in EXAMPLES if "ratings" in example.keys]
# Manifests for a cluster are no configuration of ours.
CONFIGS = [e for e in EXAMPLES if e not in SOURCES and "apiVersion" not in e.keys]


def _rows(source: Source) -> dict[str, list[dict[str, str]]]:
    """Cells by our names for every table of the source."""
    rng = random.Random(5)
    table = source.ratings
    low, high = source.scale or (1, 1)
    marks = [*(table.values.get("rating") or [f"{low:g}", f"{high:g}"]), *table.unrated]
    moment = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
    ratings = []
    for user, place in itertools.product(range(USERS), range(EACH)):
        moment += datetime.timedelta(days=1)
        ratings.append(
            {
                "user_id": f"{user}",
                "movie_id": f"{(user + 3 * place) % MOVIES}",
                "rating": rng.choice(marks),
                "timestamp": _stamp(moment, table.timestamp),
            }
        )
    movies = [
        {"movie_id": f"{n}", "movie_title": f"Film {n}", **_cells(source)} for n in range(MOVIES)
    ]
    declared = source.users.features if source.users else {}
    known = {name: next(iter(getattr(part, "values", {})), "20") for name, part in declared.items()}
    users = [{"user_id": f"{n}", **known} for n in range(USERS)]
    return {"ratings": ratings, "movies": movies, "users": users}


def _cells(source: Source) -> dict[str, str]:
    genres = source.movies.genres if source.movies else None
    flags = {f"genres.{name}": "1" for name in (genres.flags if genres else {})}
    words = ["Action", "Drama"]
    listed = genres.separator.join(words) if genres and genres.separator else ""
    others = {**dict.fromkeys(source.features.movies, "Ann"),
              **dict.fromkeys(source.features.movie_numbers, "90")}  # fmt: skip
    return {**others, "year": "1999", "genres": listed, **flags}


def _stamp(moment: datetime.datetime, unit: str) -> str:
    factors = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6}
    if unit in factors:
        return str(int(moment.timestamp()) * factors[unit])
    return moment.strftime(unit) if "%" in unit else moment.isoformat()


def _write(folder: Path, table: Table, rows: list[dict[str, str]]) -> None:
    """Files of the table's shape: its first pattern, in two spans where it names spans."""
    columns = table.used_columns()
    pattern = table.files[0]
    spans = (rows[::2], rows[1::2]) if "{" in pattern else (rows,)
    for number, part in enumerate(spans):
        name = re.sub(r"\{.*\}", str(number), pattern).replace("*", "1")
        text = io.StringIO()
        writer = csv.writer(text, delimiter=table.separator, lineterminator="\n")
        writer.writerow(columns.values())
        writer.writerows([row.get(ours, "") for ours in columns] for row in part)
        (folder / name).write_text(text.getvalue(), encoding=table.encoding)


@pytest.mark.parametrize("example", SOURCES, ids=[example.place for example in SOURCES])
def test_a_source_of_the_docs_reads_files_of_its_shape(tmp_path: Path, example: Example) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(example.text, encoding="utf-8")
    source = load_source(str(path))
    rows = _rows(source)
    for name, table in source.tables().items():
        _write(tmp_path, table, rows[name])
    spans = _spans(source)
    split = SplitConfig(kind="temporal" if source.has_timestamps else "random")
    uris = str(tmp_path / "examples"), str(tmp_path / "catalogue")
    report = generate(source, split, str(tmp_path), *uris, spans=spans)
    assert report["kept"] == len(rows["ratings"]) and report["dropped"] == {}
    assert report["findings"] == [] and report["cells"] == []
    assert (report["rated"] > 0) is source.has_ratings
    assert (report["unrated"] > 0) is (not source.has_ratings or bool(source.ratings.unrated))


def _spans(source: Source) -> list[Source]:
    """What the driver makes of a pattern that names spans."""
    made = []
    for number in range(2):
        changed: dict[str, Any] = {}
        for name, table in source.tables().items():
            files = [re.sub(r"\{.*\}", str(number), pattern) for pattern in table.files]
            changed[name] = table.model_copy(update={"files": files})
        made.append(source.model_copy(update=changed))
    return made if any("{" in f for t in source.tables().values() for f in t.files) else []


@pytest.mark.parametrize("example", CONFIGS, ids=[example.place for example in CONFIGS])
def test_a_configuration_of_the_docs_configures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, example: Example
) -> None:
    """It names settings that there are, with values that they may have."""
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(SOURCES[0].text, encoding="utf-8")
    Path("config.yaml").write_text(example.text, encoding="utf-8")
    config = load_config("config.yaml", [])
    for key in example.keys:
        assert getattr(config, key) != getattr(type(config)(), key), f"{key} says the default"


def test_the_docs_have_examples_of_both_kinds() -> None:
    assert len(SOURCES) >= 6 and len(CONFIGS) >= 5


def test_lists_and_maps_in_the_table_of_keys_are_taken_as_they_stand_there(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\|(?:[^|`]*\|)? `(nulls|values)` \|([^|\n]*)", page, re.MULTILINE)
    written = [(key, v) for key, meaning in rows for v in re.findall(r"`([\[{][^`]*)`", meaning)]
    assert [key for key, _ in written] == ["nulls", "values", "values"]
    path = tmp_path / "mine.yaml"
    for key, value in written:
        table = "users" if "gender" in value else "ratings"
        columns = {"ratings": "movie_id: m, rating: r", "users": "gender: g"}
        both = {
            name: f"{name}:\n  files: f.csv\n  columns: {{user_id: u, {cells}}}\n"
            for name, cells in columns.items()
        }
        both[table] += f"  {key}: {value}\n"
        path.write_text("scale: [0, 5]\n" + "".join(both.values()), encoding="utf-8")
        read = load_source(str(path))
        assert read.users is not None
        declared = read.users.features["gender"] if table == "users" else getattr(read, table)
        assert getattr(declared, key)

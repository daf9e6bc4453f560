"""A folder's name is no pattern, whatever marks it holds; what the source names is one."""

import json
from pathlib import Path

import pytest

from components.example_gen.config import SplitConfig
from components.example_gen.generate import generate
from components.example_gen.inputs import SpanWindowProcessor, input_config
from components.example_gen.read.find import find_files, matching
from components.example_gen.read.spans import find_window
from components.examples.paths import listed, literal
from components.trainer.component import split_outcome
from schemas.source import Source

NAMES = ["da[t]a *x", "[!a]", "a?b", "*", "[", "]", "{a,b}", "back\\slash", "\\[x]", "ü 東京 ☃"]
RATINGS = "user,movie,stars,time\n" + "".join(
    f"{user},{movie},{1 + (user + movie) % 5},{1000 * movie + user}\n"
    for user in range(1, 8)
    for movie in range(1, 9)
)


def own(files: str = "votes*.csv") -> Source:
    columns = {"user_id": "user", "movie_id": "movie", "rating": "stars", "timestamp": "time"}
    ratings = {"files": files, "columns": columns}
    return Source.model_validate({"name": "own", "scale": (1, 5), "ratings": ratings})


def fill(folder: Path) -> Path:
    folder.mkdir()
    (folder / "votes-1.csv").write_text(RATINGS)
    (folder / "votes-[2].csv").write_text(RATINGS.replace("\n1,", "\nx,"))
    return folder


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    """A folder that every name of the tests would match if it were a pattern."""
    for name in ("data x", "data yx", "b", "a1b", "x", "t", "backslash", "\\x"):
        fill(tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("name", NAMES)
def test_only_the_pattern_is_one(beside: Path, name: str) -> None:
    folder = str(fill(beside / name))
    both = [f"{folder}/votes-1.csv", f"{folder}/votes-[2].csv"]
    assert matching(folder, "votes*") == matching(f"{folder}/", "votes-?*.csv") == both
    assert matching(folder, "votes-[0-9].csv") == both[:1]
    assert matching(folder, literal("votes-[2].csv")) == both[1:]
    assert find_files(own(), folder) == {"ratings": both}


@pytest.mark.parametrize("name", NAMES)
def test_spans_and_fingerprints(beside: Path, name: str) -> None:
    folder = fill(beside / name)
    (folder / "day-7.csv").write_text(RATINGS)
    window = find_window(str(folder), {"ratings": ["day-{SPAN}.csv"]}, 1)
    assert window.filled == {"day-{SPAN}.csv": ["day-7.csv"]}
    files = input_config(own(), SplitConfig()).splits
    processor = SpanWindowProcessor(str(folder), files)
    before = processor.get_input_fingerprint(*processor.resolve_span_and_version())
    assert f"num_files:2,total_bytes:{2 * len(RATINGS)}" in before
    (folder / "votes-[2].csv").write_text(RATINGS + RATINGS)
    assert processor.get_input_fingerprint(0, None) != before


@pytest.mark.parametrize("name", NAMES)
def test_what_is_listed_is_in_the_folder_alone(beside: Path, name: str) -> None:
    folder = str(fill(beside / name))
    both = [f"{folder}/votes-1.csv", f"{folder}/votes-[2].csv"]
    assert listed(f"{folder}/*") == listed([f"{folder}/*"]) == both


@pytest.mark.parametrize("kind", ["temporal", "predefined"])
def test_the_example_gen_in_folders_of_such_names(tmp_path: Path, kind: str) -> None:
    data = fill(tmp_path / "da[t]a *x")
    out = tmp_path / "o[u]t ?*"
    files = {"train": "votes-1.csv", "eval": "votes-[2].csv"} if kind == "predefined" else {}
    split = SplitConfig(kind=kind, max_bad_share=1, **files)
    report = generate(own(), split, str(data), f"{out}/examples", f"{out}/catalogue")
    assert report["dropped"] == {"exact_duplicate": 48}
    assert split_outcome(f"{out}/examples").history == report["history"]
    assert json.loads((out / "examples" / "rows.json").read_text()) == report

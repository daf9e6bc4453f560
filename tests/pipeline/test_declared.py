"""Features that a YAML alone declares are everywhere that features are."""

import gzip
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import tensorflow as tf

from components.examples.records import records
from components.model.weights import read_learned
from pipeline.config import Config, load_config
from pipeline.explore import explore_local
from pipeline.metadata import Metadata
from pipeline.served import push_again
from schemas.artifacts import IMPORTANCE_FILE, Node
from schemas.manifest import fault
from tests.pipeline import command
from tests.pipeline.command import NEVER_CACHED
from tests.serving import shapes
from tests.serving.conftest import start

__all__ = ["start"]

USERS, MOVIES, EVENTS = 80, 60, 14
PLANS = ("kids", "everything")
SETTINGS = (
    "model.dims=16", "model.hidden=16", "model.rating_heads=2", "training.epochs=4",
    "training.positions=256", "training.importance_rows=100", "training.refit=false",
    "gates.replicates=50",
    "gates.list_users=40", "gates.slice_users=2", "gates.crosses=[[plan,genre]]",
)  # fmt: skip
SOURCE = """
scale: [1, 5]
ratings:
  files: ratings.csv
  columns: {user_id: user, movie_id: movie, rating: mark, timestamp: when}
movies:
  files: movies.csv
  columns: {movie_id: id, movie_title: name}
  genres: {column: kinds, separator: '|'}
"""
# All that it takes.
OF_USERS = """
users:
  files: users.csv
  columns: {user_id: id}
  features:
    plan: {column: subscription, values: {1: kids, 2: everything}, label: kind of plan}
"""
OF_MOVIES = """
  features:
    studio: maker
    key_words: {kind: categories, column: tags, separator: ','}
"""


def write(folder: Path) -> Path:
    """Users with one plan watch and like even movies, the others odd ones."""
    rng = np.random.default_rng(7)
    rows = ["user,movie,mark,when"]
    for user in range(USERS):
        own = rng.choice(np.arange(user % 2, MOVIES, 2), EVENTS - 3, replace=False)
        odd = rng.choice(np.arange(1 - user % 2, MOVIES, 2), 3, replace=False)
        for movie in rng.permutation([*own, *odd]):
            mark = 5 - rng.integers(2) if movie in own else 1 + rng.integers(2)
            rows.append(f"viewer-{user},m{movie},{mark},{1_000_000_000 + rng.integers(10**8)}")
    users = [f"viewer-{user},{1 + user % 2}" for user in range(USERS)]
    movies = [f'm{n},Film {n},Drama|War,Studio {n % 2},"tag {n % 2},all"' for n in range(MOVIES)]
    files = {
        "ratings.csv": rows,
        "users.csv": ["id,subscription", *users],
        "movies.csv": ["id,name,kinds,maker,tags", *movies],
        "mine.yaml": [SOURCE.rstrip() + OF_MOVIES + OF_USERS],
    }
    for name, lines in files.items():
        (folder / name).write_text("\n".join([*lines, ""]), encoding="utf-8")
    return folder / "mine.yaml"


@dataclass
class Run:
    """What a run concluded, and where it wrote."""

    config: Config
    output: Path
    blessing: dict[str, Any]
    page: str

    def of(self, node: str, output: str) -> Path:
        """The folder of an artifact."""
        (folder,) = (self.output / "artifacts" / node / output).iterdir()
        return folder


def holders_of_ids(output: Path) -> set[str]:
    """What in an output directory has the id of any user in it, packed or not."""
    found = set()
    for path in output.rglob("*"):
        if path.is_symlink() or not path.is_file():
            continue
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        if re.search(rb"viewer-\d", content):
            parts = path.relative_to(output).parts
            found.add("/".join(parts[: 3 if parts[0] == "artifacts" else 1]))
    return found


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("declared")
    config = load_config(
        None, SETTINGS, source=str(write(folder)), data_dir=str(folder),
        output_dir=str(folder / "out"),
    )  # fmt: skip
    outcome = command.run(config)
    page = (outcome.report / "index.html").read_text(encoding="utf-8")
    assert outcome.blessing["blessed"], outcome.blessing["reasons"]
    return Run(config, folder / "out", outcome.blessing, page)


@pytest.fixture(scope="module")
def served(run: Run) -> Path:
    (version,) = (run.output / "serving_model").iterdir()
    return version


def _examples(folder: Path) -> list[dict[str, Any]]:
    found = [
        tf.train.Example.FromString(one).features.feature
        for path in sorted(folder.glob("*"))
        for batch in records([str(path)])
        for one in batch.numpy()
    ]
    return [{name: list(own.bytes_list.value) for name, own in one.items()} for one in found]


def test_it_is_in_the_examples(run: Run) -> None:
    for split in ("train", "valid", "eval"):
        for example in _examples(run.of(Node.EXAMPLE_GEN, "examples") / f"Split-{split}"):
            odd = int(example["user_id"][0].rpartition(b"-")[2]) % 2
            assert example["plan"] == [[b"kids", b"everything"][odd]]
            movies = [int(movie[1:]) % 2 for movie in example["movie_id"]]
            assert example["studio"] == [b"Studio %d" % odd for odd in movies]
            assert example["key_words"] == [b"tag %d\x1fall" % odd for odd in movies]
    for movie in _examples(run.of(Node.EXAMPLE_GEN, "catalogue") / "Split-catalogue"):
        odd = int(movie["movie_id"][0][1:]) % 2
        assert movie["studio"] == [b"Studio %d" % odd]
        assert movie["key_words"] == [b"tag %d" % odd, b"all"]


def test_it_is_in_schema_and_statistics(run: Run) -> None:
    from components.explore.feature_statistics import read_statistics

    for kind in ("ratings", "catalogue"):
        schema = (run.of(Node.CURATED_SCHEMA, kind) / "schema.pbtxt").read_text(encoding="utf-8")
        named = {name for name in ("plan", "studio", "key_words") if f'name: "{name}"' in schema}
        assert named == {"studio", "key_words", *(["plan"] if kind == "ratings" else [])}
    statistics = read_statistics(str(run.of(Node.STATISTICS, "statistics")))["train"]
    counted = {feature.path.step[0]: feature for feature in statistics.features}
    assert counted["plan"].string_stats.unique == 2
    assert {"studio", "key_words"} <= set(counted)


def test_it_has_vocabularies_and_tables_in_the_model(run: Run, served: Path) -> None:
    learned = read_learned(str(served))
    assert {*learned.keys["plan"]} == {b"kids", b"everything"}
    assert {*learned.keys["key_words"]} == {b"all", b"tag 0", b"tag 1"}
    assert {*learned.keys["studio"]} == {b"Studio 0", b"Studio 1"}
    shapes_by_name = {name: value.shape for name, value in learned.weights.items()}
    assert shapes_by_name["users/plan"] == (3, 16)  # the last row is for the unknown
    assert shapes_by_name["movies/key_words"] == (3, 16)
    assert shapes_by_name["movies/studio"] == (2, 16)


def test_it_is_an_input_of_every_signature_that_takes_a_person(served: Path) -> None:
    taken = {name: own["inputs"] for name, own in shapes.signatures(served).items()}
    with_it = {name for name, inputs in taken.items() if "plan" in inputs}
    assert with_it == {"recommend_filtered", "recommend_group", "rank", "rate_as", "explain"}
    assert not [name for name, inputs in taken.items() if {"gender", "age"} & inputs.keys()]


def test_the_server_answers_by_it_and_describes_it(run: Run, start: Any) -> None:
    with (
        start(run.output / "serving_model") as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        assert client.get("/about").json()["user_features"] == ["plan"]

        def asked(route: str, **person: Any) -> dict[str, dict[str, Any]]:
            found = client.post(route, json=person)
            assert found.status_code == 200, found.text
            return {movie["movie_id"]: movie for movie in found.json()["movies"]}

        liked, names = [{"movie": "m4"}], ["m2", "m3"]
        rated = [asked("/rate", plan=plan, movies=names) for plan in PLANS]
        kids, others = (own["m2"]["rating"] - own["m3"]["rating"] for own in rated)
        assert kids > others  # even movies are more to the kids' taste
        kids, others = (
            sum((-1) ** int(name[1:]) * movie["score"] for name, movie in own.items()) / len(own)
            for own in (asked("/recommend", plan=plan, history=liked, k=MOVIES) for plan in PLANS)
        )
        assert kids > others
        schemas = client.get("/openapi.json").json()["components"]["schemas"]
        people = {name for name, own in schemas.items() if "history" in own["properties"]}
        told = {name for name in people if name.endswith("Request")} | {"Member"}
        assert {name for name, own in schemas.items() if "plan" in own["properties"]} == told
        assert schemas["Member"]["properties"]["plan"]["title"] == "Plan"
        refused = client.post("/recommend", json={"gender": "F"})
        assert refused.status_code == 400
        assert refused.json() == {"error": "gender: Extra inputs are not permitted."}
        group = {"people": [{"plan": "kids"}, {"plan": ""}]}
        words = "people.1.plan: String should have at least 1 character."
        assert client.post("/group", json=group).json() == {"error": words}


def test_it_slices_what_is_evaluated_and_is_measured(run: Run) -> None:
    assert {"plan=kids", "plan=everything", "genre=War,plan=kids"} <= run.blessing["slices"].keys()
    assert run.blessing["config"]["gates"]["slices"] == [
        "history", "user", "movie", "popularity", "session", "plan", "genre", "decade",
    ]  # fmt: skip
    assert "plan=kids" in run.page
    path = run.of(Node.TRAINER, "model_run") / IMPORTANCE_FILE
    measured = json.loads(path.read_text(encoding="utf-8"))
    assert {"plan", "studio", "key_words"} <= {row["group"] for row in measured["groups"]}


def test_it_is_on_the_page_of_the_data(run: Run) -> None:
    path, _ = explore_local(run.config)
    page = path.read_text(encoding="utf-8")
    assert "By kind of plan as a table" in page and ">everything</th>" in page
    assert "By studio" in page and "Mean rating by key words" in page


def test_a_second_run_takes_all_that_it_can_from_the_cache(run: Run) -> None:
    """The last test of this file: it pushes another version."""
    metadata = Metadata(str(run.output / "metadata.sqlite"))
    before = metadata.newest()
    again = command.run(run.config).blessing
    assert again["blessed"], again["reasons"]
    executed = {node.node for node in metadata.nodes_since(before) if node.state != "cached"}
    # A first blessed model now exists to be compared with.
    assert executed == NEVER_CACHED | {"Evaluator", "Pusher"}
    compared = [gate["value"] for gate in again["gates"] if gate["kind"] == "blessed"]
    assert compared == [0, 0]
    _lose_what_was_pushed(run.output / "serving_model", metadata, before)


def _lose_what_was_pushed(serving: Path, metadata: Metadata, before: int) -> None:
    """A run that takes the Pusher from the cache looks whether its model is served."""
    runs = [
        replace(node, state="cached") if node.node == Node.PUSHER else node
        for node in metadata.nodes_since(before)
    ]
    assert push_again(metadata, runs, serving) == ()
    for version in serving.iterdir():
        graph = version / "saved_model.pb"
        content = bytearray(graph.read_bytes())
        content[len(content) // 2] ^= 1
        graph.write_bytes(content)
    (note,) = push_again(metadata, runs, serving)
    newest = max(serving.iterdir(), key=lambda version: int(version.name))
    assert note.endswith(f"pushed again, as version {newest.name}")
    assert fault(newest) is None
    assert push_again(metadata, runs, serving) == ()


def test_the_page_on_privacy_names_all_that_holds_ids_of_users(run: Run) -> None:
    page = Path("docs/privacy.md").read_text(encoding="utf-8")
    told = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `")}
    assert told == holders_of_ids(run.output) | {"explore"}  # which `greenlight explore` writes

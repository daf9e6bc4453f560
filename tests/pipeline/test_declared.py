"""Features that a YAML alone declares are everywhere that features are."""

import gzip
import json
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import tensorflow as tf

from components.examples.buckets import bounds_of
from components.examples.records import records
from components.exported.forget import VARIABLES
from components.model.weights import VALUE, read_learned, vocabulary_of
from pipeline.config import Config, load_config
from pipeline.explore import explore_local
from pipeline.metadata import Metadata
from pipeline.served import known_as, push_again
from schemas.artifacts import IMPORTANCE_FILE, ROWS_FILE, Node
from schemas.forgotten import FILE as FORGOTTEN
from schemas.manifest import FILE as MANIFEST
from schemas.manifest import GRAPH_FILE, fault
from schemas.text import to_texts
from tests.pipeline import command
from tests.pipeline.command import NEVER_CACHED
from tests.serving import shapes
from tests.serving.conftest import start

__all__ = ["start"]

# All that the model learns of, by the names that it knows them by.
OF_ALL = (
    "plan", "fee", "joined", "joined_month", "joined_weekday", "device", "volume", "joined_age",
    "studio", "key_words", "minutes", "released", "released_month", "released_weekday", "plot",
    "released_age",
)  # fmt: skip
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
  features:
    device:
      {column: screen, known_when_asked: true, values: {p: phone, t: tv}, label: kind of screen}
    volume: {kind: number, column: loud, known_when_asked: true}
    outcome: {column: how}
    finished: {kind: number, column: percent}
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
    fee: {kind: number, column: price, pattern: '(.*) EUR', label: monthly fee}
    joined: {kind: date, column: since, format: '%d.%m.%Y', label: member since}
"""
OF_MOVIES = """
  features:
    studio: maker
    key_words: {kind: categories, column: tags, separator: ','}
    minutes: {kind: number, column: length}
    released: {kind: date, column: day}
    plot: {kind: text, column: story}
"""


def write(folder: Path) -> Path:
    """Users with one plan watch and like even movies, the others odd ones."""
    rng = np.random.default_rng(7)
    rows = ["user,movie,mark,when,screen,loud,how,percent"]
    for user in range(USERS):
        own = rng.choice(np.arange(user % 2, MOVIES, 2), EVENTS - 3, replace=False)
        odd = rng.choice(np.arange(1 - user % 2, MOVIES, 2), 3, replace=False)
        for movie in rng.permutation([*own, *odd]):
            mark = 5 - rng.integers(2) if movie in own else 1 + rng.integers(2)
            moment = f"{1_000_000_000 + rng.integers(10**8)},{_moment(movie, rng)}"
            rows.append(f"viewer-{user},m{movie},{mark},{moment},{_outcome(mark)}")
    users = [
        f"viewer-{user},{1 + user % 2},{_fee(user)} EUR,{_since(user)}" for user in range(USERS)
    ]
    movies = [
        f'm{n},Film {n},Drama|War,Studio {n % 2},"tag {n % 2},all",{_minutes(n)},{_day(n)},'
        f"A story of {('small KIDS', 'old wars')[n % 2]} and film {n}"
        for n in range(MOVIES)
    ]
    files = {
        "ratings.csv": rows,
        "users.csv": ["id,subscription,price,since", *users],
        "movies.csv": ["id,name,kinds,maker,tags,length,day,story", *movies],
        "mine.yaml": [SOURCE.rstrip() + OF_MOVIES + OF_USERS],
    }
    for name, lines in files.items():
        (folder / name).write_text("\n".join([*lines, ""]), encoding="utf-8")
    return folder / "mine.yaml"


def _moment(movie: int, rng: np.random.Generator) -> str:
    """Three of four watch even movies on a phone, and turn odd ones up; one of ten says neither."""
    if rng.random() < 0.1:
        return ","
    usual = rng.random(2) < 0.75
    screen = "pt"[movie % 2] if usual[0] else "tp"[movie % 2]
    return f"{screen},{rng.integers(10) + 10 * ((movie % 2) if usual[1] else 1 - movie % 2)}"


def _outcome(mark: int) -> str:
    """What tells the rating itself, and nobody knows before it was given."""
    return f"{'loved' if mark > 3 else 'hated'},{20 * mark}"


def _fee(user: int) -> str:
    """Nothing to 7 for those who like even movies, 10 to 17 for the others; one is unknown."""
    return "" if user == 5 else f"{10 * (user % 2) + user // 2 % 8}.0"


def _since(user: int) -> str:
    """Those who like even movies came in January 2000, the others in July; one never said when."""
    return "" if user == 9 else f"01.0{1 + 6 * (user % 2)}.2000"


def _age(example: dict[str, Any], place: int, since: float) -> float:
    """The years from a date to a rating."""
    return float(1970 + example["timestamp"][place] / 86_400e6 / 365.2425 - since)


def _minutes(movie: int) -> str:
    """80 to 109 for even movies, 110 to 139 for odd ones; some are unknown."""
    return "" if movie % 20 == 7 else f"{80 + 30 * (movie % 2) + movie // 2}"


def _day(movie: int) -> str:
    """Even movies came out in January and odd ones in July."""
    return f"{1990 + movie // 6}-0{1 + 6 * (movie % 2)}-01"


def _released(movie: int) -> float:
    """The same in years."""
    return 1990 + movie // 6 + 0.4959 * (movie % 2)


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


def holders_of_ids(output: Path, ids: bytes = rb"viewer-\d") -> set[str]:
    """What in an output directory has the id of any user in it, packed or not."""
    found = set()
    for path in output.rglob("*"):
        if path.is_symlink() or not path.is_file():
            continue
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        if re.search(ids, content):
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
    return [{name: _values(own) for name, own in one.items()} for one in found]


def _values(feature: tf.train.Feature) -> list[Any]:
    return list(feature.float_list.value or feature.bytes_list.value or feature.int64_list.value)


def _number(text: str) -> float:
    return float(text or "nan")


def test_it_is_in_the_examples(run: Run) -> None:
    for split in ("train", "valid", "eval"):
        for example in _examples(run.of(Node.EXAMPLE_GEN, "examples") / f"Split-{split}"):
            user = int(example["user_id"][0].rpartition(b"-")[2])
            assert example["plan"] == [[b"kids", b"everything"][user % 2]]
            np.testing.assert_equal(example["fee"], [_number(_fee(user))])
            minutes = [_number(_minutes(int(movie[1:]))) for movie in example["movie_id"]]
            np.testing.assert_equal(example["minutes"], minutes)
            assert "plot" not in example
            assert example["joined_month"] == [
                [b"January", b"July"][user % 2] if user != 9 else b""
            ]
            places = range(len(example["movie_id"]))
            joined = 2000 + 0.498 * (user % 2) if user != 9 else float("nan")
            np.testing.assert_allclose(
                example["joined_age"], [_age(example, n, joined) for n in places], atol=0.005
            )
            released = [_released(int(movie[1:])) for movie in example["movie_id"]]
            np.testing.assert_allclose(
                example["released_age"],
                [_age(example, n, released[n]) for n in places], atol=0.005,
            )  # fmt: skip
            movies = [int(movie[1:]) % 2 for movie in example["movie_id"]]
            assert example["released_month"] == [[b"January", b"July"][odd] for odd in movies]
            assert example["studio"] == [b"Studio %d" % odd for odd in movies]
            assert example["key_words"] == [b"tag %d\x1fall" % odd for odd in movies]
            assert len(example["device"]) == len(example["volume"]) == len(movies)
            assert {*example["device"]} <= {b"phone", b"tv", b""}
            assert example["finished"] == [20 * mark for mark in example["rating"]]
            assert example["outcome"] == [
                b"loved" if mark > 3 else b"hated" for mark in example["rating"]
            ]
            assert {name for name in example if name.startswith("history_")} == {
                "history_movie_id", "history_rating", "history_timestamp",
            }  # fmt: skip
    for movie in _examples(run.of(Node.EXAMPLE_GEN, "catalogue") / "Split-catalogue"):
        number = int(movie["movie_id"][0][1:])
        odd = number % 2
        np.testing.assert_equal(movie["minutes"], [_number(_minutes(number))])
        np.testing.assert_allclose(movie["released"], [_released(number)], atol=0.005)
        assert movie["plot"][0].endswith(b"film %d" % number)
        assert movie["studio"] == [b"Studio %d" % odd]
        assert movie["key_words"] == [b"tag %d" % odd, b"all"]


def test_it_is_in_schema_and_statistics(run: Run) -> None:
    from components.explore.feature_statistics import read_statistics

    for kind in ("ratings", "catalogue"):
        schema = (run.of(Node.CURATED_SCHEMA, kind) / "schema.pbtxt").read_text(encoding="utf-8")
        dated = {"released", "released_month", "released_weekday"}
        events = {"device", "volume", "outcome", "finished", "released_age", "joined_age"}
        people = {"plan", "fee", "joined", "joined_month", "joined_weekday"}
        declared = {"studio", "key_words", "minutes", "plot"} | people | dated | events
        named = {name for name in declared if f'name: "{name}"' in schema}
        assert named == declared - ({"plot"} if kind == "ratings" else people | events)
    statistics = read_statistics(str(run.of(Node.STATISTICS, "statistics")))["train"]
    counted = {feature.path.step[0]: feature for feature in statistics.features}
    assert counted["plan"].string_stats.unique == 2
    assert {"studio", "key_words"} <= set(counted)
    assert counted["joined_month"].string_stats.unique == 3
    assert 1.5 < counted["released_age"].num_stats.min < counted["joined_age"].num_stats.max < 5
    assert (counted["fee"].num_stats.min, counted["fee"].num_stats.max) == (0, 17)
    assert counted["minutes"].num_stats.histograms[0].num_nan > 0
    assert counted["device"].string_stats.unique == 3  # the unknown ones are ''
    assert (counted["finished"].num_stats.min, counted["finished"].num_stats.max) == (20, 100)


def test_it_has_vocabularies_and_tables_in_the_model(run: Run, served: Path) -> None:
    learned = read_learned(str(served))
    assert {*learned.keys["plan"]} == {b"kids", b"everything"}
    assert {*learned.keys["key_words"]} == {b"all", b"tag 0", b"tag 1"}
    assert {*learned.keys["studio"]} == {b"Studio 0", b"Studio 1"}
    fees = bounds_of(to_texts(learned.keys["fee"]))
    assert 5 < len(fees) < 10 and min(fees) >= 0 and max(fees) <= 17
    minutes = bounds_of(to_texts(learned.keys["minutes"]))
    assert len(minutes) == 9 and min(minutes) > 80 and max(minutes) < 139
    assert {*learned.keys["released_month"]} == {b"January", b"July"}
    assert {b"small kids", b"old wars"} < {*learned.keys["plot"]}
    assert b"film" not in learned.keys["plot"]  # which all of them have
    assert {*learned.keys["device"]} == {b"phone", b"tv"}
    assert 5 < len(bounds_of(to_texts(learned.keys["volume"]))) < 10
    assert {*learned.keys["joined_month"]} == {b"January", b"July"}
    ages = {
        name: bounds_of(to_texts(learned.keys[name])) for name in ("released_age", "joined_age")
    }
    assert len(ages["released_age"]) == len(ages["joined_age"]) == 9
    assert 1 < min(ages["joined_age"]) < max(ages["joined_age"]) < 4.2
    unread = {"outcome", "finished"}
    assert not unread & learned.keys.keys()
    assert not [name for name in learned.weights if unread & {*name.split("/")}]
    shapes_by_name = {name: value.shape for name, value in learned.weights.items()}
    assert shapes_by_name["users/plan"] == (3, 16)  # the last row is for the unknown
    assert shapes_by_name["movies/key_words"] == (3, 16)
    assert shapes_by_name["movies/studio"] == (2, 16)
    assert shapes_by_name["users/fee"] == (len(fees) + 2, 16)
    assert shapes_by_name["movies/minutes"] == (10, 16)
    for name in ("minutes", "released"):
        assert shapes_by_name[f"movies/{name}/slope"] == (16,)
        assert learned.weights[f"movies/{name}/slope"].any()
        assert learned.weights[f"rating/{name}/slope/mean"].any()
    assert shapes_by_name["movies/plot"] == (len(learned.keys["plot"]), 16)
    assert shapes_by_name["users/joined_month"] == (3, 16)
    assert shapes_by_name["moments/device"] == (3, 16)
    assert shapes_by_name["moments/joined_age"] == (11, 16)
    assert "movies/released_age" not in shapes_by_name  # a list stands for no one moment
    rated = {name.split("/")[1] for name in shapes_by_name if re.match("rating/.*/mean", name)}
    assert rated == {"ids", "raters", "genres"} | {*OF_ALL}
    # What a training starts from is found by these names, row by row.
    for name in OF_ALL:
        assert vocabulary_of(f"rating/{name}/mean", learned.keys) == name


def test_it_is_an_input_of_every_signature_that_takes_a_person(served: Path) -> None:
    taken = {name: own["inputs"] for name, own in shapes.signatures(served).items()}
    told = {
        "plan": "string", "fee": "float32", "joined": "float32", "joined_month": "string",
        "joined_weekday": "string", "device": "string", "volume": "float32",
        "joined_age": "float32",
    }  # fmt: skip
    for feature, dtype in told.items():
        with_it = {name for name, inputs in taken.items() if feature in inputs}
        assert with_it == {"recommend_filtered", "recommend_group", "rank", "rate_as", "explain"}
        assert all(dtype in taken[name][feature] for name in with_it)
    absent = {"gender", "age", "outcome", "finished", "released_age"}
    assert not [name for name, inputs in taken.items() if absent & inputs.keys()]


def test_what_is_known_of_a_rating_alone_never_changes_what_the_model_says_of_it(
    run: Run, served: Path
) -> None:
    """Each eval row again with another outcome, which would give its rating away, and without."""
    evaluate = tf.saved_model.load(str(served)).signatures["evaluate"]
    examples = [
        tf.train.Example.FromString(one)
        for path in sorted((run.of(Node.EXAMPLE_GEN, "examples") / "Split-eval").glob("*"))
        for batch in records([str(path)])
        for one in batch.numpy()
    ]

    def said(change: Callable[[Any], None]) -> dict[str, Any]:
        others = [tf.train.Example.FromString(one.SerializeToString()) for one in examples]
        for one in others:
            change(one.features.feature)
        found = evaluate(examples=tf.constant([one.SerializeToString() for one in others]))
        return {name: own.numpy() for name, own in found.items()}

    def turned(features: Any) -> None:
        hated = features["outcome"].bytes_list.value[0] == b"hated"
        features["outcome"].bytes_list.value[:] = [b"loved" if hated else b"hated"]
        features["finished"].float_list.value[:] = [100.0 if hated else 0.0]
        features["released_age"].float_list.value[:] = [50.0]  # the moment tells it

    def taken_out(features: Any) -> None:
        del features["outcome"], features["finished"], features["released_age"]

    def on_a_tv(features: Any) -> None:
        features["device"].bytes_list.value[:] = [b"tv"]

    def ten_years_later(features: Any) -> None:
        features["timestamp"].int64_list.value[0] += 10 * 365 * 86_400_000_000

    before = said(lambda features: None)
    assert len(before["rank"]) > 50
    for change in (turned, taken_out):
        after = said(change)
        for name, values in before.items():
            np.testing.assert_array_equal(after[name], values, err_msg=name)
    assert (said(on_a_tv)["rating"] != before["rating"]).any()  # what is known when asked counts
    # Who asks does not say when: what is judged is told no more, and the age is a slice alone.
    later = said(ten_years_later)
    assert len({*before["released_age_bucket"]}) > 3 and len({*later["released_age_bucket"]}) < 3
    for name in ("rank", "rating"):
        np.testing.assert_array_equal(later[name], before[name])


def test_the_server_answers_by_it_and_describes_it(run: Run, start: Any) -> None:
    with (
        start(run.output / "serving_model") as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        about = client.get("/about").json()
        of_users = ["plan", "fee", "joined", "joined_month", "joined_weekday"]
        assert about["user_features"] == of_users
        form = {own["name"]: own for own in about["asked"]}  # of which the page makes fields
        assert [*form] == [*of_users, "device", "volume", "joined_age"]
        assert form["device"]["label"] == "kind of screen"
        assert {*form["device"]["values"]} == {"phone", "tv"}
        assert form["joined_age"]["label"] == "member since: age" and form["joined_age"]["number"]
        assert form["fee"]["number"] and form["joined_month"]["values"]

        def asked(route: str, **person: Any) -> dict[str, dict[str, Any]]:
            found = client.post(route, json=person)
            assert found.status_code == 200, found.text
            return {movie["movie_id"]: movie for movie in found.json()["movies"]}

        liked, names = [{"movie": "m4"}], ["m2", "m3"]
        rated = [asked("/rate", plan=plan, movies=names) for plan in PLANS]
        kids, others = (own["m2"]["rating"] - own["m3"]["rating"] for own in rated)
        assert kids > others  # even movies are more to the kids' taste
        rated = [asked("/rate", fee=fee, movies=names) for fee in (0, 14)]
        cheap, dear = (own["m2"]["rating"] - own["m3"]["rating"] for own in rated)
        assert cheap > dear
        kids, others = (
            sum((-1) ** int(name[1:]) * movie["score"] for name, movie in own.items()) / len(own)
            for own in (asked("/recommend", plan=plan, history=liked, k=MOVIES) for plan in PLANS)
        )
        assert kids > others
        phone, tv = (
            sum((-1) ** int(name[1:]) * movie["score"] for name, movie in own.items()) / len(own)
            for own in (
                asked("/recommend", device=device, history=liked, k=MOVIES)
                for device in ("phone", "tv")
            )
        )
        assert phone > tv
        dated = {"volume": 12.5, "joined": 2000.1, "joined_month": "July", "joined_age": 2.5}
        assert client.post("/recommend", json={**dated, "k": 3}).status_code == 200
        refused = client.post("/recommend", json={"outcome": "loved"})
        assert refused.json() == {"error": "outcome: Extra inputs are not permitted."}
        schemas = client.get("/openapi.json").json()["components"]["schemas"]
        assert {name for name, own in schemas.items() if "device" in own["properties"]} == {
            name for name, own in schemas.items() if "plan" in own["properties"]
        }
        people = {name for name, own in schemas.items() if "history" in own["properties"]}
        told = {name for name in people if name.endswith("Request")} | {"Member"}
        assert {name for name, own in schemas.items() if "plan" in own["properties"]} == told
        assert schemas["Member"]["properties"]["plan"]["title"] == "Plan"
        fee = schemas["Member"]["properties"]["fee"]["anyOf"]
        assert [own["type"] for own in fee] == ["number", "null"]
        refused = client.post("/recommend", json={"fee": "12"})
        assert refused.status_code == 400
        assert refused.json() == {"error": "fee: Value error, Input should be a valid number."}
        refused = client.post("/recommend", json={"gender": "F"})
        assert refused.status_code == 400
        assert refused.json() == {"error": "gender: Extra inputs are not permitted."}
        couple = {"people": [{"plan": "kids", "fee": 3}, {"user": "viewer-1"}], "k": 5}
        together = client.post("/group", json=couple)
        assert together.status_code == 200 and len(together.json()["movies"]) == 5
        group = {"people": [{"plan": "kids"}, {"plan": ""}]}
        words = "people.1.plan: String should have at least 1 character."
        assert client.post("/group", json=group).json() == {"error": words}


def test_it_slices_what_is_evaluated_and_is_measured(run: Run) -> None:
    assert {"plan=kids", "plan=everything", "genre=War,plan=kids"} <= run.blessing["slices"].keys()
    assert run.blessing["config"]["gates"]["slices"] == [
        "history", "user", "movie", "popularity", "session", "plan", "fee", "joined",
        "joined_month", "joined_weekday", "device", "volume", "outcome", "finished",
        "released_age", "joined_age", "genre", "decade",
    ]  # fmt: skip
    fees = {name for name in run.blessing["slices"] if name.startswith("fee=")}
    assert len(fees) > 3 and all(re.search("under|to|over", name) for name in fees)
    assert {"device=phone", "device=tv", "outcome=loved"} <= run.blessing["slices"].keys()
    assert "joined_month=July" in run.blessing["slices"]
    for numbers in ("volume=", "joined=", "joined_age=", "released_age="):
        assert [name for name in run.blessing["slices"] if name.startswith(numbers)], numbers
    assert "plan=kids" in run.page and min(fees) in run.page
    path = run.of(Node.TRAINER, "model_run") / IMPORTANCE_FILE
    measured = json.loads(path.read_text(encoding="utf-8"))
    declared = {"plan", "fee", "studio", "key_words", "minutes", "released", "plot", "device"}
    groups = {row["group"] for row in measured["groups"]}
    told = {"volume", "joined", "joined_month", "joined_age", "released_age"}
    assert declared | told <= groups and not {"outcome", "finished"} & groups


def test_it_is_on_the_page_of_the_data(run: Run) -> None:
    path, _ = explore_local(run.config)
    page = path.read_text(encoding="utf-8")
    assert "By kind of plan as a table" in page and ">everything</th>" in page
    assert "By studio" in page and "Mean rating by key words" in page
    assert "By kind of screen as a table" in page and ">phone</th>" in page
    assert "By outcome as a table" in page and "By finished as a table" in page
    assert "By released: age as a table" in page and "By member since: month as a table" in page
    assert "By monthly fee as a table" in page and re.search(r">\d+ to \d+</th>", page)
    assert "Mean rating by plot" in page and "old wars" in page
    assert "Mean rating by released: month" in page and "January: " in page
    assert "Mean rating by minutes" in page and "ratings by minutes: under 8" in page


def test_a_second_run_takes_all_that_it_can_from_the_cache(run: Run) -> None:
    """It pushes another version, and damages what is served."""
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
    for holder in {name.split("/")[0] for name in told if (run.output / name).exists()} | {
        "checkpoints"
    }:
        assert stat.S_IMODE((run.output / holder).stat().st_mode) == 0o700, holder
    assert stat.S_IMODE((run.output / "greenlight.log").stat().st_mode) == 0o600


def test_who_is_forgotten_is_nowhere_and_stays_out(run: Run) -> None:
    """The last test of this file: most of what the run left is gone then."""
    ids = rb"viewer-(%s)(?!\d)"
    place = ["--output-dir", str(run.output)]
    status, told = command.greenlight("report", "latest", "--users", *place)
    assert status == 0, told
    users = [re.findall(r"User 1: viewer-(\d+)", told)[0], "41"]
    pattern = ids % "|".join(users).encode()
    shown = {"serving_model", "artifacts/BlessingReport/report"}
    assert holders_of_ids(run.output, pattern) >= shown
    before = {path.name for path in (run.output / "serving_model").iterdir()}
    (run.output / "mine.txt").touch()
    words = ["forget", *(f"viewer-{user}" for user in users), *place]
    status, said = command.greenlight(*words)
    assert status == 0, said
    assert holders_of_ids(run.output, pattern) == set()
    assert stat.S_IMODE((run.output / FORGOTTEN).stat().st_mode) == 0o600
    for own in ("ratings.csv", "users.csv"):
        assert f"no run reads: {run.output.parent / own}" in said
    assert "not looked at: mine.txt" in said
    _is_served_without(run, users, before, said)
    _is_finished_by_calling_it_again(run, words)
    explore_local(run.config)
    assert holders_of_ids(run.output, pattern) == set()
    assert holders_of_ids(run.output) >= {"explore", "artifacts/RatingExampleGen/examples"}
    rows = json.loads((run.of(Node.EXAMPLE_GEN, "examples") / ROWS_FILE).read_text())
    assert rows["dropped"]["forgotten"] == len(users) * EVENTS


def _is_served_without(run: Run, users: list[str], before: set[str], said: str) -> None:
    """A newer version is in service; what a candidate is compared with is still known."""
    serving = run.output / "serving_model"
    newest = max(serving.iterdir(), key=lambda version: int(version.name))
    assert newest.name not in before and f"Version {newest.name} without them" in said
    assert fault(newest) is None and (newest / MANIFEST).exists()
    stored = tf.train.load_checkpoint(str(newest / VARIABLES)).get_tensor(f"user_ids{VALUE}")
    kept = next(f"viewer-{own}" for own in range(42, USERS) if str(own) not in users).encode()
    assert kept in stored and f"viewer-{users[0]}".encode() not in stored
    models = [path.parent for path in (run.output / "artifacts/MovieTrainer").rglob(GRAPH_FILE)]
    assert known_as(newest, dict(enumerate(models))) is not None
    report = (run.output / "reports" / "latest").resolve()
    page = (report / "index.html").read_text(encoding="utf-8")
    assert "<h3>User 2 " in page and "<h3>User 1 " not in page


def _is_finished_by_calling_it_again(run: Run, words: list[str]) -> None:
    """Killed while one version gives way to another, it leaves both aside."""
    serving = run.output / "serving_model"
    (newest,) = serving.iterdir()
    newest.rename(serving / f".{newest.name}.before")
    status, said = command.greenlight(*words)
    assert status == 0, said
    assert [path.name for path in serving.iterdir()] == [newest.name] and "in service" not in said

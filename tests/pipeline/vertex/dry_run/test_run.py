"""The dry run as its user meets it, twice, on a small made-up data set on a folder's gs://."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from pipeline.config import load_config
from pipeline.vertex.dry_run.run import data_folder, mount
from schemas.errors import UserError
from tests.pipeline import command
from tests.pipeline.vertex.dry_run.forks import forked_steps

USERS, MOVIES, EACH = 300, 60, 20
SETTINGS = (
    "vertex.pipeline_root=gs://some-bucket/greenlight",
    "training.epochs=8",
    "training.positions=256",
    "training.learning_rate=0.01",
    "model.linear_movies=0",
    "training.importance_rows=0",
    "training.refit=false",
    "gates.replicates=50",
    "gates.slices=[]",
    "gates.list_users=50",
)


@dataclass
class DryRun:
    """How a dry run ended, and what it said."""

    status: int
    terminal: str
    output: Path

    def states(self) -> dict[str, str]:
        rows = re.findall(r"│ (\S+) +│ (done|cached|found|none yet|skipped) +│", self.terminal)
        return dict(rows)

    def blessing(self) -> dict[str, Any]:
        (place,) = re.findall(r"^Blessed and pushed: (.*)$", self.terminal, re.MULTILINE)
        content: dict[str, Any] = json.loads((Path(place) / "blessing.json").read_text())
        return content

    def pushed(self) -> list[Path]:
        place = self.output / "vertex" / "gs" / "some-bucket" / "greenlight" / "serving_model"
        return sorted(place.glob("*"))


def write_data(folder: Path) -> None:
    """Users choose movies of one of two kinds, and like every other one: easily learned."""
    draw = np.random.default_rng(1)
    lines = ["userId,movieId,rating,timestamp"]
    for user in range(USERS):
        own = [movie for movie in range(MOVIES) if movie % 2 == user % 2]
        for place, movie in enumerate(draw.permutation(own)[:EACH]):
            rating = 4.5 if (movie // 2 + user // 2) % 2 else 1.5
            lines.append(f"{user},{movie},{rating},{1_000_000 + 1000 * place + user}")
    folder.mkdir()
    (folder / "ratings.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    movies = [f"{movie},Movie {movie} ({1980 + movie}),Drama|Comedy" for movie in range(MOVIES)]
    text = "\n".join(["movieId,title,genres", *movies]) + "\n"
    (folder / "movies.csv").write_text(text, encoding="utf-8")


def dry_run(data: Path, output: Path) -> DryRun:
    words = [word for setting in SETTINGS for word in ("--set", setting)]
    place = ["--data-dir", "gs://some-bucket/data", "--local-data", str(data)]
    with forked_steps():
        status, terminal = command.greenlight(
            "vertex", "dry-run", *place, "--output-dir", str(output), *words
        )
    return DryRun(status, terminal, output)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[DryRun, DryRun]:
    folder = tmp_path_factory.mktemp("dry")
    write_data(folder / "data")
    first, second = (dry_run(folder / "data", folder / "output") for _ in range(2))
    return first, second


def test_the_first_ends_blessed_with_a_pushed_model(runs: tuple[DryRun, DryRun]) -> None:
    first = runs[0]
    assert first.status == 0, first.terminal
    assert "[13/13]" in first.terminal
    states = first.states()
    assert len(states) == 13
    assert {name for name, state in states.items() if state == "none yet"} == {
        "LastStatistics", "BlessedModel-model-blessing-resolver", "BlessedModel-model-resolver",
    }  # fmt: skip
    assert list(states.values()).count("done") == 10
    blessing = first.blessing()
    assert blessing["blessed"] and blessing["rows"]["read"] == USERS * EACH
    assert "blessed" not in {gate["kind"] for gate in blessing["gates"]}


def test_the_pushed_model_answers(runs: tuple[DryRun, DryRun]) -> None:
    model = tf.saved_model.load(str(runs[0].pushed()[0]))
    found = model.signatures["recommend"](
        user_id=tf.constant([b"nobody"]),
        history_movie_id=tf.constant([[b"1", b"3"]]),
        history_rating=tf.constant([[4.5, 4.5]]),
        k=tf.constant(5),
    )
    assert len(set(found["movie_id"].numpy()[0].tolist())) == 5


def test_the_second_finds_cache_baseline_and_the_ratings_statistics(
    runs: tuple[DryRun, DryRun],
) -> None:
    second = runs[1]
    assert second.status == 0, second.terminal
    states = second.states()
    assert {name for name, state in states.items() if state == "found"} == {
        "LastStatistics", "BlessedModel-model-blessing-resolver", "BlessedModel-model-resolver",
    }  # fmt: skip
    assert {name for name, state in states.items() if state == "done"} == {
        "DataValidator", "Evaluator", "BlessingReport", "Pusher",
    }  # fmt: skip
    compared = [gate for gate in second.blessing()["gates"] if gate["kind"] == "blessed"]
    assert len(compared) == 2 and all(gate["value"] == 0 for gate in compared)
    log = next((second.output / "vertex" / "logs").glob("*/DataValidator.log"))
    newest = max(log.parent.parent.glob("*/DataValidator.log"))
    found = re.search(r"'previous_ratings_statistics': \[Artifact\(.*?uri: \"([^\"]+)\"",
                      newest.read_text(encoding="utf-8"), re.DOTALL)  # fmt: skip
    assert found and "/DataValidator_" in found[1]


def test_paths_stay_gs_for_all_but_the_commands(runs: tuple[DryRun, DryRun]) -> None:
    stored = (runs[0].output / "vertex" / "metadata.json").read_text(encoding="utf-8")
    assert "gs://some-bucket/greenlight/1/dry-run-" in stored
    assert str(runs[0].output) not in stored


def test_data_on_gs_needs_a_local_copy(tmp_path: Path) -> None:
    config = load_config(None, ["data_dir=gs://some-bucket/data"])
    with pytest.raises(UserError, match="--local-data FOLDER"):
        data_folder(config, None)
    with pytest.raises(UserError, match="does not exist"):
        data_folder(config, str(tmp_path / "none"))
    assert data_folder(config, str(tmp_path)) == tmp_path


def test_a_mount_is_made_anew(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        mount(tmp_path / "gs", "gs://bucket/deep/data/", tmp_path / name)
    assert (tmp_path / "gs" / "bucket" / "deep" / "data").resolve() == tmp_path / "two"

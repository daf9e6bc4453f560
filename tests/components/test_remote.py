"""Paths that are no local files: TensorFlow's file system in memory, in place of gs://.

Whatever opened a path past TensorFlow's file systems would not find it there.
"""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components.example_gen.config import SplitConfig
from components.example_gen.generate import generate
from components.examples.activity import count_train, read_movies
from components.exported.module import ExportedRecommender, save
from components.model.config import TrainingConfig
from components.report import people
from components.trainer.fit import Fit
from components.trainer.rounds import Rounds
from schemas.errors import UserError
from schemas.source import load_source
from tests.components.trainer.lines import Line

BUCKET = "ram://bucket"
FILES = {
    "ratings.csv": ["userId,movieId,rating,timestamp"]
    + [f"{n % 10},{n % 7},{1 + n % 5},{1_000_000 + n}" for n in range(70)],
    "movies.csv": ["movieId,title,genres", *(f"{n},Film {n} (1990),Drama" for n in range(7))],
}
ROWS = 70


@pytest.fixture(scope="module")
def examples() -> str:
    tf.io.gfile.makedirs(f"{BUCKET}/data")
    for name, lines in FILES.items():
        with tf.io.gfile.GFile(f"{BUCKET}/data/{name}", "w") as file:
            file.write("\n".join(lines) + "\n")
    source = load_source("movielens-latest")
    uris = (f"{BUCKET}/data", f"{BUCKET}/examples", f"{BUCKET}/catalogue")
    rows = generate(source, SplitConfig(), *uris)
    assert rows["kept"] == ROWS
    return f"{BUCKET}/examples"


def files(examples: str, split: str) -> list[str]:
    found: list[str] = tf.io.gfile.glob(f"{examples}/Split-{split}/*")
    return found


def test_the_example_gen_leaves_its_outputs_and_nothing_else(examples: str) -> None:
    assert sorted(tf.io.gfile.listdir(examples)) == [
        "Split-eval", "Split-refit", "Split-train", "Split-valid", "rows.json",
    ]  # fmt: skip
    assert not Path(examples).exists()


def test_a_missing_remote_file_is_one_sentence() -> None:
    source = load_source("movielens-latest")
    with pytest.raises(UserError, match=r"ram://bucket/none has no .*ratings\.csv"):
        generate(source, SplitConfig(), f"{BUCKET}/none", f"{BUCKET}/a", f"{BUCKET}/b")


def test_evaluation_and_report_read_examples(examples: str) -> None:
    train, catalogue = files(examples, "train"), files(f"{BUCKET}/catalogue", "catalogue")
    assert sum(count_train(train).ratings.values()) == ROWS * 0.8
    assert len(read_movies(catalogue, train)[0]) == 7
    assert people.titles_and_genres(catalogue)[b"3"]["title"] == "Film 3 (1990)"
    assert people.choose(files(examples, "eval"))


def test_a_training_goes_on_from_remote_checkpoints(make_facts, make_window) -> None:
    window = make_window(make_facts(), [5, 3])
    losses = iter((0.5, 0.4))

    def fitted(epochs: int) -> Fit:
        fit = Fit(Line(), TrainingConfig(), Rounds(epochs, 1, 1), f"{BUCKET}/checkpoints/key")
        fit.run(lambda _: [window], lambda _: {"valid_loss": next(losses)}, f"{BUCKET}/log")
        return fit

    fitted(1)
    assert [row["valid_loss"] for row in fitted(2).history.epochs] == [0.5, 0.4]
    assert any("tfevents" in name for name in tf.io.gfile.listdir(f"{BUCKET}/log"))


def test_a_model_is_saved_and_asked_remotely(make_model, make_lookup) -> None:
    model = make_model(True)
    save(ExportedRecommender(model, make_lookup(model.facts), 8), f"{BUCKET}/model")
    loaded = tf.saved_model.load(f"{BUCKET}/model")
    found = loaded.signatures["recommend"](
        user_id=tf.constant([b"nobody"]),
        history_movie_id=tf.constant([[b"m1"]]),
        history_rating=tf.constant([[4.0]]),
        k=tf.constant(3),
    )
    assert np.unique(found["movie_id"].numpy()).size == 3

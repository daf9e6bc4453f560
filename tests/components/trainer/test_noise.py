"""Pure noise in a file that is sorted by movie within a day: there is nothing to be learned."""

import numpy as np
import pytest
import tensorflow as tf

from components.example_gen.config import SplitConfig
from components.example_gen.generate import generate
from components.examples.catalogue import read_catalogue
from components.examples.records import records, serialized
from components.exported.evaluation import evaluate
from components.exported.served import ServedModel
from components.exported.stored import StoredUsers
from components.model.config import TrainingConfig
from components.trainer import gather
from components.trainer.data import TrainingData
from components.trainer.job import Job
from components.trainer.learn import learn
from components.trainer.settings import SplitOutcome, TrainerSettings
from schemas.source import Source

USERS, MOVIES, DAYS, A_DAY = 300, 120, 3, 8
SPLIT = SplitConfig(kind="leave_last_n")
CHANCE = 10 / (MOVIES - DAYS * A_DAY + 1)


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    """Each user's last rating held out, of files with dates alone."""
    folder, rng = tmp_path_factory.mktemp("noise"), np.random.default_rng(5)
    rows = []
    for user in range(USERS):
        watched = rng.choice(MOVIES, [DAYS, A_DAY], replace=False)
        for day, movies in enumerate(watched):
            rows += [(day, movie, user, rng.integers(1, 6)) for movie in movies]
    lines = [
        f"u{user},{movie:03d},{mark},2020-01-0{day + 1}" for day, movie, user, mark in sorted(rows)
    ]
    (folder / "votes.csv").write_text("\n".join(["user,movie,mark,day", *lines]) + "\n")
    columns = {"user_id": "user", "movie_id": "movie", "rating": "mark", "timestamp": "day"}
    ratings = {"files": "votes.csv", "columns": columns, "timestamp": "%Y-%m-%d"}
    source = Source.model_validate({"name": "noise", "scale": (1, 5), "ratings": ratings})
    uris = f"{folder}/examples", f"{folder}/catalogue"
    report = generate(source, SPLIT, str(folder), *uris)
    assert report["splits"]["eval"] == {"ratings": USERS, "examples": USERS, "tied": USERS}
    return folder


def test_noise_is_found_by_chance_and_no_better_than_popularity(examples):
    files = {
        split: tf.io.gfile.glob(f"{examples}/examples/Split-{split}/*")
        for split in ("train", "valid", "eval")
    }
    catalogue = read_catalogue(tf.io.gfile.glob(f"{examples}/catalogue/*/*"))
    users = sorted({example.features.feature["user_id"].bytes_list.value[0]
                    for batch in records(files["train"])
                    for example in map(tf.train.Example.FromString, batch.numpy())})  # fmt: skip
    vocabulary = {"user_id": users, "movie_id": catalogue.ids.to_pylist()}
    lookup = gather.make_lookup(catalogue, vocabulary)
    statistics = gather.count_train(serialized(files["train"]), lookup, len(catalogue.ids))
    settings = TrainerSettings(
        training=TrainingConfig(epochs=4), split=SPLIT, scale=(1.0, 5.0), checkpoints=""
    )
    job = Job(
        settings, SplitOutcome("before", None), files["train"], files["valid"], [],
        transform_graph="", checkpoints=f"{examples}/checkpoints", log_dir=f"{examples}/log",
    )  # fmt: skip
    model = learn(job, TrainingData(catalogue, vocabulary, lookup, statistics)).model
    served = ServedModel(model, lookup, 100, StoredUsers.none())
    parts = [evaluate(served, batch) for batch in records(files["eval"])]
    doubt = 4 * np.sqrt(CHANCE * (1 - CHANCE) / USERS)  # four standard deviations
    for name in ("rank", "popularity_rank"):
        ranks = np.concatenate([part[name].numpy() for part in parts])
        assert (ranks <= 10).mean() == pytest.approx(CHANCE, abs=doubt), name

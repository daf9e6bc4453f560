"""What valid has chosen goes on with train and valid together, and with nothing of eval."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from components.examples.catalogue import read_catalogue
from components.model.config import ModelConfig, TrainingConfig
from components.trainer import data as data_module
from components.trainer import gather
from components.trainer.component import split_outcome
from components.trainer.data import TrainingData
from components.trainer.job import Job
from components.trainer.learn import learn
from components.trainer.refit import refit
from components.trainer.settings import TrainerSettings
from tests.components.example_gen.small_data import make, read_splits, targets, write_tables
from tests.components.trainer.eager import eagerly

MODEL = ModelConfig(dims=4, hidden=4, rating_heads=1, rating_dims=2, max_softmax=32)
VALID_TIME = 1_000_000_000 + 42 * 30 * 86_400
TRAINING = TrainingConfig(epochs=2, positions=256)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Examples by time; the times of u99, and of nobody else, are those of valid alone."""
    made = tmp_path_factory.mktemp("refit")
    data = write_tables(made / "data")
    with (data / "ratings-2.csv").open("a") as file:
        file.writelines(f"u99,{movie},4,{VALID_TIME}\n" for movie in (1, 2, 3))
    make(data, made)
    return made


@pytest.fixture(scope="module")
def job(folder):
    def files(split):
        return sorted(tf.io.gfile.glob(f"{folder}/examples/Split-{split}/*"))

    settings = TrainerSettings(model=MODEL, training=TRAINING, scale=(1.0, 5.0), checkpoints="")
    return Job(
        settings, split_outcome(f"{folder}/examples"), files("train"), files("valid"), [],
        transform_graph="", checkpoints=f"{folder}/checkpoints", log_dir=f"{folder}/log",
        refit=files("refit"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def data(folder, job):
    catalogue = read_catalogue(tf.io.gfile.glob(f"{folder}/catalogue/*/*"))
    train = targets(read_splits(folder)["train"])
    users = [user.encode() for user in sorted({user for user, *_ in train})]
    vocabulary = {"user_id": users, "movie_id": catalogue.ids.to_pylist()}
    lookup = gather.make_lookup(catalogue, vocabulary)
    return TrainingData(
        catalogue, vocabulary, lookup, data_module.count(job, lookup, len(catalogue))
    )


@pytest.fixture(scope="module")
def trained(job, data):
    with eagerly():
        return learn(job, data)


@pytest.fixture(scope="module")
def model(job, data, trained):
    """Its steps are traced, as the Trainer takes them; those of the others here are not."""
    return refit(job, data, trained)


def test_it_counts_train_and_valid_and_nothing_of_eval(folder, trained, model):
    splits = read_splits(folder)
    before, both = targets(splits["train"]), targets(splits["train"] + splits["valid"])
    for facts, rows in ((trained.model.facts, before), (model.facts, both)):
        ids = [movie.decode() for movie in facts.movie_ids]
        expected = [sum(row[1] == movie for row in rows) for movie in ids]
        np.testing.assert_array_equal(facts.counts, expected)
        sums = [sum(row[2] for row in rows if row[1] == movie) for movie in ids]
        np.testing.assert_allclose(facts.rating_sums, sums)
    assert len(both) > len(before)


def test_who_is_in_valid_alone_is_nobodys_rater(folder, model):
    splits = read_splits(folder)
    known, new = ({user for user, *_ in targets(splits[name])} for name in ("train", "valid"))
    assert new - known == {"u99"}
    rows = {user.decode(): row for row, user in enumerate(model.facts.user_ids)}
    ids = [movie.decode() for movie in model.facts.movie_ids]
    rated = {(row[1], rows[row[0]]) for row in targets(splits["train"] + splits["valid"])
             if row[0] in rows}  # fmt: skip
    raters = model.facts.raters
    assert {(ids[m], user) for m, user in zip(raters.movie, raters.user, strict=True)} == rated


def test_all_that_it_learned_from_is_older_than_eval(folder, job, trained, model):
    times = [row[3] for row in targets(read_splits(folder)["valid"])]
    seconds = model.facts.trained_until / 1e6
    assert trained.model.facts.trained_until / 1e6 <= min(times) <= max(times) < seconds
    assert min(row[3] for row in targets(read_splits(folder)["eval"])) >= seconds


def test_it_begins_with_the_weights_that_valid_chose(job, data, trained, tmp_path):
    training = TRAINING.model_copy(update={"epochs": 0})
    settings = job.settings.model_copy(update={"training": training})
    untouched = refit(replace(job, settings=settings, checkpoints=f"{tmp_path}"), data, trained)
    for before, now in zip(_own(trained.model), _own(untouched), strict=True):
        np.testing.assert_array_equal(before.numpy(), now.numpy(), before.name)


def test_it_learns_what_valid_holds(trained, model):
    weights = zip(_own(trained.model), _own(model), strict=True)
    changed = [np.abs(before.numpy() - now.numpy()).max() > 0 for before, now in weights]
    assert np.mean(changed) > 0.9


def test_the_path_has_the_share_that_valid_chose_and_counts_both(trained, model):
    before, now = trained.model.linear, model.linear
    assert (float(before.share), float(before.half_life)) == (
        float(now.share), float(now.half_life),
    )  # fmt: skip
    assert before.between.shape != now.between.shape or not np.allclose(before.between, now.between)


def test_a_refit_that_was_killed_goes_on(job, data, trained, tmp_path, monkeypatch):
    training = TRAINING.model_copy(update={"epochs": 4})
    settings = job.settings.model_copy(update={"training": training})
    job = replace(job, settings=settings, checkpoints=f"{tmp_path}")
    windows, rounds = data_module.round_windows, []

    def killed_once(job, lookup, planned, number):
        rounds.append(number)
        if rounds == [0, 1]:
            raise KeyboardInterrupt
        return windows(job, lookup, planned, number)

    monkeypatch.setattr("components.trainer.learn.round_windows", killed_once)
    with eagerly():
        with pytest.raises(KeyboardInterrupt):
            refit(job, data, trained)
        resumed = refit(job, data, trained)
        assert rounds == [0, 1, 1]
        undisturbed = refit(replace(job, checkpoints=f"{tmp_path}/undisturbed"), data, trained)
    for one, other in zip(resumed.variables, undisturbed.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy(), one.name)


def _own(model):
    """A model's weights but for those of the linear path."""
    path = model.linear.variables if model.linear is not None else []
    others = {id(variable) for variable in path}
    return [variable for variable in model.variables if id(variable) not in others]

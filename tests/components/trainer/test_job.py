"""The Trainer's job: what it is made of, and the folder that the same training finds again."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from tfx import v1 as tfx

from components.trainer.job import Job, make_job
from components.trainer.settings import SplitOutcome, TrainerArguments, TrainerSettings
from components.trainer.window_files import WindowFiles


def made(
    folder: Path,
    tuned: Any = None,
    base_model: Any = None,
    until: int | None = None,
    valid: int = 10,
    **changed: Any,
) -> Job:
    """The job of a node whose input artifacts are in a folder."""
    content = {"scale": (1, 5), "checkpoints": str(folder / "checkpoints"), **changed}
    for split in ("train", "valid"):
        (folder / split).mkdir(parents=True, exist_ok=True)
        (folder / split / "data.gz").touch()
    outcome = SplitOutcome("before", until, train_ratings=100, valid_ratings=valid)
    settings = TrainerSettings.model_validate(content)
    arguments = TrainerArguments(settings, outcome, ["movies"], [], ["both"])
    fn_args = tfx.components.FnArgs(
        train_files=[f"{folder}/train/*"],
        eval_files=[f"{folder}/valid/*"],
        transform_output=f"{folder}/graph",
        model_run_dir=f"{folder}/log",
        base_model=base_model,
        hyperparameters=tuned and {"values": tuned},
        custom_config=arguments,  # type: ignore[arg-type]  # as TrainerArguments says
    )
    return make_job(fn_args)


def test_it_has_the_files_and_the_settings_of_the_node(tmp_path: Path) -> None:
    job = made(tmp_path, until=7, split={"window_length": 20})
    assert job.train == [f"{tmp_path}/train/data.gz"]
    assert job.valid == [f"{tmp_path}/valid/data.gz"]
    assert job.catalogue == ["movies"]
    assert (job.transform_graph, job.log_dir) == (f"{tmp_path}/graph", f"{tmp_path}/log")
    assert (job.ordered, job.window, job.outcome.trained_until) == (True, 20, 7)
    assert job.chosen == {}


def test_what_a_tuner_found_goes_before_the_settings(tmp_path: Path) -> None:
    tuned = {"model.dims": 8, "training.learning_rate": 0.01, "tuner/epochs": 3}
    job = made(tmp_path, tuned, model={"dims": 64, "hidden": 16})
    assert job.chosen == {"model": {"dims": 8}, "training": {"learning_rate": 0.01}}
    assert (job.settings.model.dims, job.settings.model.hidden) == (8, 16)
    assert job.settings.training.learning_rate == 0.01


def test_the_same_training_finds_its_checkpoints_and_no_other_does(tmp_path: Path) -> None:
    tuned = {"model.dims": 8}
    jobs = {
        "as it was": made(tmp_path),
        "other settings": made(tmp_path, model={"dims": 8}),
        "another split": made(tmp_path, split={"seed": 7}),
        "another scale": made(tmp_path, scale=(0, 5)),
        "a base model": made(tmp_path, base_model="blessed"),
        "other data": made(tmp_path / "other", checkpoints=str(tmp_path / "checkpoints")),
    }
    folders = [job.checkpoints for job in jobs.values()]
    assert len(set(folders)) == len(jobs)
    assert all(Path(folder).parent == tmp_path / "checkpoints" for folder in folders)
    assert made(tmp_path).checkpoints == folders[0]
    assert made(tmp_path, tuned).checkpoints == folders[1]  # whoever chose the value


def test_it_refits_where_valid_holds_enough_and_no_later_start_would_suffer(tmp_path: Path) -> None:
    assert made(tmp_path).will_refit
    assert made(tmp_path, valid=2).will_refit
    assert not made(tmp_path, valid=1).will_refit
    assert not made(tmp_path, training={"refit": False}).will_refit
    assert not made(tmp_path, training={"warm_start": True}).will_refit


def test_windows_are_those_of_train_until_it_refits(tmp_path: Path) -> None:
    job = made(tmp_path)
    assert job.windows == WindowFiles(job.train)
    assert replace(job, refits=True).windows == WindowFiles(job.train, ["both"])

"""The commands' mistakes: one sentence and status 2; and what they print."""

import os

import pytest


@pytest.fixture
def run(models, loads_once, greenlight):
    def on(command, *arguments, model_dir=models):
        asking = ["--load"] if command in ("recommend", "rate") else []
        return greenlight(command, *arguments, *asking, "--model-dir", model_dir)

    return on


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["recommend", "--user", "stranger"], "knows no user 'stranger'"),
        (["recommend", "--liked", "toy stori"], "did you mean 'Toy Story (1995)'"),
        (["recommend", "--liked", "Heat=11"], "off the scale"),
        (["recommend", "--genre", "Cosy"], "There is no genre 'Cosy'"),
        (["recommend", "--rank-by", "luck"], "--rank-by is"),
        (["recommend", "--users", "1", "2", "--weights", "1"], "as many --weights"),
        (["recommend", "--users", "1", "--liked", "Heat"], "either --users"),
        (["recommend", "--weights", "1"], "go with --users"),
        (["recommend", "--users", "1", "2", "--rule", "shout"], "--rule is"),
        (["recommend", "--users", "1", "2", "--weights", "1", "-1"], "weight"),
        (["recommend", "--users", *"123456789", "10", "11"], "people"),
        (["rate", "--user", "1", "--movie", "zzzzzz"], "There is no movie 'zzzzzz'"),
        (["batch", "--output", "nowhere/at/all.parquet"], "nowhere/at is not a folder"),
        (["batch", "--output", "."], ". is a folder"),
        (["batch", "--output", "gs://b/all.parquet"], "gs://b/all.parquet is no folder of this"),
        (["index", "--output", "gs://b/index"], "gs://b/index is no folder of this machine"),
        (["index", "--output", __file__], "is a file"),
        (["recommend", "--version", "7"], "no version 7 in"),
    ],
)
def test_a_mistake_is_one_sentence_and_status_2(run, arguments, words):
    status, out, err = run(*arguments)
    assert (status, out) == (2, "") and err.count("\n") == 1
    assert err.startswith("greenlight: ") and words in err


@pytest.mark.parametrize("command", ["recommend", "batch", "serve"])
def test_without_a_model_it_says_where_one_comes_from(run, tmp_path, command):
    status, out, err = run(command, model_dir=tmp_path)
    assert (status, out) == (2, "")
    sentence = f"There is no model in {tmp_path}: `greenlight run` pushes one there."
    assert err == f"greenlight: {sentence}\n"


def test_a_newcomer_is_told_where_the_list_comes_from(run):
    status, out, _ = run("recommend", "--liked", "toy story", "heat=4", "-k", "3")
    listed, said = out.split("From the movies you named ")
    assert status == 0 and "Toy Story" not in listed
    assert " ".join(said.split()).startswith("(Toy Story (1995); Heat (1995)); model 1.")
    status, out, _ = run("recommend", "-k", "3")
    assert status == 0 and "From popularity alone" in out


def test_where_no_movie_fits_it_says_so(run):
    status, out, _ = run("recommend", "--user", "3", "--year-from", "2030")
    assert (status, out) == (0, "No movie fits: limit the list less.\n")


def test_a_title_with_an_equals_sign_is_a_title(run):
    _, _, err = run("recommend", "--liked", "E=mc2")
    assert "There is no movie 'E=mc2'" in err


def test_batch_never_replaces_what_is_no_file(run, tmp_path):
    pipe, link, file = (tmp_path / name for name in ("pipe", "link", "all.parquet"))
    os.mkfifo(pipe)
    status, out, err = run("batch", "--output", pipe)
    assert (status, out) == (2, "") and f"{pipe} is no file" in err
    assert pipe.is_fifo()
    link.symlink_to(file.name)
    assert run("batch", "--output", link, "-k", "2")[0] == 0
    assert link.is_symlink() and file.read_bytes()[:4] == b"PAR1"
    long = tmp_path / ("n" * 250)
    assert run("batch", "--output", long, "-k", "2")[0] == 0 and long.is_file()


def test_batch_says_how_many_and_how_fast(run, tmp_path):
    status, out, _ = run("batch", "--output", tmp_path / "all.parquet", "-k", "2")
    assert status == 0
    assert "80 rows for 40 users" in out and (tmp_path / "all.parquet").exists()

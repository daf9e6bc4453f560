"""Commands that ask a server instead of loading a model: how it is found, and what it answers."""

import json
import os
import subprocess
import sys
from urllib.parse import urlsplit

import numpy as np
import pytest

from serving.announced import announced, find_server
from tests.models import MIX
from tests.serving.conftest import ROOT


@pytest.fixture
def folder(tmp_path):
    """A folder whose version 1 cannot be loaded: who answers for it has asked a server."""
    version = tmp_path / "models" / "1"
    version.mkdir(parents=True)
    (version / "saved_model.pb").touch()
    return tmp_path / "models"


def test_a_server_is_found_while_it_serves(folder):
    beside = folder.parent / ".models.server"
    with announced(folder, "127.0.0.1", 8501):
        assert find_server(folder) == "http://127.0.0.1:8501"
        with announced(folder, "::", 9000):  # the last one that came is asked
            assert find_server(folder) == "http://[::1]:9000"
        left = beside.read_bytes() if beside.exists() else json.dumps({"url": "http://x"}).encode()
    assert find_server(folder) is None and not beside.exists()
    beside.write_bytes(left)  # as a killed server leaves it: nobody holds it
    assert find_server(folder) is None


def test_a_file_that_others_may_write_to_says_nothing(folder):
    with announced(folder, "127.0.0.1", 8501):
        (folder.parent / ".models.server").chmod(0o666)
        assert find_server(folder) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"url": 1}', "\xff"])
def test_a_broken_file_says_nothing(folder, text):
    with announced(folder, "127.0.0.1", 8501):
        (folder.parent / ".models.server").write_text(text)
        assert find_server(folder) is None


def test_who_listens_elsewhere_alone_or_cannot_write_tells_nobody(folder):
    with announced(folder, "192.0.2.1", 8501):
        assert find_server(folder) is None
    with announced(folder / "nowhere" / "models", "127.0.0.1", 8501):
        assert find_server(folder / "nowhere" / "models") is None


def _numbers(movies):
    """Takes the numbers out of movies."""
    own = [[movie.pop("score"), movie.pop("rating"), *movie.pop("ratings", [])] for movie in movies]
    return np.array(own, float)


ASKED = [
    ("recommend", "--user", "3", "-k", "4", "--rank-by", "0.5"),
    ("recommend", "--liked", "toy story", "heat=4", "--genre", "Drama", "--year-from", "1980"),
    ("recommend", "--users", "3", "4", "--weights", "1", "2", "--rule", "least_misery"),
    ("rate", "--user", "3", "--movie", "heat", "toy story"),
]


@pytest.mark.parametrize("words", ASKED)
def test_a_server_answers_what_the_loaded_model_does(server, models, loads_once, greenlight, words):
    remote = greenlight(*words, "--json", "--url", server.url)
    local = greenlight(*words, "--json", "--model-dir", models, "--load")
    assert remote[0] == local[0] == 0 and remote[2] == ""
    ours, theirs = json.loads(local[1]), json.loads(remote[1])
    mine, other = (answer.pop("movies") for answer in (ours, theirs))
    np.testing.assert_allclose(_numbers(mine), _numbers(other), rtol=1e-5)
    assert (ours, mine) == (theirs, other)


def test_people_get_the_order_that_the_training_chose_and_programs_the_judged_one(
    server, client, models, loads_once, greenlight
):
    def listed(*words):
        status, out, _ = greenlight("recommend", "--user", "3", "--json", *words)
        assert status == 0
        return [movie["movie_id"] for movie in json.loads(out)["movies"]]

    judged = client.post("/recommend", json={"user": "3"}).json()["movies"]
    for asked in (("--url", server.url), ("--model-dir", models, "--load")):
        by_default = listed(*asked)
        assert by_default == listed(*asked, "--rank-by", str(MIX))
        first = listed(*asked, "--rank-by", "retrieval")
        assert first == [movie["movie_id"] for movie in judged] and first != by_default


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["recommend", "--user", "stranger"], "knows no user 'stranger'"),
        (["recommend", "--liked", "toy stori"], "did you mean 'Toy Story (1995)'"),
        (["recommend", "--liked", "E=2"], "There is no movie 'E'"),
        (["recommend", "--user", "3", "--version", "9"], "serves version 1, not 9"),
    ],
)
def test_mistakes_are_told_as_by_the_model(server, greenlight, arguments, words):
    status, out, err = greenlight(*arguments, "--url", server.url)
    assert (status, out) == (2, "") and err.count("\n") == 1 and words in err


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:1", "No server answers at http://127.0.0.1:1"),
        ("localhost", "--url takes an address"),
        ("http://x:y", "--url takes an address"),
    ],
)
def test_without_a_server_there_it_is_one_sentence(greenlight, url, words):
    status, out, err = greenlight("recommend", "--user", "3", "--url", url)
    assert (status, out) == (2, "") and err.count("\n") == 1 and words in err


def test_a_server_that_is_found_answers_without_tensorflow(server, folder):
    code = (
        "import sys; from pipeline import cli\n"
        "try: cli.main()\n"
        "finally: print('tensorflow' in sys.modules)"
    )
    command = [sys.executable, "-c", code, "recommend", "--user", "3", "--model-dir", str(folder)]
    with announced(folder, "127.0.0.1", urlsplit(server.url).port):
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "From what the user has seen; model 1." in done.stdout
    assert done.stdout.endswith("False\n")


def test_a_server_of_another_version_is_not_asked(server, folder, greenlight):
    (folder / "1").rename(folder / "2")
    with announced(folder, "127.0.0.1", urlsplit(server.url).port):
        status, out, err = greenlight("recommend", "--user", "3", "--model-dir", folder)
    assert (status, out) == (2, "") and "No version in" in err

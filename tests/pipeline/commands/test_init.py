"""`greenlight init` and what it says to do next, as they are typed."""

import shlex
from pathlib import Path

import pytest

from tests.components.guess import test_guess
from tests.pipeline import command


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "my data"
    folder.mkdir()
    test_guess.anime(folder)
    return sorted(map(str, folder.iterdir()))


def test_what_it_says_to_type_draws_the_page_of_the_data(files, tmp_path):
    status, out, err = command.greenlight_piped("init", *files)
    assert (status, err) == (0, "")
    assert "how it was liked. No column tells when" in out
    explore, run = (line.strip() for line in out.splitlines()[-2:])
    assert run == explore.replace("explore", "run")
    output = tmp_path / "out"
    words = [*shlex.split(explore)[1:], "--output-dir", str(output)]
    status, out, err = command.greenlight_piped(*words)
    assert status == 0, err
    assert "the ratings have no times, so they are split at random" in " ".join(err.split())
    assert "Anime 1" in (output / "explore" / "index.html").read_text()


def test_it_replaces_no_file_unless_it_is_told_to(files, tmp_path):
    place = tmp_path / "mine.yaml"
    place.write_text("mine")
    status, _, err = command.greenlight_piped("init", *files, "--output", str(place))
    assert status == 2 and "take --force to replace it" in err and place.read_text() == "mine"
    status, out, _ = command.greenlight_piped("init", *files, "--output", str(place), "--force")
    folder = shlex.quote(str(Path(files[0]).parent))
    assert status == 0 and f"--source {place} --data-dir {folder}" in out
    assert "anime_id" in place.read_text()


@pytest.mark.parametrize(("words", "said"), [
    (["nowhere.csv"], "nowhere.csv does not exist."),
    (["."], "is a folder: name its files"),
    ([__file__, "--output", "x.txt"], "ends in .yaml"),
    ([__file__, "--output", "nowhere/x.yaml"], "no separator is seen"),
])  # fmt: skip
def test_a_mistake_is_one_sentence(words, said):
    status, out, err = command.greenlight_piped("init", *words)
    assert (status, out) == (2, "") and err.count("\n") == 1 and said in err

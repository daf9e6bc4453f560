"""What the terminal shows of an answer, at 80 columns."""

import pytest

from serving.shown import show

LONG = "Adventures of Buckaroo Banzai Across the 8th Dimension, The (1984)"
ID = "a9f2c1d0-7e55-4b0e-9a54-1e4d7f2c9f11"


@pytest.fixture
def printed(monkeypatch, capsys):
    def run(answer):
        monkeypatch.setenv("COLUMNS", "80")
        show({"version": "3", "source": "user", **answer}, as_json=False)
        return capsys.readouterr().out

    return run


def test_no_word_is_broken_and_every_id_can_be_copied(printed):
    movie = {"title": LONG, "movie_id": ID, "rating": 3.2}
    out = printed({"movies": [movie, {**movie, "movie_id": "7"}]})
    assert max(map(len, out.splitlines())) <= 80
    assert ID in out and "…" not in out
    assert {*LONG.split()} <= {*out.split()}


def test_brackets_in_a_title_are_text(printed):
    movie = {"title": "[red]Heat[/]", "movie_id": "1", "rating": None}
    out = printed({"movies": [movie], "history": [movie], "source": "history"})
    assert out.count("[red]Heat[/]") == 2 and "From the movies you named ([red]Heat[/])" in out

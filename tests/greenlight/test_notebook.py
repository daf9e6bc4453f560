"""A model asked from Python, and tables stored as a source: what needs no training."""

import os
import subprocess
import sys

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import greenlight
from components.guess.guess import guess_source
from greenlight.fitted import Fitted
from greenlight.tables import write_tables
from schemas.source import load_source
from tests.models import serving_model


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The exported model of the serving tests, as a run leaves it."""
    served = serving_model(tmp_path_factory)
    folder = tmp_path_factory.mktemp("run")
    (folder / "serving_model").symlink_to(served)
    return greenlight.open(folder)


def test_it_recommends_as_the_server_does(model):
    from serving.requests import RecommendRequest
    from serving.versions import choose

    found = model.recommend(7, k=4, year_from=1990)
    asked = RecommendRequest(user="7", k=4, year_from=1990)
    assert (
        found.to_dict("records")
        == choose(model.folder / "serving_model").recommend(asked)["movies"]
    )
    first, second = model.recommend(k=2)["title"]
    newcomer = model.recommend(liked={first: 5, second: 1})
    assert len(newcomer) == 10 and not {first, second} & {*newcomer["title"]}
    assert not newcomer.equals(model.recommend(liked=[first, second]))


def test_it_rates_in_the_order_that_was_asked_for(model):
    titles = [*model.recommend(k=3)["title"]][::-1]
    rated = model.rate(titles, 7)
    assert [*rated["title"]] == titles and rated["rating"].between(0.5, 5).all()
    assert "score" not in rated
    assert model.rate(titles[0], 7)["rating"][0] == rated["rating"][0]
    assert titles[0] not in {*model.similar(titles[0], 5)["title"]}


@pytest.mark.parametrize(("ask", "said"), [
    (lambda model: model.recommend("nobody"), "no user 'nobody'; a newcomer is asked by liked"),
    (lambda model: model.recommend(k=0), "k: "),
    (lambda model: model.recommend(genre="x"), "genre: "),
    (lambda model: model.rate("no such movie at all"), "no such movie at all"),
    (lambda model: model.report, "There is no report"),
    (lambda model: Fitted(model.folder, "x", None).recommend(), "was not blessed"),
    (lambda model: greenlight.open(model.folder / "no"), "There is no folder"),
])  # fmt: skip
def test_a_mistake_is_one_sentence(model, ask, said):
    with pytest.raises(greenlight.UserError) as caught:
        ask(model)
    assert said in str(caught.value) and "\n" not in str(caught.value)


RATINGS = pd.DataFrame({
    "userId": [i // 4 for i in range(80)], "gameId": [i % 9 for i in range(80)],
    "stars": [1.0 + i % 5 for i in range(80)],
    "played": pd.date_range("2024-01-01", periods=80, freq="H", tz="UTC"),
}, index=range(100, 180))  # fmt: skip
GAMES = pa.table({
    "gameId": list(range(9)), "name": [f"Game {i}" for i in range(9)],
    "genres": [["dice", "cards"][: 1 + i % 2] for i in range(9)],
})  # fmt: skip


def test_tables_of_pandas_and_arrow_become_a_source(tmp_path):
    files = write_tables(tmp_path, ratings=RATINGS, movies=GAMES, users=None)
    assert [file.name for file in files] == ["ratings.parquet", "movies.parquet"]
    place = tmp_path / "source.yaml"
    place.write_text(guess_source(files, tmp_path).text, encoding="utf-8")
    source = load_source(str(place))
    columns = source.ratings.columns
    assert (columns.user_id, columns.movie_id) == ("userId", "gameId")
    assert (columns.rating, columns.timestamp) == ("stars", "played")
    assert source.scale == (1, 5) and source.movies and source.movies.genres


def test_only_a_table_that_changed_is_written_anew(tmp_path):
    (first,) = write_tables(tmp_path, ratings=RATINGS, movies=None)
    os.utime(first, (0, 0))
    write_tables(tmp_path, ratings=RATINGS.copy(), movies=GAMES)
    assert first.stat().st_mtime == 0 and (tmp_path / "movies.parquet").exists()
    write_tables(tmp_path, ratings=pa.Table.from_pandas(RATINGS[::2]), movies=None)
    assert first.stat().st_mtime > 0 and pq.read_table(first).num_rows == 40
    assert not (tmp_path / "movies.parquet").exists()


@pytest.mark.parametrize("table", [[1, 2], RATINGS[:0], pd.DataFrame({"user": [1, "a", {}]})])
def test_what_is_no_table_is_one_sentence(table, tmp_path):
    with pytest.raises(greenlight.UserError, match=r"ratings (is not a|has no rows)"):
        write_tables(tmp_path, ratings=table)
    assert not [*tmp_path.iterdir()]


def test_what_a_run_says_is_a_wrong_setting_is_raised_as_it_says_it(tmp_path, capsys):
    rows = {"user": ["a", "b"] * 20, "movie": [*"cdefg"] * 8, "rating": [1, 2, 3, 4, 5] * 8}
    with pytest.raises(greenlight.UserError, match=r"^[^\n]*training\.epochs[^\n]*$"):
        greenlight.fit(pd.DataFrame(rows), folder=tmp_path, settings={"training.epochs": -1})
    assert "training.epochs" not in capsys.readouterr().out


def test_importing_it_loads_nothing_heavy():
    heavy = {"tensorflow", "tfx", "apache_beam", "pandas"}
    program = f"import sys, greenlight; print(sorted({heavy!r} & {{*sys.modules}}))"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"

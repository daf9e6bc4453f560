"""Four sets of files as people have them, from the files to Examples with no hand on the source."""

import gzip
import json
import random
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from components.example_gen.generate import generate
from components.guess.guess import guess_source
from pipeline.config import load_config
from schemas.errors import UserError
from schemas.source import Source, load_source
from schemas.source_parts import Category
from schemas.source_yaml import read_yaml

BEGIN = datetime(2022, 1, 3, 8, 15)


def _lines(path: Path, lines: list[str], encoding: str = "utf-8") -> None:
    path.write_text("\r\n".join([*lines, ""]), encoding=encoding)


def orders(folder: Path) -> int:
    """A shop's order lines, as a German spreadsheet exports them, two years in two files."""
    rng, rows = random.Random(1), []
    for line in range(900):
        item = min(int(rng.expovariate(0.06)), 39)
        time = BEGIN + timedelta(hours=line * 9)
        name = f'"Glas ""{item}"" für {item} cl"'
        rows.append(f"{7000 + line // 2};K{rng.randrange(90):04};{900 + item};{name};"
                    f"{rng.choice('1112')};{rng.random():.2f};{time:%d.%m.%Y %H:%M}")  # fmt: skip
    rows = list({row.split(";")[1] + row.split(";")[2]: row for row in rows}.values())
    header = "order_no;customer_id;product_id;product_name;quantity;price;ordered_at"
    _lines(folder / "orders-2022.csv", [header, *rows[:300]], "cp1252")
    _lines(folder / "orders-2023.csv", [header, *rows[300:]], "cp1252")
    return len(rows)


def thumbs(folder: Path) -> int:
    """Thumbs for shows whose titles hold commas, with American dates, and who gave them."""
    rng, rows = random.Random(2), []
    for person in range(80):
        for show in rng.sample(range(50), 12):
            mark = rng.choice(["thumbs_up"] * 3 + ["thumbs_down", "skipped"])
            day = BEGIN + timedelta(days=rng.randrange(700))
            rows.append(f'p{person},"Show {show}, the",{mark},{day:%m/%d/%Y}')
    _lines(folder / "feedback.csv", ["profile,title,feedback,date", *rows])
    people = [
        f"p{person},{18 + person % 60},{'free' if person % 3 else 'paid'}" for person in range(80)
    ]
    _lines(folder / "profiles.csv", ["profile,age,plan", *people])
    return len(rows)


def anime(folder: Path) -> int:
    """Marks from 1 to 10 with -1 for 'seen, not rated' and no times, beside a catalogue."""
    rng, rows = random.Random(3), []
    for user in range(1, 150):
        for item in rng.sample(range(60), 12):
            rows.append(f"{user},{item * 7 + 1},{rng.choice([-1, -1, 10, 9, 8, 7, 7, 8, 6, 5, 4])}")
    _lines(folder / "rating.csv", ["user_id,anime_id,rating", *rows])
    _lines(folder / "anime.csv", ["anime_id,name,genre,type,episodes,rating,members", *(
        f'{item * 7 + 1},Anime {item},"{("Action, Comedy", "Drama")[item % 2]}",'
        f"{('TV', 'Movie', 'OVA')[item % 3]},{item + 1},{item / 9:.2f},{99 * item}"
        for item in range(60)
    )])  # fmt: skip
    return len(rows)


def zones(folder: Path) -> int:
    """Half stars as packed JSON lines with ISO times of a zone, and films in Parquet."""
    rng, count = random.Random(4), 0
    zone = timezone(timedelta(hours=2))
    with gzip.open(folder / "watched.jsonl.gz", "wt") as file:
        for user in range(100):
            for film in rng.sample(range(60), 12):
                time = (BEGIN + timedelta(seconds=rng.randrange(6 * 10**7))).replace(tzinfo=zone)
                row = {"userId": f"u{user}", "movieId": film, "stars": rng.randrange(1, 11) / 2,
                       "watchedAt": time.isoformat(), "device": "tv"}  # fmt: skip
                file.write(json.dumps(row) + "\n")
                count += 1
    films = {
        "movieId": list(range(60)),
        "title": [f"Film {film}" for film in range(60)],
        "released": [f"{1960 + film}-05-01" for film in range(60)],
        "genres": [["Drama", "War"][: 1 + film % 2] for film in range(60)],
    }
    pq.write_table(pa.table(films), folder / "films.parquet")
    return count


def _source(folder: Path) -> tuple[Source, tuple[str, ...]]:
    """The guess of all files of a folder, written beside them."""
    guess = guess_source(sorted(folder.iterdir()), folder)
    (folder / "source.yaml").write_text(guess.text, encoding="utf-8")
    return load_source(str(folder / "source.yaml")), guess.said


def _columns(source: Source) -> dict[str, str]:
    return source.ratings.columns.model_dump(exclude_none=True)


EXPECTED = {
    orders: {"user_id": "customer_id", "movie_id": "product_name", "timestamp": "ordered_at"},
    thumbs: {"user_id": "profile", "movie_id": "title", "rating": "feedback", "timestamp": "date"},
    anime: {"user_id": "user_id", "movie_id": "anime_id", "rating": "rating"},
    zones: {"user_id": "userId", "movie_id": "movieId", "rating": "stars",
            "timestamp": "watchedAt"},
}  # fmt: skip


@pytest.mark.parametrize("write", EXPECTED)
def test_from_files_to_examples_without_a_hand_on_the_source(tmp_path, write):
    folder = tmp_path / "data"
    folder.mkdir()
    rows = write(folder)
    source, _ = _source(folder)
    assert _columns(source) == EXPECTED[write]
    config = load_config(None, [], source=str(folder / "source.yaml"))
    assert config.data_dir == str(folder)
    uris = str(tmp_path / "examples"), str(tmp_path / "catalogue")
    report = generate(source, config.split, config.data_dir, *uris)
    assert report["kept"] == rows and report["dropped"] == {}
    assert report["findings"] == [] and report["cells"] == []
    assert min(report["splits"][name]["ratings"] for name in ("train", "valid", "eval")) > 0


def test_an_order_is_an_event_and_its_quantity_no_rating(tmp_path):
    orders(tmp_path)
    source, said = _source(tmp_path)
    assert not source.has_ratings and source.ratings.files == ["orders-202*.csv"]
    assert (source.ratings.separator, source.ratings.encoding) == (";", "cp1252")
    assert "none how it was liked" in said[0]
    assert "Not read of the events: order_no, product_id, quantity, price." in said


def test_thumbs_are_mapped_and_what_was_skipped_is_unrated(tmp_path):
    thumbs(tmp_path)
    source, _ = _source(tmp_path)
    assert source.ratings.values == {"rating": {"thumbs_up": 1, "thumbs_down": 0}}
    assert (source.scale, source.ratings.unrated) == ((0, 1), ("skipped",))
    assert source.ratings.timestamp == "%m/%d/%Y"
    assert source.users is not None and set(source.features.users) == {"plan", "age"}
    age = source.users.features["age"]
    assert isinstance(age, Category) and age.in_years


def test_minus_one_is_no_rating_and_without_times_the_split_is_at_random(tmp_path):
    anime(tmp_path)
    source, said = _source(tmp_path)
    assert (source.scale, source.ratings.unrated) == ((1, 10), ("-1",))
    assert source.movies is not None and source.movies.columns.movie_title == "name"
    assert source.movies.genres is not None and source.movies.genres.separator == ","
    assert source.features.movies == ("genres", "type")
    assert load_config(None, [], source=str(tmp_path / "source.yaml")).split.kind == "random"
    assert any("splits the rows at random" in sentence for sentence in said)


def test_zones_halves_lists_and_typed_columns(tmp_path):
    zones(tmp_path)
    source, _ = _source(tmp_path)
    assert (source.scale, source.ratings.timestamp) == ((0.5, 5), "iso")
    assert source.movies is not None and source.movies.year is not None
    assert source.movies.year.column == "released" and source.movies.genres is not None


def test_events_of_unlisted_movies_are_told_with_what_a_run_has_to_be_told(tmp_path):
    anime(tmp_path)
    listed = (tmp_path / "anime.csv").read_text().splitlines()
    _lines(tmp_path / "anime.csv", listed[:-5])
    files = [tmp_path / "rating.csv", tmp_path / "anime.csv"]
    guess = guess_source(files, tmp_path)
    (setting,) = guess.settings
    lost = float(next(s for s in guess.said if "anime.csv lacks" in s).split("%")[0]) / 100
    assert setting.startswith("split.max_bad_share=") and float(setting.split("=")[1]) > lost
    assert lost == pytest.approx(5 / 60, rel=0.3)


def test_columns_without_names_are_taken_by_what_they_hold(tmp_path):
    rng = random.Random(5)
    rows = [f"{rng.randrange(1, 90)}\t{rng.randrange(1, 70)}\t{rng.randrange(1, 6)}\t"
            f"{880_000_000 + rng.randrange(10**7)}" for _ in range(900)]  # fmt: skip
    _lines(tmp_path / "u.data", rows)
    source, _ = _source(tmp_path)
    assert not source.ratings.header and source.ratings.separator == "\t" and source.scale == (1, 5)
    assert _columns(source) == dict(
        zip(("user_id", "movie_id", "rating", "timestamp"), "1234", strict=True)
    )


def test_every_file_of_a_pattern_is_named_or_it_is_refused(tmp_path):
    orders(tmp_path)
    _lines(tmp_path / "orders-2024.csv", ["other;things"])
    with pytest.raises(UserError, match=r"finds orders-2024\.csv as well"):
        guess_source([tmp_path / "orders-2022.csv", tmp_path / "orders-2023.csv"], tmp_path)


@pytest.mark.parametrize(("text", "words"), [
    ("", "is empty"),
    ("just\nsome\nwords\n", "no separator is seen"),
    ("colour,size\nred,1\nblue,2\n", "No file tells who saw what"),
    ('{"user": 1,\n "movie": 2}\n', "write one a line"),
    ("user_id,movie_id\n", "has no rows"),
])  # fmt: skip
def test_what_is_no_table_of_events_is_one_sentence(tmp_path, text, words):
    (tmp_path / "data.csv").write_text(text)
    with pytest.raises(UserError, match=words):
        guess_source([tmp_path / "data.csv"], tmp_path)


def test_the_reasons_are_comments_and_the_keys_those_of_a_source(tmp_path):
    orders(tmp_path)
    _source(tmp_path)
    text = (tmp_path / "source.yaml").read_text()
    assert "# read so, the times are from 2022-01-03 to" in text
    assert read_yaml(tmp_path / "source.yaml").keys() == {"ratings"} == yaml.safe_load(text).keys()

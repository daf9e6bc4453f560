"""Sources: those that ship load, and a mistake in a user's own is told in one sentence."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import UserError
from schemas.source import Source, load_source, source_names

OWN = """
scale: [1, 10]
ratings:
  files: votes.csv
  separator: ';'
  columns: {user_id: who, movie_id: film, rating: stars, timestamp: day}
  timestamp: '%d.%m.%Y'
movies:
  files: films.csv
  separator: ';'
  columns: {movie_id: film, movie_title: name}
  year: {column: year}
"""


def test_the_names_of_the_design_are_known() -> None:
    assert source_names() == [
        "movielens-100k",
        "movielens-10m",
        "movielens-1m",
        "movielens-1m-tmdb",
        "movielens-20m",
        "movielens-25m",
        "movielens-32m",
        "movielens-latest",
        "movietweetings",
        "netflix-csv",
        "netflix-prize",
        "the-movies-dataset",
    ]


@pytest.mark.parametrize("name", source_names())
def test_a_source_loads_and_survives_json(name: str) -> None:
    source = load_source(name)
    assert source.name == name
    assert Source.model_validate_json(source.model_dump_json()) == source


@pytest.mark.parametrize(
    ("name", "scale", "user_features", "movie_features", "has_timestamps"),
    [
        ("movielens-100k", (1, 5), ["gender", "age", "occupation"], ["year", "genres"], True),
        ("movielens-1m", (1, 5), ["gender", "age", "occupation"], ["year", "genres"], True),
        (
            "movielens-1m-tmdb",
            (1, 5),
            ["gender", "age", "occupation", "region"],
            [
                "year",
                "genres",
                "released",
                "released_month",
                "released_weekday",
                "director",
                "star",
            ],
            True,
        ),
        ("movielens-10m", (0.5, 5), [], ["year", "genres"], True),
        ("movielens-25m", (0.5, 5), [], ["year", "genres"], True),
        ("movietweetings", (0, 10), [], ["year", "genres"], True),
        ("netflix-prize", (1, 5), [], ["year"], True),
        ("netflix-csv", (1, 5), [], ["year"], False),
        ("the-movies-dataset", (0.5, 5), [], ["year", "genres", "director", "star"], True),
    ],
)
def test_what_a_source_has(
    name: str,
    scale: tuple[float, float],
    user_features: list[str],
    movie_features: list[str],
    has_timestamps: bool,
) -> None:
    source = load_source(name)
    assert source.scale == scale
    assert list(source.features.users) == user_features
    assert list(source.features.movies) == movie_features
    assert source.has_timestamps is has_timestamps


def test_patterns_name_every_table_and_its_packed_form() -> None:
    patterns = load_source("the-movies-dataset").patterns()
    assert set(patterns) == {"ratings", "movies", "credits", "links"}
    assert patterns["ratings"] == [
        "ratings.csv",
        "ratings_small.csv",
        "ratings.csv.gz",
        "ratings_small.csv.gz",
    ]


def test_a_users_own_source(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(OWN)
    source = load_source(str(path))
    assert source.name == "mine"
    assert source.features.movies == ("year",)
    assert source.ratings.timestamp == "%d.%m.%Y"


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UserError, match=r"'movielens-1k'.*movielens-100k, .*the-movies-dataset"):
        load_source("movielens-1k")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[1, 10]", "[10, 1]", "the lowest first"),
        ("[1, 10]", "ten", "scale"),
        ("scale: [1, 10]", "", r"scale: it is missing: .* such as \[1, 5\]"),
        (
            "films.csv\n",
            "films.csv\n  flavour: red\n",
            "movies.flavour: there is no such key; those",
        ),
        ("films.csv\n", "films.csv\n  yaer: y\n", "movies.yaer: there is no such key; is it year?"),
        ("scale:", "separator: ','\nscale:", "separator: it belongs to a table"),
        ("rating: stars, ", "", r"scale: there is a scale but no ratings"),
        ("movie_id: film, rating", "rating", "columns.movie_id is missing"),
        ("user_id: who, ", "", "user_id: it is missing: name the file's column that holds it"),
        ("user_id: who", "user_id: ", "user_id: nothing is written there; put signs such as #"),
        ("user_id: who", "user_id: [who]", "user_id: write one word"),
        ("user_id: who", "user_id: ''", "user_id: nothing is written there"),
        ("user_id: who", "user_id: who, user_id: me", r"line 6\): the key user_id is there twice"),
        ("files: votes.csv", "files: votes.csv\n  header: false", "counted from 1"),
        ("files: votes.csv", "files: []", "ratings.files: write at least one"),
        ("files: votes.csv", "files: votes.csv\n  header: none", "header: write true or false"),
        ("ratings:\n", "ratings: votes.csv\nx:\n", r"ratings: write keys with values, such as"),
        ("[1, 10]", "[1]", r"scale: write the lowest and the highest rating, such as \[1, 5\]"),
        ("[1, 10]", "1-10", r"scale: write the lowest and the highest rating, such as \[1, 5\]"),
        ("[1, 10]", "[0, .inf]", r"scale: write the lowest and the highest rating"),
        ("'%d.%m.%Y'", "days", "take seconds, milliseconds, microseconds, nanoseconds, iso"),
        ("{column: year}", "{column: year, pattern: '('}", "not a regular expression"),
        ("{column: year}", "{column: year, pattern: '19'}", "needs a group"),
        ("year: {column: year}", "genres: {column: g}", "column and separator, or"),
        ("files: votes.csv", "files: votes.csv\n  encoding: klingon", "no encoding named"),
        ("files: votes.csv", "files: votes.csv\n  encoding: utf-16", "convert the file to utf-8"),
        ("separator: ';'", "separator: ''", "ratings.separator: nothing is written there"),
        ("separator: ';'", "separator: #", "ratings.separator: nothing .* in single quotes"),
        ("separator: ';'", "separator: |", "separator: nothing .* in single quotes"),
        ("separator: ';'", "separator: ,", r"\(line 5\): .*put a value with signs such as"),
        ("separator: ';'", r"separator: '\s+'", r"\\s\+ is no separator: write its signs"),
        ("separator: ';'", r"separator: '\n'", r"\\n is no separator"),
        ("'%d.%m.%Y'", "%d.%m.%Y", r"\(line 7\): .*put a value with signs such as % .* quotes"),
        ("{column: year}", r'{column: year, pattern: "(\d+)"}', r"\(line 12\): .*single quotes"),
        (
            "  separator: ';'\n  columns",
            "\tseparator: ';'\n  columns",
            "with spaces, not with tabs",
        ),
        ("separator: ';'", "separator: '\"'", "cannot hold a quote"),
        ("separator: ';'", "separator: '::'", "set quoting: false"),
        ("files: votes.csv", "files: votes.csv\n  escape: ab", "an escape is one character"),
        ("files: votes.csv", "files: votes.csv\n  escape: ';'", "is not their separator"),
        ("files: votes.csv", "files: votes.csv\n  format: xlsx", "ratings.format"),
        ("files: votes.csv", "files: votes.csv\n  blocks: true", "with blocks"),
        (OWN, "- a\n- b", "list of `key: value` lines"),
        (OWN, "a: [", r"not valid YAML \(line 1\)"),
        (OWN, "a: \x07", "not valid YAML"),
        (OWN, "a: " + 3000 * "[", "nested too deep"),
        ("films.csv", "films.csv\nlinks: 3\nx: [", "not valid YAML"),
    ],
)
def test_a_mistake_names_file_and_field(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(OWN.replace(old, new))
    with pytest.raises(UserError, match=message) as error:
        load_source(str(path))
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_values_of_a_column_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    users = "users:\n  files: u.csv\n  columns: {user_id: id}\n  values: {age: {1: young}}\n"
    path.write_text(OWN + users)
    with pytest.raises(UserError, match=r"values\.age is not one of the columns"):
        load_source(str(path))


USERS = """
users:
  files: u.csv
  columns: {user_id: id}
  features:
    plan: {column: subscription, values: {1: free}}
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("plan:", "k:", "users.features.k: k is the name of something else"),
        ("plan:", "history_length:", "users.features.history_length: history_length is the name"),
        ("plan:", "my-plan:", "users.features.my-plan: 'my-plan' cannot name a feature"),
        ("plan:", "year:", "users.features.year: year is the name of something else"),
        ("column: subscription", "kolumn: s", "users.features.plan.column: it is missing"),
        ("column: subscription", "column: s, patern: x", "patern: there is no such key; is it"),
        ("column: subscription", "column: ''", "features.plan.column: nothing is written there"),
        ("column: sub", "kind: text, column: sub", "plan: its kind is category, number or date\\."),
        (
            "column: sub",
            "kind: number, column: sub",
            "plan.values: there is no such key; those here are kind, column, pattern, label",
        ),
        ("{1: free}", "[a]", "users.features.plan.values: write keys with values"),
        ("{user_id: id}", "{user_id: id, plan: p}", "features.plan is there twice"),
        ("users:", "  features: {plan: p}\nusers:", "users.features.plan: movies have a feature"),
        (
            "users:",
            "  features: {a: {kind: day, column: d}}\nusers:",
            "movies.features.a: its kind is category, categories, number, date or text",
        ),
        (
            "users:",
            "  features: {a: {kind: date, column: d, format: '%Y'}}\nusers:",
            "movies.features.a.format: '%Y' needs a year, a month and a day",
        ),
        (
            "users:",
            "  features: {a: {kind: date, column: d}, a_month: m}\nusers:",
            "features.a_month: a date makes a feature of this name",
        ),
        ("users:", "  features: {plan: {kind: number, column: p}}\nusers:", "movies have a feat"),
        ("users:", "  features: {a: {column: d, separator: x}}\nusers:", "add kind: categories"),
        (
            "users:",
            "  features: {a: {kind: categories, column: d}}\nusers:",
            "column and separator",
        ),
        (
            "users:",
            "  star: {column: s}\n  features: {star: s}\nusers:",
            "features.star is there tw",
        ),
    ],
)
def test_a_mistake_in_a_feature_is_one_sentence(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(OWN.rstrip() + USERS.replace(old, new, 1))
    with pytest.raises(UserError, match=message) as error:
        load_source(str(path))
    assert str(error.value).startswith(str(path)) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("feature", "message"),
    [
        ("year: y", "ratings.features.year: year is the name of something else"),
        ("plan: p", "ratings.features.plan: users or movies have a feature of this name"),
        ("a: {kind: text, column: d}", "ratings.features.a: its kind is category or number"),
        ("a: {column: d, known: true}", "ratings.features.a.known: there is no such key"),
    ],
)
def test_a_mistake_in_a_feature_of_ratings_is_one_sentence(
    tmp_path: Path, feature: str, message: str
) -> None:
    path = tmp_path / "mine.yaml"
    own = OWN.replace("movies:", f"  features: {{{feature}}}\nmovies:", 1)
    path.write_text(own.rstrip() + USERS)
    with pytest.raises(UserError, match=message) as error:
        load_source(str(path))
    assert "\n" not in str(error.value)


def test_features_may_be_named_in_short(tmp_path: Path) -> None:
    """As sources did before there were `features`."""
    short = """
  director: {column: crew, pattern: 'by (.*)'}
users:
  files: u.csv
  columns: {user_id: id, gender: sex, age: years, plan: p}
  age_in_years: true
  values: {gender: {F: female}}
"""
    full = """
  features:
    director: {column: crew, pattern: 'by (.*)'}
users:
  files: u.csv
  columns: {user_id: id}
  features:
    gender: {column: sex, values: {F: female}}
    age: {column: years, in_years: true, label: age group}
    plan: p
"""
    source, same = (_own(tmp_path, OWN.rstrip() + text) for text in (short, full))
    assert source == same
    assert source.features.users == ("gender", "age", "plan")
    assert source.features.movies == ("year", "director") and source.features.several == ()
    assert source.labels["age"] == "age group" and source.labels["plan"] == "plan"


def test_links_without_movies(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    links = "links:\n  files: l.csv\n  columns: {movie_id: a, linked_id: b}\n"
    path.write_text(OWN.split("movies:", maxsplit=1)[0] + links)
    with pytest.raises(UserError, match="links and credits need a movies table"):
        load_source(str(path))


def test_a_missing_description(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.yaml: the source description cannot be read"):
        load_source(str(tmp_path / "none.yaml"))


def test_a_description_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(UserError, match="not UTF-8"):
        load_source(str(path))


def _own(tmp_path: Path, text: str) -> Source:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    return load_source(str(path))


WORDS = ["no", "Yes", "NULL", "~", "1", "-1", "012", "1_0", "0x1F", "1e3", "1.0", "12:30", "on"]
WORDS += ["2020-01-01", "2020", "true", "\\N", "nan", ".inf", "None", "=", "ratings.csv", "Ürün"]


@pytest.mark.parametrize("word", WORDS)
def test_a_word_is_what_is_written_however_yaml_would_take_it(tmp_path: Path, word: str) -> None:
    """Norway is no truth, 012 not ten, a date no date: as column, file, null word or key."""
    source = _own(
        tmp_path,
        f"""
ratings:
  files: {word}
  nulls: [{word}, 'N/A']
  unrated: {word}
  columns: {{user_id: {word}, movie_id: m, rating: r}}
  values: {{rating: {{like: 1, {word}x: 0}}}}
movies:
  files: [{word}]
  columns: {{movie_id: '{word}', movie_title: t}}
  genres: {{flags: {{{word}: {word}}}}}
""",
    )
    assert source.movies and source.movies.genres
    assert source.ratings.files == source.movies.files == [word]
    assert source.ratings.nulls == (word, "N/A") and source.ratings.unrated == (word,)
    assert source.ratings.columns.user_id == source.movies.columns.movie_id == word
    assert source.ratings.values == {"rating": {"like": 1, f"{word}x": 0}}
    assert source.movies.genres.flags == {word: word}
    assert Source.model_validate_json(source.model_dump_json()) == source


@pytest.mark.parametrize(
    ("written", "signs"),
    [
        (r"'\t'", "\t"), (r'"\t"', "\t"), (r"\t", "\t"), (r"'\\t'", "\t"), ("tab", "\t"),
        ('"\t"', "\t"), (r"'\x01'", "\x01"), (r'"\x01"', "\x01"), (r"'\001'", "\x01"),
        (r"'\u0001'", "\x01"), (r"'\|'", "|"), (r"'\|\|'", "||"), ("'::'", "::"), ("'|'", "|"),
        ("' '", " "), (r"'\'", "\\"), ("';'", ";"), (r"'\;'", ";"), ("¦", "¦"),
    ],
)  # fmt: skip
def test_a_separator_may_be_written_as_an_escape_in_any_quotes(
    tmp_path: Path, written: str, signs: str
) -> None:
    text = OWN.replace("separator: ';'", f"separator: {written}\n  quoting: false")
    text = text.replace("year: {", f"genres: {{column: g, separator: {written}}}\n  year: {{")
    source = _own(tmp_path, text)
    assert source.movies and source.movies.genres
    assert source.ratings.separator == source.movies.separator == signs
    assert source.movies.genres.separator == signs


def test_null_words_need_no_list_and_no_right_quotes(tmp_path: Path) -> None:
    for written in ("'\\N'", '"\\N"', "\\N", "['\\N']", '["\\N"]', "[' \\N ']"):
        source = _own(tmp_path, OWN.replace("files: votes", f"nulls: {written}\n  files: votes"))
        assert source.ratings.nulls == ("\\N",)


def test_keys_with_nothing_are_as_if_they_were_not_there(tmp_path: Path) -> None:
    source = _own(tmp_path, OWN.split("movies:", maxsplit=1)[0] + "movies:\nusers:\n")
    assert source.movies is None and source.users is None


@given(st.text(max_size=60) | st.lists(st.sampled_from(OWN.split()), max_size=9).map(" ".join))
def test_whatever_is_written_is_told_in_a_sentence(tmp_path_factory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as error:
        load_source(str(path))
    assert "\n" not in str(error.value) and str(error.value).startswith(str(path))

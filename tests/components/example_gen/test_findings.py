"""What is out of the ordinary in the rows is told before training, or stops the run."""

import json
import logging
import random
from pathlib import Path

import pytest

from components.example_gen.config import SplitConfig
from components.example_gen.generate import FINDINGS, generate
from components.example_gen.prepare import DEFAULT_SIZES, Sizes
from schemas.errors import UserError
from schemas.source import Source

COLUMNS = {"user_id": "u", "movie_id": "m", "rating": "r", "timestamp": "t"}


def _source(rated=True, users=False, **more):
    columns = {name: cell for name, cell in COLUMNS.items() if rated or name != "rating"}
    tables = {"ratings": {"files": "votes.csv", "columns": columns}}
    if users:
        tables["users"] = {"files": "users.csv", "columns": {"user_id": "u", "gender": "g"}}
    return Source(name="test", scale=(1, 5) if rated else None, **tables, **more)


def _votes(users=50, each=20, seed=1):
    rng = random.Random(seed)
    return [
        (f"u{user}", f"m{movie}", rng.randint(1, 5), rng.randrange(10**9, 2 * 10**9))
        for user in range(users)
        for movie in rng.sample(range(100), each)
    ]


def _run(folder, votes, source=None, people=(), sizes=DEFAULT_SIZES, **split):
    lines = ["u,m,r,t", *(",".join(map(str, vote)) for vote in votes), ""]
    (folder / "votes.csv").write_text("\n".join(lines))
    (folder / "users.csv").write_text("\n".join(["u,g", *(f"{user},F" for user in people), ""]))
    uris = str(folder / "examples"), str(folder / "catalogue")
    config = SplitConfig(kind="random", **split)
    return generate(source or _source(), config, str(folder), *uris, sizes=sizes)


def _of_one(votes, rows, name="guest", column=0):
    """More rows of one user or movie, each at a time and of a rating of its own."""
    found = []
    for number in range(rows):
        vote = list(votes[number % len(votes)])
        vote[column], vote[2], vote[3] = name, number % 5 + 1, number
        found.append(tuple(vote))
    return votes + found


def test_nothing_is_said_of_what_is_usual(tmp_path):
    assert _run(tmp_path, _votes())["findings"] == []


@pytest.mark.parametrize(("column", "kind"), [(0, "user"), (1, "movie")])
def test_one_with_an_implausible_share_is_told(tmp_path, caplog, column, kind):
    votes = _of_one(_votes(users=200), 1200, column=column)
    with caplog.at_level(logging.WARNING, FINDINGS.name):
        rows = _run(tmp_path, votes)
    assert rows[f"top_{kind}"] == {"id": "guest", "rows": 1200}
    first = f"One {kind} of {201 if kind == 'user' else 101}, 'guest', has 23% of the rows: "
    assert rows["findings"][0].startswith(first)
    assert caplog.messages == rows["findings"]
    assert json.loads((tmp_path / "examples" / "rows.json").read_text()) == rows
    with pytest.raises(UserError, match=r"'guest', has 23% .*max_one_share=0\.2 allows: mend"):
        _run(tmp_path, votes, max_one_share=0.2)


def test_one_with_most_of_the_rows_stops_the_run(tmp_path):
    with pytest.raises(UserError, match="One user of 51, 'guest', has 67% of the rows, which is"):
        _run(tmp_path, _of_one(_votes(), 2000))
    assert _run(tmp_path, _of_one(_votes(), 2000), max_one_share=1)["findings"]


@pytest.mark.parametrize("rated", [True, False])
def test_rows_that_are_superseded_never_vanish_without_a_word(tmp_path, rated):
    votes = _votes()
    later = [(u, m, 6 - r if r != 3 else 1, t + 9) for u, m, r, t in votes[:150]]
    rows = _run(tmp_path, votes + later, _source(rated))
    assert rows["dropped"] == {"superseded": 150}
    (finding,) = rows["findings"]
    assert finding.startswith("150 of 1,150 rows (13%) ")
    assert ("wrong column" in finding) is rated
    assert _run(tmp_path, votes + later[:100], _source(rated))["findings"] == []


def test_a_word_for_nothing_stops_the_run_and_may_be_allowed(tmp_path):
    votes = _of_one(_votes(), 100, "None")
    with pytest.raises(UserError, match=r"null_id in .*votes\.csv:1002: 'None,.*real_ids"):
        _run(tmp_path, votes)
    assert _run(tmp_path, votes, max_bad_share=0.2)["dropped"] == {"null_id": 100}
    allowed = _run(tmp_path, votes, _source(real_ids=("none",)))
    assert "null_id" not in allowed["dropped"] and allowed["users"] == 51


def test_users_that_the_users_table_lacks_are_told(tmp_path):
    votes, source = _votes(), _source(users=True)
    known = [f"u{number}" for number in range(45)]
    rows = _run(tmp_path, votes, source, known)
    assert rows["strangers"] == 5
    assert rows["findings"] == [
        "5 of 50 users have no row in the users table: nothing is known of them."
    ]
    with pytest.raises(UserError, match="None of the 50 users of the ratings is in the users"):
        _run(tmp_path, votes, source, ["1", "2"])


def test_what_is_found_does_not_depend_on_the_layout_of_the_work(tmp_path):
    votes = _of_one(_votes(), 300, column=1)
    whole = _run(tmp_path, votes)
    assert _run(tmp_path, votes, sizes=Sizes(partition_bytes=3000)) == whole


def test_too_many_unreadable_flags_stop_the_run_before_the_ratings_are_read(tmp_path: Path):
    flags = {"files": "films.csv", "columns": {"movie_id": "m", "movie_title": "m"}}
    source = _source(movies=flags | {"genres": {"flags": {"Drama": "d"}}})
    films = [f"m{n},{'True' if n % 2 else 'No'}" for n in range(100)]
    (tmp_path / "films.csv").write_text("\n".join(["m,d", *films, ""]))
    assert _run(tmp_path, _votes(), source)["cells"] == []
    (tmp_path / "films.csv").write_text("\n".join(["m,d", *films[2:], "m0,2", "m1,9", ""]))
    with pytest.raises(UserError, match=r"movies\.genres\.Drama: 2 of 100 .*films\.csv:100: '2'"):
        _run(tmp_path, _votes(), source)
    rows = _run(tmp_path, _votes(), source, max_bad_share=0.02)
    assert [row["cells"] for row in rows["cells"]] == [2]

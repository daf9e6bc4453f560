"""What a report says without some people, and what a list of them does to later runs.

That they are in no byte of an output directory is test_declared's.
"""

import pytest

from pipeline.forget import strange
from pipeline.forget_reports import Scrubber
from pipeline.forgotten import read_forgotten, remember_to_forget
from schemas.artifacts import LOCK_FILE, LOG_FILE
from schemas.errors import UserError
from schemas.forgotten import FILE, NOBODY, Forgotten

NAMES = ["u7", "o'b"]


@pytest.fixture
def scrubber():
    return Scrubber(NAMES, Forgotten.begun().and_also(NAMES), {"17": "18"})


def _content(**more):
    return {"rows": {"kept": 4, "samples": []}, "notes": [], "pushed_version": None, **more}


def test_a_report_quotes_no_row_of_theirs(scrubber):
    texts = ["u7,m2,99", "u77,m2,99", "m7::u7::9", "7,u,9"]
    samples = [{"reason": "off_scale", "text": text} for text in texts]
    found = scrubber.blessing(_content(rows={"kept": 4, "samples": samples}))
    assert [one["text"] for one in found["rows"]["samples"]] == ["u77,m2,99", "7,u,9"]


def test_a_report_has_no_note_on_them(scrubber):
    notes = [f"One user of 90, {name!r}, has 12% of the rows." for name in ("u7", "u77", "o'b")]
    assert scrubber.blessing(_content(notes=notes))["notes"] == [notes[1]]


@pytest.mark.parametrize(("said", "now"), [("17", "18"), ("16", "16"), (None, None)])
def test_a_report_names_the_version_that_stands_in(scrubber, said, now):
    assert scrubber.blessing(_content(pushed_version=said))["pushed_version"] == now


def test_what_is_not_of_them_stays(scrubber):
    content, facts = _content(pushed_version="3"), {"people": [{"user": "u8"}], "scale": [1, 5]}
    assert scrubber.blessing(content) == content and scrubber.facts(facts) == facts
    assert scrubber.facts({"people": [{"user": "u7"}, {"user": "u8"}]}) == {
        "people": [{"user": "u8"}]
    }


def test_who_is_shown_under_a_number_is_known_by_it(scrubber):
    people = [{"user": "1", "rated": 3}, {"user": "2", "rated": 4}]
    found = scrubber.facts({"people": people, "names": {"1": "u7", "2": "u8"}})
    assert found == {"people": people[1:], "names": {"2": "u8"}}


def test_a_page_without_its_facts_is_known_by_their_names(scrubber):
    assert scrubber.is_named_on("<h3>User o&#39;b &middot;")
    assert not scrubber.is_named_on("<h3>User 9")


def test_the_list_grows_and_is_read_again(tmp_path):
    assert read_forgotten(tmp_path) == NOBODY
    remember_to_forget(tmp_path, ["u7"])
    remember_to_forget(tmp_path, ["u8"])
    known = read_forgotten(tmp_path)
    assert "u7" in known and "u8" in known and len(known.people) == 2


def test_a_damaged_list_stops_a_run_rather_than_let_them_in(tmp_path):
    remember_to_forget(tmp_path, ["u7"])
    (tmp_path / FILE).write_text('{"salt": "')
    for use in (read_forgotten, lambda place: remember_to_forget(place, ["u8"])):
        with pytest.raises(UserError, match=r"is damaged .* bring it back from a backup"):
            use(tmp_path)


def test_what_no_run_made_is_named(tmp_path):
    for name in ("reports", "artifacts", "metadata.sqlite", "metadata.sqlite.kept", "tuning",
                 LOG_FILE, LOCK_FILE, FILE, ".serving_model.server", "batch.parquet"):  # fmt: skip
        (tmp_path / name).touch()
    assert strange(tmp_path) == ["batch.parquet"]

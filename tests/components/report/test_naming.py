"""A report that is passed around names nobody; what stays with the run says who is who."""

from typing import Any

from components.report.naming import NAMES, without_ids

NOTE = "One user of 90, 'u7', has 12% of the rows: if it stands for none, leave those rows out."


def _report():
    content = {
        "rows": {"kept": 9, "samples": [
            {"reason": "off_scale", "file": "ratings.csv", "line": 3, "text": "u7,m2,99"},
        ]},
        "notes": [NOTE, "One movie of 40, 'u7', has 12% of the rows.".replace("u7", "m7")],
    }  # fmt: skip
    people = [{"user": "u7", "rated": 3}, {"user": "u9", "rated": 5}, {"user": "u7", "rated": 8}]
    return content, {"people": people, "scale": [1, 5]}


def test_users_are_numbered_and_no_row_is_quoted():
    content, facts = _report()
    without_ids(content, facts, {"top_user": {"id": "u7", "rows": 5}})
    assert facts.pop(NAMES) == {"1": "u7", "2": "u9", "3": "u7"}
    assert "u7" not in f"{content}{facts}" and "u9" not in f"{content}{facts}"
    assert [(one["user"], one["rated"]) for one in facts["people"]] == [
        ("1", 3),
        ("2", 5),
        ("3", 8),
    ]
    (sample,) = content["rows"]["samples"]
    assert (sample["file"], sample["line"]) == ("ratings.csv", 3)
    assert content["notes"][0] == NOTE.replace(", 'u7'", "") and "'m7'" in content["notes"][1]
    assert content["rows"]["kept"] == 9 and facts["scale"] == [1, 5]


def test_a_report_that_shows_nobody_stays_as_it_is():
    content: dict[str, Any] = {"rows": {"kept": 9}, "notes": []}
    facts: dict[str, Any] = {"people": []}
    without_ids(content, facts, {})
    assert content == {"rows": {"kept": 9, "samples": []}, "notes": []} and not facts["people"]

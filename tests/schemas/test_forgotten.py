"""The list of people to be forgotten knows them, and says nobody's id."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.forgotten import NOBODY, Forgotten

IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)


@given(st.sets(IDS, min_size=1), IDS)
def test_it_knows_its_people_and_no_others(users, other):
    known = Forgotten.from_json(Forgotten.begun().and_also(users).to_json())
    assert all(user in known for user in users)
    assert (other in known) == (other in users)


def test_it_does_not_hold_the_ids_nor_the_same_hashes_as_another_list():
    lists = [Forgotten.begun().and_also(["somebody-41"]) for _ in range(2)]
    assert lists[0].people != lists[1].people
    assert "somebody" not in lists[0].to_json() and "41" not in json.loads(lists[0].to_json())


def test_people_stay_on_it_when_others_join():
    first = Forgotten.begun().and_also(["a"])
    assert "a" in first.and_also(["b"]) and "b" not in first


# Ids begin and end with a letter or digit here, so that no sign beside one is a part of it.
WORDS = st.from_regex(r"[a-z0-9]([a-z0-9 _.-]{0,8}[a-z0-9])?", fullmatch=True)


@given(WORDS, st.sampled_from([",", "::", "\t", '","', '": "', "|"]))
def test_a_row_names_whoever_is_in_one_of_its_cells(user, between):
    known = Forgotten.begun().and_also([user])
    assert known.is_named_in(between.join([user, "m2", "9.5"]))
    assert known.is_named_in(between.join(["m2", user, "9.5"]))
    assert not known.is_named_in(between.join([f"{user}x", f"x{user}"]))
    assert not NOBODY.is_named_in(user)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"salt": "a"}', "7", '{"salt": 1, "people": 2}'])
def test_what_is_no_list_is_refused(text):
    with pytest.raises(ValueError, match=r"it has no|Expecting value|indices|iterable"):
        Forgotten.from_json(text)

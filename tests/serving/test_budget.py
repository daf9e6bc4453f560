"""What one request may make the graph hold, and all of them together."""

import asyncio
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from schemas.errors import UserError
from serving import budget
from serving.budget import Budget, Busy, TooMuch, ceiling, price
from serving.work import TooLate, Work
from tests.serving.test_connections import megabytes

PREDICT = "/v1/models/greenlight:predict"
PERSON = {"user_id": [""], "history_movie_id": [[]], "history_rating": [[]]}
FEATURES = {"gender": [""], "age": [""], "occupation": [""]}
WISHES = {"k": [1], "exclude_movie_id": [[]], "genres": [[]], "having": [[]],
          "year_from": [0], "year_to": [0],
          "keep_seen": [False], "mix": [0.0], "retrieve": [1]}  # fmt: skip
LONG = {"history_movie_id": [["1"] * 15_000], "history_rating": [[4] * 15_000]}
GROUP = {"user_id": [[""]], "history_movie_id": [[[]]], "history_rating": [[[]]],
         "weights": [[1.0]], "rule": ["mean"], "gender": [[""]], "age": [[""]],
         "occupation": [[""]]}  # fmt: skip


def predict(client, signature, **inputs):
    return client.post(PREDICT, json={"signature_name": signature, "inputs": inputs})


@pytest.mark.parametrize(
    ("signature", "inputs"),
    [
        ("recommend", {**PERSON, **LONG, "user_id": [""] * 256, "k": 1}),
        ("recommend", {**PERSON, **LONG, "k": [1] * 256}),  # the rows may be of any input
        ("recommend_filtered", {**PERSON, **LONG, **FEATURES, **WISHES, "year_to": [0] * 256}),
        ("recommend_filtered", {**PERSON, **FEATURES, **WISHES, "user_id": [""] * 256,
                                "genres": [["Comedy"] * 4000]}),
        ("recommend_group", {**GROUP, **WISHES, "weights": [[1.0] * 250],
                             "history_movie_id": [[["1"] * 15_000]],
                             "history_rating": [[[4] * 15_000]]}),
        ("explain", {**PERSON, **FEATURES, "movie_id": ["1"] * 250}),
        ("explain", {**PERSON, **FEATURES, **LONG, "movie_id": ["1"] * 20}),
        ("rank", {**PERSON, **FEATURES, **LONG, "movie_id": [["1"]] * 256, "mix": [0.0]}),
        ("rate_as", {**PERSON, **FEATURES, **LONG, "movie_id": [["1"]] * 256}),
        ("query", {**PERSON, **LONG, "user_id": ["1"] * 256}),
        ("evaluate", {"examples": ["a" * 300_000] + [""] * 250}),
    ],
)  # fmt: skip
def test_a_small_request_cannot_take_all_memory(server, client, signature, inputs):
    before = megabytes(server)
    found = predict(client, signature, **inputs)
    assert found.status_code == 413, found.text[:300]
    assert "of memory, where one request may take" in found.json()["error"]
    assert megabytes(server) < before + 50  # read, and not computed


def test_what_a_request_may_ask_it_is_answered(client):
    """The greatest of the limits that are told, one at a time."""
    rows = {**PERSON, "user_id": [str(i % 40) for i in range(256)]}
    assert predict(client, "recommend", **rows, k=10).status_code == 200
    assert predict(client, "history", user_id=rows["user_id"]).status_code == 200
    movies = client.get("/movies", params={"k": 40}).json()["movies"]
    long = [{"movie": movies[i % 40]["movie_id"], "rating": 4} for i in range(1000)]
    for path, body in (
        ("/recommend", {"k": 500, "mix": 0.5, "retrieve": 1000, "genres": ["Comedy"] * 50}),
        ("/explain", {"movie": "heat"}),
        ("/rank", {"movies": ["heat"] * 1000}),
        ("/rate", {"movies": ["heat"] * 1000}),
    ):
        assert client.post(path, json={"history": long, **body}).status_code == 200, path
    people = [{"history": long[:500]}] * 10
    assert client.post("/group", json={"people": people}).status_code == 200


SIZES = st.integers(1, 300)


@given(SIZES, SIZES, SIZES, SIZES)
def test_the_price_rises_with_every_size_and_broadcasting_is_none_cheaper(rows, wide, more, movies):
    def of(signature="recommend_filtered", **shapes):
        return price(signature, shapes, movies)

    plain = of(user_id=(rows,), history_movie_id=(rows, wide))
    assert of(user_id=(rows,), history_movie_id=(1, wide)) == plain
    assert of(user_id=(1,), history_movie_id=(1, wide), mix=(rows,)) == plain
    assert of(user_id=(rows,), history_movie_id=(rows, wide + more)) > plain
    assert of(user_id=(rows + more,), history_movie_id=(rows, wide)) > plain
    assert of(user_id=(rows,), history_movie_id=(1, wide), genres=(1, more)) > plain
    assert of(user_id=(rows,), history_movie_id=(1, wide), having=(1, more)) > plain
    for wishes in ("genres", "having"):
        asked = {"user_id": (rows,), wishes: (1, more)}
        assert price("recommend_filtered", asked, movies, values=wide) > of(**asked)
    assert price("recommend", {"user_id": (rows,)}, movies, values=wide) == of(user_id=(rows,))
    assert of("explain", user_id=(rows,), history_movie_id=(1, wide)) > plain
    group = of("recommend_group", user_id=(rows, 1), history_movie_id=(1, more, wide))
    assert group == of(user_id=(rows * more,), history_movie_id=(1, wide))


CALL = """
import sys
from pathlib import Path
import numpy as np
from serving import budget
from serving.versions import choose

def inputs(rows, events):
    return {
        "user_id": [""] * rows, "history_movie_id": [["1", "6"] * (events // 2)] * rows,
        "history_rating": [[4.0] * events] * rows, "k": 5,
    }

model, large = choose(Path(sys.argv[1])).model, inputs(128, 1000)
model.call("recommend", **inputs(1, 2))  # the first call makes ready for all
budget.give_back()
before = budget.resident()
Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
model.call("recommend", **large)
lines = Path("/proc/self/status").read_text().splitlines()
most = next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:"))
shapes = {name: np.shape(value) for name, value in large.items()}
print(most - before, budget.price("recommend", shapes, len(model.catalogue.ids)))
"""


def test_the_estimate_is_above_what_calls_take(models):
    """The first large call of a process: later ones would take of what was freed and kept."""
    run = [sys.executable, "-W", "ignore", "-c", CALL, str(models)]
    most, told = map(int, subprocess.run(run, capture_output=True, check=True).stdout.split())
    assert told / 3 < most < told


def test_calls_share_the_memory_that_there_is():
    free = 100 << 20
    budget.give_back()
    held = Budget(budget.resident() + free)
    with held.spend(free // 2, 0), pytest.raises(Busy), held.spend(free, 0):
        pass
    with held.spend(free // 2, 0):
        pass
    with pytest.raises(TooMuch), held.spend(budget.MOST + 2, 1):
        pass
    with held.spend(0, 0), pytest.raises(ZeroDivisionError), held.spend(free // 2, 0):
        raise ZeroDivisionError
    with held.spend(free // 2, 0):  # what a fault leaves is free again
        pass


@pytest.mark.parametrize(
    ("text", "size"),
    [("3G", 3 << 30), ("1.5 GiB", 3 << 29), ("800MB", 800 << 20), ("900000000", 900_000_000)],
)
def test_a_ceiling_is_read(text, size):
    assert ceiling(text) == size


@pytest.mark.parametrize("text", ["", "much", "-1G", "0", "3X", "1e9"])
def test_what_is_no_ceiling_is_refused(text):
    with pytest.raises(UserError, match="--memory takes a size such as 3G"):
        ceiling(text)


def test_without_one_it_is_most_of_what_there_is():
    assert 0 < ceiling(None) < 1 << 50


def work(seconds=5.0, threads=1):
    return Work(threads, 100, seconds, CollectorRegistry())


def test_a_call_that_was_given_up_counts_until_it_ends_and_waiting_ones_never_run():
    goes_on, ran = threading.Event(), list[int]()

    async def ask():
        calls = work(seconds=0.05)
        first = asyncio.ensure_future(calls.run(goes_on.wait, 30))
        late = [calls.run(ran.append, 1), calls.together("a", ran.extend, 2),
                calls.together("b", ran.extend, 3)]  # fmt: skip
        assert all(isinstance(e, TooLate) for e in await asyncio.gather(
            first, *late, return_exceptions=True))  # fmt: skip
        counted = calls._waiting
        goes_on.set()
        end = time.monotonic() + 20
        while calls._waiting and time.monotonic() < end:
            await asyncio.sleep(0.01)
        return counted, calls._waiting

    counted, left = asyncio.run(ask())
    assert (counted, left) == (1, 0)
    assert ran == []


def test_a_mistake_in_a_shared_call_is_its_owners_alone():
    def inverse(numbers):
        return [1 / number for number in numbers]

    async def ask():
        calls = work()
        asked = [calls.together("a", inverse, number) for number in (1, 2, 0, 4)]
        return await asyncio.gather(*asked, return_exceptions=True)

    *right, wrong = [found[i] for found in [asyncio.run(ask())] for i in (0, 1, 3, 2)]
    assert right == [1, 0.5, 0.25] and isinstance(wrong, ZeroDivisionError)

"""The search: what it tries, when it stops, and how it goes on; its trainings are a formula."""

import json

import pytest
from formula_trials import SPACE, formula, parts, promoted

from components.tuner.plan import Plan
from components.tuner.search import OneByOne, results

# What scikit-learn says of a formula without noise.
pytestmark = pytest.mark.filterwarnings("ignore:The optimal value found", "ignore:All-NaN axis")


@pytest.fixture
def make(tmp_path):
    """Makes a search in a folder; the same name goes on where that search was."""

    def make(name="search", run=formula, **tuning):
        config, oracle = parts(**tuning)
        return OneByOne(oracle, run, config, str(tmp_path / name))

    return make


def _tried(search):
    return [(row["values"], row["rung"], row["score"]) for row in results(search)["trials"]]


@pytest.mark.parametrize("algorithm", ["hyperband", "bayesian"])
def test_a_seed_repeats_a_search_and_the_configuration_is_the_first_trial(make, algorithm):
    left, right, other = (
        make(name, algorithm=algorithm, seed=seed, trials=5)
        for name, seed in (("a", 7), ("b", 7), ("c", 8))
    )
    for search in (left, right, other):
        search.search()
    assert _tried(left) == _tried(right) != _tried(other)
    own = {"model.dims": 64, "model.dropout": 0.2, "training.learning_rate": 0.003}
    assert _tried(left)[0][0] == _tried(other)[0][0] == own
    assert len(_tried(left)) == 5 and left.ended == "trials"


def test_bayesian_finds_what_is_best_and_gives_it_as_standard_hyperparameters(make):
    search = make(algorithm="bayesian", trials=24)
    search.search()
    found = results(search)
    best = found["trials"][found["best"] - 1]
    assert best["score"] == max(row["score"] for row in found["trials"])
    assert best["values"] == search.get_best_hyperparameters()[0].values
    first = found["trials"][0]
    assert best["score"] > first["score"] + 0.5
    assert best["values"]["model.dims"] == 32


def test_hyperband_lets_the_best_go_on_from_their_own_weights(make):
    search = make(trials=40)
    search.search()
    trials = {row["trial"]: row for row in results(search)["trials"]}
    assert promoted(trials) >= 3
    rung = [row for row in trials.values() if row["rung"] == 1]
    further = {row["goes_on_from"] for row in trials.values()}
    chosen = [row["score"] for row in rung if row["trial"] in further]
    assert min(chosen) >= sorted(row["score"] for row in rung)[len(rung) // 3]


def test_numbers_of_a_range_have_three_digits_and_stay_within(make):
    search = make(algorithm="bayesian", trials=8)
    search.search()
    for row in results(search)["trials"]:
        for name in ("model.dropout", "training.learning_rate"):
            value = row["values"][name]
            assert float(f"{value:.3g}") == value
            assert SPACE[name].low <= value <= SPACE[name].high


@pytest.fixture(scope="module", params=["hyperband", "bayesian"])
def whole(request, tmp_path_factory):
    """An algorithm, and what it tries in a search that nothing kills."""
    config, oracle = parts(algorithm=request.param, trials=6)
    search = OneByOne(oracle, formula, config, str(tmp_path_factory.mktemp("whole")))
    search.search()
    return request.param, _tried(search)


@pytest.mark.parametrize("killed", [1, 2, 5])
def test_a_killed_search_goes_on_where_it_was(make, whole, killed):
    algorithm, wanted = whole
    begun = []

    def fatal(plan):
        begun.append(plan)
        if len(begun) == killed:
            raise KeyboardInterrupt  # as little as a kill does KerasTuner catch it
        return formula(plan)

    with pytest.raises(KeyboardInterrupt):
        make("killed", fatal, algorithm=algorithm, trials=6).search()
    again = make("killed", algorithm=algorithm, trials=6)
    again.search()
    if algorithm == "hyperband" or killed < 4:  # the model's starting points are drawn anew
        assert _tried(again) == wanted
    assert _tried(again)[:killed] == wanted[:killed]
    assert len(_tried(again)) == 6


def test_a_kill_while_the_state_is_written_leaves_the_state_before(make, tmp_path):
    search = make(trials=4)
    search.search()
    state = tmp_path / "search" / "search" / "oracle.json"
    (state.parent / "oracle.json.part").write_text(state.read_text()[:50])
    assert len(_tried(make(trials=4))) == 4


def test_more_trials_go_on_from_a_search_that_ended(make):
    make(trials=4).search()
    longer, at_once = make(trials=9), make("at once", trials=9)
    longer.search()
    at_once.search()
    assert _tried(longer) == _tried(at_once)


def test_the_minutes_are_those_of_all_trials_and_end_one_between_epochs(make, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("components.tuner.search.time.monotonic", lambda: now[0])

    class Slow(Plan):
        def enough(self, epochs):
            now[0] += 30
            return super().enough(epochs)

    def slow(plan):
        return formula(Slow(*plan))

    search = make(run=slow, minutes=5, algorithm="bayesian")
    search.search()
    found = results(search)
    assert found["ended"] == "minutes"
    assert [(row["epochs"], row["cut"]) for row in found["trials"]] == [(9, 0), (1, 1)]
    again = make(run=slow, minutes=7, algorithm="bayesian")
    again.search()
    assert [row["epochs"] for row in results(again)["trials"]] == [9, 1, 2]


def test_a_trial_that_fails_is_told_and_the_others_go_on(make):
    def narrow(plan):
        if plan.values["model.dims"] == 128:
            raise ValueError("out of memory")
        return formula(plan)

    search = make(run=narrow, algorithm="bayesian", trials=8)
    search.search()
    found = results(search)
    failed = [row for row in found["trials"] if row["status"] == "FAILED"]
    assert failed and all("out of memory" in row["message"][0] for row in failed)
    assert found["trials"][found["best"] - 1]["status"] == "COMPLETED"
    json.dumps(found, allow_nan=False)


def test_a_score_that_is_no_number_is_a_failure(make):
    search = make(run=lambda plan: {**formula(plan), "score": float("nan")}, trials=2)
    with pytest.raises(RuntimeError, match="no score was a number"):
        search.search()


def test_a_search_of_failures_alone_is_an_error_that_says_why(make):
    def broken(plan):
        raise ValueError("no such device")

    with pytest.raises(RuntimeError, match="no such device"):
        make(run=broken, trials=2).search()
    with pytest.raises(RuntimeError, match="no such device"):
        make("many", broken, trials=20).search()


def test_weights_are_gone_when_the_search_has_ended(make, tmp_path):
    kept = []

    def run(plan):
        kept.append(len(list(tmp_path.glob("search/search/*/training"))))
        return formula(plan)

    make(run=run, trials=40).search()
    assert not list(tmp_path.glob("search/search/*/training"))
    assert 2 < max(kept) < 20  # those that may go on, not all that were tried


def test_a_trial_that_runs_keeps_its_weights_when_another_ends(make, tmp_path):
    search = make(algorithm="bayesian")
    first, second = (search.oracle.create_trial(f"tuner{n}") for n in range(2))
    search.on_search_begin()
    for trial in (first, second):
        search.run(search.plan(trial))
    first.status = "COMPLETED"
    search.oracle.update_trial(first.trial_id, {"score": 1.0})
    search.on_trial_end(first)
    (kept,) = tmp_path.glob("search/search/*/training")
    assert kept.parent.name == f"trial_{second.trial_id}"

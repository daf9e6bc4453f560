"""Differences by slice as charts show them, and the order of slices."""

from components.evaluation.metric_name import Subject
from components.examples.buckets import bucket_names
from components.pages.numbers import interval
from components.report.slice_differences import slice_order, slice_rows
from components.report.tables import slice_table


def test_differences_by_slice_are_turned_to_the_candidates_favour(make_evaluation, gates):
    rows = slice_rows(gates, make_evaluation(compared=True, **{
        "change/rmse": -0.2, "change/rmse/low": -0.3, "change/rmse/high": -0.1,
        "change/hit_rate@10": -0.2, "change/hit_rate@10/low": -0.3, "change/hit_rate@10/high": -0.1,
    }))  # fmt: skip
    rmse, hits = rows["rmse"][0], rows["hit_rate@10"][0]
    assert (rmse["value"], rmse["low"], rmse["high"], rmse["verdict"]) == (0.2, 0.1, 0.3, "better")
    assert (hits["value"], hits["low"], hits["high"], hits["verdict"]) == (
        -0.2, -0.3, -0.1, "worse",
    )  # fmt: skip
    assert [row["label"] for row in rows["rmse"]][:2] == ["overall", "gender=F"]
    assert [row["judged"] for row in rows["rmse"]] == [True, True, False]
    alone = slice_rows(gates, make_evaluation())["rmse"][0]
    gain = make_evaluation().candidate["overall"]["gain/rmse"]
    assert alone["value"] == gain
    beside = slice_rows(gates, make_evaluation(compared=True), Subject.GAIN)["rmse"][0]
    assert beside["value"] == gain != rmse["value"]


def test_the_table_has_baseline_gain_and_change_of_each_slice(
    make_evaluation, make_blessing, make_report_facts, gates
):
    evaluation = make_evaluation(compared=True)
    content, facts = make_blessing(evaluation, True), make_report_facts(evaluation)
    table = slice_table(content, facts, gates)
    assert table["titles"] == [
        "users", "ratings", "hit_rate@10", "popularity", "gain", "gain on blessed",
        "rmse", "bias", "gain", "gain on blessed",
    ]  # fmt: skip
    cells = dict(zip(table["titles"][2:6], table["rows"][0]["cells"][2:6], strict=True))
    overall = evaluation.candidate["overall"]
    for title, name in (("gain", "gain/hit_rate@10"), ("gain on blessed", "change/hit_rate@10")):
        ends = [overall[name], overall[f"{name}/low"], overall[f"{name}/high"]]
        assert cells[title] == interval(ends)
    del facts["gains"]
    assert "gain" not in slice_table(content, facts, gates)["titles"]
    alone = make_evaluation()
    told = slice_table(make_blessing(alone, True), make_report_facts(alone), gates)["titles"]
    assert told[2:5] == ["hit_rate@10", "popularity", "gain"] and "gain on blessed" not in told


def test_slices_stand_in_the_order_that_people_expect(gates):
    names = ["genre=War", "history=more than 20", "overall", "history=0", "decade=1990s",
             "history=6-20", "age=18,gender=F", "user=cold", "history=1-5"]  # fmt: skip
    assert sorted(names, key=lambda name: slice_order(name, gates)) == [
        "overall", "history=0", "history=1-5", "history=6-20", "history=more than 20",
        "user=cold", "genre=War", "decade=1990s", "age=18,gender=F",
    ]  # fmt: skip


def test_values_that_are_numbers_stand_by_their_size(gates):
    bounds = [-2.5, 0.5, 9, 80, 105, 1200]
    fees = [f"gender={name}" for name in bucket_names(bounds)]
    ages = ["age=under 18", "age=18-24", "age=50-55", "age=56+"]
    decades = [f"decade={year}s" for year in range(1980, 2020, 10)]
    words = ["genre=Drama", "genre=K-12", "genre=War"]
    tenths = [f"popularity={tenth:02}" for tenth in range(1, 11)]
    for names in (fees, ages, decades, words, tenths):
        shuffled = names[::-1]
        assert sorted(shuffled, key=lambda name: slice_order(name, gates)) == names

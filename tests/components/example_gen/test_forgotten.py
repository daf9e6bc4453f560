"""Whoever is to be forgotten is in nothing that the example gen writes."""

from components.example_gen.config import SplitConfig
from components.example_gen.generate import generate
from schemas.artifacts import ROWS_FILE
from schemas.forgotten import Forgotten
from tests.components.example_gen.small_data import (
    digest,
    make,
    read_splits,
    small_rows,
    small_source,
    targets,
    write_table,
    write_tables,
)

GONE = {"u3", "u17"}


def _forgetting(data, out, users=GONE, **split):
    forgotten = Forgotten.begun().and_also(users)
    uris = str(out / "examples"), str(out / "catalogue")
    return generate(small_source(), SplitConfig(**split), str(data), *uris, forgotten=forgotten)


def test_their_rows_are_left_out_and_counted(tmp_path):
    data = write_tables(tmp_path / "data")
    report = _forgetting(data, tmp_path)
    theirs = [row for row in small_rows() if row[0] in GONE]
    assert report["dropped"]["forgotten"] == len(theirs) > 0
    assert report["read"] == len(small_rows())
    assert report["kept"] == sum(size["ratings"] for size in report["splits"].values())
    (finding,) = (one for one in report["findings"] if "greenlight forget" in one)
    assert finding.startswith(f"{len(theirs)} of {len(small_rows())} rows were left out")
    examples = [one for split in read_splits(tmp_path).values() for one in split]
    assert {one["user_id"][0] for one in examples} == {row[0] for row in small_rows()} - GONE
    assert len(targets(examples)) == report["kept"]


def test_the_others_are_as_if_the_files_had_never_held_them(tmp_path):
    _forgetting(write_tables(tmp_path / "all"), tmp_path / "forgetting")
    others = write_tables(tmp_path / "others")
    for number in (1, 2):
        place = others / f"ratings-{number}.csv"
        header, *lines = place.read_text().splitlines()
        rows = [line.split(",") for line in lines]
        write_table(place, [row for row in rows if row[0] not in GONE], header)
    make(others, tmp_path / "without")
    forgetting, without = digest(tmp_path / "forgetting"), digest(tmp_path / "without")
    counts = f"examples/{ROWS_FILE}"
    assert forgetting.pop(counts) != without.pop(counts)
    assert forgetting == without


def test_a_list_of_strangers_changes_nothing(tmp_path):
    data = write_tables(tmp_path / "data")
    report = _forgetting(data, tmp_path / "forgetting", {"nobody"})
    assert report == make(data, tmp_path / "plain") and "forgotten" not in report["dropped"]
    assert digest(tmp_path / "forgetting") == digest(tmp_path / "plain")


def test_no_bad_row_of_theirs_is_quoted(tmp_path):
    data = write_tables(tmp_path / "data")
    with (data / "ratings-1.csv").open("a") as file:
        file.write("u3,1,99,1000000000\nu5,1,99,1000000000\n")
    report = _forgetting(data, tmp_path, max_bad_share=0.5)
    quoted = [sample["text"] for sample in report["samples"] if sample["reason"] == "off_scale"]
    assert quoted == ["u5,1,99,1000000000"] and report["dropped"]["off_scale"] == 2

"""Tables in files: each is read back from its place, and no attempt writes over another's."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from components.example_gen.ipc import spill, unspill

rows = st.lists(st.tuples(st.text(max_size=5), st.integers(-(2**31), 2**31)), max_size=6)


@given(st.lists(rows, max_size=4))
def test_every_table_is_read_back_from_its_place(tmp_path_factory, contents):
    folder = tmp_path_factory.mktemp("spilled")
    tables = [
        pa.table({"id": pa.array([a for a, _ in own], pa.string()), "n": [n for _, n in own]})
        for own in contents
    ]
    places = spill(tables, str(folder))
    again = spill(iter(tables), f"{folder}/")
    for found in (places, again):
        assert [unspill(place).to_pylist() for place in reversed(found)] == [
            table.to_pylist() for table in reversed(tables)
        ]
    assert len(list(folder.iterdir())) == 2 * bool(contents)


def test_a_part_of_a_table_takes_no_more_room_than_it_needs(tmp_path):
    table = pa.table({"n": list(range(100_000))})
    (place,) = spill([table.slice(10, 5)], str(tmp_path))
    assert unspill(place)["n"].to_pylist() == [10, 11, 12, 13, 14] and place.size < 2_000

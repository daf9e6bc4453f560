"""Synthetic data are what their form promises: the source of that name reads every row."""

import pytest

from benchmarks import synthetic
from components.example_gen.config import SplitConfig
from components.example_gen.generate import generate
from schemas.source import load_source

RATINGS = 3000


@pytest.mark.parametrize(
    ("writer", "name"),
    [(synthetic.write, "movielens-latest"), (synthetic.write_1m, "movielens-1m")],
)
def test_every_row_is_read_and_the_same_seed_writes_the_same(tmp_path, writer, name):
    for folder in ("data", "again"):
        writer(tmp_path / folder, RATINGS)
    for path in (tmp_path / "data").iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()
    out = f"{tmp_path}/examples", f"{tmp_path}/catalogue"
    rows = generate(load_source(name), SplitConfig(), str(tmp_path / "data"), *out)
    assert rows["kept"] == rows["read"] == RATINGS
    assert rows["dropped"] == rows["tables_dropped"] == {}

"""A Parquet file from elsewhere cannot bring code along (CVE-2023-47248)."""

import pickle
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.stack import installed

READ = """
import sys
from components.example_gen.read import parquet
import pyarrow.parquet as pq
pq.read_table(sys.argv[1])
"""


class Code:
    """Makes a file when it is unpickled."""

    def __init__(self, place):
        self.place = place

    def __reduce__(self):
        return open, (self.place, "w")


def test_a_type_that_runs_code_is_refused(tmp_path):
    place = tmp_path / "it ran"
    name = b"arrow.py_extension_type"
    field = pa.field("user", pa.string(), metadata={
        b"ARROW:extension:name": name,
        b"ARROW:extension:metadata": pickle.dumps(Code(str(place)), protocol=0),
    })  # fmt: skip
    file = tmp_path / "ratings.parquet"
    pq.write_table(pa.table([pa.array(["1"])], schema=pa.schema([field])), file)
    bare = subprocess.run(
        [sys.executable, "-c", READ.replace("from components.example_gen.read import parquet", ""),
         str(file)], capture_output=True, text=True, check=False,
    )  # fmt: skip
    worked = place.exists()
    place.unlink(missing_ok=True)
    assert worked == installed().arrow_unpickles, f"of the attack itself: {bare.stderr}"
    run = subprocess.run(
        [sys.executable, "-c", READ, str(file)], capture_output=True, text=True, check=False
    )
    assert not place.exists()
    assert run.returncode and "arrow.py_extension_type" in run.stderr

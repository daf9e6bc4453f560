"""Which of a user's own files still hold somebody's rows; they are read and never written."""

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.config import SplitConfig
from components.example_gen.inputs import input_of, resolved
from components.example_gen.prepare import DEFAULT_SIZES, plan_work
from components.example_gen.read.find import find_files_of
from components.example_gen.read.ratings import read_range
from components.example_gen.read.tables import read_users
from schemas.artifacts import Node
from schemas.errors import UserError
from schemas.source import Source

if TYPE_CHECKING:
    from pipeline.metadata import Metadata


def files_with(metadata: "Metadata", users: Collection[str]) -> list[str]:
    """The files that the last run read and that still hold rows of some users.

    Where they cannot be read, it is a sentence that says so.
    """
    read = metadata.newest_properties(Node.EXAMPLE_GEN)
    if not read:
        return []
    try:
        return list(_files_with(read, pa.array(list(users), pa.string())))
    except UserError as error:
        return [f"(not all could be looked at: {error})"]


def _files_with(read: dict[str, str], users: pa.Array) -> Iterator[str]:
    source = Source.model_validate_json(read["source"])
    split = SplitConfig.model_validate_json(read["split"])
    paths = find_files_of(resolved(source, input_of(read["input_config"])), read["input_base"])
    ranges, _ = plan_work(
        source, split, read["input_base"], paths["ratings"], DEFAULT_SIZES.range_bytes
    )
    for path in dict.fromkeys(rng.path for rng in ranges):
        batches = (batch for rng in ranges if rng.path == path for batch in read_range(source, rng))
        if any(_has(batch.rows["user_id"], users) for batch in batches):
            yield path
    table = read_users(source, paths, most_bad=1.0)
    if table is not None and _has(table.table["user_id"], users):
        yield from paths["users"]


def _has(ids: pa.Array | pa.ChunkedArray, users: pa.Array) -> bool:
    return bool(pc.any(pc.is_in(ids, value_set=users)).as_py())

"""Leaves out the ratings of people who are to be forgotten."""

import numpy as np
import pyarrow as pa

from schemas.forgotten import Forgotten


def without(rows: pa.Table, forgotten: Forgotten) -> pa.Table:
    """The rows (user_id: string, and any others) of everybody else, in their order."""
    if not forgotten.people:
        return rows
    users = rows["user_id"].combine_chunks().dictionary_encode()
    stays = np.array([str(user) not in forgotten for user in users.dictionary.to_pylist()], bool)
    return rows.filter(pa.array(stays[users.indices.to_numpy()]))

"""Collects the ratings that the exported model stores of its users: all of them, of every split."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.examples.hashing import mix
from components.examples.records import records
from components.exported.stored import StoredUsers
from components.model.parsing import Lookup, ParsedExamples, parse


def read_users(files: Sequence[str], lookup: Lookup, train_users: list[bytes]) -> StoredUsers:
    """All ratings of every user, from the targets of all splits, in order of time.

    It is for serving alone: evaluation reads the history that its Examples hold. A rating takes
    eight bytes.

    Args:
      files: TFRecord files, those of older splits first.
      lookup: tables to rows.
      train_users: the ids behind the rows of `lookup.user`.
    """
    ids = {user: row for row, user in enumerate(train_users)}
    unknown = [int(known.size()) for known in lookup.user_features.values()]
    features: dict[int, NDArray[Any]] = {}
    pieces = list(_pieces(files, lookup, ids, features))
    users, movies, ratings, times = (np.concatenate(column) for column in zip(*pieces, strict=True))
    # Within a moment there is no order: a hash draws one, not the place in the files.
    drawn = mix((users.astype(np.uint64) << np.uint64(32)) | movies.astype(np.uint64))
    order = np.lexsort((drawn, times, users))
    rows = np.tile(np.array(unknown, np.int32), [len(ids), 1])
    for user, own in features.items():
        rows[user] = own
    counts = np.bincount(users, minlength=len(ids))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return StoredUsers(list(ids), rows, offsets, movies[order], ratings[order])


def _pieces(
    files: Sequence[str], lookup: Lookup, ids: dict[bytes, int], features: dict[int, NDArray[Any]]
) -> Iterator[tuple[NDArray[Any], ...]]:
    """Users, movies, ratings and times of batches of Examples; new users are added to `ids`."""
    strangers = len(ids)
    for batch in records(files):
        parsed = parse(lookup, batch)
        owners = _owners(parsed, strangers, ids)
        features.update(zip(owners.tolist(), parsed.user_features.numpy(), strict=True))
        movies = parsed.movie.flat_values.numpy()
        times = parsed.timestamp.flat_values.numpy()
        yield (
            np.repeat(owners, parsed.movie.row_lengths().numpy()),
            movies,
            parsed.rating.flat_values.numpy(),
            times if len(times) else np.zeros(len(movies), np.int64),
        )


def _owners(parsed: ParsedExamples, strangers: int, ids: dict[bytes, int]) -> NDArray[Any]:
    """Rows of the Examples' users, int32 [batch]; those from `strangers` on are found by id."""
    owners = parsed.user.numpy()
    names = parsed.user_id.numpy()
    for place in np.flatnonzero(owners == strangers):
        owners[place] = ids.setdefault(names[place], len(ids))
    return owners

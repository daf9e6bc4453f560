"""What is out of the ordinary in the rows: sentences before training, or a stop of the run."""

from components.example_gen.config import SplitConfig
from components.example_gen.read.problems import EXACT_DUPLICATE, FORGOTTEN, SUPERSEDED
from components.examples.rows import RowTotals
from schemas.errors import UserError
from schemas.source import Source

# A tenth of all rows is more than any real user or movie of the public data sets has (2.7% at most,
# in ml-latest-small), where it is ten times the mean, too.
_LARGE, _TIMES_THE_MEAN = 0.1, 10
_MANY_REPEATS = 0.1
_ENOUGH = 20  # users from which on it is no accident if none of them is known


def check_shares(rows: RowTotals, source: Source, split: SplitConfig) -> None:
    """Stops a run whose ids cannot be what the description takes them for.

    Raises:
      UserError: one user or movie has more of the rows than `split.max_one_share`, or no user of
        the ratings is in the users table.
    """
    for table, name, share, rest in _large(rows):
        if share > split.max_one_share:
            raise UserError(
                f"{_share_of_one(table, name, share, rest)}, which is more than "
                f"split.max_one_share={split.max_one_share:g} allows: mend "
                f"columns.{table}_id of the source, leave those rows out, or raise the bound."
            )
    if source.users and rows["users"] >= _ENOUGH and rows["strangers"] == rows["users"]:
        raise UserError(
            f"None of the {rows['users']:,} users of the ratings is in the users table: "
            "users.columns.user_id has to name the ids that the ratings have."
        )


def row_findings(rows: RowTotals, source: Source, split: SplitConfig) -> list[str]:
    """What is out of the ordinary, a sentence each."""
    of_one = [
        f"{_share_of_one(*large)}: if it stands for none, leave those rows out, or name it under "
        "nulls of the source's ratings and raise split.max_bad_share."
        for large in _large(rows)
    ]
    return [*of_one, *_repeats(rows, source), *_strangers(rows, split), *_left_out(rows)]


def _large(rows: RowTotals) -> list[tuple[str, str, float, int]]:
    """Of the user and the movie with the most rows: kind, id, share, and how many others."""
    counted = rows["kept"] + sum(rows["dropped"].get(r, 0) for r in (SUPERSEDED, EXACT_DUPLICATE))
    largest = []
    for kind, number, most in (
        ("user", rows["users"], rows["top_user"]),
        ("movie", rows["movies"], rows["top_movie"]),
    ):
        share = most["rows"] / max(1, counted)
        if share >= _LARGE and share * number >= _TIMES_THE_MEAN:
            largest.append((kind, most["id"], share, number))
    return largest


def _share_of_one(kind: str, name: str, share: float, number: int) -> str:
    return f"One {kind} of {number:,}, {name!r}, has {share:.0%} of the rows"


def _repeats(rows: RowTotals, source: Source) -> list[str]:
    repeated = rows["dropped"].get(SUPERSEDED, 0)
    if repeated < _MANY_REPEATS * rows["read"] or not repeated:
        return []
    share = f"{repeated:,} of {rows['read']:,} rows ({repeated / rows['read']:.0%})"
    if not source.has_ratings:
        return [f"{share} are repeated events of a user and a movie, which count once."]
    return [
        f"{share} were superseded: the same user has a later rating of the same movie. If that "
        "cannot be, columns.user_id or columns.movie_id of the source names the wrong column."
    ]


def _strangers(rows: RowTotals, split: SplitConfig) -> list[str]:
    unknown, users = rows["strangers"], rows["users"]
    if unknown <= split.max_bad_share * users:
        return []
    return [
        f"{unknown:,} of {users:,} users have no row in the users table: nothing is known of them."
    ]


def _left_out(rows: RowTotals) -> list[str]:
    number = rows["dropped"].get(FORGOTTEN, 0)
    if not number:
        return []
    return [
        f"{number:,} of {rows['read']:,} rows were left out, as they are of people whom "
        "`greenlight forget` named."
    ]

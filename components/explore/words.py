"""What a modeller should know before training, in sentences that are said only where they hold.

Each names the splits that it was read from. What is read from eval describes the task that a model
will be judged by; settings are to be chosen on valid.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Facts = Mapping[str, Any]
Rule = Callable[[Facts], str | None]


@dataclass(frozen=True)
class Sentence:
    """One finding, and the splits that it was read from."""

    text: str
    splits: tuple[str, ...]


def new_users(facts: Facts) -> str | None:
    """Users that training never saw: half of eval's ratings or more, or next to none."""
    share = facts["splits"]["eval"]["new_users"]
    if share >= 0.5:
        return (
            f"{share:.0%} of eval rows are of users that training never saw: ids won't help there, "
            "only what was rated before does."
        )
    if share <= 0.05:
        return f"{1 - share:.0%} of eval rows are of users that training saw: user ids can help."
    return None


def new_movies(facts: Facts) -> str | None:
    """Movies that training never saw: one in a hundred of eval's ratings or more."""
    share = facts["splits"]["eval"]["new_movies"]
    if share < 0.01:
        return None
    names = {"genres": "genres", "decade": "year", "director": "director", "star": "star"}
    known = [word for name, word in names.items() if name in facts["movies"]["by"]]
    how = f"only their {' and '.join(known)} can place them" if known else "nothing can place them"
    return f"{share:.1%} of eval rows are of movies that training never saw: {how}."


def little_rated(facts: Facts) -> str | None:
    """Movies with fewer than five ratings in train: a quarter of the catalogue or more."""
    share = facts["movies"]["few"] / facts["movies"]["catalogue"]
    if share < 0.25:
        return None
    return (
        f"{share:.0%} of the catalogue's movies have fewer than 5 ratings in train: their ids "
        "learn next to nothing, and they need features or a strong prior."
    )


def short_list(facts: Facts) -> str | None:
    """What recommending the same ten movies to all would find, from 2% of eval's ratings on."""
    share = facts["splits"]["eval"]["short_list"]
    if share < 0.02:
        return None
    return (
        f"The 10 most rated movies of train are {share:.1%} of eval rows: a hit rate at 10 near "
        "that, seen movies not left out, is popularity and no more."
    )


def long_tail(facts: Facts) -> str | None:
    """The most rated hundredth of the movies having a tenth of the ratings or more."""
    share = facts["movies"]["top_share"]
    if share < 0.1:
        return None
    return (
        f"The most rated 1% of movies have {share:.0%} of all ratings, and so of the negatives in "
        "a batch: the loss has to correct for popularity."
    )


def few_users(facts: Facts) -> str | None:
    """The most active tenth of the users giving half of the ratings or more."""
    share = facts["users"]["top_share"]
    if share < 0.5:
        return None
    return (
        f"The most active 10% of users give {share:.0%} of all ratings: a mean over rows is "
        "theirs, so look at means over users and at the slices by history, too."
    )


def mean_moves(facts: Facts) -> str | None:
    """Eval's mean rating lying a twentieth of train's deviation or more away from train's."""
    train, held_out = facts["splits"]["train"], facts["splits"]["eval"]
    if train["mean"] is None or held_out["mean"] is None:
        return None
    change = held_out["mean"] - train["mean"]
    if abs(change) < 0.05 * train["deviation"] or not train["deviation"]:
        return None
    return (
        f"Eval's mean rating is {held_out['mean']:.2f}, {abs(change):.2f} "
        f"{'above' if change > 0 else 'below'} train's: a mean fitted on train is off by that."
    )


def one_sitting(facts: Facts) -> str | None:
    """A quarter of the users or more having rated on one day only."""
    pace = (facts["times"] or {}).get("pace")
    if not pace or not pace["several"] or pace["one_day"] < 0.25 * pace["several"]:
        return None
    return (
        f"{pace['one_day'] / pace['several']:.0%} of users with several ratings gave them all on "
        "one day: what they rated then is one sitting, and says little of how tastes change."
    )


def shared_moments(facts: Facts) -> str | None:
    """A hundredth or more of eval's ratings sharing their moment with others of the same user."""
    held_out = facts["rows"]["splits"]["eval"]
    if held_out["tied"] < 0.01 * held_out["ratings"] or not held_out["tied"]:
        return None
    return (
        f"{held_out['tied'] / held_out['ratings']:.0%} of eval rows share their moment with other "
        "ratings of the same user: nothing there comes first, so none of them is history to "
        "another, and which one a split holds out is drawn."
    )


def same_moment(facts: Facts) -> str | None:
    """A tenth or more of a user's consecutive ratings being of the same moment."""
    pace = (facts["times"] or {}).get("pace")
    if not pace or not pace["pairs"] or pace["same_moment"] < 0.1 * pace["pairs"]:
        return None
    return (
        f"{pace['same_moment'] / pace['pairs']:.0%} of consecutive ratings of a user bear the same "
        "time: they are one moment, and a sequential model reads no order from it."
    )


def no_hours(facts: Facts) -> str | None:
    """Nearly all ratings at midnight sharp: the source knows days, not times."""
    pace = (facts["times"] or {}).get("pace")
    if not pace or pace["midnight"] < 0.99 * pace["ratings"]:
        return None
    return (
        "Times are days: the hour says nothing, and all that a user rated on a day is one moment "
        "without an order."
    )


def no_times(facts: Facts) -> str | None:
    """No times at all."""
    if facts["times"] is not None:
        return None
    return (
        "Ratings have no times: histories have no order, a split by time is impossible, and a "
        "random split judges more kindly than life does."
    )


def no_ratings(facts: Facts) -> str | None:
    """A hundredth of the events or more without a rating."""
    share = 1 - facts["rated"] / facts["rows"]["kept"]
    if share < 0.01:
        return None
    if share == 1:
        return "Nothing is rated: models are judged by their lists alone."
    return (
        f"{share:.0%} of the rows say what was seen and not how it was liked: they count for lists "
        "and histories, and not for ratings."
    )


def one_month(facts: Facts) -> str | None:
    """One month holding a fifth of the ratings or more, of at least six that have any."""
    if facts["times"] is None:
        return None
    most = facts["times"]["busiest"]
    months = {row["month"] for row in facts["times"]["timeline"]}
    if most["share"] < 0.2 or len(months) < 6:
        return None
    return (
        f"{most['share']:.0%} of all ratings are of one month, {most['month']}: a split by time "
        "puts those who rated then on one side of the cut."
    )


def unknown_features(facts: Facts) -> str | None:
    """Features of the catalogue that a tenth of the movies or more lack."""
    lacking = [
        f"{name} ({share:.0%})"
        for name, share in facts["movies"]["unknown"].items()
        if share >= 0.1
    ]
    if not lacking:
        return None
    return f"Unknown for many movies of the catalogue: {', '.join(lacking)}."


def same_titles(facts: Facts) -> str | None:
    """Titles that more than one movie bears."""
    number = facts["movies"]["same_title"]
    if not number:
        return None
    return f"{number:,} movies share a title with another: join by id, never by title."


def dropped_rows(facts: Facts) -> str | None:
    """A thousandth of the rows or more having been dropped."""
    rows = facts["rows"]
    dropped = rows["dropped"]
    total = sum(dropped.values())
    if total < 0.001 * rows["read"] or not total:
        return None
    most = max(dropped, key=lambda reason: dropped[reason])
    return (
        f"{total:,} of {rows['read']:,} rows ({total / rows['read']:.2%}) were dropped, most of "
        f"them as {most.replace('_', ' ')} ({dropped[most]:,})."
    )


def small_eval(facts: Facts) -> str | None:
    """Fewer than 200 users in eval: intervals over users will be wide."""
    users = facts["splits"]["eval"]["users"]
    if users >= 200:
        return None
    return (
        f"Eval holds {users:,} users only: intervals over users will be wide, and a gate needs a "
        "large gain to pass."
    )


def lopsided_group(facts: Facts) -> str | None:
    """One value of a user feature giving 70% of the ratings or more."""
    for name, group in facts["groups"].items():
        total = sum(row["ratings"] for row in group["values"])
        most = max(group["values"], key=lambda row: row["ratings"])
        if len(group["values"]) > 1 and most["ratings"] >= 0.7 * total:
            return (
                f"{most['ratings'] / total:.0%} of ratings are by one group, {name} "
                f"{most['value']}: the overall metrics are theirs, so look at the slices by {name}."
            )
    return None


def _of_the_files(facts: Facts) -> list[Sentence]:
    """What the example gen found in the rating files and in the tables beside them."""
    return [Sentence(text, ("files",)) for text in facts["rows"].get("findings", [])]


EVAL, TRAIN_EVAL, ALL = ("eval",), ("train", "eval"), ("train", "valid", "eval")
RULES: tuple[tuple[Rule, tuple[str, ...]], ...] = (
    (new_users, TRAIN_EVAL), (new_movies, TRAIN_EVAL), (small_eval, EVAL),
    (short_list, TRAIN_EVAL), (long_tail, ALL), (little_rated, ("train",)), (few_users, ALL),
    (no_ratings, ALL), (mean_moves, TRAIN_EVAL), (no_times, ALL), (no_hours, ALL),
    (one_sitting, ALL), (shared_moments, EVAL), (same_moment, ALL), (one_month, ALL),
    (lopsided_group, ALL),
    (unknown_features, ("catalogue",)), (same_titles, ("catalogue",)), (dropped_rows, ("files",)),
)  # fmt: skip


def sentences(facts: Facts) -> list[Sentence]:
    """What holds of these data, in the order in which it matters."""
    found = ((rule(facts), splits) for rule, splits in RULES)
    return [*_of_the_files(facts), *(Sentence(text, splits) for text, splits in found if text)]

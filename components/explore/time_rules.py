"""What the times of ratings say: sentences that are said only where they hold."""

from components.explore.content import Content


def no_times(content: Content) -> str | None:
    """No times at all."""
    if content["times"] is not None:
        return None
    return (
        "Ratings have no times: histories have no order, a split by time is impossible, and a "
        "random split judges more kindly than life does."
    )


def no_hours(content: Content) -> str | None:
    """Nearly all ratings at midnight sharp: the source knows days, not times."""
    pace = (content["times"] or {}).get("pace")
    if not pace or pace["midnight"] < 0.99 * pace["ratings"]:
        return None
    return (
        "Times are days: the hour says nothing, and all that a user rated on a day is one moment "
        "without an order."
    )


def one_sitting(content: Content) -> str | None:
    """A quarter of the users or more having rated on one day only."""
    pace = (content["times"] or {}).get("pace")
    if not pace or not pace["several"] or pace["one_day"] < 0.25 * pace["several"]:
        return None
    return (
        f"{pace['one_day'] / pace['several']:.0%} of users with several ratings gave them all on "
        "one day: what they rated then is one sitting, and says little of how tastes change."
    )


def same_moment(content: Content) -> str | None:
    """A tenth or more of a user's consecutive ratings being of the same moment."""
    pace = (content["times"] or {}).get("pace")
    if not pace or not pace["pairs"] or pace["same_moment"] < 0.1 * pace["pairs"]:
        return None
    return (
        f"{pace['same_moment'] / pace['pairs']:.0%} of consecutive ratings of a user bear the same "
        "time: they are one moment, and a sequential model reads no order from it."
    )


def one_month(content: Content) -> str | None:
    """One month holding a fifth of the ratings or more, of at least six that have any."""
    if content["times"] is None:
        return None
    most = content["times"]["busiest"]
    months = {row["month"] for row in content["times"]["timeline"]}
    if most["share"] < 0.2 or len(months) < 6:
        return None
    return (
        f"{most['share']:.0%} of all ratings are of one month, {most['month']}: a split by time "
        "puts those who rated then on one side of the cut."
    )

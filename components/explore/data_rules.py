"""What the ratings, users and movies are like: sentences that are said only where they hold."""

from components.explore.content import Content


def long_tail(content: Content) -> str | None:
    """The most rated hundredth of the movies having a tenth of the ratings or more."""
    share = content["movies"]["top_share"]
    if share < 0.1:
        return None
    return (
        f"The most rated 1% of movies have {share:.0%} of all ratings, and so of the negatives in "
        "a batch: the loss has to correct for popularity."
    )


def little_rated(content: Content) -> str | None:
    """Movies with fewer than five ratings in train: a quarter of the catalogue or more."""
    share = content["movies"]["few"] / content["movies"]["catalogue"]
    if share < 0.25:
        return None
    return (
        f"{share:.0%} of the catalogue's movies have fewer than 5 ratings in train: their ids "
        "learn next to nothing, and they need features or a strong prior."
    )


def few_users(content: Content) -> str | None:
    """The most active tenth of the users giving half of the ratings or more."""
    share = content["users"]["top_share"]
    if share < 0.5:
        return None
    return (
        f"The most active 10% of users give {share:.0%} of all ratings: a mean over rows is "
        "theirs, so look at means over users and at the slices by history, too."
    )


def no_ratings(content: Content) -> str | None:
    """A hundredth of the events or more without a rating."""
    share = 1 - content["rated"] / content["rows"]["kept"]
    if share < 0.01:
        return None
    if share == 1:
        return "Nothing is rated: models are judged by their lists alone."
    return (
        f"{share:.0%} of the rows say what was seen and not how it was liked: they count for lists "
        "and histories, and not for ratings."
    )


def lopsided_group(content: Content) -> str | None:
    """One value of a user feature giving 70% of the ratings or more."""
    for name, group in content["groups"].items():
        total = sum(row["ratings"] for row in group["values"])
        most = max(group["values"], key=lambda row: row["ratings"])
        if len(group["values"]) > 1 and most["ratings"] >= 0.7 * total:
            return (
                f"{most['ratings'] / total:.0%} of ratings are by one group, {name} "
                f"{most['value']}: the overall metrics are theirs, so look at the slices by {name}."
            )
    return None


def unknown_features(content: Content) -> str | None:
    """Features of the catalogue that a tenth of the movies or more lack."""
    lacking = [
        f"{name} ({share:.0%})"
        for name, share in content["movies"]["unknown"].items()
        if share >= 0.1
    ]
    if not lacking:
        return None
    return f"Unknown for many movies of the catalogue: {', '.join(lacking)}."


def same_titles(content: Content) -> str | None:
    """Titles that more than one movie bears."""
    number = content["movies"]["same_title"]
    if not number:
        return None
    return f"{number:,} movies share a title with another: join by id, never by title."


def dropped_rows(content: Content) -> str | None:
    """A thousandth of the rows or more having been dropped."""
    rows = content["rows"]
    dropped = rows["dropped"]
    total = sum(dropped.values())
    if total < 0.001 * rows["read"] or not total:
        return None
    most = max(dropped, key=lambda reason: dropped[reason])
    return (
        f"{total:,} of {rows['read']:,} rows ({total / rows['read']:.2%}) were dropped, most of "
        f"them as {most.replace('_', ' ')} ({dropped[most]:,})."
    )

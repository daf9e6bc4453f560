"""What the split asks of a model: sentences on eval beside train, said only where they hold."""

from components.explore.content import Content
from components.explore.movies import DECADE
from schemas.features import GENRES


def new_users(content: Content) -> str | None:
    """Users that training never saw: half of eval's ratings or more, or next to none."""
    share = content["splits"]["eval"]["new_users"]
    if share >= 0.5:
        return (
            f"{share:.0%} of eval rows are of users that training never saw: ids won't help there, "
            "only what was rated before does."
        )
    if share <= 0.05:
        return f"{1 - share:.0%} of eval rows are of users that training saw: user ids can help."
    return None


def new_movies(content: Content) -> str | None:
    """Movies that training never saw: one in a hundred of eval's ratings or more."""
    share = content["splits"]["eval"]["new_movies"]
    if share < 0.01:
        return None
    words = {**content["labels"], GENRES: "genres", DECADE: "year"}
    by = content["movies"]["by"]
    known = [words[name] for name in dict.fromkeys([GENRES, DECADE, *by]) if name in by]
    how = f"only their {' and '.join(known)} can place them" if known else "nothing can place them"
    return f"{share:.1%} of eval rows are of movies that training never saw: {how}."


def small_eval(content: Content) -> str | None:
    """Fewer than 200 users in eval: intervals over users will be wide."""
    users = content["splits"]["eval"]["users"]
    if users >= 200:
        return None
    return (
        f"Eval holds {users:,} users only: intervals over users will be wide, and a gate needs a "
        "large gain to pass."
    )


def short_list(content: Content) -> str | None:
    """What recommending the same ten movies to all would find, from 2% of eval's ratings on."""
    share = content["splits"]["eval"]["short_list"]
    if share < 0.02:
        return None
    return (
        f"The 10 most rated movies of train are {share:.1%} of eval rows: a hit rate at 10 near "
        "that, seen movies not left out, is popularity and no more."
    )


def mean_moves(content: Content) -> str | None:
    """Eval's mean rating lying a twentieth of train's deviation or more away from train's."""
    train, held_out = content["splits"]["train"], content["splits"]["eval"]
    if train["mean"] is None or held_out["mean"] is None:
        return None
    change = held_out["mean"] - train["mean"]
    if abs(change) < 0.05 * train["deviation"] or not train["deviation"]:
        return None
    return (
        f"Eval's mean rating is {held_out['mean']:.2f}, {abs(change):.2f} "
        f"{'above' if change > 0 else 'below'} train's: a mean fitted on train is off by that."
    )


def shared_moments(content: Content) -> str | None:
    """A hundredth or more of eval's ratings sharing their moment with others of the same user."""
    held_out = content["rows"]["splits"]["eval"]
    if held_out["tied"] < 0.01 * held_out["ratings"] or not held_out["tied"]:
        return None
    return (
        f"{held_out['tied'] / held_out['ratings']:.0%} of eval rows share their moment with other "
        "ratings of the same user: nothing there comes first, so none of them is history to "
        "another, and which one a split holds out is drawn."
    )

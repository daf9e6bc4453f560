"""Which charts the data page has, each with the words that stand for it."""

from components.explore import charts
from components.explore.content import SHOWN, Content
from components.explore.movies import DECADE
from components.pages.charts import Rows, Spec, bars, described
from schemas.words import MOVIE, Item


def one_each(content: Content) -> list[str]:
    """The features of which a movie has one value, such as a director; no decade and no number."""
    others = {DECADE, *content["several"], *content["numbers"]}
    return [name for name in content["movies"]["by"] if name not in others]


def page_charts(content: Content, item: Item = MOVIE) -> dict[str, Spec]:
    """The charts that there are data for, by id; `item` is what the source calls the movies."""
    return {
        **_one_movie(content, item),
        **_times(content["times"], content["scale"]),
        **_ratings(content),
        **_users(content, item),
        **_movies(content["movies"], item),
        **_makers(content, item),
    }


def _one_movie(content: Content, item: Item) -> dict[str, Spec]:
    if "movie" not in content:
        return {}
    rows = content["movie"]["levels"]
    if not rows:
        return {}
    own = "; ".join(f"{r['rating']:g}: {r['share']:.1%}" for r in rows if r["of"] == "this movie")
    rows = [{**row, "of": item.worded(row["of"])} for row in rows]
    spec = charts.shares(rows, "of", [f"this {item.one}", f"all {item.several}"])
    return {"one-movie": described(spec, f"Ratings of {content['movie']['title']}: {own}")}


def _times(times: Content | None, scale: list[float]) -> dict[str, Spec]:
    if times is None:
        return {}
    specs = {
        name: described(bars(times[name], x, "ratings"), f"Ratings by {x}: {_listed(times[name])}")
        for name, x in (
            ("month_of_year", "month"), ("weekday", "day of the week"), ("hour", "hour, UTC"),
        )
    }  # fmt: skip
    rows = _periods(times["timeline"])
    years = times["years"]
    first, last = rows[0]["time"], rows[-1]["time"]
    most = max(years, key=lambda row: row["number"])
    words = f"Ratings from {first} to {last}; most in {most['year']}, {most['number']:,}."
    specs["timeline"] = described(charts.timeline(rows), words)
    years = [row for row in years if row["mean"] is not None]
    if len(years) > 1:
        means = "; ".join(f"{row['year']}: {row['mean']:.2f}" for row in years)
        ends = (scale[0], scale[1])
        specs["yearly"] = described(charts.yearly_mean(years, ends), f"Mean by year: {means}")
    return specs


def _periods(timeline: Rows) -> Rows:
    """Months, or years where there are too many months to tell apart."""
    months = {row["month"] for row in timeline}
    length = 7 if len(months) <= charts.MONTHS_SHOWN else 4
    specs: dict[tuple[str, str], int] = {}
    for row in timeline:
        key = row["month"][:length], row["split"]
        specs[key] = specs.get(key, 0) + row["number"]
    return [{"time": t, "split": s, "number": n} for (t, s), n in sorted(specs.items())]


def _ratings(content: Content) -> dict[str, Spec]:
    levels = content["levels"]
    specs: dict[str, Spec] = {}
    present = [name for name in charts.SPLITS if any(row["split"] == name for row in levels)]
    words = "; ".join(f"{r['split']} {r['rating']:g}: {r['share']:.1%}" for r in levels)
    if levels:
        specs["levels"] = described(charts.shares(levels, "split", present), f"Ratings: {words}")
    for name, group in content["groups"].items():
        rated = [row for row in group["values"] if row["mean"] is not None]
        means = "; ".join(f"{row['value']} {row['mean']:.2f}" for row in rated)
        if rated:
            specs[f"levels-{name}"] = described(
                charts.stacked(group["levels"]), f"Ratings by {name}; means: {means}"
            )
        much = "; ".join(f"{row['value']} {row['per_user']:.0f}" for row in group["values"])
        spec = charts.ranked(group["values"], "value", "per_user", "ratings of a user, mean")
        specs[f"amount-{name}"] = described(spec, f"Ratings of a user by {name}: {much}")
    return specs


def _users(content: Content, item: Item) -> dict[str, Spec]:
    users, movies = content["users"], content["movies"]
    uneven = item.worded(
        f"Lorenz curves: the most active 10% of users give {users['top_share']:.0%} of ratings, "
        f"the most rated 1% of movies have {movies['top_share']:.0%}; Gini {users['gini']:.2f} "
        f"and {movies['gini']:.2f}."
    )
    curve = [{**row, "of": item.worded(row["of"])} for row in movies["lorenz"]]
    specs = {
        "activity": described(
            bars(users["histogram"], "ratings of a user", "users"),
            f"Users by number of ratings: {_listed(users['histogram'])}",
        ),
        "lorenz": described(charts.lorenz(users["lorenz"] + curve, item), uneven),
    }
    if users["sample"]:
        specs["scatter"] = described(
            charts.scatter(users["sample"], (content["scale"][0], content["scale"][1])),
            f"Mean rating over number of ratings of {len(users['sample']):,} users.",
        )
    return specs


def _movies(movies: Content, item: Item) -> dict[str, Spec]:
    specs = {
        "popularity": described(
            bars(movies["histogram"], item.worded("ratings of a movie"), item.several),
            item.worded(f"Movies by number of ratings: {_listed(movies['histogram'])}"),
        ),
        "ranks": described(
            charts.rank_curve(movies["ranks"], item),
            item.worded(
                f"Ratings by rank; the most rated movie has {movies['ranks'][0]['ratings']:,}."
            ),
        ),
    }
    rows = movies["most_rated"]
    words = "; ".join(f"{row['movie']}: {row['ratings']:,}" for row in rows)
    specs["most-rated"] = described(charts.ranked(rows, "movie", "ratings", "ratings"), words)
    names = {"shrunken": "shrunken mean", "mean": "plain mean"}
    for name in ("best", "worst"):
        rows = movies.get(name)
        if not rows:
            continue
        words = "; ".join(f"{row['movie']}: {row['shrunken']:.2f}" for row in rows)
        specs[name] = described(charts.dots(rows, "movie", names), f"Shrunken means: {words}")
    return specs


def _makers(content: Content, item: Item) -> dict[str, Spec]:
    specs, labels = {}, content["labels"]
    for name, rows in content["movies"]["by"].items():
        if not rows:
            continue
        if name == DECADE:
            shown, number = sorted(rows, key=lambda row: row["value"]), "ratings"
        elif name in one_each(content):
            busy = sorted(rows, key=lambda row: (-row["movies"], -row["ratings"]))
            shown, number = busy[:SHOWN], "movies"
        elif name in content["numbers"]:
            shown, number = rows, "ratings"
        else:
            shown, number = rows[:SHOWN], "ratings"
        counts = "; ".join(f"{row['value']}: {row[number]:,}" for row in shown)
        rated = [row for row in shown if row["mean"] is not None]
        means = "; ".join(f"{row['value']}: {row['mean']:.2f}" for row in rated)
        specs[f"count-{name}"] = described(
            charts.ranked(shown, "value", number, item.worded(number)),
            f"{item.worded(number)} by {labels[name]}: {counts}",
        )
        if rated:
            specs[f"mean-{name}"] = described(
                charts.dots(rated, "value", {"mean": "mean"}), f"Mean by {labels[name]}: {means}"
            )
    return specs


def _listed(rows: Rows) -> str:
    return "; ".join(f"{row['bucket']}: {row['number']:,}" for row in rows)

"""The features that a source may have beside its ratings, and what they are used for."""

# Two roles of movie features: lists can be limited to a span of the one and to values of the other.
YEAR, GENRES = "year", "genres"
USER_FEATURES = ("gender", "age", "occupation")
MOVIE_FEATURES = (YEAR, GENRES, "director", "star")
SEPARATOR = "\x1f"  # between the genres of a movie where they are one text: no name holds it

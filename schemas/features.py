"""The features that a source may have beside its ratings."""

USER_FEATURES = ("gender", "age", "occupation")
MOVIE_FEATURES = ("year", "genres", "director", "star")

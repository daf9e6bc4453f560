"""The features that a source may have beside its ratings."""

USER_FEATURES = ("gender", "age", "occupation")
MOVIE_FEATURES = ("year", "genres", "director", "star")
SEPARATOR = "\x1f"  # between the genres of a movie where they are one text: no name holds it

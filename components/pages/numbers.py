"""Numbers as pages write them."""


def number(value: float | None, form: str = ".4f") -> str:
    """A number with four digits behind the point, or as `form` says; none has words of its own."""
    return "no number" if value is None else format(value, form)

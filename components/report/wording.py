"""What was measured in plain words: of so many movies so many, surely more or perhaps by chance."""

import math
from collections.abc import Mapping

from components.evaluation.metric_name import HIT_RATE, RMSE, MetricName, Subject
from components.evaluation.slices import OVERALL

OUT_OF = (100, 1_000, 10_000)  # of how many movies a hit rate is told
RIVALS = {
    (Subject.GAIN, HIT_RATE): "a bestseller list has",
    (Subject.GAIN, RMSE): "averages of user and movie by",
    (Subject.CHANGE, HIT_RATE): "the last blessed model has",
    (Subject.CHANGE, RMSE): "the last blessed model by",
}
Metrics = Mapping[str, float]


def share(value: float) -> str:
    """A share as a percentage, with a digit behind the point near 0 and 1."""
    return f"{value:.0%}" if value in (0, 1) or 0.01 <= value <= 0.99 else f"{value:.1%}"


def were(number: int) -> str:
    """A number and its verb in the past."""
    return "none was" if number == 0 else f"{number:,} {'was' if number == 1 else 'were'}"


def movies_counted(history: str) -> str:
    """What hit rates count; `history` is what an eval history holds, 'before' or 'rest'."""
    return "movies that people rated next" if history == "before" else "movies held out"


def where(name: str) -> str:
    """A slice in the middle of a sentence."""
    return "" if name == OVERALL else f" in {name}"


def rival(metric: MetricName) -> MetricName:
    """The metric of the built-in baseline that this one is compared with."""
    return metric.of(Subject.BIAS if metric.measure == RMSE else Subject.POPULARITY)


def compared(values: Metrics, metric: MetricName, subject: Subject) -> tuple[float, float, str]:
    """The model's value, its rival's, and what the interval of the difference says of the rival's.

    Args:
      values: the metrics of a slice.
      metric: hit rate or RMSE.
      subject: `GAIN` for the built-in baseline, `CHANGE` for the blessed model.
    """
    own, name = values[str(metric)], metric.of(subject)
    low, high = (values.get(str(end), math.nan) for end in name.ends)
    other = values[str(rival(metric))] if subject is Subject.GAIN else own - values[str(name)]
    lower = metric.lower_is_better
    # A gain is turned so that above 0 is the model's favour; a change is not.
    if lower and subject is Subject.CHANGE:
        low, high = -high, -low
    return own, other, _proven(low, high, *(("more", "less") if lower else ("fewer", "more")))


def sentence(
    values: Metrics, metric: MetricName, subject: Subject, movies: str, where: str = ""
) -> str:
    """A hit rate or RMSE beside its rival's in plain words, without a full stop.

    Args:
      values, metric, subject: as for `compared`.
      movies: what a hit rate counts, such as 'movies that people rated next'.
      where: the slice in words, if it is one, such as ' in genre=War'.
    """
    own, other, proof = compared(values, metric, subject)
    told, beside = _beside(metric, own, other, movies, where)
    return f"{told}; {RIVALS[subject, metric.measure]} {beside}{proof}"


def bound_sentence(
    metric: MetricName, value: float, bound: float, movies: str, where: str = ""
) -> str:
    """A value beside its bound in plain words, without a full stop; see `sentence`."""
    side = "at most" if metric.lower_is_better else "at least"
    if metric.unmasked or metric.measure not in (HIT_RATE, RMSE):
        return f"{metric}{where} is {value:.4f}; {side} {bound:g} is asked"
    told, asked = _beside(metric, value, bound, movies, where)
    return f"{told}; {side} {asked} is asked"


def _beside(
    metric: MetricName, own: float, other: float, movies: str, where: str
) -> tuple[str, str]:
    """A hit rate or RMSE in plain words, and another value in the same unit."""
    if metric.measure == RMSE:
        digits = 2 if f"{own:.2f}" != f"{other:.2f}" else 4
        told = f"Predicted ratings{where} are typically off by {own:.{digits}f}"
        return told, f"{other:.{digits}f}"
    out_of = _out_of(own, other)
    told = f"Of {out_of:,} {movies}{where}, {were(round(out_of * own))} in their top {metric.k}"
    return told, f"{round(out_of * other):,}"


def _proven(low: float, high: float, worse: str, better: str) -> str:
    """How a sentence on a rival's number ends, by the interval of the model's gain over it."""
    if low > 0:
        return f", surely {worse}"
    if high < 0:
        return f", surely {better}"
    return ": the difference may be chance" if low <= 0 <= high else ""


def _out_of(own: float, other: float) -> int:
    """The smallest round number of which both rates make a count, and two if they differ."""
    for number in OUT_OF:
        mine, theirs = round(number * own), round(number * other)
        shown = (mine or not own) and (theirs or not other)
        if shown and (mine != theirs or math.isclose(own, other, rel_tol=0.02)):
            return number
    return OUT_OF[-1]

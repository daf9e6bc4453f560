"""What to know before deciding: computed sentences, each with the slice and figures behind it."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from components.evaluation.gates import GatesConfig
from components.evaluation.metric_name import RATING, RETRIEVAL, RMSE, MetricName, Subject
from components.evaluation.slices import AFTER_PAUSE, OVERALL, SAME_SITTING, SITTINGS
from components.report.evaluator_output import Evaluation
from components.report.wording import compared, movies_counted, rival, sentence, share, were

SITTING, PAUSE = (f"session={SITTINGS[which]}" for which in (SAME_SITTING, AFTER_PAUSE))
NEW_MOVIES = "movie=cold"
TASKS = {RETRIEVAL: "the lists", RATING: "predicted ratings"}
Sizes = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Finding:
    """One sentence of the summary.

    about: what it is about, in a word or two.
    sentence: with its full stop.
    slice: what it was measured on.
    figures: what it was made from, by name; metrics have their usual names.
    """

    about: str
    sentence: str
    slice: str
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Judged:
    """What was evaluated, for the sentences on it.

    gates: the run's settings of the gates.
    history: what an eval history holds, 'before' or 'rest'.
    off: the tasks that are not judged, with the reasons.
    evaluation, sizes: as for `blessing.blessing` and `blessing.slice_sizes`.
    """

    gates: GatesConfig
    history: str
    off: Mapping[str, str]
    evaluation: Evaluation
    sizes: Sizes

    @property
    def earlier(self) -> bool:
        """Whether an eval history holds what came before, and nothing later."""
        return self.history == "before"

    @property
    def events(self) -> str:
        """What an evaluated row is called."""
        return "ratings" if RMSE in self.evaluation.candidate[OVERALL] else "events"


def summary(judged: Judged) -> list[dict[str, Any]]:
    """The sentences of a run, what decides first; none where nothing was evaluated."""
    if OVERALL not in judged.evaluation.candidate:
        return []
    parts = (_measured, _basis, _sittings, _new_movies, _coverage, _unjudged)
    return [asdict(one) for part in parts for one in part(judged)]


def figures(values: Mapping[str, float], metric: MetricName) -> dict[str, float]:
    """A metric beside its built-in baseline's, with the gain and its interval."""
    gain = metric.of(Subject.GAIN)
    names = map(str, (metric, rival(metric), gain, *gain.ends))
    return {name: values[name] for name in names if name in values}


def _measured(judged: Judged) -> Iterator[Finding]:
    """How good lists and ratings are, beside the built-in baselines."""
    values = judged.evaluation.candidate[OVERALL]
    for about, metric in (("lists", judged.gates.hit_rate), ("ratings", MetricName(RMSE))):
        if math.isfinite(values.get(str(metric), math.nan)):
            words = sentence(values, metric, Subject.GAIN, movies_counted(judged.history))
            yield Finding(about, f"{words}.", OVERALL, figures(values, metric))


def _basis(judged: Judged) -> Iterator[Finding]:
    """On how much the verdict rests."""
    size = {name: judged.sizes[OVERALL][name] for name in ("users", "ratings")}
    people = f"{size['users']:,} {'person' if size['users'] == 1 else 'people'}"
    told = f"This rests on {size['ratings']:,} {judged.events} by {people}"
    same = judged.sizes.get(SITTING)
    if same is None or not judged.earlier:
        yield Finding("basis", f"{told}.", OVERALL, size)
        return
    part = same["ratings"] / size["ratings"]
    yield Finding("basis", f"{told}; {share(part)} of them came in the same sitting as the one "
                  "before, within the hour.", SITTING, {**size, "same_sitting": part})  # fmt: skip


def _sittings(judged: Judged) -> Iterator[Finding]:
    """How good the lists are where the person comes back after a pause."""
    values = judged.evaluation.candidate.get(PAUSE)
    if values is None or not judged.earlier:
        return
    size = judged.sizes[PAUSE]
    own, other, proof = compared(values, judged.gates.hit_rate, Subject.GAIN)
    found, popular = (round(rate * size["ratings"]) for rate in (own, other))
    words = (
        f"After a pause of an hour or more, of {size['ratings']:,} movies ({size['users']:,} "
        f"people) {were(found)} in the top {judged.gates.k}; a bestseller list has {popular:,}"
        f"{proof}."
    )
    yield Finding("after a pause", words, PAUSE, figures(values, judged.gates.hit_rate))


def _new_movies(judged: Judged) -> Iterator[Finding]:
    """Whether movies are found that training never saw."""
    values = judged.evaluation.candidate.get(NEW_MOVIES)
    if values is None:
        return
    total, metric = judged.sizes[NEW_MOVIES]["ratings"], judged.gates.hit_rate
    found = round(values[str(metric)] * total)
    new = "new since training" if judged.earlier else "that training never saw"
    start = f"Movies {new}" if found else f"Movies {new} are not found"
    words = f"{start}: of {total:,} {judged.events} of them, {were(found)} in the top {metric.k}."
    yield Finding("new movies", words, NEW_MOVIES, figures(values, metric))


def _coverage(judged: Judged) -> Iterator[Finding]:
    """How much of the catalogue the lists hold."""
    part, *_ = judged.evaluation.checks.lists.get("candidate", {}).get("coverage", [None])
    if part is None:
        return
    people = min(judged.sizes[OVERALL]["users"], judged.gates.list_users)
    words = f"The lists of {people:,} people hold {share(part)} of the catalogue between them."
    yield Finding("coverage", words, OVERALL, {"coverage": part, "users": people})


def _unjudged(judged: Judged) -> Iterator[Finding]:
    """What the verdict says nothing of."""
    small = [name for name, size in judged.sizes.items() if not size["judged"]]
    parts = [TASKS[task] for task in judged.off]
    if judged.evaluation.blessed is None:
        parts.append("any change, as there was no blessed model to compare with")
    if PAUSE not in judged.sizes or not judged.earlier:
        parts.append("what people choose after a pause")
    if NEW_MOVIES not in judged.sizes:
        parts.append("movies new since training")
    if small:
        parts.append(f"{len(small)} of {len(judged.sizes) - 1} slices, each of fewer than "
                     f"{judged.gates.slice_users} people")  # fmt: skip
    if parts:
        words = f"Not judged: {'; '.join(parts)}."
        yield Finding("not judged", words, OVERALL, {"slices": len(small)})

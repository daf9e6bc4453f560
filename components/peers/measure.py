"""Measures model and peers on the same rows of eval: overall, and over the time of eval."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.diagnostics.sample import sample
from components.evaluation.bootstrap import interval, replicate_sums
from components.evaluation.gates import GatesConfig
from components.evaluation.reload.signatures import Signatures
from components.examples.catalogue import Catalogue
from components.peers.asked import MODEL, POPULARITY, Asked, ask, shown
from components.peers.config import PeersConfig
from components.peers.learned import learn_from
from components.peers.ranks import peers, ranks

PERIODS = 10  # most parts of the time of eval
FEWEST = 50  # rows of a part
PEOPLE = 2  # without as many there is nothing to resample
Array = NDArray[Any]


def measure(
    signatures: Signatures,
    splits: Mapping[str, Sequence[str]],
    learned: Sequence[str],
    movies: Catalogue,
    config: PeersConfig,
    gates: GatesConfig,
    seed: int,
    mix: float = 0.0,
) -> dict[str, Any] | None:
    """Learns the peers and measures them beside the model.

    Args:
      signatures: of the exported model.
      splits: TFRecord files by split.
      learned: the splits that the exported model has learned from; peers learn from the same.
      movies: the catalogue.
      config: on how much.
      gates: the length of the list, the level and the number of replicates.
      seed: of the rows drawn and of the bootstrap.
      mix: that of the lists for people, which are measured too unless it is 0.

    Returns:
      rows, users, k, level, `learned` and `mix`; models and times: see `compared` and `over_time`.
      None where no row is to be measured.
    """
    examples = sample(splits["eval"], config.rows, np.random.default_rng(seed))
    if not len(examples):
        return None
    asked = ask(signatures, examples, movies)
    known = learn_from({name: splits[name] for name in learned}, movies, config.recent_days)
    found = {**asked.ranks, **{name: ranks(own, asked) for name, own in peers(known, config)}}
    hits = {name: (rank <= gates.k).astype(np.float64) for name, rank in found.items()}
    if mix:
        hits[for_people(mix)] = shown(signatures, examples, gates.k, mix)
    return {
        "rows": len(examples),
        "users": len(np.unique(asked.user)),
        "k": gates.k,
        "level": gates.level,
        "learned": list(learned),
        "mix": mix,
        "models": compared(asked.user, hits, gates, seed),
        "times": over_time(asked, hits, gates, seed),
    }


def for_people(mix: float) -> str:
    """What the candidate's lists in the order for people are called."""
    return f"{MODEL}, mix {mix:g}"


def compared(
    users: Array, hits: Mapping[str, Array], gates: GatesConfig, seed: int
) -> list[dict[str, Any]]:
    """Hit rates with intervals, and by how much the model is ahead of each peer, paired.

    Returns:
      model; value, low and high; and for each peer `gain`: value, low and high.
    """
    means = _resampled(users, list(hits.values()), gates.replicates, seed)
    rows = []
    for name, own in zip(hits, means.T, strict=True):
        row: dict[str, Any] = {"model": name, **_ends(own, gates.level)}
        if name != MODEL:
            row["gain"] = _ends(means[:, list(hits).index(MODEL)] - own, gates.level)
        rows.append(row)
    return rows


def over_time(
    asked: Asked, hits: Mapping[str, Array], gates: GatesConfig, seed: int
) -> list[dict[str, Any]]:
    """The hit rates of model and popularity in parts of eval that follow each other.

    Parts hold about as many rows each, no moment in two of them. Empty where eval has no times, or
    rows for fewer than two parts.

    Returns:
      model, start (microseconds since 1970), rows; value, low and high.
    """
    if asked.time is None:
        return []
    parts = min(PERIODS, len(asked.time) // FEWEST)
    bounds = np.unique(np.quantile(asked.time, np.arange(parts) / max(parts, 1), method="lower"))
    if len(bounds) < 2:
        return []
    place = np.searchsorted(bounds, asked.time, side="right") - 1
    rows = []
    for part, start in enumerate(bounds.tolist()):
        own = place == part
        columns = [hits[name][own] for name in (MODEL, POPULARITY)]
        means = _resampled(asked.user[own], columns, gates.replicates, seed)
        for name, mean in zip((MODEL, POPULARITY), means.T, strict=True):
            ends = _ends(mean, gates.level)
            rows.append({"model": name, "start": int(start), "rows": int(own.sum()), **ends})
    return rows


def _resampled(users: Array, columns: list[Array], replicates: int, seed: int) -> Array:
    """Means of columns, then those of each resample of users: [1 + replicates, columns].

    Of a single user there are no resamples: NaN.
    """
    table = np.stack([np.ones(len(users)), *columns], axis=1)
    sums = replicate_sums(users, table, replicates, seed)
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Array = sums[:, 1:] / sums[:, :1]
    if len(np.unique(users)) < PEOPLE:
        means[1:] = np.nan
    return means


def _ends(mean: Array, level: float) -> dict[str, float | None]:
    """Value, low and high; no ends where nothing can be resampled."""
    ends = (mean[0], *interval(mean[1:], level))
    return {
        name: float(end) if np.isfinite(end) else None
        for name, end in zip(("value", "low", "high"), ends, strict=True)
    }

"""What the README and docs say of one default run, out of its blessing.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.config import Config
from schemas.source import load_source

Blessing = Mapping[str, Any]
SHOWN = ("hit_rate@10", "rmse")
SITTINGS = {
    "session=same": "same sitting",
    "session=after a pause": "after a pause",
    "history=0": "first of all",
}


def kept(blessing: Blessing) -> dict[str, Any]:
    """The part of a run's blessing.json that the tables show.

    Raises:
      SystemExit: the run was not one of the default settings.
    """
    config = Config()
    of_source = config.of(load_source(config.source))
    defaults = of_source.model_dump(mode="json", exclude={"output_dir"})
    if not _holds(blessing["config"], defaults):
        raise SystemExit(f"Run {blessing['run_id']} has other settings than the defaults.")
    slices = ("overall", *SITTINGS)
    own = {name: _shown(blessing["metrics"][name]) for name in slices}
    rest = {
        baseline: {name: _shown(metrics[name]) for name in slices}
        for baseline, metrics in blessing["baselines"].items()
    }
    return {
        "run_id": blessing["run_id"],
        "metrics": own,
        "baselines": rest,
        "slices": {name: blessing["slices"][name] for name in slices},
        "gates": [gate for gate in blessing["gates"] if gate["kind"] == "baseline"],
    }


def _holds(config: Any, defaults: Any) -> bool:
    """Whether a configuration has all these settings; others may have been dropped since."""
    if isinstance(defaults, dict) and isinstance(config, dict):
        return all(key in config and _holds(config[key], own) for key, own in defaults.items())
    return bool(config == defaults)


def _shown(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: metrics[name] for name in SHOWN if name in metrics}


def run_table(run: Blessing) -> list[Sequence[str]]:
    """Header and rows: what a default run reaches, beside both baselines."""
    systems = {
        "Greenlight": run["metrics"],
        "popularity": run["baselines"]["popularity"],
        "user+movie bias": run["baselines"]["bias"],
    }
    rows = [[system, *_cells(metrics["overall"])] for system, metrics in systems.items()]
    return [["`greenlight run`, ml-latest-small, by time", "hit rate@10", "RMSE"], *rows]


def _cells(metrics: Mapping[str, float]) -> list[str]:
    return [f"{metrics[name]:g}" if name in metrics else "" for name in SHOWN]


def sittings_table(run: Blessing) -> list[Sequence[str]]:
    """Header and rows: hit rate@10 within a sitting, after a pause, and of first ratings."""
    rows = []
    for name, words in SITTINGS.items():
        size, hit_rate = run["slices"][name], SHOWN[0]
        own, popular = run["metrics"][name], run["baselines"]["popularity"][name]
        counts = [f"{size[key]:,}" for key in ("ratings", "users")]
        rows.append([words, *counts, f"{own[hit_rate]:g}", f"{popular[hit_rate]:g}"])
    return [["", "eval rows", "users", "Greenlight", "popularity"], *rows]


def gate_lines(run: Blessing) -> list[str]:
    """What the terminal shows of each gate over a baseline: value, and low and high end."""
    gates = run["gates"]
    return [
        f"{one['value']:+.4f} │ {'{:+.4f} to {:+.4f}'.format(*one['interval'])}" for one in gates
    ]

"""Which charts a report has, each with the words that stand for it."""

from collections.abc import Mapping
from typing import Any

from components.evaluation.gates import GatesConfig
from components.evaluation.metric_name import MetricName
from components.evaluation.slices import OVERALL, parse_slice
from components.pages.charts import Spec, bars, described, forest
from components.report import charts, tables
from components.report.cross_charts import drawn_crosses
from components.report.exposure_charts import drawn_exposure
from components.report.gate_charts import drawn_gates
from components.report.importance_charts import drawn_importance
from components.report.movie_maps import drawn_maps
from components.report.order_charts import drawn_orders
from components.report.peer_charts import drawn_peers
from components.report.shift_charts import drawn_shifts
from schemas.words import MOVIE, Item

Content = Mapping[str, Any]
SLICES_SHOWN = 40  # most rows of one chart
SLICE_GROUPS = {
    "popularity": "movie",
    "movie": "movie",
    "decade": "movie",
    "genre": "genre",
}  # of all others: of the user and the moment


def drawn(blessing: Content, facts: Content) -> dict[str, Spec]:
    """The charts that there are data for, by id."""
    settings = GatesConfig.model_validate(blessing["config"]["gates"])
    specs: dict[str, Spec] = {}
    hits = tables.hit_rates(blessing, settings)
    if hits:
        specs["hit-rate"] = described(charts.hit_rate_over_k(hits), tables.hit_rate_words(hits))
    specs |= _rating_charts(facts)
    specs |= _slice_charts(blessing, facts)
    item = Item(*facts.get("item", MOVIE))
    if facts.get("learned"):
        specs |= drawn_maps(facts["learned"], item)
    if facts.get("importance"):
        specs |= drawn_importance(facts["importance"])
    specs |= drawn_crosses(facts.get("crosses") or {})
    specs |= drawn_orders(blessing.get("orders") or {})
    specs |= drawn_peers(blessing.get("peers") or {})
    specs |= drawn_gates(blessing)
    if blessing["lists"]:
        specs |= drawn_exposure(blessing.get("exposure") or {})
    specs |= drawn_shifts(facts.get("shifts") or [])
    return specs | _training_charts(blessing["training"]) | _data_charts(facts["data"], item)


def _data_charts(data: Content, item: Item) -> dict[str, Spec]:
    specs = {}
    for name, x, number in (
        ("ratings", "rating", "ratings"),
        ("activity", "ratings of a user", "users"),
        ("popularity", item.worded("ratings of a movie"), item.several),
    ):
        rows = data[name]
        if rows:
            words = "; ".join(f"{row['bucket']}: {row['number']:,}" for row in rows)
            specs[name] = described(bars(rows, x, number), f"{number}: {words}")
    return specs


def _rating_charts(facts: Content) -> dict[str, Spec]:
    calibration, error = (facts["bands"][name] for name in ("calibration", "error"))
    if not calibration or not error or facts["scale"] is None:
        return {}
    off = max(abs(row["predicted"] - row["true"]) for row in calibration)
    worst = max((row for row in error if row["model"] == "candidate"), key=lambda r: r["rmse"])
    return {
        "calibration": described(
            charts.calibration(calibration, tuple(facts["scale"])),
            f"Mean true over mean predicted rating; the largest gap of any band is {off:.2f}.",
        ),
        "error": described(
            charts.error_by_rating(error),
            f"RMSE by true rating; the candidate's is largest, {worst['rmse']:.2f}, "
            f"for ratings of {worst['rating']:g}.",
        ),
    }


def _slice_charts(blessing: Content, facts: Content) -> dict[str, Spec]:
    against = "the blessed model" if "blessed" in blessing["baselines"] else "the baseline"
    specs: dict[str, Spec] = {}
    grouped = {metric: _grouped(rows) for metric, rows in facts["slices"].items()}
    for group in dict.fromkeys(name for parts in grouped.values() for name in parts):
        for metric, parts in grouped.items():
            rows = parts.get(group, [])
            if not rows:  # nothing there is rated
                continue
            worse = [row["label"] for row in rows if row["verdict"] == "worse"]
            words = f"{metric} against {against} by slice; worse in: {', '.join(worse) or 'none'}."
            lower = MetricName.parse(metric).lower_is_better
            title = f"{metric} {'lower' if lower else 'higher'} by"
            spec = described(forest(rows, title), words)
            note = f"Against {against}; right of 0 is better."
            spec["usermeta"] = {"caption": f"{metric} by {group}", "note": note}
            specs[f"slices-{len(specs)}"] = spec
    return specs


def _grouped(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The slices' rows by chart: related dimensions together, and no chart too long."""
    by_chart: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        dimensions = [name for name, _ in parse_slice(row["label"])]
        group = SLICE_GROUPS.get(dimensions[0], "user and moment")
        if len(dimensions) > 1:
            group = " and ".join(dimensions)
        if row["label"] == OVERALL:
            continue
        parts = [name for name in by_chart if name.split(", part ")[0] == group]
        if parts and len(by_chart[parts[-1]]) < SLICES_SHOWN:
            group = parts[-1]
        elif parts:
            group = f"{group}, part {len(parts) + 1}"
        by_chart.setdefault(group, []).append(row)
    overall = [row for row in rows if row["label"] == OVERALL]
    return {group: overall + part for group, part in by_chart.items()}


def _training_charts(training: Content) -> dict[str, Spec]:
    epochs, parts = training["epochs"], training.get("rounds_per_epoch", 1)
    best = training["best_epoch"] / parts
    specs = {}
    for key, title, names in (
        ("loss", "loss", {"loss": "train", "valid_loss": "valid"}),
        ("valid-hit-rate", "hit rate at 10", {"valid_hit_rate@10": "valid"}),
        ("valid-rmse", "RMSE", {"valid_rmse": "valid"}),
    ):
        rows = [
            {"epoch": number / parts, "value": epoch[name], "series": series}
            for number, epoch in enumerate(epochs, 1)
            for name, series in names.items()
            if epoch.get(name) is not None
        ]
        if rows:
            first, last = rows[0]["value"], rows[-1]["value"]
            words = f"{title} of {len(epochs) / parts:g} epochs, from {first:.4f} to {last:.4f}."
            specs[key] = described(charts.training(rows, best, title), words)
    return specs
